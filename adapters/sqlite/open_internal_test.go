package sqlite

import (
	"errors"
	"strings"
	"syscall"
	"testing"

	"github.com/mattn/go-sqlite3"

	"latchkey/ports"
)

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
