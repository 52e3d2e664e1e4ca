package sqlite_test

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"latchkey/adapters/sqlite"
	"latchkey/domain/audit"
	"latchkey/domain/identity"
	"latchkey/migrations"
	"latchkey/ports"
	"latchkey/ports/storetest"
)

// released makes a database of the release that had schema 1, with rows in every table.
func released(t *testing.T) string {
	t.Helper()
	script, err := os.ReadFile("testdata/schema1.sql")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "latchkey.db")
	raw(t, path, string(script))
	return path
}

// dump returns the rows of every table, as text. With the columns of another dump it leaves out the others.
func dump(t *testing.T, path string, columns map[string][]string) (rows map[string]string, cols map[string][]string) {
	t.Helper()
	db, err := sql.Open("sqlite3", "file:"+path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	query := func(q string, args ...any) (all []string) {
		t.Helper()
		rows, err := db.Query(q, args...)
		if err != nil {
			t.Fatalf("%s: %v", q, err)
		}
		defer rows.Close()
		for rows.Next() {
			var s string
			if err := rows.Scan(&s); err != nil {
				t.Fatal(err)
			}
			all = append(all, s)
		}
		if err := rows.Err(); err != nil {
			t.Fatalf("%s: %v", q, err)
		}
		return all
	}
	if got := query("PRAGMA integrity_check"); len(got) != 1 || got[0] != "ok" {
		t.Errorf("%s: %v", path, got)
	}
	rows, cols = map[string]string{"": query("PRAGMA user_version")[0]}, map[string][]string{}
	for _, table := range query("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'") {
		cols[table] = query("SELECT name FROM pragma_table_info(?) ORDER BY cid", table)
		if columns != nil {
			cols[table] = columns[table]
		}
		if len(cols[table]) > 0 {
			all := query(`SELECT quote("` + strings.Join(cols[table], `") || ',' || quote("`) + `") AS line FROM "` + table + `" ORDER BY line`)
			rows[table] = strings.Join(all, "\n")
		}
	}
	return rows, cols
}

// crashed returns copies of the database as it lies on the disk at an instant, which is what a kill would leave.
func crashed(t *testing.T, path string) string {
	t.Helper()
	dir := t.TempDir()
	for _, suffix := range []string{"", "-wal", "-journal"} {
		if b, err := os.ReadFile(path + suffix); err == nil {
			if err := os.WriteFile(filepath.Join(dir, "crashed.db"+suffix), b, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	return filepath.Join(dir, "crashed.db")
}

var upgraded = audit.Event{At: time.UnixMilli(1_800_000_000_000).UTC(), Kind: audit.Upgraded}

func accept(ports.Store) error { return nil }

// OP-03: an upgrade keeps every value of every old column, adds one event, chains the trail, keeps the file as it was, and
// does nothing the second time.
func TestUpgradeKeepsEverything(t *testing.T) {
	path := released(t)
	before, columns := dump(t, path, nil)
	for table, rows := range before {
		if rows == "" {
			t.Errorf("the fixture has no row in %s", table)
		}
	}
	if _, err := sqlite.Open(path, storetest.Tag, nil); !errors.Is(err, ports.ErrUpgradePending) || !strings.Contains(err.Error(), "latchkey upgrade") {
		t.Errorf("before: %v, want ErrUpgradePending that names the command", err)
	}
	if now, _ := dump(t, path, nil); !maps.Equal(now, before) {
		t.Error("refusing it changed it")
	}
	scripts, err := migrations.Scripts()
	if err != nil {
		t.Fatal(err)
	}
	up, err := archive(path).Upgrade(t.Context(), upgraded, accept, quiet)
	if err != nil || up.From != 1 || up.To != len(scripts) || up.Snapshot != path+".schema-1" {
		t.Fatalf("%+v, %v", up, err)
	}
	snapshot, _ := dump(t, up.Snapshot, nil)
	if !maps.Equal(snapshot, before) {
		t.Error("the snapshot is not the file as it was")
	}
	if info, err := os.Stat(up.Snapshot); err != nil || info.Mode() != 0o600 {
		t.Errorf("snapshot: %v, %v", info, err)
	}
	after, _ := dump(t, path, columns)
	events, old := strings.Count(after["event"], "\n"), strings.Count(before["event"], "\n")
	if events != old+1 || !strings.Contains(after["event"], "'upgrade.done'") {
		t.Errorf("%d events after %d", events, old)
	}
	for table := range before {
		if table != "" && table != "event" && table != "revision" && before[table] != after[table] {
			t.Errorf("%s was\n%s\nand is\n%s", table, before[table], after[table])
		}
	}
	for line := range strings.Lines(before["event"]) {
		if !strings.Contains(after["event"], strings.TrimSpace(line)) {
			t.Errorf("the event is gone: %s", line)
		}
	}
	wantWhole(t, path)
	whole := contents(t, filepath.Dir(path))
	if up, err = archive(path).Upgrade(t.Context(), upgraded, nil, quiet); err != nil || up.From != len(scripts) || up.To != len(scripts) {
		t.Errorf("the second time: %+v, %v", up, err)
	}
	if !maps.Equal(whole, contents(t, filepath.Dir(path))) {
		t.Error("the second time something was changed")
	}
}

// OP-03: killed or failing at any step, an upgrade leaves the old file or the new one; it can be run again.
func TestUpgradeInterrupted(t *testing.T) {
	path := released(t)
	old, _ := dump(t, path, nil)
	var states []string
	if _, err := archive(path).Upgrade(t.Context(), upgraded, accept, func(string, int, int) { states = append(states, crashed(t, path)) }); err != nil {
		t.Fatal(err)
	}
	done, _ := dump(t, path, nil)
	news := 0
	for i, state := range states {
		switch now, _ := dump(t, state, nil); {
		case maps.Equal(now, done):
			news++
		case !maps.Equal(now, old):
			t.Errorf("killed at step %d of %d it is neither old nor new", i, len(states))
		}
	}
	if news == 0 || news == len(states) {
		t.Errorf("%d of %d steps find the new schema", news, len(states))
	}
	for k := range len(states) - news {
		path := released(t)
		ctx, giveUp := context.WithCancel(t.Context())
		step := 0
		_, err := archive(path).Upgrade(ctx, upgraded, accept, func(string, int, int) {
			if step++; step == k+1 {
				giveUp()
			}
		})
		now, _ := dump(t, path, nil)
		switch {
		case err != nil && !maps.Equal(now, old):
			t.Errorf("given up at step %d it is changed", k)
		case err == nil && !maps.Equal(now, done):
			t.Errorf("at step %d it is done and not new", k)
		}
		for name := range contents(t, filepath.Dir(path)) {
			if strings.Contains(name, ".upgrading") || strings.Contains(name, ".part") {
				t.Errorf("given up at step %d it left %s", k, name)
			}
		}
		if _, err := archive(path).Upgrade(t.Context(), upgraded, accept, quiet); err != nil {
			t.Errorf("again after step %d: %v", k, err)
		}
	}
}

// OP-03, OP-04: a rehearsal that fails leaves the file alone, and so does a schema that is newer.
func TestUpgradeRefused(t *testing.T) {
	path := released(t)
	old, _ := dump(t, path, nil)
	wrong := errors.New("another master key")
	if _, err := archive(path).Upgrade(t.Context(), upgraded, func(ports.Store) error { return wrong }, quiet); !errors.Is(err, wrong) || !strings.Contains(err.Error(), "stays as it is") {
		t.Errorf("got %v", err)
	}
	if now, _ := dump(t, path, nil); !maps.Equal(now, old) {
		t.Error("it was changed")
	}
	if _, err := os.Stat(path + ".schema-1"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a snapshot of an upgrade that was not done: %v", err)
	}
	raw(t, path, "DELETE FROM user WHERE id IN (SELECT user FROM grant)") // without foreign keys, as another program would
	if _, err := archive(path).Upgrade(t.Context(), upgraded, accept, quiet); err == nil || !strings.Contains(err.Error(), "is missing") {
		t.Errorf("with references to nothing: %v", err)
	}
	raw(t, path, "PRAGMA user_version = 99")
	before := contents(t, filepath.Dir(path))
	if _, err := archive(path).Upgrade(t.Context(), upgraded, accept, quiet); !errors.Is(err, sqlite.ErrNewer) {
		t.Errorf("a newer schema: %v", err)
	}
	if !maps.Equal(before, contents(t, filepath.Dir(path))) {
		t.Error("a newer schema was changed")
	}
}

// setBack makes the state to go back to: a backup, and a database that went on.
func setBack(t *testing.T) (path, backup string) {
	t.Helper()
	s, path := create(t)
	fat(t, s)
	save(t, s, "kept", 1)
	err := s.Update(t.Context(), func(tx ports.Tx) error {
		return errors.Join(tx.SaveUser(identity.User{ID: "u", Username: "u"}), tx.SaveSession(identity.Session{ID: "s", User: "u", ExpiresAt: time.UnixMilli(2e12)}))
	})
	backup = filepath.Join(t.TempDir(), "backup.db")
	if err := errors.Join(err, archive(path).Backup(t.Context(), backup, quiet)); err != nil {
		t.Fatal(err)
	}
	save(t, s, "kept", 2)
	save(t, s, "later", 1)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return path, backup
}

var restored = ports.Voiding{Event: audit.Event{At: time.UnixMilli(1_800_000_000_000).UTC(), Kind: audit.Restored}, Kept: ".before",
	Moments: []ports.Moment{ports.BackupVerified}}

// ST-19: killed or failing at any step, a restore leaves the old database or the new one, entirely: where there was one,
// where there was none, and where it could not be read.
func TestReplaceInterrupted(t *testing.T) {
	whole, backup := setBack(t)
	database, err := os.ReadFile(whole)
	if err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(path string){
		"whole":   func(string) {},
		"missing": func(path string) { os.Remove(path); os.WriteFile(path+"-wal", []byte("stale"), 0o600) },
		"corrupt": func(path string) {
			os.WriteFile(path, []byte("dear diary"), 0o600)
			os.WriteFile(path+"-wal", []byte("stale"), 0o600)
		},
	} {
		t.Run(name, func(t *testing.T) {
			var done map[string]string
			prepare := func() (path, prepared string) {
				path = filepath.Join(t.TempDir(), "latchkey.db")
				if err := os.WriteFile(path, database, 0o600); err != nil {
					t.Fatal(err)
				}
				prepared = path + ".restoring"
				if err := archive(path).Take(t.Context(), backup, prepared, quiet); err != nil {
					t.Fatal(err)
				}
				spoil(path)
				return path, prepared
			}
			path, prepared := prepare()
			old := map[string]string{}
			if name == "whole" {
				old, _ = dump(t, path, nil)
			}
			var states []string
			got, err := archive(path).Replace(t.Context(), prepared, restored, func(string, int, int) { states = append(states, crashed(t, path)) })
			if err != nil {
				t.Fatal(err)
			}
			done, _ = dump(t, path, nil)
			if name == "whole" {
				if kept, _ := dump(t, got.Kept, nil); !maps.Equal(kept, old) || len(got.Aside) != 0 {
					t.Errorf("%+v: what is kept is not the database as it was", got)
				}
			} else if want := map[string]int{"missing": 1, "corrupt": 3}[name]; len(got.Aside) != want || got.Kept != "" {
				t.Errorf("%+v, want %d files moved aside", got, want)
			}
			if counts := wantWhole(t, path, "kept", "later"); counts["kept"] != 1 || counts["later"] != 0 {
				t.Errorf("restored: %v", counts)
			}
			news := 0
			for i, state := range states {
				if b, err := os.ReadFile(state); err != nil || string(b) == "dear diary" {
					continue // the old one, which cannot be opened
				}
				switch now, _ := dump(t, state, nil); {
				case maps.Equal(now, done):
					news++
				case !maps.Equal(now, old):
					t.Errorf("killed at step %d of %d it is neither old nor new", i, len(states))
				}
			}
			if news == 0 || len(states) < 4 {
				t.Errorf("%d of %d steps find the new database", news, len(states))
			}
			for k := range len(states) - news {
				path, prepared := prepare()
				ctx, giveUp := context.WithCancel(t.Context())
				step := 0
				_, err := archive(path).Replace(ctx, prepared, restored, func(string, int, int) {
					if step++; step == k+1 {
						giveUp()
					}
				})
				if b, missing := os.ReadFile(path); missing != nil || string(b) == "dear diary" {
					continue
				}
				now, _ := dump(t, path, nil)
				switch want := map[bool]map[string]string{true: done, false: old}[err == nil]; {
				case name == "whole" && err != nil && !maps.Equal(now, want), err == nil && now["attempts"] != want["attempts"]:
					t.Errorf("given up at step %d, with %v, it is neither old nor new", k, err)
				}
			}
		})
	}
}

// A server that is restored is told so by the numbers that processes watch, and other applications' files are not moved.
func TestReplaceMinds(t *testing.T) {
	path, backup := setBack(t)
	beside := second(t, path) // a command that works meanwhile
	for range 3 {
		rename(t, beside, "changed")
	}
	before := beside.Changes()
	lost, err := archive(path).Lost(backup)
	if err != nil || !lost.Related || lost.Events["counted"] != 2 || !lost.Since.Equal(time.UnixMilli(1)) {
		t.Errorf("lost: %+v, %v", lost, err)
	}
	if err := archive(path).Take(t.Context(), backup, path+".restoring", quiet); err != nil {
		t.Fatal(err)
	}
	if _, err := archive(path).Replace(t.Context(), path+".restoring", restored, quiet); err != nil {
		t.Fatal(err)
	}
	err = beside.View(t.Context(), func(r ports.Reader) error {
		session, err := r.Session("s")
		verified, err2 := r.Moment(ports.BackupVerified)
		if !session.EndedAt.Equal(restored.Event.At) || !verified.Equal(restored.Event.At) {
			t.Errorf("session ended at %v, verified at %v", session.EndedAt, verified)
		}
		return errors.Join(err, err2)
	})
	if err != nil {
		t.Error(err)
	}
	save(t, beside, "after", 1) // what it does now is done to the restored database
	if beside.Changes() <= before {
		t.Errorf("Changes went from %d to %d", before, beside.Changes())
	}
	wantWhole(t, backup)
	if lost, err := archive(path).Lost(path + ".before"); err != nil || lost.Related {
		t.Errorf("what is no part of its past: %+v, %v", lost, err)
	}
	foreign := filepath.Join(t.TempDir(), "other.db")
	raw(t, foreign, "CREATE TABLE diary (dear TEXT); PRAGMA application_id = 7")
	whole := contents(t, filepath.Dir(foreign))
	if _, err := archive(foreign).Replace(t.Context(), backup, restored, quiet); !errors.Is(err, sqlite.ErrUnusable) {
		t.Errorf("over a file of another application: %v", err)
	}
	if !maps.Equal(whole, contents(t, filepath.Dir(foreign))) {
		t.Error("a file of another application was changed")
	}
}

// AD-08: copies, snapshots and what is kept are readable by their owner only, whatever the umask.
func TestModesOfCopies(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0))
	path, backup := setBack(t)
	prepared := path + ".restoring"
	if err := archive(path).Take(t.Context(), backup, prepared, quiet); err != nil {
		t.Fatal(err)
	}
	if _, err := archive(path).Replace(t.Context(), prepared, restored, func(string, int, int) { wantPrivate(t, filepath.Dir(path)) }); err != nil {
		t.Fatal(err)
	}
	old := released(t)
	if err := os.Chmod(old, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := archive(old).Upgrade(t.Context(), upgraded, accept, func(string, int, int) { wantPrivate(t, filepath.Dir(old)) }); err != nil {
		t.Fatal(err)
	}
	wantPrivate(t, filepath.Dir(path))
	wantPrivate(t, filepath.Dir(old))
	if file, schema, err := archive(old).Snapshot(); err != nil || schema != 1 || file != old+".schema-1" {
		t.Errorf("snapshot %q of %d, %v", file, schema, err)
	}
	if _, _, err := archive(path).Snapshot(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no snapshot: %v", err)
	}
}

func wantPrivate(t *testing.T, dir string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if info, err := e.Info(); err == nil && info.Mode()&0o077 != 0 {
			t.Errorf("%s has mode %v", e.Name(), info.Mode())
		}
	}
}
