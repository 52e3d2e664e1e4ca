package app_test

import (
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"latchkey/app/apptest"
)

// The load of BenchmarkSize: steady, and far from what the server can do, because how long a request takes is the question.
const (
	sizeWorkers = 8
	sizePool    = 200 // refresh tokens that are used in turn
	sizeRounds  = 8   // of which medians are taken; fewer when the sweep is done before
	sizeWindow  = 3 * time.Second
	sizeWarmup  = 500 * time.Millisecond // of each window
)

// sizeScenarios are how often each worker does what.
var sizeScenarios = []struct {
	name  string
	every time.Duration
	do    func(*sized) error
}{
	{"refresh", 40 * time.Millisecond, (*sized).refresh},
	{"userinfo", 20 * time.Millisecond, (*sized).userInfo},
	{"code_session", 100 * time.Millisecond, (*sized).codeSession},
}

// sized is a provider under the load, and what its applications hold.
type sized struct {
	*apptest.Process
	name    string
	web     *apptest.RP
	browser *apptest.Browser
	tokens  chan string
	access  string
	windows map[string][][]time.Duration // by scenario and phase
	cpu     map[string]time.Duration     // of the server, in all those windows
	count   map[string]int               // requests in them, or flows
	mu      sync.Mutex
}

// BenchmarkSize puts the same load, side by side, on a provider with one user and on one with LATCHKEY_SIZE users and five times
// as many token families, first without and then with a sweep of what has expired of them (ST-13).
func BenchmarkSize(b *testing.B) {
	users, err := strconv.Atoi(os.Getenv("LATCHKEY_SIZE"))
	if err != nil || users < 1 {
		users = 2000
	}
	for b.Loop() {
		empty, filled := newSized(b, "empty"), newSized(b, "filled")
		begun := time.Now()
		fillFile(b, filled.File(), users)
		fmt.Printf("%d users and %d token families filled in %v\n", users, 5*users, time.Since(begun).Round(time.Second))
		both := []*sized{empty, filled}
		for _, s := range both {
			s.Start()
			s.prepare(b)
		}
		for round := range sizeRounds { // a server that has just started does not sweep for a minute
			restart(both)
			measure(b, both, "calm")
			fmt.Printf("%d of %d rounds\n", round+1, 2*sizeRounds)
		}
		restart(both)
		total := expired(b, filled.File())
		if _, ok := within(3*time.Minute, func() bool { return expired(b, filled.File()) < total }); !ok {
			b.Fatal("the server does not sweep")
		}
		left := total
		for round := 0; round < sizeRounds && left > 0; round++ {
			measure(b, both, "sweep")
			left = expired(b, filled.File())
			fmt.Printf("%d of %d rounds, %d of %d expired families are left\n", sizeRounds+round+1, 2*sizeRounds, left, total)
		}
		var resident, peak []int // KiB, empty and filled
		for _, s := range []*sized{empty, filled} {
			now, most := memory(b, s.Pid())
			resident, peak = append(resident, now>>10), append(peak, most>>10)
			s.Terminate()
			s.Wait()
		}
		info, err := os.Stat(filled.File())
		if err != nil {
			b.Fatal(err)
		}
		const columns = "%-13s %-6s %10v %10v %10v %10v %7s %10v %10v %7s\n"
		fmt.Printf("\n"+columns, "scenario", "", "empty p50", "filled p50", "empty p99", "filled p99", "ratio", "empty CPU", "filled CPU", "ratio")
		for _, phase := range []string{"calm", "sweep"} {
			for _, c := range sizeScenarios {
				key := c.name + phase
				if len(filled.windows[key]) == 0 {
					continue // swept before there was a window
				}
				ratio := float64(filled.median(key, 99)) / float64(empty.median(key, 99))
				b.ReportMetric(ratio, c.name+"-"+phase+"-p99-ratio")
				emptyWork, filledWork, more := "", "", "" // beside a sweep, most of what the server does is the sweep
				if phase == "calm" {
					work := float64(filled.work(key)) / float64(empty.work(key))
					b.ReportMetric(work, c.name+"-"+phase+"-CPU-ratio")
					emptyWork, filledWork, more = empty.work(key).String(), filled.work(key).String(), fmt.Sprintf("%.2f", work)
				}
				fmt.Printf(columns, c.name, phase, empty.median(key, 50), filled.median(key, 50), empty.median(key, 99), filled.median(key, 99),
					fmt.Sprintf("%.2f", ratio), emptyWork, filledWork, more)
			}
		}
		fmt.Printf("Medians of up to %d windows of %v; CPU is what the server used for one. %d users, %d families; file %d MB.\n", sizeRounds, sizeWindow,
			users, 5*users, info.Size()>>20)
		for line := range strings.Lines(filled.Log.String()) {
			if _, text, ok := strings.Cut(line, "expired rows deleted\""); ok {
				fmt.Printf("Swept:%s", text)
			}
		}
		fmt.Printf("Expired families before and after: %d and %d. Resident memory: empty %d MB (at most %d), filled %d MB (at most %d).\n\n",
			total, left, resident[0], peak[0], resident[1], peak[1])
	}
}

func newSized(b *testing.B, name string) *sized {
	return &sized{Process: apptest.NewProcess(b, faultDocument(0)), name: name, windows: map[string][][]time.Duration{},
		cpu: map[string]time.Duration{}, count: map[string]int{}}
}

// prepare signs alice in and fills the pool.
func (s *sized) prepare(b *testing.B) {
	s.web, s.browser, s.tokens = s.Client("web"), s.Browser(), make(chan string, sizePool)
	for range sizePool {
		r := s.web.SignIn(s.browser, "alice")
		s.access = r.Get("access_token")
		s.tokens <- r.Get("refresh_token")
	}
}

func restart(both []*sized) {
	for _, s := range both {
		s.Terminate()
		s.Wait()
		s.Start()
	}
}

func (s *sized) refresh() error {
	r := s.web.Refresh(<-s.tokens)
	s.tokens <- r.Get("refresh_token")
	return answered(r)
}

func (s *sized) userInfo() error { return answered(s.web.UserInfo(s.access)) }

func (s *sized) codeSession() error {
	return answered(s.web.Exchange(s.web.Authorize(sameSession(s.Process, s.browser)).Answer().Get("code")))
}

func answered(r apptest.Reply) error {
	if r.Status != http.StatusOK {
		return errors.Join(r.Err, fmt.Errorf("%d %.200s", r.Status, r.Text))
	}
	return nil
}

// measure runs every scenario in a window on one provider after the other, and next time the other way round, so that what
// disturbs the machine meets both.
func measure(b *testing.B, both []*sized, phase string) {
	for _, c := range sizeScenarios {
		for _, s := range both {
			var running sync.WaitGroup
			var took []time.Duration
			begun, done, spent := time.Now(), atomic.Int64{}, cpuOf(b, s.Pid())
			for range sizeWorkers {
				running.Go(func() {
					time.Sleep(rand.N(c.every)) // not all at once
					tick := time.NewTicker(c.every)
					defer tick.Stop()
					for time.Since(begun) < sizeWarmup+sizeWindow {
						<-tick.C
						at := time.Now()
						if err := c.do(s); err != nil {
							b.Errorf("%s, %s, %s: %v", s.name, c.name, phase, err)
							return
						}
						done.Add(1)
						if at.Sub(begun) > sizeWarmup {
							s.mu.Lock()
							took = append(took, time.Since(at))
							s.mu.Unlock()
						}
					}
				})
			}
			running.Wait()
			slices.Sort(took)
			key := c.name + phase
			s.windows[key], s.cpu[key], s.count[key] = append(s.windows[key], took), s.cpu[key]+cpuOf(b, s.Pid())-spent, s.count[key]+int(done.Load())
		}
	}
	slices.Reverse(both)
}

// median returns the median of what p of a hundred did not exceed in each window.
func (s *sized) median(key string, p int) time.Duration {
	var all []time.Duration
	for _, took := range s.windows[key] {
		all = append(all, percentile(took, p))
	}
	slices.Sort(all)
	return percentile(all, 50)
}

// work returns the CPU time of one request or flow.
func (s *sized) work(key string) time.Duration {
	return (s.cpu[key] / time.Duration(max(s.count[key], 1))).Round(time.Microsecond)
}

// cpuOf returns the CPU time of a process, all its threads.
func cpuOf(b *testing.B, pid int) (cpu time.Duration) {
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	if err != nil || len(tasks) == 0 {
		b.Fatal(pid, err)
	}
	for _, task := range tasks {
		text, _ := os.ReadFile(task) // a thread may have ended
		var n time.Duration
		fmt.Sscan(string(text), &n)
		cpu += n
	}
	return cpu
}

// fillFile runs the script of adapters/sqlite. Indexes are made after the rows, because to grow them row by row takes hours.
func fillFile(b *testing.B, file string, users int) {
	script, err := os.ReadFile(filepath.Join("..", "adapters", "sqlite", "testdata", "fill.sql"))
	if err != nil {
		b.Fatal(err)
	}
	unsummed(b, file)
	db, err := sql.Open("sqlite3", "file:"+file)
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	must := func(statements ...string) {
		for _, s := range statements {
			if _, err := db.Exec(s); err != nil {
				b.Fatalf("%v: %.100s", err, s)
			}
		}
	}
	must("PRAGMA journal_mode = delete", "PRAGMA journal_mode = off", "PRAGMA synchronous = off", "PRAGMA cache_size = -1000000")
	rows, err := db.Query("SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND sql <> ''")
	if err != nil {
		b.Fatal(err)
	}
	indexes := map[string]string{}
	for rows.Next() {
		var name, text string
		if err := rows.Scan(&name, &text); err != nil {
			b.Fatal(err)
		}
		indexes[name] = text
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		b.Fatal(err)
	}
	for name := range indexes {
		must("DROP INDEX " + name)
	}
	for statement := range strings.SplitSeq(strings.ReplaceAll(string(script), "SIZE", strconv.Itoa(users)), ";\n") {
		begun := time.Now()
		must(statement)
		if took := time.Since(begun); took > time.Second {
			what, _, _ := strings.Cut(strings.TrimSpace(statement), "(")
			fmt.Printf("%6.1fs %s\n", took.Seconds(), what)
		}
	}
	begun := time.Now()
	for _, text := range indexes {
		must(text)
	}
	if took := time.Since(begun); took > time.Second {
		fmt.Printf("%6.1fs %d indexes\n", took.Seconds(), len(indexes))
	}
	must("PRAGMA journal_mode = delete", "PRAGMA journal_mode = wal")
}

// expired counts the families that a sweep has still to delete.
func expired(b *testing.B, file string) (n int) {
	db, err := sql.Open("sqlite3", "file:"+file+"?mode=ro")
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	if err := db.QueryRow("SELECT count(*) FROM token_family WHERE expires_at < (unixepoch() - 30 * 86400) * 1000").Scan(&n); err != nil {
		b.Fatal(err)
	}
	return n
}

// memory returns the resident memory of a process, now and at most, in KiB.
func memory(b *testing.B, pid int) (now, peak int) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		b.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		fmt.Sscanf(line, "VmRSS: %d kB", &now)
		fmt.Sscanf(line, "VmHWM: %d kB", &peak)
	}
	return now, peak
}
