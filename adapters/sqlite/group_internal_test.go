package sqlite

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mattn/go-sqlite3"

	"latchkey/domain/audit"
	"latchkey/domain/identity"
	"latchkey/domain/oauth"
	"latchkey/ports"
)

func create(t testing.TB) *Store {
	t.Helper()
	s, err := Create(filepath.Join(t.TempDir(), "latchkey.db"), func(b []byte) [32]byte { return sha256.Sum256(b) }, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func ticket(name string) identity.Ticket {
	return identity.Ticket{Key: oauth.Secret(name).Digest(), Purpose: identity.TicketPurpose(name)}
}

func saveTicketNamed(name string) func(ports.Tx) error {
	return func(tx ports.Tx) error { return tx.SaveTicket(ticket(name)) }
}

func kept(t *testing.T, s *Store, name string) bool {
	t.Helper()
	err := s.View(t.Context(), func(r ports.Reader) error { _, err := r.Ticket(ticket(name).Key); return err })
	if err != nil && !errors.Is(err, ports.ErrNotFound) {
		t.Fatal(err)
	}
	return err == nil
}

// slow is a statement that saves for long enough to be interrupted.
const slow = `INSERT INTO event (` + eventColumns + `) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < %d)
	SELECT i, i, '', '', '', '', '', '', '', '', '', '', x'' FROM n`

// A caller that leaves while its unit runs a slow statement hurts nobody: the unit ends as if it had stayed. With the
// caller's context in the statement, SQLite would end the transaction of all three.
func TestImpatientCaller(t *testing.T) {
	s := create(t)
	var wg sync.WaitGroup
	var leaving sync.Mutex // held by the slow unit until its neighbours wait
	leaving.Lock()
	ctx, leave := context.WithCancel(t.Context())
	results := make([]error, 3)
	wg.Go(func() {
		results[0] = s.Update(t.Context(), func(tx ports.Tx) error {
			leaving.Unlock()
			for s.group.waiting.Load() < 2 { // so that all three share the transaction
				time.Sleep(time.Millisecond)
			}
			return tx.SaveTicket(ticket("before"))
		})
	})
	leaving.Lock()
	wg.Go(func() {
		results[1] = s.Update(ctx, func(t ports.Tx) error {
			time.AfterFunc(time.Millisecond, leave)
			_, err := t.(*tx).exec(fmt.Sprintf(slow, 300_000))
			<-ctx.Done()
			return err
		})
	})
	wg.Go(func() { results[2] = s.Update(t.Context(), saveTicketNamed("after")) })
	wg.Wait()
	if err := errors.Join(results...); err != nil {
		t.Errorf("a unit failed: %v", err)
	}
	events := 0
	if err := s.View(t.Context(), func(r ports.Reader) error {
		last, err := r.Events(audit.Query{After: 299_999, Limit: 10})
		events = len(last)
		return err
	}); err != nil {
		t.Error(err)
	}
	if !kept(t, s, "before") || !kept(t, s, "after") || events != 1 {
		t.Errorf("before: %v, after: %v, last of the slow rows: %d", kept(t, s, "before"), kept(t, s, "after"), events)
	}
}

// A unit sees what the units before it in the same transaction changed, also of what is remembered; the memory itself
// only ever holds what was committed.
func TestUnitsOfOneBatch(t *testing.T) {
	s := create(t)
	name := func(r ports.Reader) string {
		c, err := r.Client("c")
		if err != nil {
			t.Error(err)
		}
		return c.Name
	}
	rename := func(to string) func(ports.Tx) error {
		return func(tx ports.Tx) error { return tx.SaveClient(oauth.Client{ID: "c", Name: to}) }
	}
	if err := s.Update(t.Context(), rename("first")); err != nil {
		t.Fatal(err)
	}
	look := func(want string) {
		t.Helper()
		if err := s.View(t.Context(), func(r ports.Reader) error {
			if got := name(r); got != want {
				t.Errorf("a view sees %q, want %q", got, want)
			}
			return nil
		}); err != nil {
			t.Error(err)
		}
	}
	look("first")
	s.group.waiting.Add(1) // as if somebody waited: the units leave the transaction open
	if _, err := s.group.run(t.Context(), rename("second")); err != nil {
		t.Fatal(err)
	}
	if _, err := s.group.run(t.Context(), func(tx ports.Tx) error {
		if got := name(tx); got != "second" {
			t.Errorf("the next unit sees %q, want second", got)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	look("first")
	s.group.waiting.Add(-1)
	if err := s.Update(t.Context(), func(ports.Tx) error { return nil }); err != nil {
		t.Fatal(err)
	}
	look("second")
}

// When SQLite ends a shared transaction by itself, every unit in it fails as unavailable and nothing of it is seen; the
// next unit begins anew.
func TestLostBatch(t *testing.T) {
	s := create(t)
	s.group.waiting.Add(1) // as if somebody waited: the first unit leaves the transaction open
	before, err := s.group.run(t.Context(), saveTicketNamed("before"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Millisecond)
	defer cancel()
	_, err = s.group.run(t.Context(), func(u ports.Tx) error {
		if err := u.SaveTicket(ticket("lost")); err != nil {
			t.Error(err)
		}
		// What conn never does: a statement that may be interrupted.
		_, err := u.(*tx).conn.ExecContext(ctx, fmt.Sprintf(slow, 50_000_000), nil)
		return err
	})
	if err == nil {
		t.Fatal("the statement was not interrupted")
	}
	s.group.waiting.Add(-1)
	if err := s.Update(t.Context(), saveTicketNamed("after")); err != nil {
		t.Error(err)
	}
	<-before.done
	if !errors.Is(before.err, ports.ErrUnavailable) {
		t.Errorf("the neighbour was told %v, want ErrUnavailable", before.err)
	}
	if kept(t, s, "before") || kept(t, s, "lost") || !kept(t, s, "after") {
		t.Errorf("kept: before %v, lost %v, after %v", kept(t, s, "before"), kept(t, s, "lost"), kept(t, s, "after"))
	}
}

// When the COMMIT itself fails, every unit in it fails and nothing of it is seen.
func TestFailedCommit(t *testing.T) {
	s := create(t)
	s.group.waiting.Add(1) // as if somebody waited: the first unit leaves the transaction open
	before, err := s.group.run(t.Context(), saveTicketNamed("before"))
	if err != nil {
		t.Fatal(err)
	}
	s.group.waiting.Add(-1)
	err = s.Update(t.Context(), func(u ports.Tx) error {
		if _, err := u.(*tx).conn.exec("PRAGMA defer_foreign_keys = 1"); err != nil { // broken references fail the COMMIT
			return err
		}
		return errors.Join(u.SaveClient(oauth.Client{ID: "c"}), u.SaveSession(identity.Session{ID: "s", User: "nobody"}))
	})
	<-before.done
	if err == nil || before.err == nil {
		t.Errorf("the units were told %v and %v", before.err, err)
	}
	changes := s.Changes()
	if err := s.Update(t.Context(), saveTicketNamed("after")); err != nil {
		t.Error(err)
	}
	if kept(t, s, "before") || !kept(t, s, "after") || s.Changes() != changes {
		t.Errorf("kept: before %v, after %v; changes %d, then %d", kept(t, s, "before"), kept(t, s, "after"), changes, s.Changes())
	}
}

// ST-04: a full disk is unavailable for writers, nothing to readers, and over when there is space again.
func TestFullDisk(t *testing.T) {
	s := create(t)
	if err := s.Update(t.Context(), saveTicketNamed("before")); err != nil {
		t.Fatal(err)
	}
	pages := func(n int) {
		t.Helper()
		s.group.mu.Lock()
		defer s.group.mu.Unlock()
		if _, err := s.group.conn.Exec(fmt.Sprintf("PRAGMA max_page_count = %d", n), nil); err != nil {
			t.Fatal(err)
		}
	}
	pages(1) // SQLite takes the present size instead
	big := func(tx ports.Tx) error {
		return tx.SaveInteraction(interactionOf(200_000))
	}
	for range 3 {
		if err := s.Update(t.Context(), big); !errors.Is(err, ports.ErrUnavailable) {
			t.Errorf("got %v, want ErrUnavailable", err)
		}
		if !kept(t, s, "before") {
			t.Error("readers are hurt")
		}
	}
	pages(1 << 20)
	if err := s.Update(t.Context(), big); err != nil {
		t.Errorf("after the disk has space again: %v", err)
	}
}

// A lock held by another process for too long is unavailable, not a fault of ours.
func TestLockHeldByAnotherProcess(t *testing.T) {
	s := create(t)
	if _, err := s.group.conn.Exec("PRAGMA busy_timeout = 1", nil); err != nil {
		t.Fatal(err)
	}
	other, err := connect(s.group.conn.GetFilename(""), "rw")
	if err != nil {
		t.Fatal(err)
	}
	defer other.close()
	if _, err := other.exec("BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	if err := s.Update(t.Context(), saveTicketNamed("a")); !errors.Is(err, ports.ErrUnavailable) {
		t.Errorf("got %v, want ErrUnavailable", err)
	}
	if _, err := other.exec("ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	if err := s.Update(t.Context(), saveTicketNamed("b")); err != nil {
		t.Error(err)
	}
	if kept(t, s, "a") || !kept(t, s, "b") {
		t.Errorf("kept: a %v, b %v", kept(t, s, "a"), kept(t, s, "b"))
	}
}

// After a failed fsync nothing is promised any more.
func TestFailedSync(t *testing.T) {
	s := create(t)
	s.group.mu.Lock()
	s.group.giveUp(fault(sqlite3.Error{Code: sqlite3.ErrIoErr, ExtendedCode: sqlite3.ErrIoErrFsync}))
	s.group.mu.Unlock()
	for range 2 {
		if err := s.Update(t.Context(), saveTicketNamed("a")); !errors.Is(err, ports.ErrUnavailable) {
			t.Errorf("got %v, want ErrUnavailable", err)
		}
	}
	if kept(t, s, "a") {
		t.Error("a unit was kept")
	}
}

func TestFaultsThatPass(t *testing.T) {
	for code, want := range map[sqlite3.ErrNo]bool{
		sqlite3.ErrFull: true, sqlite3.ErrBusy: true, sqlite3.ErrReadonly: true, sqlite3.ErrIoErr: true, sqlite3.ErrCantOpen: true,
		sqlite3.ErrConstraint: false, sqlite3.ErrCorrupt: false, sqlite3.ErrError: false,
	} {
		cause := sqlite3.Error{Code: code}
		err := fault(cause)
		if errors.Is(err, ports.ErrUnavailable) != want || !errors.As(err, &cause) {
			t.Errorf("%d: %v, unavailable should be %v", code, err, want)
		}
	}
}

// ST-11: readers and transactions are given back, also by callers that panic or keep what they were lent.
func TestNothingIsLeftOpen(t *testing.T) {
	s := create(t)
	var reader ports.Reader
	var unit ports.Tx
	for range 3 * readers {
		func() {
			defer func() { recover() }()
			s.View(t.Context(), func(r ports.Reader) error { reader = r; r.Grant("x"); panic("boom") })
		}()
		func() {
			defer func() { recover() }()
			s.Update(t.Context(), func(tx ports.Tx) error { unit = tx; tx.SaveTicket(ticket("x")); panic("boom") })
		}()
	}
	if len(s.pool) != readers {
		t.Errorf("%d idle readers, want %d", len(s.pool), readers)
	}
	for range readers {
		c := <-s.pool
		if !c.AutoCommit() {
			t.Error("an idle reader has a transaction open")
		}
		s.pool <- c
	}
	if !s.group.conn.AutoCommit() {
		t.Error("the writer has a transaction open")
	}
	if _, err := reader.Grant("x"); err != errEnded {
		t.Errorf("a reader after its view: %v", err)
	}
	if err := unit.SaveTicket(ticket("x")); err != errEnded {
		t.Errorf("a unit after its end: %v", err)
	}
}

// ST-24: every connection runs as it must; what a driver or a build sets otherwise is noticed.
func TestSettings(t *testing.T) {
	s := create(t)
	connections := map[*conn][]setting{s.group.conn: slices.Concat(everyConnection, writerOnly), s.fold: slices.Concat(everyConnection, writerOnly), s.watch: slices.Concat(everyConnection, readerOnly)}
	for range readers {
		c := <-s.pool
		connections[c] = slices.Concat(everyConnection, readerOnly)
		s.pool <- c
	}
	if len(connections) != readers+3 {
		t.Fatalf("%d connections", len(connections))
	}
	for c, settings := range connections {
		for _, x := range settings {
			got, err := first(c, func(r *row) any { return r.values[0] }, "PRAGMA "+x.name)
			if err != nil || got != x.want {
				t.Errorf("%s is %v, want %v: %v", x.name, got, x.want, err)
			}
		}
		if c != s.group.conn && c != s.fold {
			if _, err := c.exec("DELETE FROM event"); err == nil {
				t.Error("a reader writes")
			}
		}
	}
	// Written out here too, because the tables above are what the code believes.
	for name, want := range map[string]any{"journal_mode": "wal", "synchronous": int64(2), "foreign_keys": int64(1), "trusted_schema": int64(0),
		"cell_size_check": int64(1), "mmap_size": int64(0), "busy_timeout": int64(5000), "secure_delete": int64(1)} {
		if got, err := first(s.group.conn, func(r *row) any { return r.values[0] }, "PRAGMA "+name); err != nil || got != want {
			t.Errorf("the writer's %s is %v, want %v: %v", name, got, want, err)
		}
	}
	if err := s.watch.set([]setting{{"journal_mode", "delete"}}); err == nil {
		t.Error("a setting that did not take was not noticed")
	}
	if checkSQLite(3_051_002) == nil || checkSQLite(3_051_003) != nil {
		t.Error("SQLite 3.51.2 can lose commits, 3.51.3 cannot")
	}
}

// Every statement on the way of a request finds its rows by an index.
func TestLookupsUseIndexes(t *testing.T) {
	s := create(t)
	everything(t, s)
	wantIndexes(t, s)
}

// wantIndexes asks SQLite how it finds the rows of every statement that was used, the sweep's too.
func wantIndexes(t *testing.T, s *Store) {
	t.Helper()
	c := <-s.pool
	defer func() { s.pool <- c }()
	queries := map[string]bool{}
	for q := range s.group.conn.statements {
		queries[q] = true
	}
	if len(queries) < 40 {
		t.Fatalf("only %d statements were used", len(queries))
	}
	mayScan := []string{"FROM client ORDER BY id", "FROM signing_key ORDER BY id", // all of them are asked for
		"DELETE FROM code WHERE client", "DELETE FROM code WHERE user", // see the schema
		"DELETE FROM session_client WHERE client", "DELETE FROM logout_notice WHERE client", // as for codes: to delete a client is rare
		"FROM logout_notice ORDER BY created_at DESC", "OR created_at > ?2", // the first rows of an index; see Expire
		"WHERE used_at <> 0",                             // an index that holds no others
		"ORDER BY seq DESC LIMIT 1",                      // its first row
		"SET ended_at = ?1", "revoke_reason = 'expired'"} // see Expire
	for q := range queries {
		if strings.HasPrefix(q, "PRAGMA") || slices.ContainsFunc(mayScan, func(s string) bool { return strings.Contains(q, s) }) {
			continue
		}
		err := c.rows("EXPLAIN QUERY PLAN "+q, nil, func(r *row) bool {
			// What a subquery found is read whole; how it found it is a line of its own.
			if detail, _ := r.values[3].(string); strings.HasPrefix(detail, "SCAN") && detail != "SCAN CONSTANT ROW" && !strings.HasPrefix(detail, "SCAN (subquery") {
				t.Errorf("%s: %s", q, detail)
			}
			return true
		})
		if err != nil {
			t.Errorf("%s: %v", q, err)
		}
	}
}
