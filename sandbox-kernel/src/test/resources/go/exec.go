// Other processes: of this program itself, with arguments, pipes and statuses.
package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"
)

func main() {
	if len(os.Args) > 1 {
		child(os.Args[1:])
		return
	}
	self, err := os.Executable()
	if err != nil {
		panic(err)
	}

	out, err := exec.Command(self, "echo", "one", "two words", "").Output()
	fmt.Printf("%q %v\n", out, err)

	upper := exec.Command(self, "upper")
	upper.Stdin = strings.NewReader(strings.Repeat("some text\n", 10_000))
	out, err = upper.Output()
	fmt.Println(len(out), bytes.Count(out, []byte("SOME TEXT")), err)

	var both bytes.Buffer
	status := exec.Command(self, "exit", "42")
	status.Stderr = &both
	status.Env = append(os.Environ(), "REASON=because")
	err = status.Run()
	var exit *exec.ExitError
	fmt.Println(errors.As(err, &exit), exit.ExitCode(), both.String())

	_, err = exec.Command("/no/such/program").Output()
	fmt.Println(err)
	_, err = exec.Command("no-such-program").Output()
	fmt.Println(err)
	inNowhere := exec.Command(self, "echo")
	inNowhere.Dir = "/no/such/folder"
	fmt.Println(strings.HasSuffix(inNowhere.Run().Error(), "no such file or directory"))

	sleeper := exec.Command(self, "sleep")
	said, err := sleeper.StdoutPipe()
	if err != nil {
		panic(err)
	}
	if err := sleeper.Start(); err != nil {
		panic(err)
	}
	line, _ := bufio.NewReader(said).ReadString('\n')
	fmt.Print(line)
	fmt.Println(sleeper.Process.Kill(), sleeper.Wait())

	results := make(chan string)
	for i := range 5 {
		go func() {
			out, err := exec.Command(self, "echo", fmt.Sprint(i)).Output()
			results <- fmt.Sprintf("%s%v", out, err)
		}()
	}
	all := map[string]bool{}
	for range 5 {
		all[<-results] = true
	}
	fmt.Println(len(all))
}

func child(arguments []string) {
	switch arguments[0] {
	case "echo":
		fmt.Printf("%q\n", arguments[1:])
	case "upper":
		text, err := io.ReadAll(os.Stdin)
		if err != nil {
			panic(err)
		}
		os.Stdout.Write(bytes.ToUpper(text))
	case "exit":
		fmt.Fprint(os.Stderr, os.Getenv("REASON"))
		os.Exit(42)
	case "sleep":
		fmt.Println("asleep")
		time.Sleep(time.Hour)
	}
}
