package main

import (
	"context"
	"fmt"
	"strings"

	"latchkey/app"
	"latchkey/app/admin"
	"latchkey/domain/audit"
)

var userListCommand = command{
	name:     "user list",
	summary:  "list the users",
	examples: []string{"latchkey user list", "latchkey user list --json"},
	flags:    adminFlags(jsonFlag),
	run: func(ctx context.Context, c *call) error {
		return c.manage(ctx, func(a *app.App) error {
			users := []admin.UserInfo{}
			err := a.Admin.Users(ctx, func(u admin.UserInfo) error { users = append(users, u); return nil })
			if err != nil || c.values.has("json") {
				return firstOf(err, func() error { return printJSON(c.stdout, users) })
			}
			c.table(func(row func(string, ...any)) {
				row("USERNAME\tNAME\tE-MAIL\tGROUPS\tSTATE")
				for _, u := range users {
					row("%s\t%s\t%s\t%s\t%s", u.Username, orDash(u.Name), orDash(u.Email), orDash(strings.Join(u.Groups, ",")), userState(u))
				}
			})
			if len(users) == 0 {
				fmt.Fprintln(c.stderr, "There is no user yet. Next: latchkey user add NAME --admin")
			}
			return nil
		})
	},
}

func userState(u admin.UserInfo) string {
	return words(map[string]bool{"administrator": u.Admin, "disabled": u.Disabled}, "administrator", "disabled")
}

// firstOf returns the error, or does what comes after it.
func firstOf(err error, then func() error) error {
	if err != nil {
		return err
	}
	return then()
}

var userShowCommand = command{
	name:     "user show",
	args:     "USERNAME",
	takes:    1,
	summary:  "show a user with sessions and connected applications",
	examples: []string{"latchkey user show sari", "latchkey user show sari --json"},
	flags:    adminFlags(jsonFlag),
	run: func(ctx context.Context, c *call) error {
		return c.manage(ctx, func(a *app.App) error {
			u, err := a.Admin.User(ctx, c.args[0])
			if err != nil || c.values.has("json") {
				return firstOf(err, func() error { return printJSON(c.stdout, u) })
			}
			c.showUser(u)
			return nil
		})
	},
}

func (c *call) showUser(u admin.UserDetail) {
	c.table(func(row func(string, ...any)) {
		row("username\t%s", u.Username)
		row("sub\t%s", u.ID)
		row("name\t%s", orDash(u.Name))
		email := orDash(u.Email)
		if u.Email != "" && !u.EmailVerified {
			email += " (not verified)"
		}
		row("e-mail\t%s", email)
		row("groups\t%s", orDash(strings.Join(u.Groups, ", ")))
		row("state\t%s", userState(u.UserInfo))
		if u.Password {
			row("password\tset, last changed %s", stamp(u.PasswordChangedAt))
		} else {
			row("password\tnone: cannot sign in")
		}
		row("created\t%s", stamp(u.CreatedAt))
		if u.Disabled {
			row("disabled\t%s", stamp(u.DisabledAt))
		}
		if !u.LockedUntil.IsZero() {
			row("locked\tuntil %s, after too many failed attempts: latchkey user unlock %s", stamp(u.LockedUntil), u.Username)
		}
		if !u.ResetLinkUntil.IsZero() {
			row("reset link\tworks until %s", stamp(u.ResetLinkUntil))
		}
	})
	fmt.Fprintf(c.stdout, "\nsessions: %d\n", len(u.Sessions))
	c.table(func(row func(string, ...any)) {
		for _, s := range u.Sessions {
			row("  %s\t%s\tlast seen %s\t%s", s.ID, orDash(s.IP), stamp(s.LastSeenAt), s.UserAgent)
		}
	})
	fmt.Fprintf(c.stdout, "\nconnected applications: %d\n", len(u.Applications))
	for _, app := range u.Applications {
		fmt.Fprintf(c.stdout, "  %s since %s, scope %s\n", app.Client, stamp(app.Since), app.Scope)
		for _, f := range app.Families {
			fmt.Fprintf(c.stdout, "    family %s\n", f)
		}
	}
}

var userEditCommand = command{
	name:    "user edit",
	args:    "USERNAME",
	takes:   1,
	summary: "change a user",
	examples: []string{
		"latchkey user edit sari --email sari@example.org --name 'Sari Dewi'",
		"latchkey user edit sari --group staff --group editors    # exactly these groups",
		"latchkey user edit tio --admin",
	},
	flags: adminFlags(issuerFlag,
		flag{name: "email", value: "ADDRESS", help: "e-mail address; another one counts as not verified"},
		flag{name: "name", value: "NAME", help: "full name"},
		flag{name: "group", value: "GROUP", many: true, help: "group the user is in, instead of those until now; '' is none"},
		flag{name: "admin", help: "may administer this provider"},
		flag{name: "no-admin", help: "may no longer administer this provider"},
		jsonFlag,
	),
	about: `What is not named stays. Every session of the user ends when the right to administer changes. Other claims are
declared with latchkey apply; the password is set with latchkey user passwd.`,
	run: runUserEdit,
}

func runUserEdit(ctx context.Context, c *call) error {
	var edit admin.UserEdit
	for name, to := range map[string]**string{"email": &edit.Email, "name": &edit.Name} {
		if c.values.has(name) {
			value := c.values.text(name)
			*to = &value
		}
	}
	if c.values.has("group") {
		groups := []string{}
		for _, g := range c.values["group"] {
			if g != "" {
				groups = append(groups, g)
			}
		}
		edit.Groups = &groups
	}
	yes, no := c.values.has("admin"), c.values.has("no-admin")
	switch {
	case yes && no:
		return usage("give --admin or --no-admin, not both")
	case yes || no:
		edit.Admin = &yes
	}
	if edit == (admin.UserEdit{}) {
		return usage("nothing to change was named: latchkey user edit --help lists what can be")
	}
	return c.manage(ctx, func(a *app.App) error {
		change, err := a.Admin.EditUser(ctx, audit.Caller{}, c.args[0], edit)
		if err != nil {
			return typed(err, userArguments)
		}
		if err := c.changed(change, "Changed. Next: latchkey user show "+change.Name); err != nil || !no {
			return err
		}
		return c.warnWithoutAdmin(ctx, a)
	})
}

var userDisableCommand = command{
	name:     "user disable",
	args:     "USERNAME",
	takes:    1,
	summary:  "shut a user out at once",
	examples: []string{"latchkey user disable sari", "latchkey user disable sari --yes"},
	flags:    adminFlags(yesFlag, jsonFlag),
	about: `Sessions end, permissions and tokens of applications are revoked, codes and one-time links are dead: all at once,
and in a running server within a second. latchkey user enable lets the user sign in again; what ended stays ended.`,
	run: func(ctx context.Context, c *call) error {
		return c.destroy(ctx, func(a *app.App, planOnly bool) (admin.Change, error) {
			return a.Admin.DisableUser(ctx, audit.Caller{}, c.args[0], planOnly)
		}, "Disabled. Next, to undo it: latchkey user enable "+c.args[0])
	},
}

var userDeleteCommand = command{
	name:     "user delete",
	args:     "USERNAME",
	takes:    1,
	summary:  "delete a user with everything of theirs",
	examples: []string{"latchkey user delete sari", "latchkey user delete sari --yes"},
	flags:    adminFlags(yesFlag, jsonFlag),
	about: `This cannot be undone: somebody who gets the same username later is another person to applications. The audit log
keeps what happened. To shut a user out for a time, use latchkey user disable.`,
	run: func(ctx context.Context, c *call) error {
		return c.destroy(ctx, func(a *app.App, planOnly bool) (admin.Change, error) {
			return a.Admin.DeleteUser(ctx, audit.Caller{}, c.args[0], planOnly)
		}, "Deleted.")
	},
}

// destroy says what a deed would do, asks, and does it.
func (c *call) destroy(ctx context.Context, do func(a *app.App, planOnly bool) (admin.Change, error), next string) error {
	return c.manage(ctx, func(a *app.App) error {
		change, err := do(a, true)
		if err != nil || change.Action == admin.Unchanged {
			return firstOf(err, func() error { return c.changed(change, "") })
		}
		if err := c.confirm(ctx, "This will happen:\n"+change.String()); err != nil {
			return err
		}
		if change, err = do(a, false); err != nil {
			return err
		}
		if err := c.changed(change, next); err != nil || change.Object != "user" {
			return err
		}
		return c.warnWithoutAdmin(ctx, a)
	})
}

var userEnableCommand = command{
	name:     "user enable",
	args:     "USERNAME",
	takes:    1,
	summary:  "let a disabled user sign in again",
	examples: []string{"latchkey user enable sari"},
	flags:    adminFlags(jsonFlag),
	run: func(ctx context.Context, c *call) error {
		return c.manage(ctx, func(a *app.App) error {
			change, err := a.Admin.EnableUser(ctx, audit.Caller{}, c.args[0])
			return firstOf(err, func() error {
				return c.changed(change, "Enabled. Next, if the password may be known to somebody: latchkey user reset-link "+change.Name)
			})
		})
	},
}

var userUnlockCommand = command{
	name:     "user unlock",
	args:     "USERNAME",
	takes:    1,
	summary:  "forget the failed sign-ins of a user",
	examples: []string{"latchkey user unlock sari"},
	flags:    adminFlags(),
	run: func(ctx context.Context, c *call) error {
		return c.manage(ctx, func(a *app.App) error {
			return firstOf(a.Admin.UnlockUser(ctx, audit.Caller{}, c.args[0]), func() error {
				fmt.Fprintf(c.stderr, "Unlocked: %s may try again. Next, if it was not them: latchkey audit query --user %[1]s --refused\n", c.args[0])
				return nil
			})
		})
	},
}

var userPasswdCommand = command{
	name:    "user passwd",
	args:    "USERNAME",
	takes:   1,
	summary: "set the password of a user",
	examples: []string{
		"latchkey user passwd sari",
		"pass show latchkey/sari | latchkey user passwd sari --password-stdin",
	},
	flags: adminFlags(issuerFlag,
		flag{name: "password-stdin", help: "read the password from stdin"},
		flag{name: "password-file", value: "FILE", help: "read the password from a file"},
		jsonFlag,
	),
	about: `Without --password-stdin or --password-file the password is asked for. It has at least 15 characters. Every session
of the user ends, and every token of applications. latchkey user reset-link lets users choose their own.`,
	run: func(ctx context.Context, c *call) error {
		password, given, err := c.secret("password")
		if err != nil {
			return err
		}
		return c.manage(ctx, func(a *app.App) error {
			if !given {
				if _, err = a.Admin.User(ctx, c.args[0]); err == nil { // before anybody types
					password, err = c.promptPassword(ctx)
				}
			}
			if err != nil {
				return err
			}
			change, err := a.Admin.SetPassword(ctx, audit.Caller{}, c.args[0], password)
			if err != nil {
				return typed(err, map[string]string{"password": "password"})
			}
			return c.changed(change, "The password is set.")
		})
	},
}

var userResetLinkCommand = command{
	name:     "user reset-link",
	args:     "USERNAME",
	takes:    1,
	summary:  "print a one-time link with which a user chooses a new password",
	examples: []string{"latchkey user reset-link sari --issuer https://id.example.org"},
	flags:    adminFlags(issuerFlag, jsonFlag),
	about: `The link works once, for 15 minutes. Earlier links of the user are dead, and this one dies when the e-mail address or
the password changes or the user is disabled. Whoever has it can take the account over: send it in a way you trust.`,
	run: func(ctx context.Context, c *call) error {
		if err := c.needsIssuer(); err != nil {
			return err
		}
		return c.manage(ctx, func(a *app.App) error {
			link, err := a.Admin.OfferReset(ctx, audit.Caller{}, c.args[0])
			if err != nil {
				return err
			}
			return c.printLink("/reset", link, "A new password for "+link.User.Username)
		})
	},
}
