package main

import (
	"context"
	"fmt"
	"strings"

	"latchkey/app"
	"latchkey/domain/audit"
	"latchkey/ports"
)

var restoreCommand = command{
	name:    "restore",
	args:    "FILE",
	takes:   1,
	summary: "go back to a backup",
	examples: []string{
		"latchkey restore latchkey-2026-11-21.db          # says what would be lost, and asks",
		"latchkey restore latchkey-2026-11-21.db --yes",
	},
	flags: []flag{dbFlag, masterKeyFlag, yesFlag, jsonFlag},
	about: `Stop the server first. FILE is verified as backup verify does, and not changed. Users, clients, signing keys, settings and
consents are then those of the backup: who was disabled since can sign in again, and has the old password. Whoever was signed
in signs in again: codes, links and sessions end and refresh tokens are revoked, because the file cannot know which of them
were used or ended since.
The database as it was is kept beside it, with .before-restore and the time added to its name. A crash in the middle leaves
the old database or the new one.`,
	run: runRestore,
}

func runRestore(ctx context.Context, c *call) error {
	cfg, err := c.keptFile()
	if err != nil {
		return err
	}
	file := c.args[0]
	lost, err := app.LostByRestore(cfg, file)
	if err == nil {
		err = c.confirm(ctx, losses(file, lost))
	}
	if err != nil {
		return err
	}
	done, err := app.Restore(ctx, cfg, file, c.progress())
	if err != nil {
		return err
	}
	return c.tellRestored(cfg, done)
}

// losses says what returning to the file undoes.
func losses(file string, lost ports.Lost) string {
	const rest = "Everybody has to sign in again. The present database is kept beside the restored one."
	switch {
	case lost.Absent != nil:
		return fmt.Sprintf("Nothing that can be read is lost: %v.\n%s", lost.Absent, rest)
	case !lost.Related:
		return fmt.Sprintf("%s is not of this database's past: everything in the present database is lost.\n%s", file, rest)
	}
	return fmt.Sprintf("%s holds everything until %s. What happened since is lost: %s.\n%s", file, instant(lost.Since), summary(lost.Events), rest)
}

// summary counts what people would miss.
func summary(events map[audit.Kind]int) string {
	count := func(matches func(kind string) bool) (n int) {
		for kind, c := range events {
			if matches(string(kind)) {
				n += c
			}
		}
		return n
	}
	prefix := func(p string) func(string) bool {
		return func(kind string) bool { return strings.HasPrefix(kind, p) && !strings.HasPrefix(kind, "client.auth.") }
	}
	return fmt.Sprintf("%d changes of users, %d of clients, %d sign-ins, %d audit events in all", count(prefix("user.")), count(prefix("client.")),
		count(prefix(string(audit.LoginSucceeded))), count(prefix("")))
}

// tellRestored says what is there now and where the rest is.
func (c *call) tellRestored(cfg app.Config, done app.Restored) error {
	if c.values.has("json") {
		told := verifiedJSON(done.File, done.Verified)
		delete(told, "recorded")
		told["database"], told["kept"], told["moved_aside"] = cfg.Database, done.Kept, append([]string{}, done.Aside...)
		return printJSON(c.stdout, told)
	}
	fmt.Fprintf(c.stderr, "%s is back at %s: %s.\n", cfg.Database, done.File, told(done.Verified))
	fmt.Fprintf(c.stderr, "It opens with the master key %s.\n", cfg.MasterKey)
	if done.Kept != "" {
		fmt.Fprintf(c.stderr, "The database as it was is kept in %s.\n", done.Kept)
	}
	for _, name := range done.Aside {
		fmt.Fprintf(c.stderr, "What could not be read was moved to %s.\n", name)
	}
	return nil
}
