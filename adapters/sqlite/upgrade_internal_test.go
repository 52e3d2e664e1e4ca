package sqlite

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mattn/go-sqlite3"

	"latchkey/domain/audit"
	"latchkey/migrations"
)

// OP-03: an upgrade from any schema there ever was, that is killed or fails at any of its statements, has changed nothing: not one
// value of any table, nor the schema. Killed after its COMMIT it is complete. LATCHKEY_MIGRATIONS lets each statement fail by itself;
// without it every eleventh does. Kills are at every one, always.
func TestMigrationIsWholeOrNothing(t *testing.T) {
	scripts, err := migrations.Scripts()
	if err != nil {
		t.Fatal(err)
	}
	stride := 11
	if os.Getenv("LATCHKEY_MIGRATIONS") != "" {
		stride = 1
	}
	for version := 1; version < len(scripts); version++ {
		t.Run(fmt.Sprint("from ", version), func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "latchkey.db")
			oldest(t, path)
			c := writing(t, path)
			if err := c.within(func() error { return c.migrate(scripts[:version], 1, hashed) }); err != nil {
				t.Fatal(err)
			}
			if err := c.close(); err != nil {
				t.Fatal(err)
			}
			old := stateOf(t, path)

			kills, killed := 0, map[string]string{} // of what the disk holds then, each once
			whole := copyFiles(t, path)
			steps, err := upgradeBy(t, whole, scripts, version, func(int) bool {
				kills++
				killed[onDisk(t, whole)] = copyFiles(t, whole)
				return true
			})
			if err != nil {
				t.Fatal(err)
			}
			complete := stateOf(t, copyFiles(t, whole))
			for _, file := range killed {
				if got := stateOf(t, file); got != old {
					t.Errorf("killed within %d steps it is changed", steps)
				}
			}
			if complete == old || !strings.HasPrefix(complete, fmt.Sprint(len(scripts), "\n")) || kills < 5 {
				t.Errorf("after %d steps it is not complete", steps)
			}
			failed := 0
			for k := version % stride; k < steps; k += stride {
				file := copyFiles(t, path)
				if _, err := upgradeBy(t, file, scripts, version, func(step int) bool { return step != k }); err == nil {
					t.Errorf("step %d of %d failed and was not missed", k, steps)
				}
				if stateOf(t, file) != old {
					t.Errorf("failed at step %d of %d it is changed", k, steps)
				}
				if failed++; failed == 1 { // and nothing is in the way of another try
					if _, err := upgradeBy(t, file, scripts, version, func(int) bool { return true }); err != nil || stateOf(t, file) != complete {
						t.Errorf("again after step %d: %v", k, err)
					}
				}
			}
			t.Logf("killed at %d steps and failed at %d: 0 changed", kills, failed)
		})
	}
}

// upgradeBy upgrades a file and asks before each step of a statement whether it may be done.
func upgradeBy(t *testing.T, path string, scripts []string, version int, may func(step int) bool) (steps int, err error) {
	t.Helper()
	c := writing(t, path)
	defer c.close()
	c.RegisterAuthorizer(func(op int, what, _, _ string) int {
		switch {
		case op == sqlite3.SQLITE_READ, op == sqlite3.SQLITE_SELECT, op == sqlite3.SQLITE_FUNCTION: // change nothing
		case op == sqlite3.SQLITE_TRANSACTION && what == "ROLLBACK":
		default:
			steps++
			if !may(steps - 1) {
				return sqlite3.SQLITE_DENY
			}
		}
		return sqlite3.SQLITE_OK
	})
	e := audit.Event{At: time.UnixMilli(1_800_000_000_000).UTC(), Kind: audit.Upgraded}
	err = c.within(func() error { return c.bring(scripts, version, e, hashed) })
	return steps, err
}

func writing(t *testing.T, path string) *conn {
	t.Helper()
	c, err := connect(path, "rw")
	if err != nil {
		t.Fatal(err)
	}
	if err := c.set(everyConnection, writerOnly); err != nil {
		t.Fatal(err)
	}
	return c
}

// stateOf returns everything that a file says, its schema first.
func stateOf(t *testing.T, path string) string {
	t.Helper()
	c := writing(t, path)
	defer c.close()
	texts := func(query string) (all []string) {
		t.Helper()
		if err := c.rows(query, nil, func(r *row) bool { all = append(all, fmt.Sprint(r.values)); return true }); err != nil {
			t.Fatal(err)
		}
		return all
	}
	version, err := c.version()
	if err != nil {
		t.Fatal(err)
	}
	all := append([]string{fmt.Sprint(version)}, texts("SELECT type, name, coalesce(sql, '') FROM sqlite_schema ORDER BY type, name")...)
	counts, err := c.counts()
	if err != nil {
		t.Fatal(err)
	}
	for _, table := range slices.Sorted(maps.Keys(counts)) {
		all = append(all, table)
		all = append(all, texts("SELECT * FROM "+table+" ORDER BY 1, 2")...)
	}
	return strings.Join(all, "\n")
}

func onDisk(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	log, _ := os.ReadFile(path + "-wal")
	return string(b) + string(log)
}

// copyFiles copies a file and its log as they are now, which is how a kill would leave them.
func copyFiles(t *testing.T, path string) (to string) {
	t.Helper()
	to = filepath.Join(t.TempDir(), "crashed.db")
	for _, suffix := range []string{"", "-wal"} {
		b, err := os.ReadFile(path + suffix)
		if suffix == "-wal" && errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err := errors.Join(err, os.WriteFile(to+suffix, b, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	return to
}
