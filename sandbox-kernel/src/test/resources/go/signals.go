// Signals that this process sends itself.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func send(which syscall.Signal) {
	if err := syscall.Kill(syscall.Getpid(), which); err != nil {
		panic(err)
	}
}

func main() {
	received := make(chan os.Signal, 10)
	signal.Notify(received, syscall.SIGUSR1, syscall.SIGTERM, syscall.SIGHUP)
	for _, which := range []syscall.Signal{syscall.SIGUSR1, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGUSR1} {
		send(which)
		fmt.Println(<-received)
	}

	signal.Ignore(syscall.SIGHUP)
	send(syscall.SIGHUP)
	fmt.Println("ignored:", signal.Ignored(syscall.SIGHUP))

	interrupted, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	send(syscall.SIGINT)
	<-interrupted.Done()
	fmt.Println(interrupted.Err())
	stop()

	func() {
		defer func() { fmt.Println("recovered:", recover()) }()
		var nowhere *int
		*nowhere = 1
	}()
	func() {
		defer func() { fmt.Println("recovered:", recover()) }()
		zero := len(os.Args) - 1
		fmt.Println(1 / zero)
	}()

	signal.Reset(syscall.SIGTERM)
	send(syscall.SIGTERM)
	select {}
}
