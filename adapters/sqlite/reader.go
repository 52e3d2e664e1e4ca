package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"

	"latchkey/ports"
)

// reader looks things up for one view or one unit of work.
type reader struct {
	store *Store
	ctx   context.Context // of a view: how long to wait for a connection
	conn  *conn           // a view borrows one at its first lookup that needs the file
	memo  *memo           // nil: look in the file
	ended bool

	failed error // the first fault: SQLite may have undone more than one statement, so nothing of the unit can be kept
}

var errEnded = errors.New("a reader or transaction was used after its unit of work ended")

// open returns the connection, and begins the view's transaction with it: the snapshot is that of the next lookup.
func (r *reader) open() (*conn, error) {
	switch {
	case r.ended:
		return nil, errEnded
	case r.failed != nil:
		return nil, r.failed
	case r.conn != nil:
		return r.conn, nil
	}
	select {
	case c := <-r.store.pool:
		if _, err := c.exec("BEGIN"); err != nil {
			r.store.pool <- c
			return nil, err
		}
		r.conn = c
		return c, nil
	case <-r.ctx.Done():
		return nil, r.ctx.Err()
	case <-r.store.closing:
		return nil, errClosed
	}
}

// end gives a view's connection back.
func (r *reader) end() {
	r.ended = true
	if c := r.conn; c != nil {
		r.conn = nil
		// Reads only, so there is nothing to lose; ROLLBACK cannot be refused.
		c.exec("ROLLBACK")
		r.store.pool <- c
	}
}

// one returns the row the query finds, or ErrNotFound.
func one[T any](r *reader, scan func(*row) T, query string, args ...driver.Value) (v T, err error) {
	c, err := r.open()
	if err != nil {
		return v, err
	}
	v, err = first(c, scan, query, args...)
	if err != nil && err != ports.ErrNotFound {
		r.failed = err
	}
	return v, err
}

// many returns every row the query finds.
func many[T any](r *reader, scan func(*row) T, query string, args ...driver.Value) (vs []T, err error) {
	c, err := r.open()
	if err != nil {
		return nil, err
	}
	err = c.rows(query, args, func(r *row) bool { vs = append(vs, scan(r)); return true })
	if err != nil {
		r.failed = err
		return nil, err
	}
	return vs, nil
}

func first[T any](c *conn, scan func(*row) T, query string, args ...driver.Value) (v T, err error) {
	found := false
	err = c.rows(query, args, func(r *row) bool { v, found = scan(r), true; return false })
	if err == nil && found {
		return v, nil
	}
	var none T
	if err == nil {
		err = ports.ErrNotFound
	}
	return none, err
}
