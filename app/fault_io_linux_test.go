package app_test

import (
	"context"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"latchkey/app/apptest"
)

// failures are the calls that may fail, and how.
var failures = []struct {
	name  string
	word  int
	errno syscall.Errno
}{
	{"write EIO", failWrite, syscall.EIO},
	{"write ENOSPC", failWrite, syscall.ENOSPC},
	{"sync EIO", failSync, syscall.EIO},
	{"sync ENOSPC", failSync, syscall.ENOSPC},
}

// ST-04, ST-14: the k-th write or sync of the server fails, alone or with all that follow. What was acknowledged is there,
// what was refused is not there by half, and the server goes on or, when the disk may have lost something, says that it
// has to be started again.
func TestFaultIO(t *testing.T) {
	t.Parallel()
	depth := size(t, "IO", 0)
	var ks []int64
	for k := range depth {
		ks = append(ks, int64(k+1))
	}
	if depth == 0 {
		ks = []int64{1, 2, 7}
	}
	p := apptest.NewProcess(t, faultDocument(4))
	disk := shimmed(t, p)
	c := newCrew(t, p, 4)
	c.faulty = true
	p.Start()
	cases, refused, recovered := 0, 0, 0
	for _, k := range ks {
		for i, f := range failures {
			forGood := (int(k)+i)%3 == 0
			disk.words[partial].Store(k % 2)
			disk.forget(t)
			said := len(p.Log.String())
			c.run(false, func() {
				disk.arm(f.word, k, f.errno, forGood)
				if _, ok := within(20*time.Second, func() bool { return disk.words[given].Load() > 0 }); !ok {
					t.Errorf("%s %d never failed", f.name, k)
				}
				time.Sleep(20 * time.Millisecond)
			})
			cases++
			checked := false
			checkReads(t, p, c.browser)
			disk.arm(f.word, 0, 0, false)
			// The disk works again. Either so does the server, or it says what to do.
			if page := p.Client("web").Authorize(sameSession(p, c.browser)); page.Answer().Has("code") {
				recovered++
				c.check()
				checked = true
			} else if _, ok := within(5*time.Second, func() bool { // the log comes by another way than the answer
				return strings.Contains(p.Log.String()[said:], "start the server again")
			}); page.Status != http.StatusServiceUnavailable || f.word != failSync || !ok {
				t.Errorf("it neither goes on nor says why: %d %.200s", page.Status, page.Body)
			} else {
				refused++
			}
			files := left(t, p.File())
			p.Kill()
			sound(t, files)
			c.counted(files)
			p.Start()
			if !checked {
				c.check()
			}
			if c.ended(); t.Failed() {
				t.Fatalf("%s, k = %d, for good %v; the log ends:\n%s", f.name, k, forGood, p.Log.Tail())
			}
		}
	}
	c.figures("%d failures of a write or sync, %d times it went on, %d times it asked to be started again", cases, recovered, refused)
}

// checkReads checks that what only reads goes on while nothing can be written.
func checkReads(t *testing.T, p *apptest.Process, browser *apptest.Browser) {
	t.Helper()
	for _, path := range []string{"/.well-known/openid-configuration", "/jwks", "/login"} {
		if r := p.Client("web").Send("GET", path, "", nil); r.Status != http.StatusOK {
			t.Errorf("%s, while the disk fails: %d %.200s", path, r.Status, r.Text)
		}
	}
	wantAccount(t, browser.Get("/account"))
}

// ST-14: when the disk fails while the server starts, it serves or it says in one line why not, and the file is whole.
func TestFaultIOStart(t *testing.T) {
	t.Parallel()
	depth := size(t, "IO_START", 1)
	p := apptest.NewProcess(t, faultDocument(0))
	disk := shimmed(t, p)
	p.Start()
	enter(t, p, p.Browser())
	served, refused := 0, 0
	for k := range depth {
		for _, f := range failures {
			p.Kill()
			disk.arm(f.word, int64(k+1), f.errno, true)
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			ended := make(chan apptest.Output, 1)
			go func() { ended <- p.Command(ctx, "", p.ServeArgs()...) }()
			ready := func() bool {
				r := p.Client("web").Send("GET", "/jwks", "", nil)
				return r.Err == nil && r.Status == http.StatusOK
			}
			var out apptest.Output
			for over := false; !over; {
				select {
				case out = <-ended:
					over = true
				case <-time.After(10 * time.Millisecond):
					if ready() {
						cancel()
						out = <-ended
						over = true
					}
				}
			}
			cancel()
			switch {
			case out.Code == -1 && ctx.Err() == context.Canceled:
				served++
			case out.Code > 0 && strings.Contains(out.Stderr, "latchkey: "):
				refused++
			default:
				t.Errorf("%s, k = %d: %+v", f.name, k+1, out)
			}
			disk.arm(f.word, 0, 0, false)
			sound(t, left(t, p.File()))
			p.Start()
			enter(t, p, p.Browser())
		}
	}
	t.Logf("%d failures while it started: %d times it served all the same, %d times it refused", served+refused, served, refused)
}
