package sqlite

import (
	"context"
	"errors"
	"os"
	"sync/atomic"

	"latchkey/ports"
)

// figures counts what the group does. Whoever reads it must not wait for a commit.
type figures struct {
	commits atomic.Uint64
	units   atomic.Uint64
	groups  [len(ports.GroupBounds) + 1]atomic.Uint64
}

func (f *figures) committed(units int) {
	f.commits.Add(1)
	f.units.Add(uint64(units))
	i := 0
	for i < len(ports.GroupBounds) && units > ports.GroupBounds[i] {
		i++
	}
	f.groups[i].Add(1)
}

// Figures tells what the store did since it was opened and how large its files are.
func (s *Store) Figures() ports.StoreFigures {
	f := ports.StoreFigures{Commits: s.group.figures.commits.Load(), Units: s.group.figures.units.Load(),
		FileBytes: size(s.path), LogBytes: size(s.path + "-wal")}
	for i := range f.Groups {
		f.Groups[i] = s.group.figures.groups[i].Load()
	}
	return f
}

func size(path string) int64 {
	info, err := os.Stat(path)
	if err != nil { // the log comes and goes
		return 0
	}
	return info.Size()
}

// Probe saves something that changes nothing, and tells whether that is possible. It costs what a commit costs. SQLite does
// not write a value over itself, so the value goes there and back.
func (s *Store) Probe(ctx context.Context) error {
	return s.Update(ctx, func(t ports.Tx) error {
		tx := t.(*tx)
		return errors.Join(tx.save("UPDATE revision SET changes = changes + 1 WHERE id = 1"), tx.save("UPDATE revision SET changes = changes - 1 WHERE id = 1"))
	})
}
