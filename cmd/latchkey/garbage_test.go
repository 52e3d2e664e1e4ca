package main

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"testing"
	"time"
)

func TestPercentFor(t *testing.T) {
	for _, c := range []struct {
		live uint64 // MB
		want int
	}{{0, 400}, {4, 400}, {8, 400}, {16, 200}, {32, 100}, {64, 50}, {1000, 50}} {
		if got := percentFor(c.live << 20); got != c.want {
			t.Errorf("%d MB: %d %%, want %d", c.live, got, c.want)
		}
	}
}

// The percentage follows the heap, in both directions, by collections alone.
func TestGarbageIsLimited(t *testing.T) {
	t.Cleanup(func() { debug.SetGCPercent(100) })
	limitGarbage()
	percent := func() int {
		now := []metrics.Sample{{Name: "/gc/gogc:percent"}}
		metrics.Read(now)
		return int(now[0].Value.Uint64())
	}
	collect := func(until func(int) bool) int {
		t.Helper()
		for range 200 {
			runtime.GC()
			time.Sleep(time.Millisecond) // what follows a collection runs beside us
			if until(percent()) {
				break
			}
		}
		return percent()
	}
	if p := collect(func(p int) bool { return p == 400 }); p != 400 {
		t.Errorf("%d %% of a small heap", p)
	}
	much := make([]byte, 64<<20)
	if p := collect(func(p int) bool { return p == 50 }); p != 50 {
		t.Errorf("%d %% of a large heap", p)
	}
	runtime.KeepAlive(much)
	much = nil
	if p := collect(func(p int) bool { return p == 400 }); p != 400 {
		t.Errorf("%d %% of a heap that is small again", p)
	}
}
