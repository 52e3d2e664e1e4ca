package app_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

// What may remain of a load once it is over, and how fast memory may grow.
const (
	soakSpare = 5   // goroutines, and files
	soakSlope = 1.0 // MB of resident memory in ten minutes
)

// quietness is what the server has when nobody asks anything of it.
type quietness struct {
	at                time.Duration // since the start
	deeds             int64         // until now
	goroutines, files int
	resident          float64 // MB, as the system counts
	heap, runtime     float64 // MB that Go has for objects, and altogether
	native            float64 // MB of SQLite, as the allocator of C has them
	database, log     int64   // bytes of the file and of its write-ahead log
}

// look asks the server and the system.
func (s *soak) look() (q quietness) {
	s.t.Helper()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Get("http://" + s.metrics + "/metrics")
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		fmt.Sscanf(line, "go_goroutines %d", &q.goroutines)
		fmt.Sscanf(line, "go_memstats_heap_alloc_bytes %g", &q.heap)
		fmt.Sscanf(line, "go_memstats_sys_bytes %g", &q.runtime)
	}
	if q.goroutines == 0 || q.heap == 0 {
		s.t.Fatalf("no figures: %.600s", text)
	}
	u := usageOf(s.t, s.p.Pid())
	q.at, q.deeds, q.files, q.resident = time.Since(s.begun), s.total.acknowledged.Load(), u.files, float64(u.memory)/1024
	q.heap, q.runtime, q.native = q.heap/(1<<20), q.runtime/(1<<20), nativeMemory(s.t, s.p.Pid())
	for suffix, size := range map[string]*int64{"": &q.database, "-wal": &q.log} {
		if info, err := os.Stat(s.p.File() + suffix); err == nil {
			*size = info.Size()
		}
	}
	return q
}

// nativeMemory returns the resident MB of the heap and of the arenas of glibc, which begin at multiples of 64 MB.
func nativeMemory(t *testing.T, pid int) (total float64) {
	t.Helper()
	maps, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps", pid))
	if err != nil {
		t.Fatal(err)
	}
	ours := false
	for line := range strings.Lines(string(maps)) {
		var from, to, resident uint64
		if n, _ := fmt.Sscanf(line, "%x-%x ", &from, &to); n == 2 {
			unnamed := len(strings.Fields(line)) == 5
			ours = strings.HasSuffix(line, "[heap]\n") || unnamed && from>>40 == 0x7f && from%(64<<20) == 0
		} else if n, _ := fmt.Sscanf(line, "Rss: %d kB", &resident); n == 1 && ours {
			total += float64(resident) / 1024
		}
	}
	return total
}

// quiet closes what lies idle and waits until the server has no more than at first. A leak stays however long one waits.
func (s *soak) quiet(first quietness, rest time.Duration) (q quietness) {
	s.t.Helper()
	s.inner.CloseIdleConnections()
	s.fickle.inner.CloseIdleConnections()
	time.Sleep(rest)
	if first.goroutines == 0 {
		return s.look()
	}
	fewer := func(spare int) func() bool {
		return func() bool {
			q = s.look()
			return q.goroutines <= first.goroutines+spare && q.files <= first.files+spare
		}
	}
	within(time.Second, fewer(0)) // what is being closed may have a moment
	if _, ok := within(20*time.Second, fewer(soakSpare)); !ok {
		syscall.Kill(s.p.Pid(), syscall.SIGQUIT) // it prints all its goroutines
		s.p.Wait()
		_, stacks, _ := strings.Cut(s.p.Log.String(), "SIGQUIT: quit")
		s.t.Fatalf("%d goroutines and %d files after the load, %d and %d before it: %.30000s", q.goroutines, q.files, first.goroutines, first.files, stacks)
	}
	return q
}

// slope is the line of least squares through what a figure was at each time, in units a minute.
func slope(all []quietness, figure func(quietness) float64) float64 {
	var n, x, y, xx, xy float64
	for _, q := range all {
		at, v := q.at.Minutes(), figure(q)
		n, x, y, xx, xy = n+1, x+at, y+v, xx+at*at, xy+at*v
	}
	return (n*xy - x*y) / (n*xx - x*x)
}

// The numbers of a soak: however long a mixed load and hostile clients last, the server has as many goroutines and files
// afterwards as before, and its memory does not grow.
func TestFaultSoak(t *testing.T) {
	t.Parallel()
	minutes := size(t, "SOAK", 0)
	s := newSoak(t)
	first := s.quiet(quietness{}, time.Second/2)
	if minutes == 0 {
		s.pace = soakHurry
		s.load(1500*time.Millisecond, s.hostility, s.slowness, s.impatience)
		last := s.quiet(first, 0)
		s.sound()
		t.Logf("%d deeds, %d commands: %d goroutines and %d files before, %d and %d after", last.deeds, s.commands, first.goroutines, first.files, last.goroutines, last.files)
		return
	}
	all := []quietness{first}
	waves := [][]func(context.Context){{s.hostility}, {s.slowness}, {s.impatience}, {s.hostility, s.slowness, s.impatience}}
	fmt.Printf("%7s %9s %10s %6s %9s %8s %8s %8s %9s %8s\n", "minute", "deeds", "goroutines", "files", "resident", "Go heap", "Go all", "SQLite",
		"database", "log")
	for ; time.Since(s.begun) < time.Duration(minutes)*time.Minute && !t.Failed(); s.round++ {
		s.load(12*time.Second, waves[s.round%len(waves)]...)
		q := s.quiet(first, 2*time.Second)
		all = append(all, q)
		fmt.Printf("%7.1f %9d %10d %6d %6.1f MB %5.1f MB %5.1f MB %5.1f MB %6.1f MB %5.1f MB\n", q.at.Minutes(), q.deeds, q.goroutines, q.files, q.resident, q.heap, q.runtime, q.native,
			float64(q.database)/(1<<20), float64(q.log)/(1<<20))
		s.heard.told() // or the test would keep it
		s.age()
		if s.round%8 == 3 {
			s.replaceKeys()
			s.administer()
		}
	}
	s.sound()
	warm := all[len(all)/3:]
	last, perOperation := all[len(all)-1], float64(all[len(all)-1].database-warm[0].database)/float64(all[len(all)-1].deeds-warm[0].deeds)
	resident := 10 * slope(warm, func(q quietness) float64 { return q.resident })
	t.Logf("%d deeds in %v with %d commands and %d backups beside the server. Goroutines %d at first and %d at last, files %d and %d",
		last.deeds, last.at.Round(time.Second), s.commands, s.backups, first.goroutines, last.goroutines, first.files, last.files)
	t.Logf("In ten minutes, after a third to warm up: resident memory %+.2f MB, of the Go runtime %+.2f MB and of SQLite %+.2f MB, goroutines %+.2f, files %+.2f. The database grows by %.0f bytes a deed",
		resident, 10*slope(warm, func(q quietness) float64 { return q.runtime }), 10*slope(warm, func(q quietness) float64 { return q.native }),
		10*slope(warm, func(q quietness) float64 { return float64(q.goroutines) }),
		10*slope(warm, func(q quietness) float64 { return float64(q.files) }), perOperation)
	if resident > soakSlope {
		t.Errorf("resident memory grows by %.2f MB in ten minutes", resident)
	}
}

// sound says whether the log and the file tell of anything but a busy day.
func (s *soak) sound() {
	s.t.Helper()
	log := s.p.Log.String()
	for _, bad := range []string{"panic", "locked", "level=ERROR", "SQLITE"} {
		if i := strings.Index(log, bad); i >= 0 {
			s.t.Errorf("the log says %q: %s", bad, log[max(0, i-200):min(len(log), i+600)])
		}
	}
	s.p.Terminate()
	if code := s.p.Wait(); code != 0 {
		s.t.Errorf("exit code %d", code)
	}
	files := left(s.t, s.p.File())
	sound(s.t, files)
	db, done := opened(s.t, files)
	defer done()
	var events, others int
	var query string
	err := db.QueryRow(`SELECT group_concat('(SELECT count(*) FROM "' || name || '")', ' + ') FROM sqlite_schema WHERE type = 'table' AND name <> 'event'`).Scan(&query)
	if err == nil {
		err = db.QueryRow("SELECT (SELECT count(*) FROM event), "+query).Scan(&events, &others)
	}
	if err != nil || events == 0 {
		s.t.Errorf("%d events, %v", events, err)
	}
	s.t.Logf("What stays: %d events in the audit trail, and %d other rows", events, others)
}
