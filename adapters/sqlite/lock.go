package sqlite

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
	"time"
)

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

// looks is how often a lock that is taken is tried, a lookPause apart: Serving takes it for an instant, and is no server.
const (
	looks     = 20
	lookPause = 10 * time.Millisecond
)

func lock(path string) (release func(), err error) {
	f, err := companion(behindLinks(path), ".lock") // one database has one lock, whatever it is called
	if err != nil {
		return nil, err
	}
	for look := range looks {
		if look > 0 {
			time.Sleep(lookPause)
		}
		if err = flock(f, syscall.LOCK_EX); err != errHeld {
			break
		}
	}
	if err == nil {
		return func() { f.Close() }, nil
	}
	f.Close()
	if err == errHeld {
		return nil, fmt.Errorf("%w %s: stop the server first", ErrInUse, path)
	}
	return nil, fmt.Errorf("lock %s.lock: %w", path, err)
}

// Serving reports whether a server has the file. A lock file that is missing is not made.
func (Examiner) Serving(path string) (bool, error) {
	f, err := os.Open(behindLinks(path) + ".lock")
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	} else if err != nil {
		return false, err
	}
	defer f.Close()
	if err = flock(f, syscall.LOCK_SH); err == errHeld {
		return true, nil
	}
	return false, err
}

var errHeld = errors.New("somebody else holds the lock")

// flock takes a lock, or changes the one it has, without waiting. A lock that could not be changed may be lost.
func flock(f *os.File, how int) error {
	err := syscall.Flock(int(f.Fd()), how|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return errHeld
	}
	return err
}

// companion opens a file beside the database that locks are taken on, and makes it when it is missing. The superuser makes it
// for the owner of the database, as SQLite does with its own: the server runs as somebody else.
func companion(path, suffix string) (*os.File, error) {
	f, err := os.OpenFile(path+suffix, os.O_CREATE|os.O_RDWR|syscall.O_NOFOLLOW, 0o600)
	if full(err) {
		return nil, noRoom(path, err)
	} else if err != nil {
		// No server need be running: the file may have been made by another user, or the directory be read-only.
		return nil, fmt.Errorf("%w: %w: make the directory and %s%s writable for this user", ErrLockFile, err, path, suffix)
	}
	if os.Geteuid() == 0 {
		if info, err := os.Stat(path); err == nil {
			if owner, ok := info.Sys().(*syscall.Stat_t); ok {
				f.Chown(int(owner.Uid), int(owner.Gid)) // where that is not possible, the next user is told
			}
		}
	}
	return f, nil
}
