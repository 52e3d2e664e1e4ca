package app

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"latchkey/adapters/memory"
	"latchkey/domain/audit"
	"latchkey/domain/identity"
	"latchkey/ports"
)

// machine is a clock that can be set, and what has elapsed whatever it says.
type machine struct {
	says    time.Time
	elapsed time.Duration
	log     strings.Builder
}

func (m *machine) pass(d time.Duration) { m.says, m.elapsed = m.says.Add(d), m.elapsed+d }
func (m *machine) set(d time.Duration)  { m.says = m.says.Add(d) }

func (m *machine) clock() *clock {
	return newClock(func() time.Time { return m.says }, func() time.Duration { return m.elapsed }, slog.New(slog.NewTextHandler(&m.log, nil)))
}

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// OP-05: time never runs backwards, and small corrections are waited for.
func TestClockGoesOn(t *testing.T) {
	t.Parallel()
	m := &machine{says: noon}
	c, store := m.clock(), memory.New()
	want := func(after time.Duration) {
		t.Helper()
		if err := c.settle(t.Context(), store); err != nil {
			t.Fatal(err)
		}
		if got := c.Now().Sub(noon); got != after {
			t.Errorf("%v after noon, want %v", got, after)
		}
	}
	want(0)
	m.pass(time.Minute)
	want(time.Minute)
	m.set(-5 * time.Minute)
	want(time.Minute)
	m.pass(2 * time.Minute) // it says two minutes before noon
	want(3 * time.Minute)
	m.set(-5 * time.Minute) // ten minutes behind in all
	m.pass(time.Millisecond)
	want(3*time.Minute + time.Millisecond)
	if n := strings.Count(m.log.String(), "was set back"); n != 1 {
		t.Errorf("logged %d times:\n%s", n, &m.log)
	}
	m.set(10*time.Minute + time.Second) // right again, and forward
	want(3*time.Minute + time.Millisecond + time.Second)
	for i := range 10_000 { // what is cut off each reading adds up to nothing
		m.pass(300 * time.Microsecond)
		if i == 0 {
			m.set(-time.Minute)
		}
		c.Now()
	}
	want(3*time.Minute + time.Millisecond + 4*time.Second)
	if events := trail(t, store); len(events) > 0 {
		t.Errorf("corrections are no events: %+v", events)
	}
}

// The readings of a machine jitter by less than anybody set: that is not worth a line for each request.
func TestClockThatJittersLogsNothing(t *testing.T) {
	t.Parallel()
	m := &machine{says: noon}
	c := m.clock()
	last := c.Now()
	for i := range 1000 {
		m.pass(time.Millisecond)
		m.set(time.Duration(i%7-3) * 100 * time.Microsecond)
		now := c.Now()
		if now.Before(last) {
			t.Fatalf("back from %v to %v", last, now)
		}
		last = now
	}
	if m.log.Len() > 0 {
		t.Errorf("logged: %.500s", &m.log)
	}
	m.set(-time.Second)
	if c.Now(); strings.Count(m.log.String(), "was set back") != 1 {
		t.Errorf("a second is worth a line: %s", &m.log)
	}
}

func trail(t *testing.T, store ports.Store) (kinds []audit.Kind) {
	t.Helper()
	if err := store.View(t.Context(), func(r ports.Reader) error {
		events, err := r.Events(audit.Query{Limit: 1000})
		for _, e := range events {
			kinds = append(kinds, e.Kind)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return kinds
}

// during does something while a unit of work waits for its turn.
type during struct {
	ports.Store
	do func()
}

func (d during) Update(ctx context.Context, fn func(ports.Tx) error) error {
	d.do()
	return d.Store.Update(ctx, fn)
}

// OP-05: what ended by the latest time told is made final, so none later is told while that is under way: what ended in
// between would begin again.
func TestClockStandsStillWhileItIsSettled(t *testing.T) {
	t.Parallel()
	m := &machine{says: noon}
	c, looked := m.clock(), false
	c.Now()
	m.set(-time.Hour)
	err := c.settle(t.Context(), during{memory.New(), func() {
		m.pass(time.Minute)
		if got := c.Now(); !got.Equal(noon) {
			t.Errorf("%v was told", got)
		}
		looked = true
	}})
	if err != nil || !looked {
		t.Fatal(err, looked)
	}
	if got := c.Now(); got.After(noon.Add(-time.Hour + time.Minute)) {
		t.Errorf("then %v", got)
	}
}

// refusing fails every unit of work.
type refusing struct{ ports.Store }

func (refusing) Update(context.Context, func(ports.Tx) error) error { return ports.ErrUnavailable }

// OP-05: a large setback is believed once what had ended stays ended, and no sooner.
func TestClockIsSetBack(t *testing.T) {
	t.Parallel()
	m := &machine{says: noon}
	c, store := m.clock(), memory.New()
	link := identity.Ticket{Key: [32]byte{1}, Purpose: identity.SetupTicket, CreatedAt: noon, ExpiresAt: noon.Add(30 * time.Minute)}
	if err := store.Update(t.Context(), func(tx ports.Tx) error { return tx.SaveTicket(link) }); err != nil {
		t.Fatal(err)
	}
	c.Now()
	m.pass(time.Hour) // the link has expired
	if err := c.save(t.Context(), store); err != nil {
		t.Fatal(err)
	}
	m.set(-50 * time.Minute)
	if err := c.settle(t.Context(), refusing{store}); !errors.Is(err, ports.ErrUnavailable) {
		t.Fatal(err)
	}
	m.pass(time.Second)
	if got := c.Now().Sub(noon); got != time.Hour+time.Second {
		t.Errorf("believed before anything was saved: %v", got)
	}
	// So does one that begins now, as after a restart.
	restarted := m.clock()
	if err := restarted.resume(t.Context(), refusing{store}); err != nil {
		t.Fatal(err)
	}
	if got := restarted.Now().Sub(noon); got != time.Hour {
		t.Errorf("a restart forgets the time: %v", got)
	}
	if err := restarted.resume(t.Context(), store); err != nil {
		t.Fatal(err)
	}
	if got := restarted.Now().Sub(noon); got != 10*time.Minute+time.Second {
		t.Errorf("the machine is not believed: %v", got)
	}
	if err := store.View(t.Context(), func(r ports.Reader) error { _, err := r.Ticket(link.Key); return err }); !errors.Is(err, ports.ErrNotFound) {
		t.Errorf("a link that had expired is there again: %v", err)
	}
	if events := trail(t, store); !slices.Equal(events, []audit.Kind{audit.ClockSetBack}) {
		t.Errorf("events %v", events)
	}
	if err := m.clock().resume(t.Context(), store); err != nil || len(trail(t, store)) != 1 {
		t.Errorf("a second start settles again: %v, %v", err, trail(t, store))
	}
}

// OP-05: twenty jumps of any size. Whatever time was told when something ended, it is never told to live again.
func TestClockJumps(t *testing.T) {
	t.Parallel()
	m := &machine{says: noon}
	c, store := m.clock(), memory.New()
	r := rand.New(rand.NewPCG(1, 2))
	sizes := []time.Duration{time.Second, 5 * time.Minute, time.Hour, 30 * 24 * time.Hour, 10 * 365 * 24 * time.Hour}
	type promise struct {
		key   [32]byte
		ended bool
	}
	var promises []promise
	revived, jumps := 0, 20
	for jump := range jumps {
		d := sizes[r.IntN(len(sizes))]
		if jump%2 == 1 {
			d = -d
		}
		m.set(d)
		for range 20 {
			m.pass(time.Minute)
			if err := c.settle(t.Context(), store); err != nil {
				t.Fatal(err)
			}
			now := c.Now()
			made := identity.Ticket{Key: [32]byte{byte(len(promises)), byte(len(promises) >> 8), 1}, Purpose: identity.SetupTicket, CreatedAt: now, ExpiresAt: now.Add(10 * time.Minute)}
			if err := store.Update(t.Context(), func(tx ports.Tx) error { return tx.SaveTicket(made) }); err != nil {
				t.Fatal(err)
			}
			promises = append(promises, promise{key: made.Key})
			for i, p := range promises {
				var link identity.Ticket
				if err := store.View(t.Context(), func(r ports.Reader) (err error) { link, err = r.Ticket(p.key); return err }); err != nil && !errors.Is(err, ports.ErrNotFound) {
					t.Fatal(err)
				}
				over := link.Key == [32]byte{} || !now.Before(link.ExpiresAt)
				if p.ended && !over {
					revived++
				}
				promises[i].ended = p.ended || over
				if link.Open(identity.SetupTicket, now) && link.ExpiresAt.Sub(now) > 12*time.Minute {
					t.Errorf("jump %d: a link of ten minutes works for %v", jump, link.ExpiresAt.Sub(now))
				}
			}
		}
	}
	t.Logf("%d jumps, %d links, %d revived", jumps, len(promises), revived)
	if revived > 0 {
		t.Error("something that had expired is there again")
	}
}
