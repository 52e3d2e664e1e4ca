package ports

import (
	"context"
	"errors"
	"io"
	"time"

	"latchkey/domain/audit"
)

// ErrUpgradePending is returned for a file of an older release: who holds the server lock has to bring it to the schema of
// this one first.
var ErrUpgradePending = errors.New("the database is of an older latchkey")

// ErrChanged is returned for a file that is not as it was left.
var ErrChanged = errors.New("is not as it was left: a disk fault, a copy that was put in its place, or another program's edit")

// Archive looks after one database file as a whole: copies, older states and newer schemas. Whoever calls Replace or
// Upgrade holds the server lock.
type Archive interface {
	// Backup copies the database into a new file, consistent with one instant after the call began, beside whoever writes
	// meanwhile. The file appears whole or not at all; the error is fs.ErrExist when there is one already.
	Backup(ctx context.Context, to string, progress Progress) error
	// OpenCopy opens a copy of a file, made in the folder dir, with the schema of this release and checked whole. The file
	// itself is only read; schema is its own.
	OpenCopy(ctx context.Context, file, dir string, progress Progress) (copied Opened, schema int, err error)
	// Take copies a file, whatever it is, into a new one that only the owner reads.
	Take(ctx context.Context, file, to string, progress Progress) error
	// Lost tells what happened in the database since the state that the file holds.
	Lost(file string) (Lost, error)
	// Replace brings the database to the state of the prepared file, which is used up, as one change: after a crash at any
	// instant it is the old one or the new one. What the old one was stays beside it.
	Replace(ctx context.Context, prepared string, v Voiding, progress Progress) (Replaced, error)
	// Upgrade brings the database to the schema of this release, after doing so to a copy, which prove may refuse. It records
	// the event with the change. A database that has the schema is left alone.
	Upgrade(ctx context.Context, e audit.Event, prove func(Store) error, progress Progress) (Upgraded, error)
	// Snapshot finds the newest file that Upgrade kept of a schema older than the database has. The error is
	// fs.ErrNotExist when there is none.
	Snapshot() (file string, schema int, err error)
}

// Progress is told how far a long job is: done of total, in units of the step.
type Progress func(step string, done, total int)

// Opened is a Store that its opener closes.
type Opened interface {
	Store
	io.Closer
}

// Lost is what happened after an older state of a database.
type Lost struct {
	Related bool      // the older state is of this database's past; the rest is known only then
	Since   time.Time // the last event that the older state holds
	Events  map[audit.Kind]int
	Absent  error // why there is no database that could lose anything; nil: there is one
}

// Voiding ends what an older state must not bring to life again: codes, interactions, links, sessions and token families.
type Voiding struct {
	Event   audit.Event // recorded with it; At is when everything ended
	Moments []Moment    // that were then too, where the schema has them
	Kept    string      // what is added to the name of the database for the old state
}

// Replaced is where Replace left the old state.
type Replaced struct {
	Kept  string   // a copy of the old database; empty: there was none that could be read
	Aside []string // files that were moved because no database could be read in them
}

// Upgraded is what Upgrade did. From equals To when there was nothing to do.
type Upgraded struct {
	From, To int
	Snapshot string // the database as it was
}
