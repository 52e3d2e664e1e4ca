package sqlite_test

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"latchkey/adapters/sqlite"
	"latchkey/domain/audit"
	"latchkey/domain/identity"
	"latchkey/ports"
)

// examine looks at the file and checks that every byte of it and beside it stayed, but for the -shm: there whoever reads a log
// keeps its index and locks, and nothing that counts.
func examine(t *testing.T, path string, deep bool, read func(ports.Reader) error) ports.Examination {
	t.Helper()
	look := func() map[string]string {
		files := contents(t, filepath.Dir(path))
		delete(files, filepath.Base(path)+"-shm")
		return files
	}
	before := look()
	e, err := sqlite.Examiner{}.Examine(t.Context(), path, deep, read)
	if err != nil {
		t.Fatal(err)
	}
	if after := look(); !maps.Equal(before, after) {
		t.Errorf("files changed: %v, before %v", slices.Sorted(maps.Keys(after)), slices.Sorted(maps.Keys(before)))
	}
	return e
}

// ST-24: what doctor says of a connection is what the connection says of itself.
func TestExamineSettings(t *testing.T) {
	e := examine(t, closed(t), true, nil)
	if e.Condition != "" || len(e.Damage) > 0 || e.Schema != e.Known || e.Outdated || e.Extensions {
		t.Errorf("%+v", e)
	}
	for name, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "secure_delete": "1", "trusted_schema": "0", "query_only": "1"} {
		i := slices.IndexFunc(e.Settings, func(s ports.DatabaseSetting) bool { return s.Name == name })
		if i < 0 || e.Settings[i].Got != want || e.Settings[i].Want != want {
			t.Errorf("%s: %+v, want %s", name, e.Settings, want)
		}
	}
}

func TestExamineReads(t *testing.T) {
	s, path := create(t)
	if err := s.Update(t.Context(), func(tx ports.Tx) error { return tx.Record(audit.Event{Kind: "x"}) }); err != nil {
		t.Fatal(err)
	}
	for _, state := range []string{"beside a server", "closed"} {
		t.Run(state, func(t *testing.T) {
			if state == "closed" {
				s.Close()
			}
			var events []audit.Event
			examine(t, path, false, func(r ports.Reader) (err error) {
				events, err = r.Events(audit.Query{Limit: 10})
				return err
			})
			if len(events) != 1 {
				t.Errorf("%d events, want 1", len(events))
			}
		})
	}
	problem := errors.New("a problem of the reader")
	if _, err := (sqlite.Examiner{}).Examine(t.Context(), path, false, func(ports.Reader) error { return problem }); err != problem {
		t.Errorf("got %v", err)
	}
}

// A copy of a database and its log, as a crash or a copy leaves them, without the index of the log.
func TestExamineLeftLog(t *testing.T) {
	s, path := create(t)
	if err := s.Update(t.Context(), func(tx ports.Tx) error { return tx.Record(audit.Event{Kind: "x"}) }); err != nil {
		t.Fatal(err)
	}
	copied := filepath.Join(t.TempDir(), "copy.db")
	for name, b := range contents(t, filepath.Dir(path)) {
		if suffix := name[len(filepath.Base(path)):]; suffix == "" || suffix == "-wal" {
			if err := os.WriteFile(copied+suffix, []byte(b), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	events := 0
	examine(t, copied, false, func(r ports.Reader) error {
		all, err := r.Events(audit.Query{Limit: 10})
		events = len(all)
		return err
	})
	if events != 1 {
		t.Errorf("%d events, want the one in the log", events)
	}
}

func TestExamineConditions(t *testing.T) {
	tests := []struct {
		name string
		harm func(t *testing.T, path string)
		want ports.Condition
	}{
		{"not a database", func(t *testing.T, path string) { overwrite(t, path, 0, 100) }, ports.ConditionDamaged},
		{"another application's", func(t *testing.T, path string) { raw(t, path, "PRAGMA application_id = 7") }, ports.ConditionForeign},
		{"cut off", func(t *testing.T, path string) { os.Truncate(path, 10) }, ports.ConditionDamaged},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := closed(t)
			tt.harm(t, path)
			read := false
			e, err := sqlite.Examiner{}.Examine(t.Context(), path, false, func(ports.Reader) error { read = true; return nil })
			if err != nil || e.Condition != tt.want || e.Detail == "" || read {
				t.Errorf("%+v, %v, read %t; want %s", e, err, read, tt.want)
			}
		})
	}
}

func TestExamineDamage(t *testing.T) {
	path := closed(t)
	overwrite(t, path, 4096*3, 4096)
	if e := examine(t, path, false, nil); len(e.Damage) == 0 && e.Condition != ports.ConditionDamaged {
		t.Errorf("a broken page went unnoticed: %+v", e)
	}
}

func TestExamineOtherSchemas(t *testing.T) {
	for version, statement := range map[int]string{1: "PRAGMA user_version = 1", 99: "PRAGMA user_version = 99"} {
		path := closed(t)
		raw(t, path, statement)
		read := false
		e, err := sqlite.Examiner{}.Examine(t.Context(), path, false, func(ports.Reader) error { read = true; return nil })
		if err != nil || e.Schema != version || e.Condition != "" || read {
			t.Errorf("%+v, %v, read %t", e, err, read)
		}
	}
}

func TestServing(t *testing.T) {
	path := closed(t)
	os.Remove(path + ".lock")
	look := func(want bool) {
		t.Helper()
		if got, err := (sqlite.Examiner{}).Serving(path); got != want || err != nil {
			t.Errorf("got %t, %v; want %t", got, err, want)
		}
	}
	look(false)
	if _, err := os.Stat(path + ".lock"); err == nil {
		t.Error("the look made a lock file")
	}
	release, err := sqlite.Lock(path)
	if err != nil {
		t.Fatal(err)
	}
	look(true)
	release()
	look(false)
	if release, err = sqlite.Lock(path); err != nil {
		t.Error("the look kept the lock")
	} else {
		release()
	}
}

// Administrators with a factor that they confirmed, with one that they only began to add, and with none are told apart.
func TestExamineAdministrators(t *testing.T) {
	s, path := create(t)
	err := s.Update(t.Context(), func(tx ports.Tx) error {
		return errors.Join(tx.SaveUser(identity.User{ID: "1", Username: "ana", Admin: true}), tx.SaveUser(identity.User{ID: "2", Username: "budi", Admin: true}),
			tx.SaveUser(identity.User{ID: "3", Username: "citra", Admin: true, DisabledAt: time.UnixMilli(1)}), tx.SaveUser(identity.User{ID: "4", Username: "dewi"}),
			tx.SaveFactor(identity.Factor{ID: "a", User: "1", ConfirmedAt: time.UnixMilli(1)}), tx.SaveFactor(identity.Factor{ID: "b", User: "2"}))
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []ports.Administrator{{Username: "ana", SecondFactor: true}, {Username: "budi"}, {Username: "citra", Disabled: true}}
	if got := examine(t, path, false, nil).Administrators; !slices.Equal(got, want) {
		t.Errorf("administrators %+v, want %+v", got, want)
	}
}
