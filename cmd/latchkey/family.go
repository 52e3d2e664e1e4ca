package main

import (
	"context"
	"fmt"

	"latchkey/app"
	"latchkey/app/admin"
	"latchkey/domain/audit"
	"latchkey/domain/oauth"
)

var familyShowCommand = command{
	name:     "family show",
	args:     "FAMILY",
	takes:    1,
	summary:  "show a line of tokens and what became of it",
	examples: []string{"latchkey family show 8fj2k.q7x1m", "latchkey family show 8fj2k.q7x1m --json"},
	flags:    adminFlags(jsonFlag),
	about: `A family is everything issued from one authorization code: access tokens and the line of refresh tokens. Its id is
in the audit log and in latchkey user show; it is no secret. No token is shown: none is stored.`,
	run: func(ctx context.Context, c *call) error {
		return c.manage(ctx, func(a *app.App) error {
			f, err := a.Admin.Family(ctx, oauth.FamilyID(c.args[0]))
			if err != nil {
				return err
			}
			if c.values.has("json") {
				timeline := []eventRecord{}
				for _, e := range f.Timeline {
					timeline = append(timeline, recordOf(e))
				}
				return printJSON(c.stdout, struct {
					admin.FamilyInfo
					Timeline []eventRecord `json:"timeline"`
				}{f, timeline})
			}
			c.showFamily(f)
			return nil
		})
	},
}

func (c *call) showFamily(f admin.FamilyInfo) {
	c.table(func(row func(string, ...any)) {
		row("family\t%s", f.ID)
		row("client\t%s", f.Client)
		row("user\t%s (%s)", orDash(f.User), f.Subject)
		row("session\t%s", orDash(string(f.Session)))
		row("scope\t%s", f.Scope)
		if f.Refresh {
			row("refresh tokens\tnewest is number %d, of %s", f.Generation, stamp(f.RotatedAt))
		} else {
			row("refresh tokens\tnone")
		}
		row("issued\t%s", stamp(f.CreatedAt))
		row("ends\t%s", stamp(f.ExpiresAt))
		if !f.RevokedAt.IsZero() {
			row("revoked\t%s: %s", stamp(f.RevokedAt), f.RevokeReason)
		}
	})
	fmt.Fprintln(c.stdout, "\ntimeline")
	c.table(func(row func(string, ...any)) {
		for _, e := range f.Timeline {
			row("  %s\t%s\t%s\t%s", stamp(e.At), e.Kind, orDash(e.Caller.IP), factsText(e.Facts))
		}
	})
}

var familyRevokeCommand = command{
	name:     "family revoke",
	args:     "FAMILY",
	takes:    1,
	summary:  "end a line of tokens",
	examples: []string{"latchkey family revoke 8fj2k.q7x1m"},
	flags:    adminFlags(),
	about:    "The application has to ask its user to sign in again.",
	run: func(ctx context.Context, c *call) error {
		return c.manage(ctx, func(a *app.App) error {
			revoked, err := a.Admin.RevokeFamily(ctx, audit.Caller{}, oauth.FamilyID(c.args[0]))
			return firstOf(err, func() error {
				if !revoked {
					fmt.Fprintln(c.stderr, "It was revoked before.")
					return nil
				}
				fmt.Fprintf(c.stderr, "Revoked. Next: latchkey family show %s\n", c.args[0])
				return nil
			})
		})
	},
}
