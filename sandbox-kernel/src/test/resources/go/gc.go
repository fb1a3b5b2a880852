// Garbage collections beside loops that call nothing: the loops must be interrupted by signals.
package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"sync/atomic"
)

var stop atomic.Bool

type node struct {
	next  *node
	bytes [100]byte
}

func list(length int) *node {
	var first *node
	for range length {
		first = &node{next: first}
	}
	return first
}

func spin(from uint64) uint64 {
	x := from
	for range uint64(100_000_000) {
		x = x*6364136223846793005 + 1442695040888963407
	}
	return x
}

func main() {
	runtime.GOMAXPROCS(4)
	results := make(chan uint64)
	go func() { results <- spin(1) }()
	go func() {
		for !stop.Load() {
		}
		results <- 0
	}()
	kept := list(1000)
	for range 10 {
		list(10_000)
		runtime.GC()
	}
	debug.FreeOSMemory()
	stop.Store(true)
	length := 0
	for at := kept; at != nil; at = at.next {
		length++
	}
	fmt.Println("kept", length)
	fmt.Println("spun", <-results+<-results)
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	fmt.Println("collected", stats.NumGC >= 10, stats.Mallocs > 100_000)

	deep := make(chan int)
	go func() { deep <- recurse(100_000) }() // its stack grows and moves
	fmt.Println("deep", <-deep)
}

func recurse(level int) int {
	if level == 0 {
		return 0
	}
	return recurse(level-1) + 1
}
