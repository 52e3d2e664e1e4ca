package app_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"latchkey/app/apptest"
)

// hashes returns the digest of every file of a directory.
func hashes(t *testing.T, dir string) map[string][32]byte {
	t.Helper()
	all := map[string][32]byte{}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		content, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		all[e.Name()] = sha256.Sum256(content)
	}
	return all
}

// wantRefusal checks that a command refuses its file in one line that says what to do. One that serves it is killed.
func wantRefusal(t *testing.T, p *apptest.Process, stdin string, args []string, code int, says string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	out := p.Command(ctx, stdin, args...)
	if out.Code != code || !strings.HasPrefix(out.Stderr, "latchkey: ") || strings.Count(out.Stderr, "\n") != 1 || !strings.Contains(out.Stderr, says) || out.Stdout != "" {
		t.Errorf("want exit code %d and one line that says %q: %+v", code, says, out)
	}
}

// ST-05, ST-06: a file that cannot be served is refused by every command that would write, and left as it was.
func TestFaultRefusedFile(t *testing.T) {
	t.Parallel()
	whole := apptest.NewProcess(t)
	write := func(content []byte, at int64) func(*testing.T, string) {
		return func(t *testing.T, path string) {
			f, err := os.OpenFile(path, os.O_WRONLY, 0)
			if err == nil {
				_, err = f.WriteAt(content, at)
				f.Close()
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	change := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	for name, c := range map[string]struct {
		spoil func(t *testing.T, path string)
		says  string
	}{
		"ST-05 read-only file":      {func(_ *testing.T, path string) { change(os.Chmod(path, 0o400)) }, "make the file and its directory writable"},
		"ST-05 read-only directory": {func(_ *testing.T, path string) { change(os.Chmod(filepath.Dir(path), 0o500)) }, "make the file and its directory writable"},
		"ST-06 zero length":         {func(_ *testing.T, path string) { change(os.Truncate(path, 0)) }, "restore a backup"},
		"ST-06 half a file":         {func(_ *testing.T, path string) { change(os.Truncate(path, 6000)) }, "restore a backup"},
		"ST-06 not a database": {func(_ *testing.T, path string) {
			change(os.WriteFile(path, []byte(strings.Repeat("dear diary ", 1000)), 0o600))
		}, "restore a backup"},
		"ST-06 corrupt header": {write(bytes.Repeat([]byte{0xA5}, 100), 0), "restore a backup"},
		"ST-06 corrupt page 1": {write(bytes.Repeat([]byte{0xA5}, 3996), 100), "restore a backup"},
	} {
		t.Run(name, func(t *testing.T) {
			p := *whole
			p.Dir = t.TempDir()
			change(os.CopyFS(p.Dir, os.DirFS(whole.Dir)))
			for name := range hashes(t, p.Dir) {
				change(os.Chmod(filepath.Join(p.Dir, name), 0o600))
			}
			c.spoil(t, p.File())
			t.Cleanup(func() { os.Chmod(p.Dir, 0o700) })
			before := hashes(t, p.Dir)
			wantRefusal(t, &p, "", p.ServeArgs(), 1, c.says)
			wantRefusal(t, &p, "{}", []string{"apply", "-"}, 1, c.says)
			if after := hashes(t, p.Dir); !maps.Equal(before, after) {
				t.Errorf("the directory was changed: %d files before, %d after", len(before), len(after))
			}
		})
	}
}

// ST-07: a second server on the file is refused, and the first neither notices nor loses anything.
func TestFaultSecondServer(t *testing.T) {
	t.Parallel()
	p := apptest.NewProcess(t, faultDocument(0))
	p.Start()
	l := &line{rp: p.Client("web")}
	l.got(enter(t, p, p.Browser()))
	for range 3 {
		wantRefusal(t, p, "", []string{"serve", "--issuer", p.Issuer, "--listen", "127.0.0.1:0"}, 4, "a server uses "+p.File()+": stop the server first")
		userinfo, refresh := l.usable()
		if userinfo != http.StatusOK || refresh.Status != http.StatusOK {
			t.Fatalf("the first server: %d, %d %s", userinfo, refresh.Status, refresh.Text)
		}
		l.got(refresh)
	}
	p.Terminate()
	if code := p.Wait(); code != 0 || strings.Contains(p.Log.String(), "level=ERROR") {
		t.Errorf("the first server ended with %d:\n%s", code, p.Log.Tail())
	}
	sound(t, left(t, p.File()))
	p.Start() // the file is free again
	if _, refresh := l.usable(); refresh.Status != http.StatusOK {
		t.Errorf("after a restart: %d %s", refresh.Status, refresh.Text)
	}
}
