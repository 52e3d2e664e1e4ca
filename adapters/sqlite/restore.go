package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"latchkey/domain/audit"
	"latchkey/ports"
)

// voided ends what an older state must not bring to life again: it was used, rotated or ended since, and the file cannot
// know. Attempts, grants, users, clients, keys and settings stay. An older schema may lack a table, but where it has one it has the
// columns. ?1 is the instant.
var voided = []struct{ table, statement string }{
	{"code", "DELETE FROM code WHERE ?1 = ?1"},
	{"interaction", "DELETE FROM interaction WHERE ?1 = ?1"},
	{"ticket", "DELETE FROM ticket WHERE ?1 = ?1"},
	{"challenge", "DELETE FROM challenge WHERE ?1 = ?1"},
	{"recovery_codes", "DELETE FROM recovery_codes WHERE ?1 = ?1"},
	{"factor", "UPDATE factor SET last_step = max(last_step, ?1 / 30000)"}, // codes of half a minute, see identity.Factor
	{"session", "UPDATE session SET ended_at = ?1 WHERE ended_at = 0"},
	{"token_family", "UPDATE token_family SET revoked_at = ?1, revoke_reason = 'restored' WHERE revoked_at = 0"},
}

// void does that in one transaction. live is the revision of the database that the file replaces.
func (c *conn) void(v ports.Voiding, live revision, chain audit.Tagger) error {
	schema, err := c.version()
	if err != nil {
		return err
	}
	return c.within(func() error {
		for _, s := range voided {
			there, err := first(c, (*row).bool, "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?)", s.table)
			if err == nil && there {
				_, err = c.exec(s.statement, ms(v.Event.At))
			}
			if err != nil {
				return err
			}
		}
		for _, m := range v.Moments {
			if schema < chained { // the same migration brought both
				break
			}
			if _, err := c.exec(upsert("moment", "name", "name, at"), string(m), ms(v.Event.At)); err != nil {
				return err
			}
		}
		return errors.Join(c.record(v.Event, schema, chain), c.raise(live))
	})
}

func (a Archive) Replace(ctx context.Context, prepared string, v ports.Voiding, progress ports.Progress) (ports.Replaced, error) {
	_, found := inspect(a.Path)
	if found != nil && !replaceable(found) && !errors.Is(found, ErrNewer) { // its pages are replaced, whatever they mean
		return ports.Replaced{}, found
	}
	old, err := disturbUnchecked(a.Path, a.Seal)
	if err != nil {
		return ports.Replaced{}, err
	}
	// Even a restore that is given up may set how the file is journalled. One that was changed stays accused; whether the key is the
	// wrong one, or the file cannot be read, is no matter here.
	if a.Seal != nil && old.check() == nil {
		if err := old.forget(); err != nil {
			return ports.Replaced{}, errors.Join(err, old.f.Close())
		}
	}
	way := a.copyInto
	if replaceable(found) {
		way = a.putInPlace
	}
	done, err := way(ctx, prepared, v, old, progress)
	old.resume(err == nil)
	return done, err
}

// replaceable reports whether inspect found nothing that a file may not take the place of.
func replaceable(err error) bool {
	return errors.Is(err, ErrMissing) || errors.Is(err, ErrUnusable) && !errors.Is(err, errForeign)
}

// copyInto writes the prepared file over the database in one transaction. Renaming it into place would leave a log beside
// it that belongs to another file, and whoever has the database open would go on with the old one.
func (a Archive) copyInto(ctx context.Context, prepared string, v ports.Voiding, old *rest, progress ports.Progress) (done ports.Replaced, err error) {
	live, err := connect(a.Path, "rw")
	if err != nil {
		return done, fault(err)
	}
	defer func() { err = errors.Join(err, live.close()) }()
	if err := live.set(everyConnection, writerOnly); err != nil {
		return done, err
	}
	from, err := connect(prepared, "rw")
	if err != nil {
		return done, fault(err)
	}
	defer from.close()
	if err := errors.Join(from.set(everyConnection, private), from.whole(ctx, quickCheck)); err != nil {
		return done, err
	}
	b, err := live.Backup("main", from.SQLiteConn, "main")
	if err != nil {
		return done, fault(err)
	}
	// No page yet, but the write lock: the command line of somebody else may be at work, and what it saves now would be
	// in neither file.
	if _, err = b.Step(0); err == nil && b.PageCount() == 0 {
		err = errLocked
	}
	kept := a.Path + v.Kept
	if err == nil {
		err = mustBeFree(kept)
	}
	if err == nil {
		if err = a.keepAs(ctx, kept, progress); err != nil && ctx.Err() == nil {
			err = fmt.Errorf("%w: when %s cannot be read any more, move it and its -wal and -shm away, and restore again", err, a.Path)
		}
	}
	var now revision
	if err == nil {
		now, err = a.revision()
	}
	if err == nil {
		progress("voiding", 0, 1)
		err = from.void(v, now, a.Chain)
	}
	if err == nil {
		err = old.forget()
	}
	if err != nil {
		b.Finish()
		return done, stepFault(err)
	}
	progress("voiding", 1, 1)
	if err := carry(ctx, b, "replacing", progress); err != nil {
		return done, fmt.Errorf("%s stays as it was: %w", a.Path, err)
	}
	return ports.Replaced{Kept: kept}, nil
}

// keepAs copies the database as it is, without checking it: it may be what is to be got rid of.
func (a Archive) keepAs(ctx context.Context, kept string, progress ports.Progress) error {
	part := kept + ".part"
	err := a.keep(ctx, part, "keeping", progress)
	if err == nil {
		err = disk.rename(part, kept)
	}
	if err != nil {
		removeFile(part)
		return err
	}
	return syncDirectory(filepath.Dir(kept))
}

// revision reads beside whoever holds the write lock.
func (a Archive) revision() (revision, error) {
	c, err := connect(a.Path, "ro")
	if err != nil {
		return revision{}, fault(err)
	}
	defer c.close()
	if err := c.set(everyConnection, readerOnly); err != nil {
		return revision{}, err
	}
	return readRevision(c)
}

// putInPlace gives the prepared file the name of a database that is missing or cannot be read.
func (a Archive) putInPlace(ctx context.Context, prepared string, v ports.Voiding, old *rest, progress ports.Progress) (done ports.Replaced, err error) {
	c, err := connect(prepared, "rw")
	if err != nil {
		return done, fault(err)
	}
	err = errors.Join(c.set(everyConnection, private), c.whole(ctx, quickCheck))
	if err == nil {
		progress("voiding", 0, 1)
		err = c.void(v, revision{}, a.Chain)
	}
	if err = errors.Join(err, c.close()); err == nil {
		err = errors.Join(syncFile(prepared), ctx.Err())
	}
	if err != nil {
		return done, err
	}
	progress("voiding", 1, 1)
	if err := old.forget(); err != nil {
		return done, err
	}
	// The log and the journal go after their database and before the new file comes: SQLite would play any it finds into any file.
	for _, suffix := range []string{"", "-wal", "-journal", "-shm"} {
		aside := a.Path + v.Kept + suffix
		if _, err := os.Lstat(a.Path + suffix); err != nil {
			continue
		}
		if err := mustBeFree(aside); err != nil {
			return done, err
		}
		if err := disk.rename(a.Path+suffix, aside); err != nil {
			return done, err
		}
		done.Aside = append(done.Aside, aside)
		progress("moving aside", len(done.Aside), 4)
	}
	if err := syncDirectory(filepath.Dir(a.Path)); err != nil {
		return done, err
	}
	if err := disk.rename(prepared, a.Path); err != nil {
		return done, err
	}
	progress("replacing", 1, 1)
	return done, syncDirectory(filepath.Dir(a.Path))
}

// peek opens the database to read, beside a server or without one, whatever its schema.
func (a Archive) peek() (*conn, error) {
	if _, err := inspect(a.Path); err != nil && !errors.Is(err, ErrNewer) {
		return nil, err
	}
	c, err := connect(a.Path, readMode(a.Path))
	if err != nil {
		return nil, fault(err)
	}
	if err := c.set(everyConnection, readerOnly); err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

func (a Archive) Lost(file string) (ports.Lost, error) {
	old, err := connect(file, "ro&immutable=1")
	if err != nil {
		return ports.Lost{}, unusableCopy(file, err)
	}
	defer old.close()
	live, err := a.peek()
	if replaceable(err) {
		return ports.Lost{Absent: err}, nil
	} else if err != nil {
		return ports.Lost{}, err
	}
	defer live.close()
	type mark struct {
		seq, at              int64
		kind, requestID, mac string
	}
	scan := func(r *row) mark { return mark{r.int(), r.int(), r.text(), r.text(), r.text()} }
	columns := "SELECT seq, at, kind, request_id, '' FROM event "
	if then, err := old.version(); err == nil && then >= chained {
		if now, err := live.version(); err == nil && now >= chained {
			columns = "SELECT seq, at, kind, request_id, hex(mac) FROM event "
		}
	}
	last, err := first(old, scan, columns+"ORDER BY seq DESC LIMIT 1")
	if err != nil && err != ports.ErrNotFound {
		return ports.Lost{}, unusableCopy(file, err)
	}
	// Another database, or one that was restored to before this event, has another event in its place.
	same, err := first(live, scan, columns+"WHERE seq = ?", last.seq)
	if err == ports.ErrNotFound || err == nil && same != last {
		return ports.Lost{}, nil
	}
	lost := ports.Lost{Related: true, Since: (&row{values: []driver.Value{last.at}}).time(), Events: map[audit.Kind]int{}}
	if err == nil {
		err = live.rows("SELECT kind, count(*) FROM event WHERE seq > ? GROUP BY kind", []driver.Value{last.seq}, func(r *row) bool {
			lost.Events[audit.Kind(r.text())] = int(r.int())
			return true
		})
	}
	return lost, err
}
