package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/mattn/go-sqlite3"

	"latchkey/domain/audit"
	"latchkey/ports"
)

// group lets concurrent units of work share one COMMIT, and so one fsync.
//
// Each unit runs alone, inside a savepoint of the open transaction, then waits for the COMMIT. Whoever leaves and sees
// nobody waiting to enter commits for all; while that syncs, the next batch gathers. So a lone unit never waits for company, and
// no timer decides.
//
// A unit that has begun is not cancelled, however impatient its caller: see conn.
type group struct {
	store   *Store
	waiting atomic.Int64
	mu      sync.Mutex
	conn    *conn
	batch   *batch // nil: no transaction is open
	broken  error  // set for good when nothing can be promised any more
	figures figures
}

// batch is the set of units that share a transaction.
type batch struct {
	done     chan struct{}
	err      error
	units    int
	memo     *memo         // nil once a unit changed what it remembers
	revision revision      // of the file when the transaction began
	changed  bool          // a unit saved something that Store.Changes counts
	config   bool          // a unit changed what memo remembers
	saved    bool          // a unit saved something
	head     *audit.Anchor // of the audit trail, once a unit asked for it
	body     []byte        // room for the body of one event
}

// maxBatch bounds how long the first unit of a batch waits for the last.
const maxBatch = 64

func (g *group) do(ctx context.Context, fn func(ports.Tx) error) error {
	b, err := g.run(ctx, fn)
	if err != nil {
		return err
	}
	<-b.done
	return b.err
}

func (g *group) run(ctx context.Context, fn func(ports.Tx) error) (*batch, error) {
	g.waiting.Add(1)
	g.mu.Lock()
	g.waiting.Add(-1)
	defer g.leave()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := g.begin(); err != nil {
		return nil, err
	}
	b := g.batch
	b.units++ // failed ones too: they take their time, and must not put off the COMMIT for ever
	t := &tx{reader: reader{store: g.store, conn: g.conn, memo: b.memo}, batch: b}
	kept := false
	defer func() { // also when fn panics
		t.ended = true
		if !kept {
			g.undo(t)
		}
	}()
	err := fn(t)
	if err == nil {
		err = t.failed
	}
	if err == nil && t.saved {
		_, err = g.conn.exec("RELEASE unit")
	}
	if err != nil {
		return nil, err
	}
	kept = true
	b.changed = b.changed || t.changed
	b.config = b.config || t.config
	b.saved = b.saved || t.saved
	if t.head != nil {
		b.head = t.head
	}
	return b, nil
}

// begin opens a transaction unless one is open.
func (g *group) begin() error {
	switch {
	case g.broken != nil:
		return g.broken
	case g.batch != nil:
		return nil
	}
	if _, err := g.conn.exec("BEGIN IMMEDIATE"); err != nil {
		return err
	}
	r, err := readRevision(g.conn)
	if err != nil {
		g.conn.exec("ROLLBACK")
		return err
	}
	g.store.publish(r) // another process may have committed since the last poll
	g.batch = &batch{done: make(chan struct{}), revision: r, memo: g.store.memo.Load()}
	return nil
}

// undo drops what a unit saved. On a full disk or an I/O error SQLite may have ended the whole transaction by itself:
// then every unit in it has failed.
func (g *group) undo(t *tx) {
	if !t.saved {
		return
	}
	g.conn.exec("ROLLBACK TO unit")
	g.conn.exec("RELEASE unit")
	if g.conn.AutoCommit() {
		g.finish(fmt.Errorf("%w: SQLite ended a shared transaction: %v", ports.ErrUnavailable, t.failed))
	}
}

// leave commits unless somebody waits to join, who then will.
func (g *group) leave() {
	if g.batch != nil && (g.waiting.Load() == 0 || g.batch.units >= maxBatch) {
		g.finish(g.commit(g.batch))
	}
	g.mu.Unlock()
}

func (g *group) commit(b *batch) error {
	r := b.revision
	if b.changed {
		r.changes++
		if b.config {
			r.config++
		}
		if _, err := g.conn.exec("UPDATE revision SET changes = ?, config = ? WHERE id = 1", int64(r.changes), int64(r.config)); err != nil {
			return g.giveUp(err)
		}
	}
	if _, err := g.conn.exec("COMMIT"); err != nil {
		return g.giveUp(err)
	}
	g.store.publish(r) // before any unit of the batch returns
	if b.saved {
		g.figures.committed(b.units)
	}
	return nil
}

// giveUp ends a transaction that could not be committed. After a failed fsync the kernel may report the next one as done
// although the first lost pages, so no later COMMIT would mean anything: the store stays broken until the file is opened anew.
func (g *group) giveUp(err error) error {
	if !g.conn.AutoCommit() {
		g.conn.exec("ROLLBACK")
	}
	var e sqlite3.Error
	if errors.As(err, &e) && (e.ExtendedCode == sqlite3.ErrIoErrFsync || e.ExtendedCode == sqlite3.ErrIoErrDirFsync) {
		g.broken = fmt.Errorf("the disk lost a write, start the server again: %w", err)
	}
	return err
}

func (g *group) finish(err error) {
	g.batch.err = err
	close(g.batch.done)
	g.batch = nil
}

// sound reports whether every write is where it was meant to be, as far as anybody was told.
func (g *group) sound() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.broken == nil
}

func (g *group) close() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.batch != nil {
		g.finish(g.commit(g.batch))
	}
	g.broken = errClosed
	return g.conn.close()
}

// tx is one unit of work: a reader that also saves.
type tx struct {
	reader
	batch   *batch
	saved   bool // whether the savepoint is set
	changed bool
	config  bool
	head    *audit.Anchor // of the audit trail with what this unit recorded; nil: it has not asked

	// What the file holds of the code and the family the unit touched last, to know which indexes a save leaves alone.
	code   codeIndexed
	family familyIndexed
}

var _ ports.Tx = (*tx)(nil)

// exec runs a statement that saves. The first one sets the savepoint: a unit that only reads needs none.
func (t *tx) exec(query string, args ...driver.Value) (n int64, err error) {
	c, err := t.open()
	if err != nil {
		return 0, err
	}
	if !t.saved {
		if _, err := c.exec("SAVEPOINT unit"); err != nil {
			t.failed = err
			return 0, err
		}
		t.saved = true
	}
	if n, err = c.exec(query, args...); err != nil {
		t.failed = err
	}
	return n, err
}

func (t *tx) save(query string, args ...driver.Value) error {
	_, err := t.exec(query, args...)
	return err
}

// configure saves something that memo remembers.
func (t *tx) configure(query string, args ...driver.Value) error {
	t.changed, t.config = true, true
	t.memo, t.batch.memo = nil, nil
	return t.save(query, args...)
}
