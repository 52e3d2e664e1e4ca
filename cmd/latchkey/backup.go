package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"latchkey/app"
	"latchkey/ports"
)

var backupCommand = command{
	name:    "backup",
	args:    "FILE",
	takes:   1,
	summary: "copy the database into a new file, beside a running server",
	examples: []string{
		"latchkey backup /srv/backups/latchkey-$(date +%F).db",
		"latchkey backup before.db && latchkey backup verify before.db",
	},
	flags: []flag{dbFlag, masterKeyFlag, jsonFlag},
	about: `Everything that was answered before is in the copy, however busy the server is. FILE appears when it is whole and on
disk, readable by its owner only; while it is made it is called FILE.part. FILE.sum beside it tells verify and restore when
FILE was changed since: keep the two together, up to 64 MB, beyond which there is none. The master key is not in it: keep a copy of
that somewhere else, because neither is of use without the other.`,
	run: runBackup,
}

var backupVerifyCommand = command{
	name:    "backup verify",
	args:    "FILE",
	takes:   1,
	summary: "prove that a backup can be served",
	examples: []string{
		"latchkey backup verify latchkey-2026-11-21.db",
		"latchkey backup verify latchkey-2026-11-21.db --master-key /mnt/safe/latchkey.db.key    # on another machine",
	},
	flags: []flag{dbFlag, masterKeyFlag, jsonFlag},
	about: `Checks every page and every reference of a copy, follows the audit trail, opens the signing keys with the master key,
and signs and verifies tokens with them. FILE is not changed. The copy lies in a directory of its own below TMPDIR meanwhile.
The database, if there is one, keeps when a backup was verified last.`,
	run: runBackupVerify,
}

func runBackup(ctx context.Context, c *call) error {
	cfg, err := c.database()
	if err != nil {
		return err
	}
	a, err := app.New(ctx, cfg)
	if err != nil {
		return err
	}
	defer a.Close()
	file := c.args[0]
	if err := a.Backup(ctx, file, c.progress()); err != nil {
		return err
	}
	info, err := os.Stat(file)
	if err != nil {
		return err
	}
	if c.values.has("json") {
		return printJSON(c.stdout, map[string]any{"file": file, "bytes": info.Size()})
	}
	fmt.Fprintf(c.stderr, "%s holds %s. Next: latchkey backup verify %[1]s\n", file, size(info.Size()))
	return nil
}

// keptFile is the configuration of a command that works on the file as a whole, which may be missing or broken.
func (c *call) keptFile() (app.Config, error) {
	cfg, err := c.config()
	if err := errors.Join(err, cfg.Validate()); err != nil {
		return cfg, usageError{err}
	}
	return cfg, nil
}

func runBackupVerify(ctx context.Context, c *call) error {
	cfg, err := c.keptFile()
	if err != nil {
		return err
	}
	v, err := app.VerifyBackup(ctx, cfg, c.args[0], c.progress())
	if err != nil {
		return err
	}
	if c.values.has("json") {
		return printJSON(c.stdout, verifiedJSON(c.args[0], v))
	}
	fmt.Fprintf(c.stderr, "%s is good: %s.\n", c.args[0], told(v))
	switch {
	case errors.Is(v.Unrecorded, fs.ErrNotExist):
		fmt.Fprintf(c.stderr, "There is no database %s that could keep when this was verified.\n", cfg.Database)
	case v.Unrecorded != nil:
		fmt.Fprintf(c.stderr, "The database could not keep that this was verified: %v\n", v.Unrecorded)
	}
	return nil
}

func verifiedJSON(file string, v app.Verified) map[string]any {
	return map[string]any{"file": file, "schema": v.Schema, "users": v.Users, "clients": v.Clients, "signing_keys": v.Keys,
		"events": v.Events, "until": v.Until, "recorded": v.Unrecorded == nil}
}

// told says what a verified backup holds.
func told(v app.Verified) string {
	return fmt.Sprintf("schema %d, %s, %s, %s, and %s until %s", v.Schema, counted(v.Users, "user"), counted(v.Clients, "client"),
		counted(v.Keys, "signing key"), counted(v.Events, "audit event"), instant(v.Until))
}

// counted is how many of something there are.
func counted[N int | int64](n N, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %ss", n, one)
}

func instant(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }

func size(bytes int64) string {
	if bytes < 1<<20 {
		return fmt.Sprintf("%d KB", (bytes+1023)>>10)
	}
	return fmt.Sprintf("%d MB", bytes>>20)
}

// progress tells on stderr how far a job is: each step when it ends, and every second while it lasts.
func (c *call) progress() ports.Progress {
	var last time.Time
	return func(step string, done, total int) {
		switch now := time.Now(); {
		case done >= total:
			fmt.Fprintf(c.stderr, "%s: done\n", step)
			last = now
		case last.IsZero():
			last = now
		case now.Sub(last) >= time.Second:
			fmt.Fprintf(c.stderr, "%s: %d %%\n", step, 100*done/total)
			last = now
		}
	}
}
