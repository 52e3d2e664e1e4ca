package ratelimit

import (
	"fmt"
	"testing"
	"time"
	"unsafe"

	"latchkey/domain/oauth"
	"latchkey/ports"
)

var start = time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)

func limiter(scale float64) *Limiter {
	return New(map[ports.Endpoint]int{ports.EndpointAuthorize: 20, ports.EndpointToken: 30}, 1200, scale)
}

// heard sends n requests at once and returns how many were heard, and the last answer.
func heard(n int, ask func() ports.Admission) (count int, last ports.Admission) {
	for range n {
		if last = ask(); last.RetryAfter == 0 {
			count++
		}
	}
	return count, last
}

// RL-01: the whole minute at once, then one in each interval, and each says when to come back.
func TestBudget(t *testing.T) {
	l, now := limiter(1), start
	ask := func() ports.Admission { return l.Address(ports.EndpointAuthorize, "192.0.2.1", now) }
	n, last := heard(25, ask)
	if n != 20 || last.RetryAfter != 3*time.Second {
		t.Errorf("%d of 25 heard, then wait %v", n, last.RetryAfter)
	}
	now = now.Add(last.RetryAfter - time.Millisecond)
	if a := ask(); a.RetryAfter != time.Millisecond {
		t.Errorf("a moment too early: %+v", a)
	}
	now = now.Add(time.Millisecond)
	if n, _ := heard(2, ask); n != 1 {
		t.Errorf("%d heard after one interval", n)
	}
	now = now.Add(time.Hour)
	if n, _ := heard(25, ask); n != 20 {
		t.Errorf("%d heard after an hour: a budget does not pile up", n)
	}
}

// A clock set back makes nobody wait longer than one interval.
func TestClockSetBack(t *testing.T) {
	l, now := limiter(1), start
	ask := func() ports.Admission { return l.Address(ports.EndpointAuthorize, "192.0.2.1", now) }
	heard(25, ask)
	now = now.Add(-24 * time.Hour)
	if a := ask(); a.RetryAfter > 3*time.Second || a.Unrecorded == 0 {
		t.Errorf("a day back: %+v", a)
	}
	now = now.Add(3 * time.Second)
	if a := ask(); a.RetryAfter != 0 {
		t.Errorf("after the wait: %+v", a)
	}
}

// RL-01: nobody's budget is another's.
func TestBudgetsAreApart(t *testing.T) {
	l := limiter(1)
	heard(40, func() ports.Admission { return l.Address(ports.EndpointToken, "2001:db8::1", start) })
	if a := l.Address(ports.EndpointToken, "2001:db8::ffff", start); a.RetryAfter == 0 {
		t.Error("another address of the same /64 is another caller")
	}
	for name, a := range map[string]ports.Admission{
		"another network":                       l.Address(ports.EndpointToken, "2001:db8:0:1::1", start),
		"another endpoint":                      l.Address(ports.EndpointAuthorize, "2001:db8::1", start),
		"a client with the name of the network": l.Client(ports.EndpointToken, "2001:db8::/64", start),
		"an endpoint without a budget":          l.Address(ports.EndpointHealth, "2001:db8::1", start),
	} {
		if a.RetryAfter != 0 {
			t.Errorf("%s: %+v", name, a)
		}
	}
	if n, _ := heard(1500, func() ports.Admission { return l.Client(ports.EndpointToken, "web", start) }); n != 1200 {
		t.Errorf("a client was heard %d times", n)
	}
	if a := l.Client(ports.EndpointRevocation, "web", start); a.RetryAfter != 0 {
		t.Errorf("the client at another endpoint: %+v", a)
	}
}

// RL-03: a caller who has all networks of a site is heard as often as sixteen callers, at each endpoint apart.
func TestSiteIsBounded(t *testing.T) {
	l, i := limiter(1), 0
	ask := func() ports.Admission {
		i++
		return l.Address(ports.EndpointAuthorize, fmt.Sprintf("2001:db8:7:%x::1", i), start)
	}
	if n, last := heard(1000, ask); n != 16*20 || last.RetryAfter > time.Second {
		t.Errorf("%d of 1000 heard, then wait %v", n, last.RetryAfter)
	}
	for name, a := range map[string]ports.Admission{
		"another site":     l.Address(ports.EndpointAuthorize, "2001:db8:8::1", start),
		"another endpoint": l.Address(ports.EndpointToken, "2001:db8:7:1::1", start),
	} {
		if a.RetryAfter != 0 {
			t.Errorf("%s: %+v", name, a)
		}
	}
}

func TestScale(t *testing.T) {
	for _, c := range []struct {
		scale float64
		want  int
	}{{0, 5000}, {0.01, 1}, {0.5, 10}, {1, 20}, {1.01, 21}, {100, 2000}} {
		l := limiter(c.scale)
		if n, _ := heard(5000, func() ports.Admission { return l.Address(ports.EndpointAuthorize, "192.0.2.1", start) }); n != c.want {
			t.Errorf("scale %v: %d heard, want %d", c.scale, n, c.want)
		}
	}
	l := limiter(0)
	if n, _ := heard(5000, func() ports.Admission { return l.Client(ports.EndpointToken, "web", start) }); n != 5000 {
		t.Errorf("scale 0: a client was heard %d times", n)
	}
}

// RL-12: the first refusal is worth a record, then one a minute that counts the others.
func TestRecordsAreFew(t *testing.T) {
	l, records, counted := limiter(1), 0, 0
	for i := range 10_000 { // one every 60 ms: ten minutes
		now := start.Add(time.Duration(i) * 60 * time.Millisecond)
		if a := l.Address(ports.EndpointAuthorize, "192.0.2.1", now); a.Unrecorded > 0 {
			records++
			counted += a.Unrecorded
		} else if i == 9999 && a.RetryAfter == 0 {
			t.Error("the flood is heard")
		}
	}
	if records != 10 || counted < 8500 || counted > 9800 {
		t.Errorf("%d records of %d refusals", records, counted)
	}
}

// RL-12: a million callers take no more memory than one, and cost those who are being refused nothing but a full minute.
func TestMemoryIsBounded(t *testing.T) {
	if size := unsafe.Sizeof(table{}); size > 4<<20 {
		t.Fatalf("%d bytes", size)
	}
	l := limiter(1)
	greedy := func() ports.Admission { return l.Address(ports.EndpointAuthorize, "192.0.2.1", start) }
	heard(25, greedy)
	for i := range 1_000_000 {
		l.Address(ports.EndpointAuthorize, fmt.Sprintf("10.%d.%d.%d", i>>16, i>>8&255, i&255), start)
	}
	if n, _ := heard(25, greedy); n != 0 {
		t.Errorf("a crowd let a refused caller in %d times", n)
	}
}

func TestChargeAllocatesNothing(t *testing.T) {
	l := limiter(1)
	if n := testing.AllocsPerRun(100, func() {
		l.Address(ports.EndpointToken, "192.0.2.1", start)
		l.Client(ports.EndpointToken, oauth.ClientID("web"), start)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkAddress(b *testing.B) {
	l := limiter(1)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			l.Address(ports.EndpointToken, "192.0.2.1", start)
		}
	})
}
