package app_test

import (
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"latchkey/app/apptest"
)

// RL-09: clients that send a byte now and then lose their connections and disturb nobody. In a campaign half of them do so
// in the body of a request, which may take three times as long.
func TestFaultSlowClients(t *testing.T) {
	t.Parallel()
	const passing = 100
	crowd := size(t, "SLOW", passing)
	p := apptest.NewProcess(t, faultDocument(0))
	p.Start()
	b := p.Browser()
	enter(t, p, b)
	h := newHonest(t, p, b)
	_, calm := h.refresh(5*time.Millisecond, after(time.Second))
	before := usageOf(t, p.Pid())

	var running sync.WaitGroup
	var slowest, open atomic.Int64
	begun := time.Now()
	for n := range crowd {
		c, err := net.Dial("tcp", strings.TrimPrefix(p.Issuer, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		open.Add(1)
		running.Go(func() {
			defer c.Close()
			if n%2 == 0 || crowd == passing {
				fmt.Fprintf(c, "GET /login HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
			} else {
				fmt.Fprintf(c, "POST /token HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 10000\r\n\r\n")
			}
			ended := make(chan struct{})
			go func() {
				io.Copy(io.Discard, c)
				close(ended)
			}()
			for over := false; !over; {
				select {
				case <-ended:
					over = true
				case <-time.After(500 * time.Millisecond):
					_, err := io.WriteString(c, "a")
					over = err != nil || time.Since(begun) > time.Minute
				}
			}
			open.Add(-1)
			for took := int64(time.Since(begun)); ; {
				if s := slowest.Load(); took <= s || slowest.CompareAndSwap(s, took) {
					break
				}
			}
		})
	}
	busy := usageOf(t, p.Pid())
	count, during := h.refresh(20*time.Millisecond, after(3*time.Second))
	running.Wait()
	if took := time.Duration(slowest.Load()); took > time.Minute {
		t.Error("slow clients are never sent away")
	}
	var later usage
	if _, ok := within(20*time.Second, func() bool { later = usageOf(t, p.Pid()); return later.files <= before.files }); !ok {
		t.Errorf("%d files are open, and %d were before", later.files, before.files)
	}
	t.Logf("%d slow clients, the last one sent away after %v; %d honest refreshes beside them, 99%% within %v (alone %v); %d files open, %d before, %d after; memory %d KiB, %d before",
		crowd, time.Duration(slowest.Load()).Round(100*time.Millisecond), count, during, calm, busy.files, before.files, later.files, busy.memory, before.memory)
}
