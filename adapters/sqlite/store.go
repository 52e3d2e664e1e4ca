// Package sqlite owns the provider's state in one SQLite file: every acknowledged change survives a power cut. What the
// tables look like belongs to package migrations; what the rows mean, to the domain; whether a copy can be served, to
// package app.
//
//	open.go    Create, Open, and what every connection is set to; refusal.go: which files are accepted
//	lock.go    who serves the file
//	sum.go     whether the file is as it was left
//	group.go   Update: many units of work, one COMMIT
//	reader.go  View: read-only connections, and what is remembered between reads (memo.go)
//	conn.go    statements and rows
//	backup.go  the file as a whole: copies; older states in restore.go, newer schemas in upgrade.go
//	the rest   one file for each noun
package sqlite

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"latchkey/domain/audit"
	"latchkey/ports"
)

const (
	readers      = 4                      // connections for View; a View that only asks for what is remembered needs none
	pollInterval = 250 * time.Millisecond // how often the changes of other processes are looked for
)

// Store reads through a pool and writes through one connection.
type Store struct {
	group group
	path  string
	rest  *rest        // nil for a copy without a sum
	chain audit.Tagger // keys the audit trail
	pool  chan *conn   // idle connections for View
	watch *conn        // the poller's
	fold  *conn        // the poller's too, see folding

	// folding asks the poller to fold the log back into the file. A sweep changes pages all over the file, and to write those
	// back can take longer than the sweep itself. SQLite has whoever commits do that, and everybody else wait for it; from
	// another connection it hinders nobody.
	folding chan struct{}

	publishing sync.Mutex
	changes    atomic.Uint64
	memo       atomic.Pointer[memo]

	closing chan struct{}
	polling sync.WaitGroup
	close   sync.Once
}

var _ ports.Store = (*Store)(nil)

var errClosed = errors.New("the store is closed")

// Update runs fn with others that wait, see group.
func (s *Store) Update(ctx context.Context, fn func(ports.Tx) error) error {
	return s.group.do(ctx, fn)
}

// View runs fn on a read-only connection. Clients, settings and signing keys, and users by id, are those of the instant
// the view begins; everything else is of the first lookup that needs the file.
func (s *Store) View(ctx context.Context, fn func(ports.Reader) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	r := &reader{store: s, ctx: ctx, memo: s.memo.Load()}
	defer r.end()
	return fn(r)
}

func (s *Store) Changes() uint64 { return s.changes.Load() }

// revision is the row that tells processes of each other's changes.
type revision struct{ changes, config uint64 }

func readRevision(c *conn) (revision, error) {
	scan := func(r *row) revision { return revision{changes: uint64(r.int()), config: uint64(r.int())} }
	return first(c, scan, "SELECT changes, config FROM revision WHERE id = 1")
}

// publish makes a committed revision known. The poller and the writer may bring theirs in any order: the newest wins.
func (s *Store) publish(r revision) {
	s.publishing.Lock()
	defer s.publishing.Unlock()
	if m := s.memo.Load(); m == nil || r.config > m.config {
		s.memo.Store(&memo{config: r.config})
	}
	if r.changes > s.changes.Load() {
		s.changes.Store(r.changes)
	}
}

// poll notices what other processes change, such as the command line.
func (s *Store) poll() {
	defer s.polling.Done()
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			if r, err := readRevision(s.watch); err == nil {
				s.publish(r)
			}
		case <-s.folding:
			s.fold.exec("PRAGMA wal_checkpoint(PASSIVE)") // what fails is done by the writer, later
		case <-s.closing:
			return
		}
	}
}

// Close waits for the units and views that run and closes the file. Closing twice is harmless.
func (s *Store) Close() (err error) {
	s.close.Do(func() {
		close(s.closing)
		s.polling.Wait()
		err = errors.Join(s.watch.close(), s.fold.close())
		for range readers {
			err = errors.Join(err, (<-s.pool).close())
		}
		sound := s.group.sound()
		err = errors.Join(err, s.group.close()) // last, so that it folds the log back into the file
		s.rest.resume(sound && err == nil)
	})
	return err
}
