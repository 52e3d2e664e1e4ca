package main

import (
	"context"

	"latchkey/app"
	"latchkey/app/admin"
	"latchkey/domain/audit"
)

var userResetFactorsCommand = command{
	name:     "user reset-factors",
	args:     "USERNAME",
	takes:    1,
	summary:  "take every second factor off a user who lost them",
	examples: []string{"latchkey user reset-factors sari", "latchkey user reset-factors sari --yes"},
	flags:    adminFlags(yesFlag, jsonFlag),
	about: `Authenticator apps, passkeys and recovery codes are removed, and every session of the user ends. From then on the
password alone signs in: make sure that it is they who ask. An administrator has to add a second factor again before
administering.`,
	run: func(ctx context.Context, c *call) error {
		return c.destroy(ctx, func(a *app.App, planOnly bool) (admin.Change, error) {
			return a.Admin.ResetFactors(ctx, audit.Caller{}, c.args[0], planOnly)
		}, "Removed. Next, if the password may be known to somebody: latchkey user reset-link "+c.args[0])
	},
}
