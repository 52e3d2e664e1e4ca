package sqlite_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"latchkey/adapters/sqlite"
	"latchkey/domain/audit"
	"latchkey/domain/identity"
	"latchkey/ports"
	"latchkey/ports/storetest"
)

// keyed returns what keys sums under a key.
func keyed(key string) sqlite.Seal {
	return func(ports.MasterRoot) (audit.Tagger, error) {
		return func(b []byte) [32]byte { return sha256.Sum256(append([]byte(key), b...)) }, nil
	}
}

var seal = keyed("ours")

// opened is a store whose file has sums.
func opened(t *testing.T, path string) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(path, storetest.Tag, seal)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// summed returns the path of a closed database with a sum.
func summed(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "latchkey.db")
	s, err := sqlite.Create(path, storetest.Tag, seal)
	if err != nil {
		t.Fatal(err)
	}
	save(t, s, "first", 1)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	wantState(t, path, ports.SumMatches)
	return path
}

func wantState(t *testing.T, path string, want ports.SumState) {
	t.Helper()
	tag, _ := seal(ports.MasterRoot{})
	if got, err := (sqlite.Examiner{}).CheckSum(path, tag); err != nil || got != want {
		t.Errorf("the sum of %s: %q, %v, want %q", filepath.Base(path), got, err, want)
	}
}

func flip(t *testing.T, path string, at int64) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	b[at] ^= 1
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// ST-06: whatever became of a closed file, it is refused as it is, until a backup is restored or its sum is taken away.
func TestChangedFileIsRefused(t *testing.T) {
	older := summed(t)
	for name, change := range map[string]func(t *testing.T, path string){
		"a bit of a page":     func(t *testing.T, path string) { flip(t, path, 5*4096-3) },
		"a bit of the header": func(t *testing.T, path string) { flip(t, path, 27) },
		"a value":             func(t *testing.T, path string) { raw(t, path, "UPDATE attempts SET count = 0") },
		"a longer file": func(t *testing.T, path string) {
			b, _ := os.ReadFile(path)
			os.WriteFile(path, append(b, make([]byte, 4096)...), 0o600)
		},
		"an older copy": func(t *testing.T, path string) {
			s := opened(t, path)
			save(t, s, "second", 2)
			s.Close()
			b, _ := os.ReadFile(older)
			os.WriteFile(path, b, 0o600)
		},
		"a journal put beside it": func(t *testing.T, path string) { os.WriteFile(path+"-journal", make([]byte, 4096), 0o600) },
		"a log put beside it":     func(t *testing.T, path string) { os.WriteFile(path+"-wal", make([]byte, 4096), 0o600) },
	} {
		t.Run(name, func(t *testing.T) {
			path := summed(t)
			change(t, path)
			before := contents(t, filepath.Dir(path))
			wantState(t, path, ports.SumDiffers)
			_, err := sqlite.Open(path, storetest.Tag, seal)
			if !errors.Is(err, ports.ErrChanged) || !strings.Contains(err.Error(), "remove "+path+".sum") || !strings.Contains(err.Error(), "latchkey restore") {
				t.Errorf("opened: %v", err)
			}
			_, err = sealedArchive(path).Upgrade(t.Context(), upgraded, accept, quiet)
			if err != nil && !errors.Is(err, ports.ErrChanged) {
				t.Errorf("upgraded: %v", err)
			}
			os.Remove(path + "-shm") // which whoever reads a log makes
			if !maps.Equal(before, contents(t, filepath.Dir(path))) {
				t.Error("the directory was changed")
			}
			if err := errors.Join(os.Remove(path+".sum"), os.RemoveAll(path+"-wal"), os.RemoveAll(path+"-journal")); err != nil {
				t.Fatal(err)
			}
			if err := opened(t, path).Close(); err != nil {
				t.Error(err)
			}
			wantState(t, path, ports.SumMatches)
		})
	}
}

func sealedArchive(path string) sqlite.Archive {
	return sqlite.Archive{Path: path, Chain: storetest.Tag, Seal: seal}
}

// A sum is there while nobody has the file open for writing, whoever they are and in whatever order they come and go.
func TestSumIsOfRest(t *testing.T) {
	path := summed(t)
	first, second := opened(t, path), opened(t, path)
	wantState(t, path, ports.SumAbsent)
	save(t, first, "more", 1)
	first.Close()
	wantState(t, path, ports.SumAbsent)
	save(t, second, "more", 2)
	second.Close()
	wantState(t, path, ports.SumMatches)
	if info, err := os.Stat(path + ".sum"); err != nil || info.Mode() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}

	server := opened(t, path)
	if err := os.Remove(path + ".sum"); err != nil { // while it is in use: nobody makes one of a file that changes
		t.Fatal(err)
	}
	link := filepath.Join(t.TempDir(), "link.db")
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{path, link} {
		opened(t, name).Close()
		wantState(t, name, ports.SumAbsent)
	}
	save(t, server, "more", 3)
	server.Close()
	opened(t, link).Close()
	wantState(t, path, ports.SumMatches)
	if _, err := os.Stat(link + ".sum"); err == nil {
		t.Error("a sum of the same file under another name")
	}
}

// Commands that come and go at once are all served, and what the last one leaves has a sum.
func TestManyOpenAndClose(t *testing.T) {
	path := summed(t)
	var working sync.WaitGroup
	for w := range 6 {
		working.Go(func() {
			for n := range 8 {
				s, err := sqlite.Open(path, storetest.Tag, seal)
				if err != nil {
					t.Error(err)
					return
				}
				save(t, s, fmt.Sprint(w), n+1)
				if err := s.Close(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	working.Wait()
	opened(t, path).Close() // two that ended at once may each have left it to the other
	wantState(t, path, ports.SumMatches)
}

// A wrong key says nothing of the file, and changes nothing.
func TestSumUnderAnotherKey(t *testing.T) {
	path := summed(t)
	before := contents(t, filepath.Dir(path))
	if _, err := sqlite.Open(path, storetest.Tag, keyed("theirs")); !errors.Is(err, ports.ErrForeignKey) {
		t.Errorf("got %v", err)
	}
	wrong := errors.New("the root does not open")
	if _, err := sqlite.Open(path, storetest.Tag, func(ports.MasterRoot) (audit.Tagger, error) { return nil, wrong }); !errors.Is(err, wrong) {
		t.Errorf("got %v", err)
	}
	if !maps.Equal(before, contents(t, filepath.Dir(path))) {
		t.Error("the directory was changed")
	}
}

// Whoever may not write the file with the sum is told so, as of the lock file.
func TestSumCannotBeWritten(t *testing.T) {
	path := summed(t)
	if err := errors.Join(os.Remove(path+".sum"), os.Mkdir(path+".sum", 0o700)); err != nil {
		t.Fatal(err)
	}
	if _, err := sqlite.Open(path, storetest.Tag, seal); !errors.Is(err, sqlite.ErrLockFile) || !strings.Contains(err.Error(), path+".sum writable") {
		t.Errorf("got %v", err)
	}
}

func TestLargeFilesHaveNoSum(t *testing.T) {
	path := summed(t)
	if err := errors.Join(os.Truncate(path+".sum", 0), os.Truncate(path, 129<<20)); err != nil {
		t.Fatal(err)
	}
	if got, err := (sqlite.Examiner{}).CheckSum(path, storetest.Tag); err != nil || got != ports.SumTooLarge {
		t.Errorf("%q, %v", got, err)
	}
}

// ST-06: every bit of a backup is told by the sum beside it; without one the backup is taken as it is.
func TestBackupSum(t *testing.T) {
	path := summed(t)
	to := filepath.Join(t.TempDir(), "backup.db")
	verify := func(a sqlite.Archive) error {
		s, _, err := a.OpenCopy(t.Context(), to, t.TempDir(), quiet)
		if err == nil {
			s.Close()
		}
		return err
	}
	other, _ := os.ReadFile(path + ".sum")
	if err := os.WriteFile(to+".sum", other, 0o644); err != nil { // of a backup that was removed
		t.Fatal(err)
	}
	if err := errors.Join(sealedArchive(path).Backup(t.Context(), to, quiet), verify(sealedArchive(path))); err != nil {
		t.Fatal(err)
	}
	wantPrivate(t, filepath.Dir(to))
	if files := contents(t, filepath.Dir(to)); len(files) != 2 {
		t.Errorf("%d files", len(files))
	}
	flip(t, to, 5*4096-3)
	if err := verify(sealedArchive(path)); !errors.Is(err, ports.ErrChanged) || !strings.Contains(err.Error(), "remove "+to+".sum") {
		t.Errorf("a flipped bit: %v", err)
	}
	if err := verify(sqlite.Archive{Path: path, Chain: storetest.Tag, Seal: keyed("theirs")}); !errors.Is(err, ports.ErrForeignKey) {
		t.Errorf("another key: %v", err)
	}
	if err := os.Remove(to + ".sum"); err != nil {
		t.Fatal(err)
	}
	if err := verify(sealedArchive(path)); err != nil {
		t.Errorf("without a sum: %v", err)
	}
	if err := errors.Join(os.Remove(to), os.WriteFile(to+".sum", []byte("my sums"), 0o600)); err != nil {
		t.Fatal(err)
	}
	if err := sealedArchive(path).Backup(t.Context(), to, quiet); !errors.Is(err, fs.ErrExist) || !strings.Contains(err.Error(), to+".sum") {
		t.Errorf("over a file that is no sum: %v", err)
	}
	if files := contents(t, filepath.Dir(to)); len(files) != 1 || files["backup.db.sum"] != "my sums" {
		t.Errorf("left: %v", files)
	}
}

// A restore is what mends a file that was changed; one that is given up leaves it refused as before.
func TestRestoreOverAChangedFile(t *testing.T) {
	path := summed(t)
	to := filepath.Join(t.TempDir(), "backup.db")
	if err := sealedArchive(path).Backup(t.Context(), to, quiet); err != nil {
		t.Fatal(err)
	}
	flip(t, path, 5*4096-3)
	prepared := path + ".restoring"
	take := func() {
		t.Helper()
		if err := sealedArchive(path).Take(t.Context(), to, prepared, quiet); err != nil {
			t.Fatal(err)
		}
	}
	take()
	taken := restored
	taken.Kept = ".restoring" // is there already
	if _, err := sealedArchive(path).Replace(t.Context(), prepared, taken, quiet); !errors.Is(err, fs.ErrExist) {
		t.Errorf("got %v", err)
	}
	wantState(t, path, ports.SumDiffers)
	take()
	if _, err := sealedArchive(path).Replace(t.Context(), prepared, restored, quiet); err != nil {
		t.Fatal(err)
	}
	wantState(t, path, ports.SumMatches)
	opened(t, path).Close()
}

// A restore that is given up leaves no good file accused: a backup that was put in place with its sum is journalled in another way.
func TestRestoreGivenUp(t *testing.T) {
	source := summed(t)
	path := filepath.Join(t.TempDir(), "latchkey.db")
	if err := sealedArchive(source).Backup(t.Context(), path, quiet); err != nil {
		t.Fatal(err)
	}
	wantState(t, path, ports.SumMatches)
	prepared := path + ".restoring"
	if err := sealedArchive(path).Take(t.Context(), path, prepared, quiet); err != nil {
		t.Fatal(err)
	}
	taken := restored
	taken.Kept = ".restoring" // is there already
	if _, err := sealedArchive(path).Replace(t.Context(), prepared, taken, quiet); !errors.Is(err, fs.ErrExist) {
		t.Errorf("got %v", err)
	}
	opened(t, path).Close()
	wantState(t, path, ports.SumMatches)
}

// A database whose folder is moved away under its server gets no sum of the one that is put in its place.
func TestMovedUnderAServer(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	path := filepath.Join(dir, "latchkey.db")
	made := func() *sqlite.Store {
		s, err := sqlite.Create(path, storetest.Tag, seal)
		if err != nil {
			t.Fatal(err)
		}
		save(t, s, "a value", 1)
		return s
	}
	server := made()
	if err := os.Rename(dir, dir+".away"); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(made().Close(), server.Close()); err != nil {
		t.Fatal(err)
	}
	wantState(t, path, ports.SumMatches)
	wantState(t, filepath.Join(dir+".away", "latchkey.db"), ports.SumAbsent)
}

// A database has one lock, whichever of its names a server or a restore was told.
func TestLockBehindLinks(t *testing.T) {
	path, link := closed(t), filepath.Join(t.TempDir(), "link.db")
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	release, err := sqlite.Lock(path)
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	if _, err := sqlite.LockMissing(link); !errors.Is(err, sqlite.ErrInUse) {
		t.Errorf("got %v", err)
	}
	if serving, err := (sqlite.Examiner{}).Serving(link); err != nil || !serving {
		t.Errorf("%v, %v", serving, err)
	}
}

// An upgraded file has a sum. One that went back to an older schema has none: the older release would leave it beside what it changed.
func TestSumsAndSchemas(t *testing.T) {
	path := released(t)
	if _, err := sealedArchive(path).Upgrade(t.Context(), upgraded, accept, quiet); err != nil {
		t.Fatal(err)
	}
	wantState(t, path, ports.SumMatches)
	prepared := path + ".restoring"
	if err := sealedArchive(path).Take(t.Context(), path+".schema-1", prepared, quiet); err != nil {
		t.Fatal(err)
	}
	if _, err := sealedArchive(path).Replace(t.Context(), prepared, restored, quiet); err != nil {
		t.Fatal(err)
	}
	wantState(t, path, ports.SumAbsent)
	if _, err := sealedArchive(path).Upgrade(t.Context(), upgraded, accept, quiet); err != nil {
		t.Errorf("again: %v", err)
	}
	wantState(t, path, ports.SumMatches)
	wantState(t, path+".schema-1", ports.SumMatches)
}

// A sum that outlived its database accuses no new one.
func TestSumOfARemovedDatabase(t *testing.T) {
	path := summed(t)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	s, err := sqlite.Create(path, storetest.Tag, seal)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Update(t.Context(), func(tx ports.Tx) error { return tx.SaveAttempts(identity.Attempts{Key: "k"}) }); err != nil {
		t.Error(err)
	}
	s.Close()
	wantState(t, path, ports.SumMatches)
}

// Who looks whether a server has the file takes its lock for an instant, and keeps no server from starting.
func TestServingHindersNobody(t *testing.T) {
	path := closed(t)
	look, err := os.OpenFile(path+".lock", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Flock(int(look.Fd()), syscall.LOCK_SH); err != nil {
		t.Fatal(err)
	}
	started := make(chan error)
	go func() {
		release, err := sqlite.Lock(path)
		if err == nil {
			release()
		}
		started <- err
	}()
	look.Close()
	if err := <-started; err != nil {
		t.Error(err)
	}
}
