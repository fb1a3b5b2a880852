// Sleeping, timers and tickers, whose order does not depend on how fast a machine is.
package main

import (
	"context"
	"fmt"
	"time"
)

func main() {
	start := time.Now()
	time.Sleep(20 * time.Millisecond)
	fmt.Println("slept:", time.Since(start) >= 20*time.Millisecond)

	ticker := time.NewTicker(5 * time.Millisecond)
	last := time.Now()
	for i := range 3 {
		at := <-ticker.C
		fmt.Println("tick", i, at.After(last))
		last = at
	}
	ticker.Stop()

	done := make(chan string)
	for i := 3; i > 0; i-- {
		go func() {
			<-time.After(time.Duration(i) * 50 * time.Millisecond)
			done <- fmt.Sprint("after ", i)
		}()
	}
	for range 3 {
		fmt.Println(<-done)
	}

	stopped := time.AfterFunc(time.Hour, func() { fmt.Println("too early") })
	fmt.Println("stopped:", stopped.Stop())

	limit, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	select {
	case <-limit.Done():
		fmt.Println(limit.Err())
	case <-time.After(time.Minute):
		fmt.Println("too late")
	}
}
