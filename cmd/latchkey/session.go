package main

import (
	"context"
	"fmt"

	"latchkey/app"
	"latchkey/domain/audit"
	"latchkey/domain/identity"
)

var sessionListCommand = command{
	name:     "session list",
	summary:  "list who is signed in",
	examples: []string{"latchkey session list", "latchkey session list --user sari --json"},
	flags:    adminFlags(flag{name: "user", value: "USERNAME", help: "only this user's"}, jsonFlag),
	about:    "The newest thousand are shown.",
	run: func(ctx context.Context, c *call) error {
		return c.manage(ctx, func(a *app.App) error {
			sessions, err := a.Admin.Sessions(ctx, c.values.text("user"))
			if err != nil || c.values.has("json") {
				return firstOf(err, func() error { return printJSON(c.stdout, sessions) })
			}
			c.table(func(row func(string, ...any)) {
				row("SID\tUSER\tFROM\tSIGNED IN\tLAST SEEN\tBROWSER")
				for _, s := range sessions {
					row("%s\t%s\t%s\t%s\t%s\t%s", s.ID, s.User, orDash(s.IP), stamp(s.AuthTime), stamp(s.LastSeenAt), s.UserAgent)
				}
			})
			return nil
		})
	},
}

var sessionRevokeCommand = command{
	name:    "session revoke",
	args:    "[SID]",
	takes:   anyArguments,
	summary: "sign a browser out, or a user everywhere",
	examples: []string{
		"latchkey session revoke sid_4kq7x2m9c3vbn8ty",
		"latchkey session revoke --user sari --yes",
	},
	flags: adminFlags(flag{name: "user", value: "USERNAME", help: "every session of this user"}, yesFlag),
	about: `The tokens of applications end with the session, except those of applications that the user allowed to act while
away (offline_access): latchkey family revoke ends these, latchkey user disable everything.`,
	run: runSessionRevoke,
}

func runSessionRevoke(ctx context.Context, c *call) error {
	name := c.values.text("user")
	if len(c.args) > 1 || (len(c.args) == 1) == (name != "") {
		return usage("name one session, or one user with --user: latchkey session list shows them")
	}
	return c.manage(ctx, func(a *app.App) error {
		if name == "" {
			return firstOf(a.Admin.EndSession(ctx, audit.Caller{}, identity.SessionID(c.args[0])), func() error {
				fmt.Fprintln(c.stderr, "Signed out.")
				return nil
			})
		}
		n, err := a.Admin.EndSessions(ctx, audit.Caller{}, name, true)
		if err != nil {
			return err
		}
		if err := c.confirm(ctx, fmt.Sprintf("%s is signed out everywhere. Live sessions that end: %d", name, n)); err != nil {
			return err
		}
		n, err = a.Admin.EndSessions(ctx, audit.Caller{}, name, false)
		return firstOf(err, func() error {
			fmt.Fprintf(c.stderr, "Signed out. Sessions that ended: %d. Next, if the password may be known to somebody: latchkey user reset-link %s\n", n, name)
			return nil
		})
	})
}
