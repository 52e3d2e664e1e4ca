package sqlite_test

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"testing"

	"latchkey/adapters/sqlite"
	"latchkey/domain/audit"
	"latchkey/domain/identity"
	"latchkey/domain/oauth"
	"latchkey/ports"
	"latchkey/ports/storetest"
)

// Two stores on one file stand for the server and the command line.
func second(t *testing.T, path string) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(path, storetest.Tag, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func rename(t *testing.T, s *sqlite.Store, name string) {
	t.Helper()
	err := s.Update(t.Context(), func(tx ports.Tx) error { return tx.SaveClient(oauth.Client{ID: "c", Name: name}) })
	if err != nil {
		t.Fatal(err)
	}
}

func TestChangeOfAnotherProcess(t *testing.T) {
	server, path := create(t)
	cli := second(t, path)
	rename(t, server, "first")
	name := func() (name string) {
		if err := server.View(t.Context(), func(r ports.Reader) error { c, err := r.Client("c"); name = c.Name; return err }); err != nil {
			t.Fatal(err)
		}
		return name
	}
	if got := name(); got != "first" { // and is remembered
		t.Fatalf("got %q", got)
	}
	before := server.Changes()
	rename(t, cli, "second")
	for server.Changes() == before { // the test's own deadline bounds this
		runtime.Gosched()
	}
	if got := name(); got != "second" {
		t.Errorf("Changes differs, but the view sees %q", got)
	}

	// A unit of work needs no poll: it begins with what is committed.
	rename(t, cli, "third")
	err := server.Update(t.Context(), func(tx ports.Tx) error {
		c, err := tx.Client("c")
		if c.Name != "third" {
			t.Errorf("the unit sees %q", c.Name)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	if got := name(); got != "third" {
		t.Errorf("the view after the unit sees %q", got)
	}
	if server.Changes() != cli.Changes() {
		t.Errorf("the server counts %d changes, the command line %d", server.Changes(), cli.Changes())
	}
}

// ST-10 and ST-11: sixty-four workers that read, then write, a third of them leaving early, beside another process that
// writes: every unit ends, none says that something is locked, and nothing of a refused one is kept.
func TestCrowd(t *testing.T) {
	server, path := create(t)
	cli := second(t, path)
	const workers, rounds = 64, 20
	if err := server.Update(t.Context(), func(tx ports.Tx) error { return tx.SaveAttempts(identity.Attempts{Key: "shared"}) }); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	kept := 0
	work := func(s *sqlite.Store, impatient bool) {
		ctx, leave := context.WithCancel(t.Context())
		defer leave()
		if impatient {
			go leave()
		}
		err := s.View(ctx, func(r ports.Reader) error { _, err := r.Attempts("shared"); return err })
		if err == nil {
			err = s.Update(ctx, func(tx ports.Tx) error {
				a, err := tx.Attempts("shared")
				if err != nil {
					return err
				}
				a.Count++
				if err := tx.SaveAttempts(a); err != nil {
					return err
				}
				return tx.Record(audit.Event{Kind: "counted"})
			})
		}
		switch {
		case err == nil:
			mu.Lock()
			kept++
			mu.Unlock()
		case !impatient || ctx.Err() == nil || err != ctx.Err():
			t.Error(err)
		}
	}
	for w := range workers {
		wg.Go(func() {
			for i := range rounds {
				work(server, (w+i)%3 == 0)
			}
		})
	}
	wg.Go(func() {
		for range rounds {
			work(cli, false)
		}
	})
	wg.Wait()
	err := server.View(t.Context(), func(r ports.Reader) error {
		a, err := r.Attempts("shared")
		events, err2 := r.Events(audit.Query{Limit: 1 << 20})
		if a.Count != kept || len(events) != kept {
			t.Errorf("%d units were kept, but counted %d with %d events", kept, a.Count, len(events))
		}
		if err == nil {
			err = err2
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	if kept < workers*rounds/3 {
		t.Errorf("only %s units were kept", fmt.Sprint(kept))
	}
}
