package masterkey

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"latchkey/ports"
)

// rooted is a key, the root under it, and what shows that a keychain is that of the root.
func rooted(t *testing.T) (path string, sealed []byte, root *Keychain) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "latchkey.key")
	key, err := Create(path)
	if err != nil {
		t.Fatal(err)
	}
	sealed = key.NewRoot()
	if root, err = key.Unseal(sealed); err != nil {
		t.Fatal(err)
	}
	return path, sealed, root
}

func same(a, b ports.Keychain) bool {
	return a.MAC("p", []byte("m")) == b.MAC("p", []byte("m"))
}

func load(t *testing.T, path string) *Key {
	t.Helper()
	key, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestRootOpensUnderItsKeyOnly(t *testing.T) {
	path, sealed, root := rooted(t)
	key := load(t, path)
	if same(key.Itself(), root) {
		t.Error("the master key is the root of a new database")
	}
	if bytes.Equal(sealed, key.NewRoot()) || bytes.Contains(sealed, root.master[:]) {
		t.Error("two roots are alike, or one shows")
	}
	if opened, err := key.Open(sealed); err != nil || !same(opened, root) {
		t.Errorf("Open: %v", err)
	}
	refused := func(what string, key *Key, sealed []byte) {
		t.Helper()
		if got, err := key.Open(sealed); !errors.Is(err, ports.ErrForeignKey) || got != nil {
			t.Errorf("%s: %v, want ErrForeignKey", what, err)
		}
	}
	other, _, _ := rooted(t)
	refused("another master key", load(t, other), sealed)
	refused("nothing", key, nil)
	refused("cut", key, sealed[:len(sealed)-1])
	refused("another purpose", key, key.own.Seal(ports.PurposeSigningKeys, rootRow, root.master[:]))
	refused("too short a root", key, key.own.Seal(ports.PurposeRoot, rootRow, root.master[:31]))
	if got := fmt.Sprintf("%v %+v %#v %s", key, key, key, *key); strings.Contains(got, "master") || !strings.Contains(got, "[secret]") {
		t.Errorf("the key prints as %q", got)
	}
}

// OP-10: the new key opens the same root, the old one does not, and the file is as private as before.
func TestReplace(t *testing.T) {
	path, before, root := rooted(t)
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	old := load(t, path)
	r, err := Replace(link, "", root)
	if err != nil {
		t.Fatal(err)
	}
	after := r.Seal()
	if _, err := Replace(path, "", root); !errors.Is(err, errBusy) {
		t.Errorf("a second replacement beside: %v", err)
	}
	if err := r.Install(); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link became something else: %v", err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if opened, err := load(t, path).Unseal(after); err != nil || !same(opened, root) {
		t.Errorf("the new key: %v", err)
	}
	if _, err := old.Unseal(after); !errors.Is(err, ports.ErrForeignKey) {
		t.Errorf("the old key opens the root under the new one: %v", err)
	}
	if _, err := load(t, path).Unseal(before); !errors.Is(err, ports.ErrForeignKey) {
		t.Errorf("the new key opens what the old one sealed: %v", err)
	}
	if left, _ := os.ReadDir(filepath.Dir(path)); len(left) != 1 {
		t.Errorf("beside the key is %v", left)
	}
}

func TestReplaceElsewhere(t *testing.T) {
	path, _, root := rooted(t)
	text, _ := os.ReadFile(path)
	to := filepath.Join(t.TempDir(), "new.key")
	r, err := Replace(path, to, root)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Install(); err != nil {
		t.Fatal(err)
	}
	if now, _ := os.ReadFile(path); !bytes.Equal(now, text) {
		t.Error("the key in use was touched")
	}
	if opened, err := load(t, to).Unseal(r.Seal()); err != nil || !same(opened, root) {
		t.Errorf("the new key: %v", err)
	}
	if _, err := Replace(path, to, root); !errors.Is(err, os.ErrExist) {
		t.Errorf("over a file that is there: %v", err)
	}
	r, err = Replace(path, to+"2", root)
	if err == nil {
		err = r.Discard()
	}
	if _, gone := os.Stat(to + "2"); err != nil || !os.IsNotExist(gone) {
		t.Errorf("a key that was discarded: %v, %v", err, gone)
	}
}

// OP-10: wherever a replacement ends, the key that the saved root needs is found, and no other is ever put in its place.
func TestReplacementCutShort(t *testing.T) {
	for name, c := range map[string]struct {
		cut   func(t *testing.T, path string, r *Replacement)
		saved bool // whether the root is on file under the new key
	}{
		"before the text":     {func(t *testing.T, _ string, r *Replacement) { r.file.Truncate(0) }, false},
		"in the text":         {func(t *testing.T, _ string, r *Replacement) { r.file.Truncate(40) }, false},
		"before the unit":     {func(*testing.T, string, *Replacement) {}, false},
		"after the unit":      {func(*testing.T, string, *Replacement) {}, true},
		"after the rename":    {func(t *testing.T, path string, r *Replacement) { os.Rename(r.File(), path) }, true},
		"with its process on": {nil, true},
	} {
		t.Run(name, func(t *testing.T) {
			path, sealed, root := rooted(t)
			old := load(t, path)
			r, err := Replace(path, "", root)
			if err != nil {
				t.Fatal(err)
			}
			if c.saved {
				sealed = r.Seal()
			}
			if c.cut != nil {
				c.cut(t, path, r)
				r.file.Close() // as the end of the process does
			}
			key := load(t, path)
			opened, err := key.Unseal(sealed)
			if err != nil {
				opened, err = Finish(path, sealed)
			}
			if err != nil || !same(opened, root) {
				t.Fatalf("the root does not open: %v", err)
			}
			if c.cut == nil {
				if err := r.Install(); err != nil {
					t.Errorf("the process ends what it began: %v", err)
				}
			}
			if _, err := load(t, path).Unseal(sealed); err != nil {
				t.Errorf("the key that is there now: %v", err)
			}
			if _, err := old.Unseal(sealed); (err == nil) == c.saved {
				t.Errorf("the old key: %v", err)
			}
			// The next one goes on from whatever was left.
			if r, err = Replace(path, "", root); err == nil {
				sealed = r.Seal()
				err = r.Install()
			}
			if err != nil {
				t.Fatal(err)
			}
			if _, err := load(t, path).Unseal(sealed); err != nil {
				t.Error(err)
			}
		})
	}
}

// A key that belongs to nothing is left where it is, and says nothing about the one in use.
func TestFinishTakesNoForeignKey(t *testing.T) {
	path, sealed, root := rooted(t)
	if r, err := Replace(path, "", root); err != nil {
		t.Fatal(err)
	} else {
		r.file.Close()
	}
	before, _ := os.ReadFile(path)
	other, _, _ := rooted(t)
	foreign := load(t, other).NewRoot()
	if _, err := Finish(path, foreign); !errors.Is(err, ports.ErrForeignKey) {
		t.Errorf("Finish: %v, want ErrForeignKey", err)
	}
	if now, _ := os.ReadFile(path); !bytes.Equal(now, before) {
		t.Error("the key was replaced by one that opens nothing")
	}
	if _, err := Finish(path, sealed); err != nil {
		t.Errorf("the key that was in use all along: %v", err)
	}
}

func TestReplaceSaysWhatToDo(t *testing.T) {
	path, _, root := rooted(t)
	if err := os.Mkdir(path+suffix, 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := Replace(path, "", root); err == nil || !strings.Contains(err.Error(), path+suffix) {
		t.Errorf("a folder in its place: %v", err)
	}
	denied := cannotReplace(&os.PathError{Op: "open", Path: path + suffix, Err: os.ErrPermission}, path)
	if !errors.Is(denied, os.ErrPermission) || !strings.Contains(denied.Error(), "--to") {
		t.Errorf("permission denied: %v", denied)
	}
}
