package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/mattn/go-sqlite3"

	"latchkey/domain/audit"
	"latchkey/ports"
)

// Archive looks after the database at Path as a whole. Chain keys its audit trail; Seal the sums of its file and of the copies, which
// have none without it.
type Archive struct {
	Path  string
	Chain audit.Tagger
	Seal  Seal
}

var _ ports.Archive = Archive{}

// pagesPerStep is 1 MB: between two steps a copy can be given up and says how far it is.
const pagesPerStep = 256

// private are the settings for a file that nobody else has open and that counts only once it is whole and synced.
var private = []setting{{"journal_mode", "delete"}, {"synchronous", int64(2)}, {"secure_delete", int64(1)}}

var errDamaged = errors.New("the file is damaged")

func (a Archive) Backup(ctx context.Context, to string, progress ports.Progress) error {
	if err := errors.Join(mustBeFree(to), mayHaveSum(to)); err != nil {
		return err
	}
	part, release, err := claimPart(to)
	if err != nil {
		return err
	}
	defer release()
	err = clone(ctx, a.Path, part, "copying", progress)
	if err == nil {
		progress("checking", 0, 1)
		err = settle(ctx, part, quickCheck)
		progress("checking", 1, 1)
	}
	if err == nil {
		err = errors.Join(ctx.Err(), mustBeFree(to))
	}
	if err == nil {
		err = a.publish(part, to)
	}
	if err != nil {
		removeFile(part)
	}
	return err
}

func mustBeFree(path string) error {
	if _, err := os.Lstat(path); err == nil {
		return fmt.Errorf("%s: %w and is left as it is: name another file", path, fs.ErrExist)
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// claimPart makes the empty file that becomes to. What a killed backup left is used again; one that still runs is not
// disturbed.
func claimPart(to string) (part string, release func(), err error) {
	part = to + ".part"
	f, err := os.OpenFile(part, os.O_CREATE|os.O_RDWR|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return "", nil, err
	}
	if err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		return "", nil, fmt.Errorf("%s: %w: another backup is writing it", part, fs.ErrExist)
	}
	// Between the two calls the other backup may have ended and given its file the final name.
	here, err := f.Stat()
	if there, err2 := os.Lstat(part); err == nil && (err2 != nil || !os.SameFile(here, there)) {
		err = fmt.Errorf("%s: %w: another backup wrote it just now", to, fs.ErrExist)
	}
	if err = errors.Join(err, removeIfThere(part+"-journal")); err == nil {
		err = errors.Join(f.Chmod(0o600), f.Truncate(0))
	}
	if err != nil {
		f.Close()
		return "", nil, err
	}
	return part, func() { f.Close() }, nil
}

// clone copies one instant of the database at path into the empty file at to. The instant is held by a read transaction, so
// writers are not hindered and never make the copy begin anew.
func clone(ctx context.Context, path, to, step string, progress ports.Progress) (err error) {
	from, err := connect(path, "ro")
	if err != nil {
		return fault(err)
	}
	defer from.close()
	if err := from.set(everyConnection, readerOnly); err != nil {
		return err
	}
	if _, err := from.exec("BEGIN"); err != nil {
		return err
	}
	if _, err := from.version(); err != nil { // the first read fixes the instant
		return err
	}
	into, err := connect(to, "rw")
	if err != nil {
		return fault(err)
	}
	defer func() { err = errors.Join(err, into.close()) }()
	// A copy that fails is thrown away, and one that succeeds is synced whole: a journal would be for nothing.
	if err := into.set(everyConnection, []setting{{"journal_mode", "off"}, {"synchronous", int64(0)}}); err != nil {
		return err
	}
	b, err := into.Backup("main", from.SQLiteConn, "main")
	if err != nil {
		return fault(err)
	}
	return carry(ctx, b, step, progress)
}

// carry carries a copy out and ends it: whole, or not at all.
func carry(ctx context.Context, b *sqlite3.SQLiteBackup, step string, progress ports.Progress) error {
	for done, left := false, b.Remaining(); !done; left = b.Remaining() {
		err := ctx.Err()
		if err == nil {
			done, err = b.Step(pagesPerStep)
		}
		if err == nil && !done && left != 0 && b.Remaining() >= left || err == nil && b.PageCount() == 0 {
			err = errLocked // the driver reports no error for it
		}
		if err != nil {
			b.Finish()
			return stepFault(err)
		}
		if !done {
			progress(step, b.PageCount()-b.Remaining(), b.PageCount())
		}
	}
	total := b.PageCount()
	if err := b.Finish(); err != nil {
		return stepFault(err)
	}
	progress(step, total, total)
	return nil
}

var errLocked = fmt.Errorf("%w: something else holds the file: try again", ports.ErrUnavailable)

// stepFault gives an error of a copy the two codes that errors of statements have.
func stepFault(err error) error {
	if e, ok := err.(sqlite3.Error); ok {
		e.ExtendedCode = sqlite3.ErrNoExtended(e.Code)
		e.Code &= 0xff
		return fault(e)
	}
	return err
}

// settle makes a copy one file, without a log, that is on disk and passes the checks.
func settle(ctx context.Context, path string, checks ...string) error {
	c, err := connect(path, "rw")
	if err != nil {
		return fault(err)
	}
	err = c.set(everyConnection, private)
	if err == nil {
		err = c.whole(ctx, checks...)
	}
	if err := errors.Join(err, c.close()); err != nil {
		return err
	}
	return syncFile(path)
}

func (c *conn) version() (int, error) {
	return first(c, func(r *row) int { return int(r.int()) }, "PRAGMA user_version")
}

// What a file is asked to prove itself whole.
const (
	quickCheck     = "PRAGMA quick_check(5)"
	fullCheck      = "PRAGMA integrity_check(5)"
	referenceCheck = "SELECT 'a row of ' || \"table\" || ' names a row of ' || parent || ' that is missing' FROM pragma_foreign_key_check LIMIT 5"
)

// whole asks and turns what is found into an error.
func (c *conn) whole(ctx context.Context, checks ...string) error {
	for _, query := range checks {
		found, err := c.check(ctx, query)
		if err != nil {
			return err
		}
		if len(found) > 0 {
			return fmt.Errorf("%w: %s", errDamaged, strings.Join(found, "; "))
		}
	}
	return nil
}

func (a Archive) OpenCopy(ctx context.Context, file, dir string, progress ports.Progress) (ports.Opened, int, error) {
	copied := filepath.Join(dir, "copy.db")
	if err := a.Take(ctx, file, copied, progress); err != nil {
		return nil, 0, err
	}
	version, err := identify(copied, "ro&immutable=1")
	switch {
	case errors.Is(err, ErrNewer):
		return nil, 0, fmt.Errorf("%s: %w: use the newer release", file, err)
	case err != nil:
		return nil, 0, unusableCopy(file, err)
	}
	if err := a.checkCopy(file, copied); err != nil {
		return nil, 0, err
	}
	progress("checking", 0, 1)
	if err := rehearse(ctx, copied, version, a.Chain); err != nil {
		return nil, 0, unusableCopy(file, err)
	}
	s, err := Open(copied, a.Chain, nil)
	if err != nil {
		return nil, 0, unusableCopy(file, err)
	}
	progress("checking", 1, 1)
	return s, version, nil
}

func unusableCopy(file string, err error) error {
	return fmt.Errorf("%s is %w: %w: use another backup", file, ErrUnusable, err)
}

func (a Archive) Take(ctx context.Context, file, to string, progress ports.Progress) (err error) {
	in, err := os.Open(file)
	if err != nil {
		return err
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s is %w: it is not a file: check the path", file, ErrUnusable)
	}
	if log, err := os.Stat(file + "-wal"); err == nil && log.Size() > 0 {
		return fmt.Errorf("%s is %w: %[1]s-wal belongs to it, so it is a database in use: make a backup of it with latchkey backup", file, ErrUnusable)
	}
	if err := removeFile(to); err != nil {
		return err
	}
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	total := int(info.Size())
	for done := 0; err == nil; {
		progress("reading", done, total)
		var n int64
		if err = ctx.Err(); err == nil {
			n, err = io.CopyN(out, in, 1<<20)
		}
		done += int(n)
	}
	if err == io.EOF {
		err = errors.Join(out.Chmod(0o600), disk.sync(out))
	}
	progress("reading", total, total)
	return errors.Join(err, out.Close())
}

// removeFile removes a file of ours and what SQLite may have left beside it.
func removeFile(path string) error {
	var err error
	for _, suffix := range []string{"", "-journal", "-wal", "-shm"} {
		err = errors.Join(err, removeIfThere(path+suffix))
	}
	return err
}
