package app_test

import (
	"errors"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"latchkey/app/apptest"
)

// OP-09: restarted again and again under load, the server is back at once. Who comes meanwhile finds nobody there; nobody
// loses an answer, and no line of tokens breaks.
func TestFaultRestarts(t *testing.T) {
	t.Parallel()
	restarts := size(t, "RESTARTS", 3)
	const workers = 6
	p := apptest.NewProcess(t, faultDocument(0))
	counter := &truncations{RoundTripper: &http.Transport{DisableKeepAlives: true, ResponseHeaderTimeout: 20 * time.Second}} // see TestFaultTerminate
	p.Transport = counter
	slowest := p.Start()
	browser := p.Browser()
	enter(t, p, browser)
	ended := make(chan struct{})
	var running sync.WaitGroup
	var answered, refused atomic.Int64
	for range workers {
		l := &line{rp: p.Client("web")}
		l.got(wantTokens(t, l.rp.Exchange(l.rp.Code(browser, "alice"))))
		running.Go(func() {
			for {
				r := l.rp.Refresh(l.head)
				switch {
				case r.Err == nil && r.Status == http.StatusOK:
					l.got(r)
					l.access = l.access[len(l.access)-1:]
					answered.Add(1)
				case r.Status == 0 && nobodyThere(r.Err):
					refused.Add(1)
					time.Sleep(5 * time.Millisecond)
				default:
					t.Errorf("refresh: %d %.200s %v", r.Status, r.Text, r.Err)
					return
				}
				select {
				case <-ended:
					return
				default:
				}
			}
		})
	}
	for range restarts {
		from := answered.Load()
		if _, ok := within(time.Minute, func() bool { return t.Failed() || answered.Load() > from+50 }); !ok || t.Failed() {
			break
		}
		p.Terminate()
		if code := p.Wait(); code != 0 {
			t.Errorf("exit code %d", code)
		}
		slowest = max(slowest, p.Start())
	}
	close(ended)
	running.Wait()
	if n := counter.n.Load(); n > 0 {
		t.Errorf("%d answers were cut off", n)
	}
	t.Logf("%d restarts, ready after at most %v; %d refreshes answered, %d found nobody there, 0 lost", restarts, slowest.Round(time.Millisecond), answered.Load(), refused.Load())
}

// nobodyThere reports whether a request met no server: its connection was refused, or waited to be accepted when the
// server ended, which reads nothing from it.
func nobodyThere(err error) bool {
	return errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) || errors.Is(err, io.EOF)
}
