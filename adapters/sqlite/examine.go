package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/mattn/go-sqlite3"

	"latchkey/migrations"
	"latchkey/ports"
)

// Examiner looks at a database and leaves it as it is: nothing is migrated, folded back or made writable. Beside a log that was left
// without its index (-shm) SQLite makes one, as for every reader.
type Examiner struct{}

var _ ports.Examiner = Examiner{}

// mostDamage is how much of what is broken is worth listing.
const mostDamage = 5

// Examine looks at the file through a connection that cannot write. What is wrong with the file is in the examination; an error is
// that of read, or ctx's.
func (Examiner) Examine(ctx context.Context, path string, deep bool, read func(ports.Reader) error) (ports.Examination, error) {
	// Without a log nobody writes, and SQLite need not make one to read. Had a server begun meanwhile, the pages read may
	// be of different instants: then look again, through its log.
	path = behindLinks(path)
	immutable := !there(path + "-wal")
	e, err := examine(ctx, path, immutable, deep, read)
	if immutable && there(path+"-wal") && ctx.Err() == nil {
		e, err = examine(ctx, path, false, deep, read)
	}
	return e, err
}

func there(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func examine(ctx context.Context, path string, immutable, deep bool, read func(ports.Reader) error) (e ports.Examination, err error) {
	version, number, _ := sqlite3.Version()
	e.SQLite, e.Outdated = version, checkSQLite(number) != nil
	scripts, err := migrations.Scripts()
	if err != nil {
		return e, err
	}
	e.Known = len(scripts)
	mode, journal := "ro", ""
	if immutable {
		mode = "ro&immutable=1"
		if journal, err = journalOf(path); err != nil {
			e.Condition, e.Detail = condition(err)
			return e, nil
		}
	}
	c, err := connect(path, mode)
	if err != nil {
		e.Condition, e.Detail = condition(err)
		return e, nil
	}
	defer c.close()
	if err := c.look(ctx, &e, deep, journal); err != nil {
		e.Condition, e.Detail = condition(err)
		return e, ctx.Err()
	}
	if e.Condition != "" || e.Schema != e.Known || read == nil {
		return e, nil
	}
	s := &Store{pool: make(chan *conn, 1), closing: make(chan struct{})}
	s.pool <- c
	r := &reader{store: s, ctx: ctx}
	defer r.end()
	return e, read(r)
}

// look fills in the examination. The error is what kept it from reading on.
func (c *conn) look(ctx context.Context, e *ports.Examination, deep bool, journal string) error {
	number := func(r *row) int { return int(r.int()) }
	application, err := first(c, number, "PRAGMA application_id")
	if err != nil {
		return err
	}
	if e.Schema, err = first(c, number, "PRAGMA user_version"); err != nil {
		return err
	}
	if application != applicationID {
		e.Condition, e.Detail = ports.ConditionForeign, fmt.Sprintf("its application id is %#x", application)
		return nil
	}
	if e.Settings, err = c.settings(journal); err != nil {
		return err
	}
	omitted, err := first(c, number, "SELECT count(*) FROM pragma_compile_options WHERE compile_options = 'OMIT_LOAD_EXTENSION'")
	if err != nil {
		return err
	}
	e.Extensions = omitted == 0
	checks := []string{"PRAGMA quick_check(5)"}
	if deep {
		checks = []string{"PRAGMA integrity_check(5)", "SELECT 'a row of ' || \"table\" || ' refers to a row of ' || parent || ' that is not there' FROM pragma_foreign_key_check LIMIT 5"}
	}
	for _, check := range checks {
		found, err := c.check(ctx, check)
		if err != nil {
			return err
		}
		e.Damage = append(e.Damage, found...)
	}
	if len(e.Damage) > 0 {
		return nil
	}
	if e.Schema < 1 || e.Schema > e.Known {
		return nil
	}
	factor := "0"
	if e.Schema >= factorSchema {
		factor = "EXISTS (SELECT 1 FROM factor f WHERE f.user = u.id AND f.confirmed_at <> 0)"
	}
	return c.rows("SELECT username, disabled_at <> 0, "+factor+" FROM user u WHERE admin = 1 ORDER BY username", nil, func(r *row) bool {
		e.Administrators = append(e.Administrators, ports.Administrator{Username: r.text(), Disabled: r.bool(), SecondFactor: r.bool()})
		return true
	})
}

// factorSchema is the first schema that knows second factors.
const factorSchema = 4

// journalOf reads from its header how the file is journalled, which a connection to a file that cannot change does not say. To
// open a file ourselves drops the locks of this process on it: without a log beside it there are none.
func journalOf(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	header := make([]byte, 20)
	if _, err := io.ReadFull(f, header); err != nil {
		return "", fmt.Errorf("its header is cut off: %w", err)
	}
	if header[18] == 2 && header[19] == 2 { // write and read version, https://www.sqlite.org/fileformat2.html section 1.3.3
		return "wal", nil
	}
	return "delete", nil
}

// settings sets the connection as every one of ours is set, as far as one that only reads can be, and tells what became of it.
// journal is what the file says of itself; empty: ask the connection.
func (c *conn) settings(journal string) (all []ports.DatabaseSetting, err error) {
	for _, group := range [][]setting{everyConnection, writerOnly, readerOnly} {
		for _, s := range group {
			if s.name != "journal_mode" { // belongs to the file: to set it is to change it
				if _, err := c.Exec(fmt.Sprintf("PRAGMA %s = %v", s.name, s.want), nil); err != nil {
					return nil, fault(err)
				}
			}
			got, err := first(c, func(r *row) any { return r.values[0] }, "PRAGMA "+s.name)
			if errors.Is(err, ports.ErrNotFound) {
				got, err = "not known to this SQLite", nil
			}
			if err != nil {
				return nil, err
			}
			if s.name == "journal_mode" && journal != "" {
				got = journal
			}
			all = append(all, ports.DatabaseSetting{Name: s.name, Got: fmt.Sprint(got), Want: fmt.Sprint(s.want)})
		}
	}
	return all, nil
}

// check runs a check that answers "ok" or a line for each fault. It can take long, so it ends with ctx.
func (c *conn) check(ctx context.Context, query string) (faults []string, err error) {
	s, err := c.prepare(query, nil)
	if err != nil {
		return nil, err
	}
	rows, err := s.QueryContext(ctx, nil)
	if err != nil {
		return nil, fault(err)
	}
	defer rows.Close()
	values := make([]driver.Value, len(rows.Columns()))
	for {
		if err := rows.Next(values); err == io.EOF {
			return faults, nil
		} else if err != nil {
			return nil, fault(err)
		}
		for line := range strings.Lines(fmt.Sprint(values[0])) {
			if line = strings.TrimSpace(line); line != "ok" && line != "" && !strings.HasPrefix(line, "***") && len(faults) < mostDamage {
				faults = append(faults, line)
			}
		}
	}
}

// condition sorts why a file cannot be read by what mends it.
func condition(err error) (ports.Condition, string) {
	if denied(err) || errors.Is(err, ports.ErrUnavailable) || errors.Is(err, fs.ErrPermission) {
		return ports.ConditionClosed, err.Error()
	}
	return ports.ConditionDamaged, err.Error()
}
