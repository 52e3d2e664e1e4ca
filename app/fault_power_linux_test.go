package app_test

import (
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"testing"
	"time"

	"latchkey/app/apptest"
)

// sector is what a disk writes whole or not at all.
const sector = 512

// platter is one file as a disk holds it: what was synced is there, of the rest anything may be.
type platter struct {
	content []byte
	there   bool     // its name is in the directory, for good
	pending []record // since the last sync
	begun   []int    // syncs that have begun: how much was pending then
}

// powerCut returns what a disk may hold when the power fails, after the calls of records on the files before. Every call
// that no finished sync covers is kept, dropped, or kept in part and in any order.
func powerCut(before map[string][]byte, records []record, r *rand.Rand) map[string][]byte {
	suffixes := map[uint32]string{fileDatabase: "", fileLog: "-wal"}
	files := map[uint32]*platter{}
	for id, suffix := range suffixes {
		content, there := before[suffix]
		files[id] = &platter{content: slices.Clone(content), there: there}
	}
	for _, call := range records {
		if call.file == fileDirectory {
			if call.kind == recordSyncEnd {
				for _, f := range files { // a name that was made is kept; one that was removed stays in doubt until the end
					f.there = f.there || len(f.pending) > 0 || len(f.content) > 0
				}
			}
			continue
		}
		f := files[call.file]
		switch call.kind {
		case recordSyncBegin:
			f.begun = append(f.begun, len(f.pending))
		case recordSyncEnd:
			n := f.begun[0]
			for _, p := range f.pending[:n] {
				f.apply(p, nil)
			}
			f.pending, f.begun = f.pending[n:], f.begun[1:]
			for i := range f.begun {
				f.begun[i] = max(0, f.begun[i]-n)
			}
		default:
			f.pending = append(f.pending, call)
		}
	}
	after := map[string][]byte{}
	for id, f := range files {
		// From a disk that kept nothing on its own to one that was only just interrupted.
		chance := []float64{0, 0.1, 0.5, 0.9, 1}[r.IntN(5)]
		whole := r.IntN(2) == 0
		for _, p := range f.pending {
			if whole && r.Float64() < chance {
				f.apply(p, nil)
			} else if !whole {
				f.apply(p, func() bool { return r.Float64() < chance })
			}
		}
		if f.there || id == fileDatabase || r.IntN(2) == 0 && len(f.content) > 0 {
			after[suffixes[id]] = f.content
		}
	}
	return after
}

// apply does a call, or those sectors of it that keep says; nil keeps all.
func (f *platter) apply(call record, keep func() bool) {
	if keep != nil && call.kind != recordWrite && !keep() {
		return
	}
	switch call.kind {
	case recordTruncate:
		f.size(int(call.offset))
	case recordUnlink:
		f.content, f.there = nil, false
	case recordWrite:
		for data, at := call.data, int(call.offset); len(data) > 0; {
			n := min(len(data), sector-at%sector)
			if keep == nil || keep() {
				f.size(max(len(f.content), at+n))
				copy(f.content[at:], data[:n])
			}
			data, at = data[n:], at+n
		}
	}
}

func (f *platter) size(n int) {
	if n > len(f.content) {
		f.content = append(f.content, make([]byte, n-len(f.content))...)
	}
	f.content = f.content[:n]
}

// ST-01, ST-02: the power fails at any instant of mixed load, and of what was not synced the disk keeps what it likes. What
// was acknowledged is there all the same: sign-ins, revocations, marks of what was used, counts of attempts.
func TestFaultPowerCut(t *testing.T) {
	t.Parallel()
	cuts, writes := size(t, "CUTS", 4), size(t, "CUT_WRITES", 100)
	p := apptest.NewProcess(t, faultDocument(crewSize))
	disk := shimmed(t, p)
	disk.words[syncDelay].Store(2000) // so that most cuts come between a write and the end of its sync
	c := newCrew(t, p, crewSize)
	var lost int64
	slowest := time.Duration(0)
	for cut := range cuts {
		seed := [2]uint64{rand.Uint64(), rand.Uint64()}
		before := left(t, p.File())
		disk.forget(t)
		slowest = max(slowest, p.Start())
		if cut > 0 {
			c.check()
			c.ended()
		}
		if t.Failed() {
			t.Fatalf("cut %d; the log ends:\n%s", cut, p.Log.Tail())
		}
		c.run(cut%2 == 0, func() {
			c.reach(rand.N(2 * int64(writes)))
			p.Kill()
		})
		calls, _ := disk.records(t, 0)
		after := powerCut(before, calls, rand.New(rand.NewPCG(seed[0], seed[1])))
		lost += bytesLost(left(t, p.File()), after)
		replace(t, p.File(), after)
		sound(t, after)
		if c.counted(after); t.Failed() {
			t.Fatalf("cut %d with the seed %v", cut, seed)
		}
	}
	slowest = max(slowest, p.Start())
	c.check()
	c.ended()
	c.figures("%d power cuts, %d sectors differ from what the process had written, ready after at most %v", cuts, lost, slowest.Round(time.Millisecond))
	if lost == 0 {
		t.Error("no cut lost anything: the disk is too good for a test")
	}
}

// bytesLost counts the sectors that differ.
func bytesLost(written, kept map[string][]byte) (n int64) {
	for suffix, content := range written {
		for at := 0; at < len(content); at += sector {
			end := min(at+sector, len(content))
			if end > len(kept[suffix]) || string(content[at:end]) != string(kept[suffix][at:end]) {
				n++
			}
		}
	}
	return n
}

// ST-03: every answer that says something was done comes after a sync of the log that covers all it wrote. Each sync
// takes so long that an answer which did not wait for it would come first.
func TestFaultSyncOrder(t *testing.T) {
	t.Parallel()
	effects := size(t, "EFFECTS", 10)
	p := apptest.NewProcess(t, faultDocument(0))
	disk := shimmed(t, p)
	p.Start()
	browser, web := p.Browser(), p.Client("web")
	enter(t, p, browser)
	p.Kill()
	disk.words[syncDelay].Store(int64((2 * time.Millisecond).Microseconds()))
	refreshed := func() (old, head string) {
		first := wantTokens(t, web.Exchange(web.Code(browser, "alice")))
		return first.Get("refresh_token"), wantTokens(t, web.Refresh(first.Get("refresh_token"))).Get("refresh_token")
	}
	status := func(r apptest.Reply) int { return r.Status }
	for _, kind := range []struct {
		name    string
		prepare func() func() int
		want    int
	}{
		{"codes issued", func() func() int {
			return func() int { return browser.Do("GET", "/authorize?"+web.Request().Encode(), nil, nil).Status }
		}, http.StatusSeeOther},
		{"codes redeemed", func() func() int {
			code := web.Code(browser, "alice")
			return func() int { return status(web.Exchange(code)) }
		}, http.StatusOK},
		{"refreshes", func() func() int {
			_, head := refreshed()
			return func() int { return status(web.Refresh(head)) }
		}, http.StatusOK},
		{"codes replayed", func() func() int {
			code := web.Code(browser, "alice")
			wantTokens(t, web.Exchange(code))
			return func() int { return status(web.Exchange(code)) }
		}, http.StatusBadRequest},
		{"refresh tokens replayed", func() func() int {
			old, _ := refreshed()
			return func() int { return status(web.Refresh(old)) }
		}, http.StatusBadRequest},
		{"revocations", func() func() int {
			_, head := refreshed()
			return func() int { return status(web.Post("/revocation", url.Values{"token": {head}}, nil)) }
		}, http.StatusOK},
	} {
		synced := 0
		for n := range effects {
			if n%200 == 0 { // so that the jobs of the server, which write every minute, do so at no time
				p.Kill()
				p.Start()
			}
			act := kind.prepare()
			_, from := disk.records(t, 0)
			if got := act(); got != kind.want {
				t.Fatalf("%s: %d, want %d", kind.name, got, kind.want)
			}
			answered := monotonic()
			calls, _ := disk.records(t, from)
			if inOrder(calls, answered) {
				synced++
			}
			disk.forget(t)
		}
		t.Logf("%s: %d of %d synced before the answer", kind.name, synced, effects)
		if synced != effects {
			t.Errorf("%s: answers came before the disk had them", kind.name)
		}
	}
}

// inOrder reports whether the log was written before the answer, and then a sync of it began and ended before the answer.
func inOrder(calls []record, answered int64) bool {
	wrote, began, ended := false, false, false
	for _, call := range calls {
		if call.file != fileLog || call.when > answered {
			continue
		}
		switch call.kind {
		case recordWrite:
			wrote, began, ended = true, false, false
		case recordSyncBegin:
			began = wrote
		case recordSyncEnd:
			ended = began
		}
	}
	return ended
}
