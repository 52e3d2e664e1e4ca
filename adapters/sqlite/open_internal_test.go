package sqlite

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/mattn/go-sqlite3"

	"latchkey/ports"
)

// AD-08: a database is its owner's from its first byte. Whoever opened it for reading before its mode was put right reads
// everything that it holds later.
func TestNewFileIsItsOwners(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0))
	whole := disk
	defer func() { disk = whole }()
	filled := false
	disk.rename = func(from, to string) error {
		info, err := os.Stat(from)
		if filled = true; err != nil || info.Mode() != 0o600 {
			t.Errorf("%s: %v, %v", from, info, err)
		}
		return whole.rename(from, to)
	}
	s, err := Create(filepath.Join(t.TempDir(), "latchkey.db"), hashed, nil)
	if err != nil {
		t.Fatal(err)
	}
	if s.Close(); !filled {
		t.Error("nothing was looked at")
	}
}

// ST-04: SQLite needs room to open a file that has a log. A disk without any is not a damaged database, and nobody is told to
// put an older one in its place.
func TestFullDiskIsNoDamage(t *testing.T) {
	for _, err := range []error{sqlite3.Error{Code: sqlite3.ErrIoErr, SystemErrno: syscall.ENOSPC}, sqlite3.Error{Code: sqlite3.ErrCantOpen, SystemErrno: syscall.ENOSPC},
		sqlite3.Error{Code: sqlite3.ErrFull}} {
		told := noRoom("latchkey.db", err)
		if !full(err) || !errors.Is(told, ports.ErrUnavailable) || errors.Is(told, ErrUnusable) || !strings.Contains(told.Error(), "free some space") {
			t.Errorf("%v: full %t, %v", err, full(err), told)
		}
	}
	if full(sqlite3.Error{Code: sqlite3.ErrIoErr}) || full(errors.New("another")) {
		t.Error("every fault is a full disk")
	}
}
