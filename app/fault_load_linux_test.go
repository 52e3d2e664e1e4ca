package app_test

import (
	"fmt"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"latchkey/app/apptest"
)

// usage is what a process has of the machine.
type usage struct {
	memory int           // KiB of resident memory
	cpu    time.Duration // since it began
	files  int
}

func usageOf(t *testing.T, pid int) (u usage) {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		fmt.Sscanf(line, "VmRSS: %d kB", &u.memory)
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Fatal(err)
	}
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+2:]))
	for _, field := range fields[11:13] { // utime and stime, in hundredths of a second
		n, _ := strconv.Atoi(field)
		u.cpu += time.Duration(n) * 10 * time.Millisecond
	}
	u.files = openFiles(t, pid)
	return u
}

// honest is a sign-in whose application refreshes its tokens again and again, while something else goes on.
type honest struct {
	t    *testing.T
	line *line
}

func newHonest(t *testing.T, p *apptest.Process, b *apptest.Browser) *honest {
	t.Helper()
	l := &line{rp: p.Client("web")}
	l.got(wantTokens(t, l.rp.Exchange(l.rp.Code(b, "alice"))))
	return &honest{t: t, line: l}
}

// refresh refreshes every so often until done, and returns how long the slowest hundredth took at least.
func (h *honest) refresh(every time.Duration, done <-chan struct{}) (count int, p99 time.Duration) {
	h.t.Helper()
	var took []time.Duration
	for over := false; !over; {
		begun := time.Now()
		if !h.once() {
			return len(took), 0
		}
		took = append(took, time.Since(begun))
		select {
		case <-done:
			over = true
		case <-time.After(every):
		}
	}
	slices.Sort(took)
	return len(took), percentile(took, 99)
}

// offered refreshes at a fixed rate until done: one that is late is made up for, and its time counts from when it was due.
// With an interval of 0 the next is due when the last is answered.
func (h *honest) offered(interval time.Duration, done <-chan struct{}) (took []time.Duration) {
	h.t.Helper()
	for due := time.Now(); ; due = due.Add(interval) {
		if interval == 0 {
			due = time.Now()
		}
		select {
		case <-done:
			return took
		case <-time.After(time.Until(due)):
		}
		if !h.once() {
			return took
		}
		took = append(took, time.Since(due))
	}
}

// once reports whether a refresh went well.
func (h *honest) once() bool {
	h.t.Helper()
	r := h.line.rp.Refresh(h.line.head)
	if r.Err != nil || r.Status != http.StatusOK {
		h.t.Errorf("an honest refresh: %d %.200s %v", r.Status, r.Text, r.Err)
		return false
	}
	h.line.got(r)
	h.line.access = h.line.access[len(h.line.access)-1:]
	return true
}

// after closes a channel when the time has come.
func after(d time.Duration) <-chan struct{} {
	done := make(chan struct{})
	time.AfterFunc(d, func() { close(done) })
	return done
}
