package sqlite

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"latchkey/domain/audit"
	"latchkey/ports"
)

func hashed(b []byte) [32]byte { return sha256.Sum256(b) }

func sealed(ports.MasterRoot) (audit.Tagger, error) { return hashed, nil }

// deed is something done to a disk: a file or a folder was synced, or a file got a name.
type deed struct {
	what, path, to string
	content        [32]byte          // of the file then
	folder         map[string]string // every file of the folder then
}

// deeds watches a folder while do changes it, and sees the folder as a kill would leave it after each deed.
func deeds(t *testing.T, dir string, do func()) (all []deed) {
	t.Helper()
	whole := disk
	defer func() { disk = whole }()
	note := func(d deed) {
		if info, err := os.Stat(d.path); err == nil && info.Mode().IsRegular() {
			b, _ := os.ReadFile(d.path)
			d.content = hashed(b)
		}
		d.folder = map[string]string{}
		entries, _ := os.ReadDir(dir)
		for _, e := range entries {
			b, _ := os.ReadFile(filepath.Join(dir, e.Name()))
			d.folder[e.Name()] = string(b)
		}
		all = append(all, d)
	}
	disk.sync = func(f *os.File) error {
		err := whole.sync(f)
		note(deed{what: "sync", path: f.Name()})
		return err
	}
	disk.rename = func(from, to string) error {
		note(deed{what: "rename", path: from, to: to})
		return whole.rename(from, to)
	}
	do()
	return all
}

// wantDurable demands of every renaming that what got the name was on disk before, and the name itself before the end; wanted
// are the names.
func wantDurable(t *testing.T, all []deed, wanted ...string) {
	t.Helper()
	missing := map[string]bool{}
	for _, name := range wanted {
		missing[name] = true
	}
	for i, d := range all {
		if d.what != "rename" {
			continue
		}
		delete(missing, filepath.Base(d.to))
		before := slices.ContainsFunc(all[:i], func(s deed) bool { return s.what == "sync" && s.path == d.path && s.content == d.content })
		next := i + slices.IndexFunc(all[i:], func(s deed) bool { return s.what != "rename" })
		if moved := slices.Contains([]string{"", "-wal", "-shm"}, strings.TrimPrefix(filepath.Base(d.path), "latchkey.db")); !before && !moved {
			t.Errorf("%s gets its name before it is on disk", filepath.Base(d.to))
		}
		if next < i || all[next].path != filepath.Dir(d.to) {
			t.Errorf("the name %s is not on disk before anything else is done", filepath.Base(d.to))
		}
	}
	for name := range missing {
		t.Errorf("nothing is named %s", name)
	}
}

// wantSum demands that a copy has its sum, on disk, before it has its name.
func wantSum(t *testing.T, all []deed, name string) {
	t.Helper()
	named := slices.IndexFunc(all, func(d deed) bool { return d.what == "rename" && filepath.Base(d.to) == name })
	if named < 0 || !slices.ContainsFunc(all[:named], func(d deed) bool {
		return d.what == "sync" && filepath.Base(d.path) == name+sumSuffix && parseSum(d.folder[name+sumSuffix]) != nil
	}) {
		t.Errorf("%s has no sum on disk when it gets its name", name)
	}
}

func quiet(string, int, int) {}

func newFile(t *testing.T) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "latchkey.db")
	s, err := Create(path, hashed, sealed)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// ST-08, ST-19, OP-03: what Go writes is on disk before it gets its name, and the name before anybody is told.
func TestCopiesAreDurable(t *testing.T) {
	ctx := context.Background()
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Error(err)
		}
	}
	undone := ports.Voiding{Event: audit.Event{At: time.UnixMilli(1_800_000_000_000).UTC(), Kind: audit.Restored}, Kept: ".before"}
	for name, seal := range map[string]Seal{"with sums": sealed, "without": nil} { // to make a sum syncs the folder too
		t.Run(name, func(t *testing.T) {
			path := newFile(t)
			dir, a := filepath.Dir(path), Archive{path, hashed, seal}
			prepare := func() (prepared string) {
				prepared = path + ".restoring"
				check(errors.Join(removeFile(prepared), a.Backup(ctx, prepared, quiet)))
				return prepared
			}
			all := deeds(t, dir, func() {
				s, err := Create(filepath.Join(dir, "new.db"), hashed, seal)
				check(err)
				check(s.Close())
			})
			// SQLite syncs the file that it makes, as it is built to; what it made is closed and whole.
			if i := slices.IndexFunc(all, func(d deed) bool { return d.what == "rename" }); i < 0 || i+1 == len(all) || all[i+1].path != dir {
				t.Error("the name of a new database is not on disk")
			}
			backup := deeds(t, dir, func() { check(a.Backup(ctx, path+".backup", quiet)) })
			wantDurable(t, backup, "latchkey.db.backup")

			prepared := prepare()
			restore := deeds(t, dir, func() { _, err := a.Replace(ctx, prepared, undone, quiet); check(err) })
			wantDurable(t, restore, "latchkey.db.before")

			prepared = prepare()
			check(errors.Join(os.Truncate(path, 100), os.Remove(path+".before")))
			again := deeds(t, dir, func() { _, err := a.Replace(ctx, prepared, undone, quiet); check(err) })
			wantDurable(t, again, "latchkey.db", "latchkey.db.before")

			a.Path = filepath.Join(t.TempDir(), "latchkey.db")
			oldest(t, a.Path)
			upgrade := deeds(t, filepath.Dir(a.Path), func() {
				_, err := a.Upgrade(ctx, audit.Event{Kind: audit.Upgraded}, func(ports.Store) error { return nil }, quiet)
				check(err)
			})
			wantDurable(t, upgrade, "latchkey.db.schema-1")
			if seal != nil {
				wantSum(t, backup, "latchkey.db.backup")
				wantForgotten(t, restore)
				wantForgotten(t, again)
				wantSum(t, upgrade, "latchkey.db.schema-1")
				wantSumLast(t, upgrade)
			}
		})
	}
}

// oldest makes a file of the first release.
func oldest(t *testing.T, path string) {
	t.Helper()
	script, err := os.ReadFile("testdata/schema1.sql")
	if err := errors.Join(err, os.WriteFile(path, nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	c, err := connect(path, "rw")
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Exec(string(script), nil)
	if err := errors.Join(err, c.close()); err != nil {
		t.Fatal(err)
	}
}

// wantForgotten demands that the old sum went, on disk, before the file changed, and that a new one came last.
func wantForgotten(t *testing.T, all []deed) {
	t.Helper()
	old := all[0].folder["latchkey.db"]
	for _, d := range all {
		if d.what == "sync" && filepath.Base(d.path) == "latchkey.db"+sumSuffix {
			if d.folder["latchkey.db"] != old || d.folder["latchkey.db"+sumSuffix] != "" {
				t.Error("the file changed before its old sum was gone")
			}
			break
		}
	}
	wantSumLast(t, all)
}

func wantSumLast(t *testing.T, all []deed) {
	t.Helper()
	last, before := all[len(all)-1], all[len(all)-2]
	if filepath.Base(last.path) != "latchkey.db"+sumSuffix || parseSum(last.folder["latchkey.db"+sumSuffix]) == nil {
		t.Errorf("the last on disk is %s, want a sum", filepath.Base(last.path))
	}
	if _, there := before.folder["latchkey.db-wal"]; there || before.path != filepath.Dir(last.path) || before.folder["latchkey.db"] != last.folder["latchkey.db"] {
		t.Error("the sum is made before it is on disk that there is no log")
	}
}

// ST-02, ST-06: killed at any step of opening, using and closing a database, or of replacing it, nobody leaves a sum that accuses a good
// file; and what was closed has one.
func TestSumAfterAKill(t *testing.T) {
	path := newFile(t)
	var use *Store
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Error(err)
		}
	}
	all := deeds(t, filepath.Dir(path), func() {
		var err error
		if use, err = Open(path, hashed, sealed); err != nil {
			t.Fatal(err)
		}
		check(use.Update(t.Context(), func(tx ports.Tx) error { return tx.Record(audit.Event{Kind: "x"}) }))
		disk.sync(use.rest.f) // a look at the folder while it is used
		check(use.Close())
		prepared, a := path+".restoring", Archive{path, hashed, sealed}
		check(a.Backup(t.Context(), prepared, quiet))
		_, err = a.Replace(t.Context(), prepared, ports.Voiding{Event: audit.Event{Kind: audit.Restored}, Kept: ".before"}, quiet)
		check(err)
	})
	for i, d := range all {
		dir := t.TempDir()
		for name, content := range d.folder {
			check(os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600))
		}
		s, err := Open(filepath.Join(dir, "latchkey.db"), hashed, sealed)
		if err != nil {
			t.Errorf("killed after step %d of %d (%s %s): %v", i, len(all), d.what, filepath.Base(d.path), err)
			continue
		}
		check(s.Close())
		if state, err := (Examiner{}).CheckSum(filepath.Join(dir, "latchkey.db"), hashed); err != nil || state != ports.SumMatches {
			t.Errorf("closed after step %d: %q, %v", i, state, err)
		}
	}
	if len(all) < 8 {
		t.Errorf("%d steps were seen: %v", len(all), slices.Collect(maps.Keys(all[0].folder)))
	}
	// Half of a sum, as a power cut may leave it, says nothing.
	text := sum{size: 7}.String()
	for n := range len(text) {
		if parseSum(text[:n]) != nil || parseSum(text[:n]+"0"+text[n:]) != nil {
			t.Errorf("%d bytes of a sum are taken for one", n)
		}
	}
	if s := parseSum(text); s == nil || *s != (sum{size: 7}) {
		t.Error(fmt.Sprint("a whole sum is read as ", s))
	}
}
