package sqlite

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"latchkey/migrations"
)

// OP-03: a migration that fails, or is killed, after any of its statements has changed nothing; none needs an earlier one to
// have been half done.
func TestMigrationIsWholeOrNothing(t *testing.T) {
	script, err := os.ReadFile("testdata/schema1.sql")
	if err != nil {
		t.Fatal(err)
	}
	scripts, err := migrations.Scripts()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "latchkey.db")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := connect(path, "rw")
	if err != nil {
		t.Fatal(err)
	}
	defer c.close()
	if _, err := c.Exec(string(script), nil); err != nil {
		t.Fatal(err)
	}
	if err := c.set(everyConnection, writerOnly); err != nil {
		t.Fatal(err)
	}
	tag := func(b []byte) [32]byte { return sha256.Sum256(b) }
	state := func(c *conn) string {
		t.Helper()
		var all []string
		for _, query := range []string{"PRAGMA user_version", "SELECT group_concat(sql, ';') FROM sqlite_schema", "SELECT count(*) FROM event",
			"SELECT group_concat(facts) FROM event", "SELECT group_concat(hex(key)) FROM ticket"} {
			got, err := first(c, func(r *row) string { return fmt.Sprint(r.values[0]) }, query)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, got)
		}
		return strings.Join(all, "\n")
	}
	before := state(c)
	boom := errors.New("boom")
	for n := 2; n <= len(scripts); n++ {
		statements := strings.SplitAfter(scripts[n-1], ";\n")
		for k := range len(statements) + 1 {
			broken := append(append([]string{}, scripts[:n-1]...), strings.Join(statements[:k], "")+"SELECT no_such_function();")
			if err := c.within(func() error { return c.migrate(broken, 1, tag) }); err == nil || !strings.Contains(err.Error(), fmt.Sprint("migration ", n)) {
				t.Fatalf("migration %d broken after %d statements: %v", n, k, err)
			}
			if state(c) != before {
				t.Fatalf("migration %d broken after %d statements changed the file", n, k)
			}
			err := c.within(func() error {
				if err := c.migrate(scripts[:n-1], 1, tag); err != nil {
					return err
				}
				if _, err := c.Exec(strings.Join(statements[:k], ""), nil); err != nil {
					return err
				}
				crashed := copyFiles(t, path)
				defer crashed.close()
				if state(crashed) != before {
					t.Errorf("killed after %d statements of migration %d it is changed", k, n)
				}
				return boom
			})
			if !errors.Is(err, boom) {
				t.Fatal(err)
			}
		}
	}
	if err := c.within(func() error { return c.migrate(scripts, 1, tag) }); err != nil || state(c) == before {
		t.Errorf("whole: %v", err)
	}
}

// copyFiles opens a copy of the file as a kill would leave it now.
func copyFiles(t *testing.T, path string) *conn {
	t.Helper()
	to := filepath.Join(t.TempDir(), "crashed.db")
	for _, suffix := range []string{"", "-wal"} {
		b, err := os.ReadFile(path + suffix)
		if err := errors.Join(err, os.WriteFile(to+suffix, b, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	c, err := connect(to, "rw")
	if err != nil {
		t.Fatal(err)
	}
	return c
}
