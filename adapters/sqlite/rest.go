package sqlite

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"latchkey/domain/audit"
	"latchkey/migrations"
	"latchkey/ports"
)

// rest tells whether a database is at rest, when its file has a sum, or in use. It is a lock on the file with the sum, which is never
// renamed and never removed by us. Whoever has the database open for writing shares the lock, and then there is no sum: it
// was emptied, and that was synced, before the first write. Who checks a sum or makes one has the lock alone. So no crash
// leaves an old sum beside a newer file, and no sum is taken of a file that changes.
type rest struct {
	path string
	seal Seal
	f    *os.File
}

// disturb waits until the database may be opened for writing, after checking the sum if there is one. The file is not touched
// when it is refused.
func disturb(path string, seal Seal) (*rest, error) {
	r, err := restOf(path, seal)
	if err != nil {
		return nil, err
	}
	err = patiently(func() error {
		switch err := flock(r.f, syscall.LOCK_EX); err {
		case nil: // nobody has it open
			if err := r.check(); err != nil {
				return err
			}
			if err := r.forget(); err != nil {
				return err
			}
		case errHeld:
		default:
			return err
		}
		if err := flock(r.f, syscall.LOCK_SH); err != nil {
			return err
		}
		info, err := r.f.Stat()
		if err == nil && info.Size() > 0 { // of who closed it just now; or others are at this point too
			if err = flock(r.f, syscall.LOCK_UN); err == nil {
				err = errHeld
			}
		}
		return err
	})
	return r.unless(err)
}

// disturbUnchecked is disturb for who replaces what is there, whatever it is. The caller forgets the sum before the first write.
func disturbUnchecked(path string, seal Seal) (*rest, error) {
	r, err := restOf(path, seal)
	if err != nil {
		return nil, err
	}
	return r.unless(patiently(func() error { return flock(r.f, syscall.LOCK_SH) }))
}

func restOf(path string, seal Seal) (*rest, error) {
	path = behindLinks(path)
	f, err := companion(path, sumSuffix)
	if err != nil {
		return nil, err
	}
	return &rest{path: path, seal: seal, f: f}, nil
}

// behindLinks returns the name beside which SQLite keeps the log.
func behindLinks(path string) string {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		return real
	}
	return path
}

// patiently tries until it is another error than errHeld: a large file takes a while to check.
func patiently(try func() error) error {
	for give := time.Now().Add(patience); ; {
		err := try()
		if err != errHeld || time.Now().After(give) {
			return err
		}
		time.Sleep(rand.N(lookPause) + time.Millisecond) // by chance, or two could always meet
	}
}

// patience is how long others may take to check a sum or to make one.
const patience = 5 * time.Second

func (r *rest) unless(err error) (*rest, error) {
	if err == nil {
		return r, nil
	}
	r.f.Close()
	if errors.Is(err, errHeld) {
		err = fmt.Errorf("%w: %s: another command opens or closes it just now: try again", ports.ErrUnavailable, r.path)
	} else if full(err) {
		err = noRoom(r.path, err)
	}
	return nil, err
}

func (r *rest) check() error {
	want, err := readSum(r.f)
	if err != nil || want == nil {
		return err
	}
	if logged(r.path) { // a sum is made only where there is no log, and goes before there is one
		return changed(r.path)
	}
	same, err := want.isOf(r.path, r.seal)
	if err == nil && !same {
		err = changed(r.path)
	}
	return err
}

func changed(path string) error {
	return fmt.Errorf("%s %w: look at it with latchkey doctor, and restore a backup with latchkey restore; to go on with it as it is, remove %[1]s%[3]s",
		path, ports.ErrChanged, sumSuffix)
}

// logged reports whether there is a log that was not folded back, or a journal that was not rolled back: SQLite plays either into the
// file when it opens it, also the journal that it has no use for beside a log.
func logged(path string) bool {
	for _, suffix := range []string{"-wal", "-journal"} {
		if info, err := os.Stat(path + suffix); err == nil && info.Mode().IsRegular() && info.Size() > 0 {
			return true
		}
	}
	return false
}

// forget comes before every write. It is synced: after a power cut an old sum would accuse a file that is as good as ever.
func (r *rest) forget() error {
	if info, err := r.f.Stat(); err != nil || info.Size() == 0 {
		return err
	}
	return errors.Join(r.f.Truncate(0), disk.sync(r.f))
}

// resume ends the use of a database that was closed. When nobody else has it open and whole says that nothing went wrong, its sum
// is made: a log, even an empty one, is somebody's who has. Where that is not possible nothing is known of the file, as of one that was in use when the power went.
func (r *rest) resume(whole bool) {
	if r == nil {
		return
	}
	defer r.f.Close()
	if !whole || r.seal == nil || flock(r.f, syscall.LOCK_EX) != nil || there(r.path+"-wal") || logged(r.path) || !r.beside() {
		return
	}
	if info, err := os.Stat(r.path); err != nil || info.Size() > largestSummed {
		return
	}
	scripts, err := migrations.Scripts()
	root, schema, err2 := rootAtRest(r.path)
	if err != nil || err2 != nil || schema != len(scripts) { // an older release would change the file and leave our sum
		return
	}
	tag, err := r.seal(root)
	if err != nil {
		return
	}
	// That SQLite removed the log has to last, or it is there again after a power cut, and a log is what others left.
	if syncDirectory(filepath.Dir(r.path)) != nil {
		return
	}
	if s, err := sumOf(r.path, tag); err == nil {
		writeSum(r.f, s)
	}
}

// beside reports whether the file with the sum is still the one beside the database: somebody may have moved both, and put another
// database there.
func (r *rest) beside() bool {
	ours, err := r.f.Stat()
	now, err2 := os.Lstat(r.path + sumSuffix)
	return err == nil && err2 == nil && os.SameFile(ours, now)
}

// CheckSum compares the file with its sum, if it is at rest. It takes no lock, which would keep others from making theirs: who opens
// the file empties the sum first.
func (Examiner) CheckSum(path string, tag audit.Tagger) (ports.SumState, error) {
	path = behindLinks(path)
	before, err := readSumOf(path)
	if err != nil {
		return ports.SumAbsent, err
	}
	if before == nil {
		if info, err := os.Stat(path); err == nil && info.Size() > largestSummed {
			return ports.SumTooLarge, nil
		}
		return ports.SumAbsent, nil
	}
	same, err := before.isOf(path, func(ports.MasterRoot) (audit.Tagger, error) { return tag, nil })
	foreign := logged(path)
	after, err2 := readSumOf(path)
	switch {
	case errors.Join(err, err2) != nil:
		return ports.SumAbsent, errors.Join(err, err2)
	case after == nil || *after != *before:
		return ports.SumAbsent, nil
	case !same || foreign:
		return ports.SumDiffers, nil
	}
	return ports.SumMatches, nil
}

// forgetSum empties the sum of a database that is not there.
func forgetSum(path string) error {
	if !there(path + sumSuffix) {
		return nil
	}
	r, err := disturbUnchecked(path, nil)
	if err != nil {
		return err
	}
	return errors.Join(r.forget(), r.f.Close())
}
