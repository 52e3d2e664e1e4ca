package main

import (
	"sort"
	"testing"
	"time"
)

func TestHistQuantiles(t *testing.T) {
	var h Hist
	var all []time.Duration
	x := uint64(12345)
	for range 100000 {
		x = x*6364136223846793005 + 1442695040888963407
		d := time.Duration(x >> 40)
		all = append(all, d)
		h.Add(d)
	}
	sort.Slice(all, func(i, j int) bool { return all[i] < all[j] })
	for _, q := range []float64{.5, .9, .99} {
		want := float64(all[int(q*float64(len(all)))])
		got := float64(h.Quantile(q))
		if got < want*0.99 || got > want*1.01 {
			t.Errorf("q%v: got %v want %v", q, got, want)
		}
	}
	if time.Duration(h.max) != all[len(all)-1] {
		t.Error("max")
	}
	for _, v := range []uint64{0, 1, 127, 128, 129, 255, 256, 1 << 40, 1<<62 + 12345} {
		i := bucketOf(v)
		if up := upperOf(i); up < v || float64(up) > float64(v)*1.01+1 {
			t.Errorf("bucket of %d has upper bound %d", v, up)
		}
	}
}
