package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"latchkey/domain/audit"
	"latchkey/migrations"
	"latchkey/ports"
)

// migrate runs the scripts after version in the open transaction, so that a crash leaves the file at one schema or at the
// other.
func (c *conn) migrate(scripts []string, version int, chain audit.Tagger) error {
	for n := version + 1; n <= len(scripts); n++ {
		_, err := c.Exec(fmt.Sprintf("%s\nPRAGMA user_version = %d;", scripts[n-1], n), nil)
		if err == nil && n == chained {
			err = c.chainEvents(chain)
		}
		if err != nil {
			return fmt.Errorf("migration %d: %w", n, fault(err))
		}
	}
	return nil
}

// bring brings the file to the newest schema, in the open transaction, and records that.
func (c *conn) bring(scripts []string, version int, e audit.Event, chain audit.Tagger) error {
	err := c.migrate(scripts, version, chain)
	if err == nil {
		err = c.record(e, len(scripts), chain)
	}
	if err == nil {
		err = c.raise(revision{})
	}
	return err
}

// within runs fn in a transaction.
func (c *conn) within(fn func() error) error {
	if _, err := c.exec("BEGIN IMMEDIATE"); err != nil {
		return err
	}
	err := fn()
	if err == nil {
		_, err = c.exec("COMMIT")
	}
	if err != nil && !c.AutoCommit() {
		c.exec("ROLLBACK")
	}
	return err
}

func (a Archive) Upgrade(ctx context.Context, e audit.Event, prove func(ports.Store) error, progress ports.Progress) (ports.Upgraded, error) {
	scripts, err := migrations.Scripts()
	if err != nil {
		return ports.Upgraded{}, err
	}
	version, err := inspect(a.Path)
	if err != nil || version == len(scripts) {
		return ports.Upgraded{From: version, To: version}, err
	}
	var r *rest
	if a.Seal != nil {
		if r, err = disturb(a.Path, a.Seal); err != nil {
			return ports.Upgraded{}, err
		}
	}
	c, err := connect(a.Path, "rw")
	if err != nil {
		r.resume(true)
		return ports.Upgraded{}, fault(err)
	}
	up := ports.Upgraded{From: version, To: len(scripts), Snapshot: snapshotName(a.Path, version)}
	err = c.set(everyConnection, writerOnly)
	if err == nil {
		// The transaction begins before the snapshot is made: the command line of an older release could write between.
		err = c.within(func() error {
			if now, err := c.version(); err != nil || now != version {
				return errors.Join(err, errLocked)
			}
			if err := a.keepRehearsed(ctx, up, prove, progress); err != nil {
				return fmt.Errorf("%s stays as it is, with schema %d: %w", a.Path, version, err)
			}
			progress("upgrading", 0, 1)
			return c.bring(scripts, version, e, a.Chain)
		})
	}
	err = errors.Join(err, c.close())
	r.resume(err == nil)
	if err != nil {
		return ports.Upgraded{}, err
	}
	progress("upgrading", 1, 1)
	return up, nil
}

// keepRehearsed makes the snapshot and upgrades a copy of it. Only then the snapshot gets its name: what is called so is
// whole, and the upgrade of it works.
func (a Archive) keepRehearsed(ctx context.Context, up ports.Upgraded, prove func(ports.Store) error, progress ports.Progress) error {
	part, rehearsal := up.Snapshot+".part", a.Path+".upgrading"
	defer removeFile(part)
	defer removeFile(rehearsal)
	if err := a.keep(ctx, part, "snapshot", progress, quickCheck); err != nil {
		return err
	}
	if err := a.Take(ctx, part, rehearsal, progress); err != nil {
		return err
	}
	progress("rehearsing", 0, 1)
	if err := rehearse(ctx, rehearsal, up.From, a.Chain); err != nil {
		return err
	}
	s, err := Open(rehearsal, a.Chain, nil)
	if err == nil {
		err = errors.Join(prove(s), s.Close())
	}
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return err
	}
	progress("rehearsing", 1, 1)
	// Of an upgrade that was killed; its sum would be that of another file until this one has the name.
	if err := errors.Join(removeIfThere(up.Snapshot), syncDirectory(filepath.Dir(a.Path))); err != nil {
		return err
	}
	return a.publish(part, up.Snapshot)
}

// keep copies the database into a file that nobody else makes, because the caller holds the server lock.
func (a Archive) keep(ctx context.Context, to, step string, progress ports.Progress, checks ...string) error {
	if err := removeFile(to); err != nil {
		return err
	}
	f, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	if err := errors.Join(f.Chmod(0o600), f.Close()); err != nil {
		return err
	}
	if err := clone(ctx, a.Path, to, step, progress); err != nil {
		return err
	}
	return settle(ctx, to, checks...)
}

// rehearse brings a copy to the schema of this release and checks it: every page, every reference, and that no row of what
// was there came or went.
func rehearse(ctx context.Context, path string, version int, chain audit.Tagger) error {
	scripts, err := migrations.Scripts()
	if err != nil {
		return err
	}
	c, err := connect(path, "rw")
	if err != nil {
		return fault(err)
	}
	err = c.set(everyConnection, []setting{{"journal_mode", "delete"}, {"synchronous", int64(0)}})
	if err == nil {
		err = c.within(func() error {
			before, err := c.counts()
			if err == nil {
				err = c.migrate(scripts, version, chain)
			}
			for table, want := range before {
				if err != nil {
					break
				}
				got, missing := c.count(table)
				if err = missing; err == nil && got != want {
					err = fmt.Errorf("migrating changes table %s from %d rows to %d", table, want, got)
				}
			}
			return err
		})
	}
	if err == nil {
		err = c.whole(ctx, fullCheck, referenceCheck)
	}
	return errors.Join(err, c.close())
}

func (c *conn) count(table string) (int64, error) {
	return first(c, (*row).int, "SELECT count(*) FROM "+table)
}

// counts returns how many rows each table has.
func (c *conn) counts() (map[string]int64, error) {
	var tables []string
	err := c.rows("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'", nil,
		func(r *row) bool { tables = append(tables, `"`+r.text()+`"`); return true })
	if err != nil {
		return nil, err
	}
	all := map[string]int64{}
	for _, t := range tables {
		if all[t], err = c.count(t); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// record adds an event to the trail of a file that may have an older schema.
func (c *conn) record(e audit.Event, schema int, chain audit.Tagger) error {
	seq, err := first(c, (*row).int, "SELECT coalesce(max(seq), 0) FROM event")
	if err != nil {
		return err
	}
	e.Seq = seq + 1
	var head audit.Anchor
	if schema >= chained {
		if head, err = trailHead(c); err != nil {
			return err
		}
	}
	if _, err := c.exec(`INSERT INTO event (seq, at, kind, request_id, ip, user_agent, client, user, session, grant_id, family, facts)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, e.Seq, ms(e.At), string(e.Kind), e.Caller.RequestID, e.Caller.IP, e.Caller.UserAgent,
		e.Client, e.User, e.Session, e.Grant, e.Family, dictionary(e.Facts)); err != nil || schema < chained {
		return err
	}
	mac := chain(e.Body(nil, head))
	_, err = c.exec("UPDATE event SET mac = ? WHERE seq = ?", mac[:], e.Seq)
	return err
}

// raise makes the revision newer than what the file says and than other, so that no process takes what it remembers for
// what is there.
func (c *conn) raise(other revision) error {
	_, err := c.exec("UPDATE revision SET changes = max(changes, ?) + 1, config = max(config, ?) + 1 WHERE id = 1",
		int64(other.changes), int64(other.config))
	return err
}

func snapshotName(path string, schema int) string { return fmt.Sprintf("%s.schema-%d", path, schema) }

func (a Archive) Snapshot() (file string, schema int, err error) {
	below := math.MaxInt // a database that cannot be read may have had any schema
	if c, err := a.peek(); err == nil {
		below, err = c.version()
		if err := errors.Join(err, c.close()); err != nil {
			return "", 0, err
		}
	}
	entries, err := os.ReadDir(filepath.Dir(a.Path))
	if err != nil {
		return "", 0, err
	}
	for _, e := range entries {
		number, ok := strings.CutPrefix(e.Name(), filepath.Base(a.Path)+".schema-")
		if n, err := strconv.Atoi(number); ok && err == nil && n > schema && n < below && e.Type().IsRegular() {
			file, schema = snapshotName(a.Path, n), n
		}
	}
	if schema == 0 {
		return "", 0, fmt.Errorf("beside %s is no snapshot of an older schema (%w): an upgrade makes one; latchkey restore FILE goes back to a backup",
			a.Path, fs.ErrNotExist)
	}
	return file, schema, nil
}
