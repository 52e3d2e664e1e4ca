package sqlite

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/mattn/go-sqlite3"

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
	ErrLockFile = errors.New("a lock file cannot be opened")
)

// errForeign is part of an ErrUnusable for what was never a database of ours, and so is not ours to move.
var errForeign = errors.New("it belongs to another application")

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
	if _, err := os.Stat(behindLinks(path) + "-wal"); errors.Is(err, fs.ErrNotExist) {
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
	return errors.As(err, &e) && (e.Code == sqlite3.ErrFull || e.SystemErrno == syscall.ENOSPC) ||
		errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
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
