package sqlite_test

import (
	"bytes"
	"database/sql"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"latchkey/adapters/sqlite"
	"latchkey/domain/oauth"
	"latchkey/ports"
	"latchkey/ports/storetest"
)

// contents returns every file of the directory.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		b, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		files[e.Name()] = string(b)
	}
	return files
}

// raw runs SQL on a file without the adapter.
func raw(t *testing.T, path, query string) {
	t.Helper()
	db, err := sql.Open("sqlite3", path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(query); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

// closed returns the path of a database nobody has open.
func closed(t *testing.T) string {
	t.Helper()
	s, path := create(t)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// What cannot be opened is left as it was, byte for byte, and the error says what to do (ST-05, ST-06, OP-04).
func TestRefusedFileIsUntouched(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(t *testing.T, path string)
		want  error
		says  string
	}{
		"missing":     {func(t *testing.T, path string) { os.Remove(path) }, sqlite.ErrMissing, "latchkey init"},
		"zero length": {func(t *testing.T, path string) { os.Truncate(path, 0) }, sqlite.ErrUnusable, "restore a backup"},
		"truncated":   {func(t *testing.T, path string) { os.Truncate(path, 700) }, sqlite.ErrUnusable, "restore a backup"},
		"not a database": {func(t *testing.T, path string) {
			os.WriteFile(path, []byte(strings.Repeat("dear diary ", 1000)), 0o600)
		}, sqlite.ErrUnusable, "restore a backup"},
		"header overwritten":     {func(t *testing.T, path string) { overwrite(t, path, 0, 16) }, sqlite.ErrUnusable, "restore a backup"},
		"first page overwritten": {func(t *testing.T, path string) { overwrite(t, path, 100, 3996) }, sqlite.ErrUnusable, "restore a backup"},
		"of another application": {func(t *testing.T, path string) {
			os.Remove(path)
			raw(t, path, "CREATE TABLE revision (id INTEGER, changes INTEGER, config INTEGER); PRAGMA user_version = 1")
		}, sqlite.ErrUnusable, "check the path"},
		"without a schema": {func(t *testing.T, path string) {
			os.Remove(path)
			raw(t, path, "PRAGMA application_id = 1282689913")
		}, sqlite.ErrUnusable, "restore a backup"},
		"of a newer release": {func(t *testing.T, path string) { raw(t, path, "PRAGMA user_version = 99") }, sqlite.ErrNewer, "start the newer release"},
		"read-only":          {func(t *testing.T, path string) { os.Chmod(path, 0o400) }, sqlite.ErrReadOnly, "writable"},
		"in a read-only directory": {func(t *testing.T, path string) {
			os.Chmod(filepath.Dir(path), 0o500)
			t.Cleanup(func() { os.Chmod(filepath.Dir(path), 0o700) })
		}, sqlite.ErrReadOnly, "writable"},
		"a directory": {func(t *testing.T, path string) {
			os.Remove(path)
			os.Mkdir(path+".d", 0o700)
			os.Symlink(path+".d", path)
		}, sqlite.ErrUnusable, "check the path"},
	} {
		t.Run(name, func(t *testing.T) {
			path := closed(t)
			c.spoil(t, path)
			before := map[string]string{}
			if name != "a directory" {
				before = contents(t, filepath.Dir(path))
			}
			s, err := sqlite.Open(path, storetest.Tag, nil)
			if err == nil {
				s.Close()
			}
			if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), path) {
				t.Errorf("got %q, want %q that names the file and says %q", err, c.want, c.says)
			}
			if name != "a directory" && !maps.Equal(before, contents(t, filepath.Dir(path))) {
				t.Error("the directory was changed")
			}
		})
	}
}

// Where SQLite cannot make its companion files, the error says what to do (ST-05).
func TestCompanionsCannotBeMade(t *testing.T) {
	for _, companion := range []string{"-wal", "-shm"} {
		path := closed(t)
		if err := os.Mkdir(path+companion, 0o700); err != nil {
			t.Fatal(err)
		}
		if _, err := sqlite.Open(path, storetest.Tag, nil); !errors.Is(err, sqlite.ErrReadOnly) || !strings.Contains(err.Error(), "writable") {
			t.Errorf("%s: got %v, want ErrReadOnly", companion, err)
		}
	}
}

func overwrite(t *testing.T, path string, at int64, n int) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.WriteAt(bytes.Repeat([]byte{0xA5}, n), at)
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
}

// A newer schema counts even where only the log knows of it, as after a crash (OP-04).
func TestNewerSchemaInTheLog(t *testing.T) {
	_, path := create(t) // open, so that the log is not folded back
	raw(t, path, "PRAGMA user_version = 99")
	if _, err := sqlite.Open(path, storetest.Tag, nil); !errors.Is(err, sqlite.ErrNewer) {
		t.Errorf("got %v, want ErrNewer", err)
	}
}

func TestCreateKeepsWhatIsThere(t *testing.T) {
	path := closed(t)
	before := contents(t, filepath.Dir(path))
	if _, err := sqlite.Create(path, storetest.Tag, nil); !errors.Is(err, fs.ErrExist) {
		t.Errorf("got %v, want fs.ErrExist", err)
	}
	if !maps.Equal(before, contents(t, filepath.Dir(path))) {
		t.Error("the directory was changed")
	}
}

// A Create that was killed half way leaves nothing that Open would take for a database, and does not hinder the next.
func TestCreateAfterAKilledCreate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "latchkey.db")
	if err := os.WriteFile(path+".new", []byte("half a file"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := sqlite.Open(path, storetest.Tag, nil); !errors.Is(err, sqlite.ErrMissing) {
		t.Errorf("got %v, want ErrMissing", err)
	}
	s, err := sqlite.Create(path, storetest.Tag, nil)
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
}

// AD-08: only the owner reads the file and its companions, whatever the umask, and the directory we make.
func TestModes(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0))
	dir := filepath.Join(t.TempDir(), "a", "b")
	path := filepath.Join(dir, "latchkey.db")
	check := func() {
		t.Helper()
		for name, want := range map[string]os.FileMode{dir: 0o700 | os.ModeDir, path: 0o600, path + "-wal": 0o600, path + "-shm": 0o600, path + ".lock": 0o600} {
			if info, err := os.Stat(name); err != nil || info.Mode() != want {
				t.Errorf("%s: %v, %v, want %v", name, info, err, want)
			}
		}
	}
	s, err := sqlite.Create(path, storetest.Tag, nil)
	if err != nil {
		t.Fatal(err)
	}
	check()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o644); err != nil { // a copy from elsewhere
		t.Fatal(err)
	}
	if s, err = sqlite.Open(path, storetest.Tag, nil); err != nil {
		t.Fatal(err)
	}
	check()
	s.Close()
}

// ST-07: the second server is told so, and the first goes on.
func TestSecondServer(t *testing.T) {
	s, path := create(t)
	release, err := sqlite.Lock(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := sqlite.Lock(path); !errors.Is(err, sqlite.ErrInUse) || !strings.Contains(err.Error(), "stop the server first") {
		t.Errorf("got %v, want ErrInUse", err)
	}
	// The command line works meanwhile.
	cli, err := sqlite.Open(path, storetest.Tag, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer cli.Close()
	if err := s.Update(t.Context(), func(tx ports.Tx) error { return tx.SaveClient(oauth.Client{ID: "c"}) }); err != nil {
		t.Error(err)
	}
	release()
	if release, err = sqlite.Lock(path); err != nil {
		t.Fatal(err)
	}
	release()
	if _, err := sqlite.Lock(filepath.Join(t.TempDir(), "none.db")); !errors.Is(err, sqlite.ErrMissing) {
		t.Errorf("got %v, want ErrMissing", err)
	}
}

func TestSavedIsThereAfterReopening(t *testing.T) {
	dir := t.TempDir()
	// What divides a URI is part of the name like any other letter: nobody weakens a commit by the path they give (ST-24).
	path := filepath.Join(dir, "a b?mode=memory&_synchronous=0&_journal_mode=off&x=%41#.db")
	s, err := sqlite.Create(path, storetest.Tag, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Update(t.Context(), func(tx ports.Tx) error { return tx.SaveClient(oauth.Client{ID: "c", Name: "kept"}) }); err != nil {
		t.Fatal(err)
	}
	changes := s.Changes()
	if err := errors.Join(s.Close(), s.Close()); err != nil {
		t.Fatal(err)
	}
	for use, err := range map[string]error{
		"View":   s.View(t.Context(), func(r ports.Reader) error { _, err := r.Clients(); return err }),
		"Update": s.Update(t.Context(), func(ports.Tx) error { return nil }),
	} {
		if err == nil {
			t.Errorf("%s works on a closed store", use)
		}
	}
	if s, err = sqlite.Open(path, storetest.Tag, nil); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if got := s.Changes(); got != changes {
		t.Errorf("Changes is %d after reopening, want %d", got, changes)
	}
	err = s.View(t.Context(), func(r ports.Reader) error {
		c, err := r.Client("c")
		if c.Name != "kept" {
			t.Errorf("got %q", c.Name)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Error(err)
	}
}
