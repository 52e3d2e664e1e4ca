package sqlite_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"latchkey/adapters/sqlite"
	"latchkey/domain/audit"
	"latchkey/domain/identity"
	"latchkey/domain/oauth"
	"latchkey/ports"
	"latchkey/ports/storetest"
)

func archive(path string) sqlite.Archive { return sqlite.Archive{Path: path, Chain: storetest.Tag} }

func quiet(string, int, int) {}

// fat makes the file large enough for several steps of a copy.
func fat(t *testing.T, s *sqlite.Store) {
	t.Helper()
	err := s.Update(t.Context(), func(tx ports.Tx) error {
		for i := range 400 {
			if err := tx.SaveClient(oauth.Client{ID: oauth.ClientID(fmt.Sprint("fat", i)), Name: strings.Repeat("x", 8<<10)}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func save(t *testing.T, s *sqlite.Store, key string, n int) {
	t.Helper()
	err := s.Update(context.Background(), func(tx ports.Tx) error {
		return errors.Join(tx.SaveAttempts(identity.Attempts{Key: key, Count: n}), tx.Record(audit.Event{Kind: "counted", At: time.UnixMilli(1)}))
	})
	if err != nil {
		t.Error(err)
	}
}

// wantWhole opens a copy of a file as verification does, follows its audit trail, and returns the count under each key.
func wantWhole(t *testing.T, file string, keys ...string) map[string]int {
	t.Helper()
	s, _, err := archive("none").OpenCopy(t.Context(), file, t.TempDir(), quiet)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	counts := map[string]int{}
	err = s.View(t.Context(), func(r ports.Reader) error {
		for _, k := range keys {
			a, err := r.Attempts(k)
			if err != nil {
				return err
			}
			counts[k] = a.Count
		}
		events, err := r.Events(audit.Query{Limit: 1 << 20})
		head, err2 := r.TrailHead()
		if at, broken := audit.Verify(audit.Anchor{}, events, storetest.Tag); broken != nil || at != head {
			t.Errorf("the trail ends at %v, want %v: %v", at, head, broken)
		}
		return errors.Join(err, err2)
	})
	if err != nil {
		t.Fatal(err)
	}
	return counts
}

// ST-08: a backup beside writers opens clean, is one instant, and holds everything that was acknowledged before it began.
func TestBackupUnderWrites(t *testing.T) {
	s, path := create(t)
	fat(t, s)
	var acknowledged [4]atomic.Int64
	ctx, stop := context.WithCancel(t.Context())
	var writing sync.WaitGroup
	for w := range acknowledged {
		writing.Go(func() {
			for n := 1; ctx.Err() == nil; n++ {
				save(t, s, fmt.Sprint("w", w), n)
				acknowledged[w].Store(int64(n))
			}
		})
	}
	for acknowledged[0].Load() < 20 { // the test's own deadline bounds this
		time.Sleep(time.Millisecond)
	}
	for i := range 5 {
		var before [4]int64
		for w := range before {
			before[w] = acknowledged[w].Load()
		}
		to, steps := filepath.Join(t.TempDir(), "backup.db"), 0
		if err := archive(path).Backup(t.Context(), to, func(string, int, int) { steps++ }); err != nil {
			t.Fatal(err)
		}
		if steps < 5 {
			t.Errorf("a copy of several megabytes took %d steps", steps)
		}
		if files := contents(t, filepath.Dir(to)); len(files) != 1 {
			t.Errorf("backup %d left %d files", i, len(files))
		}
		if info, err := os.Stat(to); err != nil || info.Mode() != 0o600 {
			t.Errorf("backup %d: %v, %v", i, info, err)
		}
		whole := contents(t, filepath.Dir(to))
		counts := wantWhole(t, to, "w0", "w1", "w2", "w3")
		for w, n := range before {
			if got := counts[fmt.Sprint("w", w)]; int64(got) < n {
				t.Errorf("backup %d has %d of writer %d, who had %d acknowledged", i, got, w, n)
			}
		}
		if !maps.Equal(whole, contents(t, filepath.Dir(to))) {
			t.Error("opening a copy changed the backup")
		}
	}
	stop()
	writing.Wait()
}

// ST-08: given up or killed at any step, a backup leaves no file of its name; what it left is no hindrance.
func TestBackupGivenUp(t *testing.T) {
	s, path := create(t)
	fat(t, s)
	dir := t.TempDir()
	to := filepath.Join(dir, "backup.db")
	total := 0
	if err := archive(path).Backup(t.Context(), filepath.Join(t.TempDir(), "whole.db"), func(string, int, int) { total++ }); err != nil {
		t.Fatal(err)
	}
	for k := range total {
		ctx, giveUp := context.WithCancel(t.Context())
		step, left := 0, ""
		err := archive(path).Backup(ctx, to, func(string, int, int) {
			if step++; step == k+1 {
				if _, err := os.Lstat(to); err == nil {
					t.Errorf("step %d: there is a file of its name already", k)
				}
				b, _ := os.ReadFile(to + ".part")
				left = string(b)
				giveUp()
			}
		})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("step %d: %v", k, err)
		}
		if files := contents(t, dir); len(files) != 0 {
			t.Errorf("step %d left %d files", k, len(files))
		}
		if err := os.WriteFile(to+".part", []byte(left), 0o644); err != nil { // what a kill would have left
			t.Fatal(err)
		}
		if err := os.WriteFile(to+".part-journal", []byte("old"), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := archive(path).Backup(t.Context(), to, quiet); err != nil {
			t.Fatal(err)
		}
		wantWhole(t, to)
		wantPrivate(t, dir)
		if files := contents(t, dir); len(files) != 1 {
			t.Errorf("after step %d there are %d files", k, len(files))
		}
		os.Remove(to)
	}
}

func TestBackupKeepsWhatIsThere(t *testing.T) {
	_, path := create(t)
	to := filepath.Join(t.TempDir(), "backup.db")
	if err := os.WriteFile(to, []byte("mine"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := archive(path).Backup(t.Context(), to, quiet); !errors.Is(err, fs.ErrExist) || !strings.Contains(err.Error(), to) {
		t.Errorf("got %v, want fs.ErrExist", err)
	}
	if b, _ := os.ReadFile(to); string(b) != "mine" {
		t.Error("the file was changed")
	}
	// Two that write one file: the second one leaves the first alone.
	other := filepath.Join(t.TempDir(), "backup.db")
	first := true
	err := archive(path).Backup(t.Context(), other, func(string, int, int) {
		if first {
			first = false
			if err := archive(path).Backup(t.Context(), other, quiet); !errors.Is(err, fs.ErrExist) {
				t.Errorf("the second backup: %v", err)
			}
		}
	})
	if err != nil {
		t.Error(err)
	}
	wantWhole(t, other)
	if err := os.Symlink(other, to+".part"); err != nil {
		t.Fatal(err)
	}
	os.Remove(to)
	if err := archive(path).Backup(t.Context(), to, quiet); !errors.Is(err, syscall.ELOOP) {
		t.Errorf("a link in the place of its file: %v", err)
	}
}

// ST-06: what is no whole backup is refused by name, and not changed.
func TestOpenCopyRefuses(t *testing.T) {
	s, path := create(t)
	fat(t, s)
	good := filepath.Join(t.TempDir(), "backup.db")
	if err := archive(path).Backup(t.Context(), good, quiet); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		spoil func(t *testing.T, path string)
		want  error
	}{
		"zero length":    {func(_ *testing.T, path string) { os.Truncate(path, 0) }, sqlite.ErrUnusable},
		"cut off":        {func(_ *testing.T, path string) { os.Truncate(path, 100_000) }, sqlite.ErrUnusable},
		"corrupt header": {func(t *testing.T, path string) { overwrite(t, path, 0, 100) }, sqlite.ErrUnusable},
		"corrupt page 1": {func(t *testing.T, path string) { overwrite(t, path, 100, 3996) }, sqlite.ErrUnusable},
		"corrupt inside": {func(t *testing.T, path string) { overwrite(t, path, 40*4096, 8*4096) }, sqlite.ErrUnusable},
		"newer":          {func(t *testing.T, path string) { raw(t, path, "PRAGMA user_version = 99") }, sqlite.ErrNewer},
		"missing":        {func(_ *testing.T, path string) { os.Remove(path) }, fs.ErrNotExist},
		"in use":         {func(_ *testing.T, path string) { os.WriteFile(path+"-wal", []byte("x"), 0o600) }, sqlite.ErrUnusable},
		"a row without its parent": {func(t *testing.T, path string) {
			raw(t, path, "INSERT INTO grant VALUES ('g', 'nobody', 'nobody', '', 0, 0, 0)")
		}, sqlite.ErrUnusable},
	} {
		t.Run(name, func(t *testing.T) {
			b, err := os.ReadFile(good)
			file := filepath.Join(t.TempDir(), "spoilt.db")
			if err := errors.Join(err, os.WriteFile(file, b, 0o600)); err != nil {
				t.Fatal(err)
			}
			c.spoil(t, file)
			before := contents(t, filepath.Dir(file))
			s, _, err := archive(path).OpenCopy(t.Context(), file, t.TempDir(), quiet)
			if err == nil {
				s.Close()
			}
			if !errors.Is(err, c.want) || !strings.Contains(err.Error(), file) || strings.Contains(err.Error(), "copy.db") {
				t.Errorf("got %v, want %v that names the file", err, c.want)
			}
			if !maps.Equal(before, contents(t, filepath.Dir(file))) {
				t.Error("it was changed")
			}
		})
	}
}
