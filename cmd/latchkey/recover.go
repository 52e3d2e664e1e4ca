package main

import (
	"context"
	"fmt"

	"latchkey/app"
	"latchkey/app/admin"
	"latchkey/domain/audit"
)

var recoverAdminCommand = command{
	name:    "recover-admin",
	args:    "[USERNAME]",
	takes:   anyArguments,
	summary: "get back in as an administrator (break-glass)",
	examples: []string{
		"latchkey recover-admin tio --issuer https://id.example.org",
		"latchkey recover-admin --issuer https://id.example.org    # make a new administrator",
	},
	flags: adminFlags(issuerFlag, jsonFlag),
	about: `For whoever may read the database and its master key on this machine. A server may be running.

With a username: the user becomes an administrator, is enabled and unlocked, all their sessions end, their password works
no more, their second factors and recovery codes are removed, and a link to choose a new password is printed. It works
once, for 15 minutes.

Without one: a link to the set-up page is printed that makes a new administrator, even though there is one already. It
works once, for 30 minutes, and replaces earlier links.`,
	run: runRecoverAdmin,
}

func runRecoverAdmin(ctx context.Context, c *call) error {
	if len(c.args) > 1 {
		return usage("recover-admin takes at most one argument, USERNAME: %q is one too many", c.args[1])
	}
	if err := c.needsIssuer(); err != nil {
		return err
	}
	return c.manage(ctx, func(a *app.App) error {
		if len(c.args) == 0 {
			link, err := a.Admin.OfferRecovery(ctx, audit.Caller{})
			return firstOf(err, func() error { return c.printLink("/setup", link, "A new administrator") })
		}
		link, err := a.Admin.RecoverAdmin(ctx, audit.Caller{}, c.args[0])
		return firstOf(err, func() error {
			return c.printLink("/reset", link, link.User.Username+" is an administrator. Every session of theirs has ended, and their password works no more; second factors are removed. A new password")
		})
	})
}

// printLink prints a one-time link on stdout and what it is good for beside it.
func (c *call) printLink(path string, link admin.Link, what string) error {
	address, err := c.page(path, link)
	if err != nil {
		return err
	}
	if c.values.has("json") {
		return printJSON(c.stdout, map[string]string{"link": address, "username": link.User.Username, "expires_at": stamp(link.ExpiresAt)})
	}
	fmt.Fprintln(c.stdout, address)
	fmt.Fprintf(c.stderr, "%s: the link works once, until %s. It is shown only now. Next: open it, or send it in a way you trust.\n", what, stamp(link.ExpiresAt))
	return nil
}
