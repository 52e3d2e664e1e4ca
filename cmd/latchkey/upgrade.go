package main

import (
	"context"
	"fmt"

	"latchkey/app"
)

var upgradeCommand = command{
	name:    "upgrade",
	summary: "bring the database of an older release to the schema of this one",
	examples: []string{
		"latchkey upgrade",
		"latchkey upgrade --db /var/lib/latchkey/latchkey.db --json",
	},
	flags: []flag{dbFlag, masterKeyFlag, jsonFlag},
	about: `Stop the server first; serve and quickstart do the same when they start. The upgrade runs on a copy, which is then checked
page by page and made to sign tokens, and only then on the database, as one change. The database as it was is kept beside
it, with .schema- and its number added to its name: latchkey rollback returns to it. Running it again does nothing.`,
	run: runUpgrade,
}

func runUpgrade(ctx context.Context, c *call) error {
	cfg, err := c.database()
	if err != nil {
		return err
	}
	up, err := app.Upgrade(ctx, cfg, c.progress())
	if err != nil {
		return err
	}
	if c.values.has("json") {
		return printJSON(c.stdout, map[string]any{"from": up.From, "to": up.To, "snapshot": up.Snapshot})
	}
	if up.From == up.To {
		fmt.Fprintf(c.stderr, "%s has schema %d already: nothing to do.\n", cfg.Database, up.To)
		return nil
	}
	fmt.Fprintf(c.stderr, "%s went from schema %d to %d. As it was it is kept in %s.\n", cfg.Database, up.From, up.To, up.Snapshot)
	return nil
}
