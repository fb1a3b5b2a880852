package main

import (
	"errors"
	"time"

	"golang.org/x/sys/unix"
	"gvisor.dev/gvisor/pkg/abi/linux"
	"gvisor.dev/gvisor/pkg/context"
	"gvisor.dev/gvisor/pkg/hostarch"
	"gvisor.dev/gvisor/pkg/sentry/arch"
	"gvisor.dev/gvisor/pkg/sentry/memmap"
	"gvisor.dev/gvisor/pkg/sentry/platform"
	"gvisor.dev/gvisor/pkg/usermem"
)

// No row gives back an address space: the next would get its process instead of a new one.
type bench struct {
	ctx      context.Context
	platform platform.Platform
	n        int
}

const (
	codeAt = hostarch.Addr(0x10000000)
	dataAt = hostarch.Addr(0x20000000)
)

// Not the pattern that systrap patches, which has a mov right before the call.
var code = []byte{
	0x0f, 0x05, // again: syscall
	0xeb, 0xfc, // jmp again
}

// file is a memfd. A platform asks for its descriptor and for nothing else of it.
type file struct {
	memmap.File
	fd int
}

func (f file) DataFD(memmap.FileRange) (int, error) {
	return f.fd, nil
}

func newFile(content []byte) file {
	fd, err := unix.MemfdCreate("gvisor-peer", unix.MFD_CLOEXEC)
	if err == nil {
		err = unix.Ftruncate(fd, hostarch.PageSize)
	}
	if err == nil {
		_, err = unix.Pwrite(fd, content, 0)
	}
	if err != nil {
		die("no memfd: %v", err)
	}
	return file{fd: fd}
}

// guest is a thread in an address space of its own, and to the platform the manager of that space.
type guest struct {
	platform.MemoryManager
	space   platform.AddressSpace
	context platform.Context
	state   *arch.Context64
}

func (g *guest) AddressSpace() platform.AddressSpace {
	return g.space
}

// CopyIn is called after a fault, to see whether CPUID caused it: never here.
func (g *guest) CopyIn(context.Context, hostarch.Addr, []byte, usermem.IOOpts) (int, error) {
	return 0, unix.EFAULT
}

func (b *bench) newSpace() platform.AddressSpace {
	space, err := b.platform.NewAddressSpace()
	if err != nil {
		die("no new address space: %v", err)
	}
	return space
}

// newGuest maps the code and makes a context that starts there.
func (b *bench) newGuest(space platform.AddressSpace, code file) *guest {
	mapTo(space, codeAt, code, hostarch.ReadExecute)
	g := &guest{space: space, context: b.platform.NewContext(b.ctx), state: arch.New(arch.Host)}
	g.state.SetIP(uintptr(codeAt))
	return g
}

func mapTo(space platform.AddressSpace, at hostarch.Addr, f file, access hostarch.AccessType) {
	err := space.MapFile(at, f, memmap.FileRange{End: hostarch.PageSize}, access, false)
	if err != nil {
		die("cannot map a page: %v", err)
	}
}

// call lets the guest run until it has made this system call.
func (b *bench) call(g *guest, number uint64) {
	g.state.Regs.Rax = number
	if _, _, err := g.context.Switch(b.ctx, g, g.state, -1); err != nil {
		die("the guest made no system call: %v", err)
	}
	if g.state.SyscallNo() != uintptr(number) {
		die("the guest made system call %d, not %d", g.state.SyscallNo(), number)
	}
}

// create times a new address space, and how long it takes until a guest in it has made its first system call.
func create(b *bench, taken []samples) {
	page := newFile(code)
	defer unix.Close(page.fd)
	n := min(max(b.n/10, 1), 100)
	for i := -n / 10; i < n; i++ {
		begin := time.Now()
		space := b.newSpace()
		made := time.Now()
		g := b.newGuest(space, page)
		b.call(g, unix.SYS_GETPID)
		end := time.Now()
		if i >= 0 {
			taken[0].add(begin, made)
			taken[1].add(begin, end)
		}
		g.context.Release()
	}
}

// mapPage times a page that is not touched.
func mapPage(b *bench, taken []samples) {
	page := newFile(nil)
	defer unix.Close(page.fd)
	space := b.newSpace()
	for i := -b.n / 10; i < b.n; i++ {
		begin := time.Now()
		mapTo(space, dataAt, page, hostarch.ReadWrite)
		mapped := time.Now()
		space.Unmap(dataAt, hostarch.PageSize)
		end := time.Now()
		if i >= 0 {
			taken[0].add(begin, mapped)
			taken[1].add(mapped, end)
		}
	}
}

// roundTrip times one system call of a guest that does nothing else.
func roundTrip(b *bench, taken []samples) {
	page := newFile(code)
	defer unix.Close(page.fd)
	g := b.newGuest(b.newSpace(), page)
	for i := -b.n / 10; i < b.n; i++ {
		begin := time.Now()
		b.call(g, unix.SYS_GETPID)
		end := time.Now()
		if i >= 0 {
			taken[0].add(begin, end)
		}
	}
	g.context.Release()
}

// check proves that the guest's code is what runs: numbers and arguments arrive, and without its page it faults.
func check(b *bench) {
	page := newFile(code)
	defer unix.Close(page.fd)
	g := b.newGuest(b.newSpace(), page)
	for number := range uint64(1000) {
		g.state.Regs.Rdi = ^number
		b.call(g, number)
		if argument := g.state.SyscallArgs()[0].Uint64(); argument != ^number {
			die("the argument of system call %d is %#x, not %#x", number, argument, ^number)
		}
		if ip := g.state.IP(); ip != uintptr(codeAt)+2 {
			die("the guest is at %#x after its system call, not at %#x", ip, codeAt+2)
		}
	}
	g.space.Unmap(codeAt, hostarch.PageSize)
	info, _, err := g.context.Switch(b.ctx, g, g.state, -1)
	if !errors.Is(err, platform.ErrContextSignal) || info.Signo != int32(linux.SIGSEGV) ||
		info.Addr() != uint64(codeAt)+2 {
		die("the guest runs on without its code: %v, %+v", err, info)
	}
	g.context.Release()
}
