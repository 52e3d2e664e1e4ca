// Package memory owns a store in maps. It keeps the whole contract of ports.Store except that it forgets everything when the
// process ends, so tests can have a provider without a file. Durability is left to adapters/sqlite.
package memory

import (
	"context"
	"sync"
	"sync/atomic"

	"latchkey/ports"
)

// Store keeps the provider's state in memory.
type Store struct {
	alone   sync.Mutex // held by the unit that runs
	state   atomic.Pointer[state]
	changes atomic.Uint64
}

var _ ports.Store = (*Store)(nil)

// New returns an empty store.
func New() *Store {
	s := &Store{}
	s.state.Store(&state{})
	s.changes.Store(1)
	return s
}

// View hands out the state of this instant; it never changes, see table.
func (s *Store) View(ctx context.Context, fn func(ports.Reader) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return fn(reader{s.state.Load()})
}

// Update lets fn change a copy of the state, and keeps the copy if fn succeeds.
func (s *Store) Update(ctx context.Context, fn func(ports.Tx) error) error {
	s.alone.Lock()
	defer s.alone.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	next := *s.state.Load()
	next.own()
	t := &tx{reader: reader{&next}}
	if err := fn(t); err != nil {
		return err
	}
	if t.failed != nil {
		return t.failed
	}
	s.state.Store(&next)
	if t.changed {
		s.changes.Add(1)
	}
	return nil
}

func (s *Store) Changes() uint64 { return s.changes.Load() }
