package sqlite

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"syscall"

	"github.com/mattn/go-sqlite3"

	"latchkey/domain/audit"
	"latchkey/migrations"
	"latchkey/ports"
)

// Why a file is not opened. In each case it is left as it was, byte for byte.
var (
	ErrMissing  = errors.New("there is no database")
	ErrUnusable = errors.New("not a usable database")
	ErrNewer    = errors.New("the database is of a newer latchkey")
	ErrReadOnly = errors.New("the database cannot be written")
	ErrInUse    = errors.New("a server uses")
	ErrLockFile = errors.New("the lock file cannot be opened")
)

// errForeign is part of an ErrUnusable for what was never a database of ours, and so is not ours to move.
var errForeign = errors.New("it belongs to another application")

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

var readerOnly = []setting{{"query_only", int64(1)}}

// Create makes a new, empty database at path, and the directory if that is missing. The error is fs.ErrExist when there is
// something already. The file appears whole or not at all.
func Create(path string, chain audit.Tagger) (*Store, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	for _, name := range []string{path, path + "-wal"} { // a log is played into whatever file has its name
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
	if err := os.Rename(unfinished, path); err != nil {
		return nil, err
	}
	if err := syncDirectory(filepath.Dir(path)); err != nil {
		return nil, err
	}
	return Open(path, chain)
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

// Open opens the database at path; chain keys its audit trail. Other processes may have it open. The error is
// ports.ErrUpgradePending for a file of an older release, see Archive.Upgrade.
func Open(path string, chain audit.Tagger) (*Store, error) {
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
	if err := s.connect(path); err != nil {
		if full(err) {
			err = noRoom(path, err)
		} else if denied(err) { // a file system mounted read-only, for one
			err = readOnly(path, err)
		} else {
			err = fmt.Errorf("%s: %w", path, err)
		}
		return nil, errors.Join(err, s.disconnect())
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

// inspect returns the schema version of the file. It reads through SQLite, because what a crash left in the log counts
// and because opening the file ourselves would drop the locks of this process on it; and it reads only.
func inspect(path string) (version int, err error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return 0, missing(path)
	case err != nil:
		return 0, err
	case !info.Mode().IsRegular():
		return 0, unusable(path, fmt.Errorf("%w: it is not a file", errForeign))
	case info.Size() == 0:
		return 0, unusable(path, errors.New("it is empty"))
	}
	// The superuser is not stopped by these bits, so we are.
	if dir, err := os.Stat(filepath.Dir(path)); err != nil {
		return 0, err
	} else if info.Mode()&0o200 == 0 || dir.Mode()&0o200 == 0 {
		return 0, readOnly(path, nil)
	}
	version, err = identify(path, readMode(path))
	switch {
	case full(err):
		return 0, noRoom(path, err)
	case denied(err):
		return 0, readOnly(path, err)
	case errors.Is(err, ports.ErrUnavailable): // it may be fine later
		return 0, fmt.Errorf("%s: %w", path, err)
	case errors.Is(err, ErrNewer):
		return version, fmt.Errorf("%s: %w: start the newer release, or restore a backup made before it", path, err)
	case err != nil:
		return 0, unusable(path, err)
	}
	return version, nil
}

// readMode is how to open a file to look at it. Without a log nobody writes, and SQLite need not make one to read.
func readMode(path string) string {
	if _, err := os.Stat(path + "-wal"); errors.Is(err, fs.ErrNotExist) {
		return "ro&immutable=1"
	}
	return "ro"
}

// identify returns the schema version of a file that is a database of ours.
func identify(path, mode string) (version int, err error) {
	c, err := connect(path, mode)
	if err != nil {
		return 0, err
	}
	defer c.close()
	if err := c.set(everyConnection, readerOnly); err != nil {
		return 0, err
	}
	application, err := first(c, func(r *row) int { return int(r.int()) }, "PRAGMA application_id")
	if err != nil {
		return 0, err
	}
	if application != applicationID {
		return 0, errForeign
	}
	if version, err = c.version(); err != nil {
		return 0, err
	}
	if version < 1 {
		return 0, errors.New("it has no schema")
	}
	if _, err := readRevision(c); err != nil {
		return 0, err
	}
	scripts, err := migrations.Scripts()
	if err == nil && version > len(scripts) {
		err = fmt.Errorf("%w: it has schema %d and this release knows %d", ErrNewer, version, len(scripts))
	}
	return version, err
}

func missing(path string) error {
	return fmt.Errorf("%w at %s: make one with latchkey init, or restore a backup", ErrMissing, path)
}

func unusable(path string, err error) error {
	return fmt.Errorf("%s is %w: %w: restore a backup, or check the path", path, ErrUnusable, err)
}

// full reports whether the disk has no room for what SQLite keeps beside the file, even to read it. The file is as good as ever:
// whoever restored a backup for it would lose what came after.
func full(err error) bool {
	var e sqlite3.Error
	return errors.As(err, &e) && (e.Code == sqlite3.ErrFull || e.SystemErrno == syscall.ENOSPC)
}

func noRoom(path string, err error) error {
	return fmt.Errorf("%s: %w: %w: the disk is full: free some space on it", path, ports.ErrUnavailable, err)
}

// denied reports whether the operating system kept SQLite from the file or its companions.
func denied(err error) bool {
	var e sqlite3.Error
	return errors.As(err, &e) && (e.Code == sqlite3.ErrReadonly || e.Code == sqlite3.ErrCantOpen || e.Code == sqlite3.ErrPerm)
}

func readOnly(path string, err error) error {
	if err != nil {
		return fmt.Errorf("%w: %s: %w: make the file and its directory writable for this user", ErrReadOnly, path, err)
	}
	return fmt.Errorf("%w: %s: make the file and its directory writable for this user", ErrReadOnly, path)
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

// Lock keeps a second server from the database until release is called or the process ends. A server locks before it opens,
// because only who holds the lock may upgrade or replace the file. It does not hinder the command line, which opens the same
// file while the server runs.
func Lock(path string) (release func(), err error) {
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return nil, missing(path)
	}
	return lock(path)
}

// LockMissing is Lock for who puts a database in place: there may be none yet.
func LockMissing(path string) (release func(), err error) { return lock(path) }

func lock(path string) (release func(), err error) {
	f, err := os.OpenFile(path+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		// No server need be running: the file may have been made by another user, or the directory be read-only.
		return nil, fmt.Errorf("%w: %w: make the directory and %s.lock writable for this user", ErrLockFile, err, path)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("%w %s: stop the server first", ErrInUse, path)
		}
		return nil, fmt.Errorf("lock %s.lock: %w", path, err)
	}
	return func() { f.Close() }, nil
}

// location is the file: URI of a path; a path may hold the characters that divide a URI.
func location(path string) string {
	return "file:" + (&url.URL{Path: filepath.Clean(path)}).EscapedPath()
}

func removeIfThere(path string) error {
	if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func syncDirectory(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Version tells which SQLite is linked in.
func Version() string {
	version, _, _ := sqlite3.Version()
	return version
}
