package app_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"latchkey/app/apptest"
)

// fickle gives up three requests in ten at any moment, as people who press stop and proxies that time out do.
type fickle struct {
	inner   *http.Transport
	calm    atomic.Bool
	all     atomic.Int64
	givenUp atomic.Int64
}

func (f *fickle) RoundTrip(r *http.Request) (*http.Response, error) {
	f.all.Add(1)
	if f.calm.Load() || rand.N(10) >= 3 {
		return f.inner.RoundTrip(r)
	}
	f.givenUp.Add(1)
	ctx, giveUp := context.WithCancel(r.Context())
	time.AfterFunc(time.Duration(rand.N(int64(6*time.Millisecond))), giveUp)
	return f.inner.RoundTrip(r.WithContext(ctx))
}

// openFiles counts the files and sockets of a process.
func openFiles(t *testing.T, pid int) int {
	t.Helper()
	entries, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

// ST-10, ST-11: callers who read and then write, three in ten leaving early, and the command line beside them:
// nothing fails and nothing is locked, and afterwards nothing is left open or half done.
func TestFaultCrowd(t *testing.T) {
	t.Parallel()
	workers := size(t, "CROWD", 16)
	p := apptest.NewProcess(t, faultDocument(0))
	transport := &fickle{inner: p.Transport.(*http.Transport)}
	transport.calm.Store(true)
	p.Transport = transport
	p.Start()
	browser := p.Browser()
	enter(t, p, browser)
	transport.inner.CloseIdleConnections()
	var before int
	if _, ok := within(10*time.Second, func() bool { n := openFiles(t, p.Pid()); settled := n == before; before = n; return settled }); !ok {
		t.Fatal("the number of open files does not settle")
	}

	transport.calm.Store(false)
	ctx, stop := context.WithTimeout(t.Context(), time.Duration(size(t, "CROWD_SECONDS", 2))*time.Second)
	defer stop()
	var running sync.WaitGroup
	statuses := make([]map[int]int, workers)
	for w := range workers {
		statuses[w] = map[int]int{}
		running.Go(func() { crowd(ctx, t, p, sameSession(p, browser), statuses[w]) })
	}
	applied := 0
	running.Go(func() {
		for ; ctx.Err() == nil; applied++ {
			if out := p.Command(t.Context(), clients(fmt.Sprint("made", applied), ""), "apply", "-"); out.Code != 0 {
				t.Errorf("apply beside the server: %+v", out)
				return
			}
			time.Sleep(50 * time.Millisecond)
		}
	})
	running.Wait()

	transport.calm.Store(true)
	total := map[int]int{}
	for _, some := range statuses {
		for status, n := range some {
			total[status] += n
		}
	}
	for status := range total {
		if status >= 500 {
			t.Errorf("%d answers with %d", total[status], status)
		}
	}
	log := p.Log.String()
	for _, bad := range []string{"locked", "level=ERROR", "SQLITE"} {
		if i := strings.Index(log, bad); i >= 0 {
			t.Errorf("the log says %q: %s", bad, log[max(0, i-200):min(len(log), i+300)])
		}
	}
	for range 20 {
		l := &line{rp: p.Client("web")}
		l.got(enter(t, p, browser))
		if userinfo, refresh := l.usable(); userinfo != http.StatusOK || refresh.Status != http.StatusOK {
			t.Fatalf("afterwards: %d, %d %s", userinfo, refresh.Status, refresh.Text)
		}
	}
	transport.inner.CloseIdleConnections()
	after := 0
	if _, ok := within(30*time.Second, func() bool { after = openFiles(t, p.Pid()); return after <= before }); !ok {
		t.Errorf("%d files and sockets are open, and %d were before", after, before)
	}
	p.Terminate()
	if code := p.Wait(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	sound(t, left(t, p.File()))
	t.Logf("%d requests, %d of them set to be given up; answers by status %v (0: given up); %d applied beside; %d open files before, %d after",
		transport.all.Load(), transport.givenUp.Load(), total, applied, before, after)
}

// crowd reads and writes until the time is over. An answer that did not arrive leaves its token in doubt, so a later refusal
// of it is no failure.
func crowd(ctx context.Context, t *testing.T, p *apptest.Process, b *apptest.Browser, statuses map[int]int) {
	rp := p.Client("web")
	for ctx.Err() == nil {
		page := rp.Authorize(b)
		statuses[page.Status]++
		if code := page.Answer().Get("code"); code != "" {
			r := rp.Exchange(code)
			statuses[r.Status]++
			for range 5 {
				if r.Err != nil || r.Status != http.StatusOK {
					break
				}
				statuses[rp.UserInfo(r.Get("access_token")).Status]++
				r = rp.Refresh(r.Get("refresh_token"))
				statuses[r.Status]++
			}
		} else if page.Err == nil {
			t.Errorf("no code: %d %s %.300s", page.Status, page.URL, page.Body)
			return
		}
		statuses[b.Get("/").Status]++
	}
}
