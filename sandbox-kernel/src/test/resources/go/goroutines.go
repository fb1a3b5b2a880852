// A thousand goroutines over channels, a wait group and a mutex.
package main

import (
	"fmt"
	"sync"
	"sync/atomic"
)

const goroutines = 1000

func main() {
	var group sync.WaitGroup
	var mutex sync.Mutex
	var atomically atomic.Int64
	locked := 0
	squares := make(chan int, 10)
	for i := range goroutines {
		group.Add(1)
		go func() {
			defer group.Done()
			for range 10 {
				mutex.Lock()
				locked++
				mutex.Unlock()
				atomically.Add(1)
			}
			squares <- i * i
		}()
	}
	sum := 0
	for range goroutines {
		sum += <-squares
	}
	group.Wait()
	fmt.Println(sum, locked, atomically.Load())

	// A ring: each passes on what it gets, plus one.
	first := make(chan int)
	in := first
	for range goroutines {
		out := make(chan int)
		go func(from, to chan int) { to <- <-from + 1 }(in, out)
		in = out
	}
	go func() { first <- 0 }()
	fmt.Println("passed on", <-in, "times")

	var once sync.Once
	condition := sync.NewCond(&mutex)
	ready := false
	results := make(chan bool)
	for range 10 {
		go func() {
			mutex.Lock()
			for !ready {
				condition.Wait()
			}
			mutex.Unlock()
			once.Do(func() { fmt.Println("once") })
			results <- true
		}()
	}
	mutex.Lock()
	ready = true
	condition.Broadcast()
	mutex.Unlock()
	for range 10 {
		<-results
	}
	select {
	case <-results:
		fmt.Println("one too many")
	default:
		fmt.Println("done")
	}
}
