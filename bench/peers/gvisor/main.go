// Command gvisor measures gVisor's own platforms on the work that the library's benchmarks measure. See README.md.
package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
	"gvisor.dev/gvisor/pkg/context"
	"gvisor.dev/gvisor/pkg/cpuid"
	"gvisor.dev/gvisor/pkg/log"
	"gvisor.dev/gvisor/pkg/sentry/platform"
	_ "gvisor.dev/gvisor/pkg/sentry/platform/ptrace"
	_ "gvisor.dev/gvisor/pkg/sentry/platform/systrap"
)

// What is timed, in the order in which it runs (create leaves many processes behind); rows of one function share its loop.
var rows = []struct {
	names []string
	run   func(*bench, []samples)
}{
	{[]string{"map_page", "unmap_page"}, mapPage},
	{[]string{"switch"}, roundTrip},
	{[]string{"new_address_space", "first_switch"}, create},
}

const usage = `usage: gvisor [--cpu N] [--n N] [--platform systrap|ptrace] [ROW...|check]
  --cpu N       pin everything to that CPU (default: not pinned)
  --n N         repeat N times (default 2000); new address spaces a tenth of that and 100 at most,
                since none is given back and they get slower
  --platform P  only this platform (default: one after the other)
  check         prove that it is the guest's code that runs, instead of measuring
rows (default: all):
`

func printUsage() {
	out := flag.CommandLine.Output()
	fmt.Fprint(out, usage)
	for _, name := range platforms {
		for _, row := range rows {
			fmt.Fprintln(out, "  "+strings.Join(rowNames(name, row.names), " "))
		}
	}
}

var platforms = []string{"systrap", "ptrace"}

func rowName(platform, row string) string {
	return "gvisor_" + platform + "_" + row
}

func rowNames(platform string, rows []string) []string {
	names := []string{}
	for _, row := range rows {
		names = append(names, rowName(platform, row))
	}
	return names
}

func main() {
	cpu := flag.Int("cpu", -1, "")
	n := flag.Int("n", 2000, "")
	only := flag.String("platform", "", "")
	flag.Usage = printUsage
	flag.Parse()
	wanted := flag.Args()
	if *n < 1 || *cpu < -1 || *only != "" && !slices.Contains(platforms, *only) || !known(wanted) {
		printUsage()
		os.Exit(2)
	}
	if *cpu >= 0 {
		pin(*cpu)
	}
	refuseCgo()
	if *only == "" {
		each()
		return
	}
	log.SetLevel(log.Warning)
	cpuid.Initialize()
	ctx := context.WithValue(context.Background(), cpuid.CtxFeatureSet, cpuid.HostFeatureSet())
	measure(ctx, *only, *n, wanted)
}

// each runs this program once for every platform: what one has sealed in memory, the other could not unmap in its stubs.
func each() {
	for _, name := range platforms {
		one := exec.Command("/proc/self/exe", append([]string{"--platform", name}, os.Args[1:]...)...)
		one.Stdout, one.Stderr = os.Stdout, os.Stderr
		if err := one.Run(); err != nil {
			die("%s: %v", name, err)
		}
	}
}

// known tells whether these are names of rows or the check.
func known(wanted []string) bool {
	names := []string{"check"}
	for _, name := range platforms {
		for _, row := range rows {
			names = append(names, rowNames(name, row.names)...)
		}
	}
	return !slices.ContainsFunc(wanted, func(want string) bool { return !slices.Contains(names, want) })
}

func measure(ctx context.Context, name string, n int, wanted []string) {
	b := &bench{ctx, platformNamed(name), n}
	isWanted := func(row string) bool {
		return len(wanted) == 0 || slices.Contains(wanted, rowName(name, row))
	}
	for _, row := range rows {
		if !slices.ContainsFunc(row.names, isWanted) {
			continue
		}
		taken := make([]samples, len(row.names))
		row.run(b, taken)
		for i, timed := range row.names {
			if isWanted(timed) {
				taken[i].report(rowName(name, timed))
			}
		}
	}
	if slices.Contains(wanted, "check") {
		check(b)
		fmt.Println("gvisor_" + name + ": checked")
	}
}

func platformNamed(name string) platform.Platform {
	constructor, err := platform.Lookup(name)
	if err != nil {
		die("%v", err)
	}
	p, err := constructor.New(platform.Options{})
	if err != nil {
		die("no platform %s: %v", name, err)
	}
	return p
}

// pin begins this program anew on the CPU: Go counts CPUs when it starts, and on a single one systrap never spins.
func pin(cpu int) {
	var have, want unix.CPUSet
	want.Set(cpu)
	if err := unix.SchedGetaffinity(0, &have); err == nil && have == want {
		return
	}
	runtime.LockOSThread()
	if err := unix.SchedSetaffinity(0, &want); err != nil {
		die("cannot pin to CPU %d: %v", cpu, err)
	}
	die("cannot start again: %v", unix.Exec("/proc/self/exe", os.Args, os.Environ()))
}

// refuseCgo: the C library registers rseq for every thread, and its stubs then loop on a fault for ever.
func refuseCgo() {
	info, ok := debug.ReadBuildInfo()
	if !ok || !slices.Contains(info.Settings, debug.BuildSetting{Key: "CGO_ENABLED", Value: "0"}) {
		die("build it with CGO_ENABLED=0")
	}
}

func die(format string, values ...any) {
	fmt.Fprintf(os.Stderr, "gvisor: "+format+"\n", values...)
	os.Exit(1)
}

// samples are microseconds.
type samples []float64

func (s *samples) add(from, to time.Time) {
	*s = append(*s, float64(to.Sub(from).Nanoseconds())/1000)
}

func (s samples) report(name string) {
	slices.Sort(s)
	sum := 0.0
	for _, value := range s {
		sum += value
	}
	n := len(s)
	fmt.Printf(`{"name":"%s","unit":"us","n":%d,"mean":%.3f,"p50":%.3f,"p90":%.3f,"p99":%.3f,"min":%.3f}`+"\n",
		name, n, sum/float64(n), s[n/2], s[n*90/100], s[n*99/100], s[0])
}
