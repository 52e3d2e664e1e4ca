package sqlite

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"

	"github.com/mattn/go-sqlite3"

	"latchkey/domain/audit"
	"latchkey/migrations"
	"latchkey/ports"
)

const (
	applicationID = 0x4C744B79 // "LtKy"
	chained       = 2          // the migration that brought the chain of audit events
	oldestSQLite  = 3_051_003  // releases before can lose commits when the log starts over
)

// setting is a PRAGMA that a connection is set to and then asked for, so that no build or default can weaken it.
type setting struct {
	name string
	want any
}

var everyConnection = []setting{
	{"busy_timeout", int64(5000)}, // milliseconds
	{"foreign_keys", int64(1)},
	{"trusted_schema", int64(0)}, // this and the next: a file may come from somebody else
	{"cell_size_check", int64(1)},
	{"mmap_size", int64(0)}, // an I/O error is then an error, not a signal
}

var writerOnly = []setting{
	{"journal_mode", "wal"},
	{"synchronous", int64(2)}, // FULL: the log is synced before a COMMIT returns
	{"journal_size_limit", int64(64 << 20)},
	{"secure_delete", int64(1)},
}

var readerOnly = []setting{
	{"query_only", int64(1)},
	{"cache_size", int64(-512)}, // KiB: each commit empties it, so more would only be memory, the more the longer the trail that a page reads
}

// Create makes a new, empty database at path, and the directory if that is missing. The error is fs.ErrExist when there is
// something already. The file appears whole or not at all.
func Create(path string, chain audit.Tagger, seal Seal) (*Store, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	for _, name := range []string{path, path + "-wal", path + "-journal"} { // a log is played into whatever file has its name
		if _, err := os.Lstat(name); err == nil {
			return nil, fmt.Errorf("%s: %w", name, fs.ErrExist)
		}
	}
	release, err := lock(path) // against another Create
	if err != nil {
		return nil, err
	}
	defer release()
	unfinished := path + ".new"
	if err := errors.Join(removeIfThere(unfinished), removeIfThere(unfinished+"-wal"), removeIfThere(unfinished+"-shm")); err != nil {
		return nil, err
	}
	if err := fill(unfinished, chain); err != nil {
		return nil, fmt.Errorf("%s: %w", unfinished, err)
	}
	if err := forgetSum(path); err != nil { // of a database that was removed
		return nil, err
	}
	if err := disk.rename(unfinished, path); err != nil {
		return nil, err
	}
	if err := syncDirectory(filepath.Dir(path)); err != nil {
		return nil, err
	}
	return Open(path, chain, seal)
}

// fill makes the file. SQLite gives its companions -wal and -shm the mode of the file.
func fill(path string, chain audit.Tagger) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	if err := errors.Join(f.Chmod(0o600), f.Close()); err != nil {
		return err
	}
	c, err := connect(path, "rw")
	if err != nil {
		return err
	}
	scripts, err := migrations.Scripts()
	if err == nil {
		err = c.set(everyConnection, writerOnly)
	}
	if err == nil {
		err = c.within(func() error { return c.migrate(scripts, 0, chain) })
	}
	return errors.Join(err, c.close())
}

// Open opens the database at path; chain keys its audit trail and seal the sum of its file at rest: nil is for a copy that only the
// caller knows of, which has none. Other processes may have it open. The error is ports.ErrUpgradePending for a file of an older
// release, see Archive.Upgrade, and ports.ErrChanged for one that is not as it was closed.
func Open(path string, chain audit.Tagger, seal Seal) (*Store, error) {
	_, number, _ := sqlite3.Version()
	if err := checkSQLite(number); err != nil {
		return nil, err
	}
	version, err := inspect(path)
	if err != nil {
		return nil, err
	}
	if scripts, err := migrations.Scripts(); err != nil || version < len(scripts) {
		return nil, errors.Join(err, fmt.Errorf("%w: %s has schema %d and this release works with %d: stop the server of the older release, then run latchkey upgrade",
			ports.ErrUpgradePending, path, version, len(scripts)))
	}
	s := &Store{path: path, chain: chain, pool: make(chan *conn, readers), closing: make(chan struct{}), folding: make(chan struct{}, 1)}
	s.group.store = s
	if seal != nil {
		if s.rest, err = disturb(path, seal); err != nil {
			return nil, err
		}
	}
	if err := s.connect(path); err != nil {
		if full(err) {
			err = noRoom(path, err)
		} else if denied(err) { // a file system mounted read-only, for one
			err = readOnly(path, err)
		} else {
			err = fmt.Errorf("%s: %w", path, err)
		}
		closed := s.disconnect()
		s.rest.resume(closed == nil)
		return nil, errors.Join(err, closed)
	}
	s.polling.Add(1)
	go s.poll()
	return s, nil
}

func checkSQLite(number int) error {
	if number < oldestSQLite {
		return fmt.Errorf("SQLite %d can lose commits: build with %d or newer", number, oldestSQLite)
	}
	return nil
}

// connect opens every connection, the writer first: it makes the files beside the database that readers need.
func (s *Store) connect(path string) (err error) {
	// A file copied from elsewhere may be open to others.
	for _, name := range []string{path, path + "-wal", path + "-shm"} {
		if info, err := os.Stat(name); err == nil && info.Mode()&0o077 != 0 {
			if err := os.Chmod(name, 0o600); err != nil {
				return err
			}
		}
	}
	if s.group.conn, err = connect(path, "rw"); err != nil {
		return err
	}
	if err := s.group.conn.set(everyConnection, writerOnly); err != nil {
		return err
	}
	// SQLite opens what it may not write without a word: only a write tells.
	if _, err := s.group.conn.exec("UPDATE revision SET changes = changes WHERE id = 1"); err != nil {
		return err
	}
	if s.fold, err = connect(path, "rw"); err != nil {
		return err
	}
	if err := s.fold.set(everyConnection, writerOnly); err != nil {
		return err
	}
	if s.watch, err = connect(path, "ro"); err != nil {
		return err
	}
	if err := s.watch.set(everyConnection, readerOnly); err != nil {
		return err
	}
	for range readers {
		c, err := connect(path, "ro")
		if err != nil {
			return err
		}
		s.pool <- c
		if err := c.set(everyConnection, readerOnly); err != nil {
			return err
		}
	}
	r, err := readRevision(s.watch)
	if err != nil {
		return err
	}
	s.publish(r)
	return nil
}

// disconnect closes what a failed connect opened.
func (s *Store) disconnect() (err error) {
	close(s.pool)
	for c := range s.pool {
		err = errors.Join(err, c.close())
	}
	for _, c := range []*conn{s.watch, s.fold} {
		if c != nil {
			err = errors.Join(err, c.close())
		}
	}
	if s.group.conn != nil {
		err = errors.Join(err, s.group.conn.close())
	}
	return err
}

// set changes the settings and reads them back.
func (c *conn) set(settings ...[]setting) error {
	for _, group := range settings {
		for _, s := range group {
			if _, err := c.Exec(fmt.Sprintf("PRAGMA %s = %v", s.name, s.want), nil); err != nil {
				return fault(err)
			}
			got, err := first(c, func(r *row) any { return r.values[0] }, "PRAGMA "+s.name)
			if err != nil {
				return err
			}
			if got != s.want {
				return fmt.Errorf("SQLite runs with %s = %v, want %v", s.name, got, s.want)
			}
		}
	}
	return nil
}

// location is the file: URI of a path; a path may hold the characters that divide a URI.
func location(path string) string {
	return "file:" + (&url.URL{Path: filepath.Clean(path)}).EscapedPath()
}

// Version tells which SQLite is linked in.
func Version() string {
	version, _, _ := sqlite3.Version()
	return version
}
