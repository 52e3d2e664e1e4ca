package main

import (
	"context"

	"latchkey/app"
	"latchkey/domain/oidc"
)

// mostNotices bounds a list that is meant for people.
const mostNotices = 1000

var logoutListCommand = command{
	name:     "logout list",
	summary:  "list which applications were told of sign-outs",
	examples: []string{"latchkey logout list", "latchkey logout list --json"},
	flags:    adminFlags(jsonFlag),
	about: `An application with a backchannel_logout_uri is told of the end of every session it took part in. What cannot be
delivered is sent again, less and less often, for 24 hours, across restarts. The newest thousand of 30 days are shown.`,
	run: func(ctx context.Context, c *call) error {
		return c.manage(ctx, func(a *app.App) error {
			notices, err := a.Admin.LogoutNotices(ctx, mostNotices)
			if err != nil || c.values.has("json") {
				return firstOf(err, func() error { return printJSON(c.stdout, notices) })
			}
			c.table(func(row func(string, ...any)) {
				row("SIGNED OUT\tAPPLICATION\tUSER\tSID\tSTATE\tTRIED\tAGAIN AT\tPROBLEM")
				for _, n := range notices {
					again := "-"
					if n.State == oidc.Pending && n.Attempts > 0 {
						again = stamp(n.NextAt)
					}
					row("%s\t%s\t%s\t%s\t%s\t%d\t%s\t%s", stamp(n.CreatedAt), n.Client, orDash(n.User), n.Session, n.State, n.Attempts, again, orDash(n.LastError))
				}
			})
			return nil
		})
	},
}
