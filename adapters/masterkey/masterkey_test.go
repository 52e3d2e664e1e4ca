package masterkey

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestCreatedKeyLoads(t *testing.T) {
	path := filepath.Join(t.TempDir(), "latchkey.key")
	made, err := Create(path)
	if err != nil {
		t.Fatal(err)
	}
	loaded, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if made.Itself().MAC("p", []byte("m")) != loaded.Itself().MAC("p", []byte("m")) {
		t.Error("the loaded key is not the one made")
	}
	if text, _ := os.ReadFile(path); !strings.HasPrefix(string(text), fileLabel) || strings.Count(string(text), "\n") != 1 {
		t.Error("the file is not one recognisable line")
	}

	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(link); err != nil {
		t.Errorf("by a symbolic link: %v", err)
	}
}

func TestCreateReplacesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "latchkey.key")
	if _, err := Create(path); err != nil {
		t.Fatal(err)
	}
	before, _ := os.ReadFile(path)
	if _, err := Create(path); !errors.Is(err, os.ErrExist) || !strings.Contains(err.Error(), path) {
		t.Errorf("second Create: error %v, want one that names the file", err)
	}
	if after, _ := os.ReadFile(path); string(after) != string(before) {
		t.Error("the key was replaced")
	}
	other := filepath.Join(t.TempDir(), "latchkey.key")
	if _, err := Create(other); err != nil {
		t.Fatal(err)
	}
	if second, _ := os.ReadFile(other); string(second) == string(before) {
		t.Error("two keys are alike")
	}
}

func TestErrorsSayWhatToDo(t *testing.T) {
	if _, err := Create(filepath.Join(t.TempDir(), "missing", "latchkey.key")); err == nil || !strings.Contains(err.Error(), "--master-key") {
		t.Errorf("no folder: %v", err)
	}
	denied := &os.PathError{Op: "open", Path: "latchkey.key", Err: os.ErrPermission}
	if err := unreadable(denied); !errors.Is(err, os.ErrPermission) || !strings.Contains(err.Error(), "run latchkey as the user") {
		t.Errorf("permission denied: %v", err)
	}
}

// ST-09: a missing or wrong key stops the start, and nothing is made in its place.
func TestLoadRefuses(t *testing.T) {
	key := strings.Repeat("A", 43)
	dir := t.TempDir()
	path := filepath.Join(dir, "missing")
	if _, err := Load(path); err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "--master-key") {
		t.Errorf("missing: error %v, want one that names the file and the flag", err)
	}
	if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
		t.Error("Load made a file")
	}
	for name, text := range map[string]string{
		"empty":         "",
		"label only":    fileLabel,
		"no label":      key,
		"other version": "latchkey-master-key-v2:" + key,
		"short":         fileLabel + key[:42],
		"long":          fileLabel + key + "A",
		"padded":        fileLabel + key + "=",
		"trailing bits": fileLabel + key[:42] + "B",
		"newline":       fileLabel + key[:20] + "\n" + key[20:],
		"second line":   fileLabel + key + "\nmore",
		"large":         fileLabel + strings.Repeat("A", 1<<20),
	} {
		path := filepath.Join(dir, "malformed")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := Load(path)
		if !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: error %v, want ErrMalformed", name, err)
		} else if strings.Contains(err.Error(), "AAAA") {
			t.Errorf("%s: the error holds the text of the file", name)
		}
	}
	if _, err := Load(dir); err == nil {
		t.Error("a directory was read as a key")
	}
}

// AD-08: the key file is its owner's alone.
func TestKeyFilePermissions(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "latchkey.key")
	if _, err := Create(path); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("mode %v, error %v, want 0600", info.Mode(), err)
	}
	load := func(mode os.FileMode) error {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		_, err := Load(path)
		return err
	}
	for _, mode := range []os.FileMode{0o640, 0o620, 0o604, 0o602, 0o644, 0o666, 0o660, 0o777} {
		if err := load(mode); err == nil || !strings.Contains(err.Error(), "chmod 600 "+path) {
			t.Errorf("mode %04o: error %v, want one that says what to run", mode, err)
		}
	}
	for _, mode := range []os.FileMode{0o600, 0o400} {
		if err := load(mode); err != nil {
			t.Errorf("mode %04o: %v", mode, err)
		}
	}
	t.Setenv("CREDENTIALS_DIRECTORY", dir)
	if err := load(0o440); err != nil {
		t.Errorf("a systemd credential: %v", err)
	}
	if err := load(0o444); err == nil {
		t.Error("a credential every user may read was accepted")
	}
}
