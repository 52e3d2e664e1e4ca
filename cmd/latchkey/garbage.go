package main

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// The live heap is a few megabytes: at Go's default of collecting whenever it doubles, a busy server would collect many
// times a second. So there may be four times as much garbage, but no more than what leaves a server that remembers 10,000
// users and has 100,000 sessions within 120 MB.
//
// A limit of memory (debug.SetMemoryLimit) would do the same on a calm day. On a bad one, when thousands of slow connections
// alone take more than the limit, the server would spend half of its time on collections that find nothing.
const (
	mostGarbage = 32 << 20 // bytes
	mostPercent = 400      // of the live heap
	leastGrowth = 50       // per cent: however much is live, garbage is worth collecting only now and then
)

// limitGarbage sets how much garbage there may be, now and after each collection.
func limitGarbage() { pace(0) }

func pace(percent int) {
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}} // by the last collection
	metrics.Read(live)
	if next := percentFor(live[0].Value.Uint64()); next != percent {
		debug.SetGCPercent(next)
		percent = next
	}
	type sentinel struct{ _ *byte } // with a pointer, so that it does not share its memory with what lives on
	runtime.AddCleanup(&sentinel{}, pace, percent)
}

// percentFor returns the garbage that may be beside so many bytes that live, in per cent of them.
func percentFor(live uint64) int {
	return int(min(max(mostGarbage*100/max(live, 1), leastGrowth), mostPercent))
}
