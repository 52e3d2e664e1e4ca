package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"latchkey/app"
)

var rollbackCommand = command{
	name:    "rollback",
	summary: "go back to the database as it was before the last upgrade",
	examples: []string{
		"latchkey rollback          # says what would be lost, and asks",
		"latchkey rollback --yes",
	},
	flags: []flag{dbFlag, masterKeyFlag, yesFlag, jsonFlag},
	about: `Stop the server first. An upgrade keeps the database as it was beside it, with .schema- and a number added to its name; this
returns to the newest of these, as latchkey restore returns to a backup. The database as it is now is kept with
.before-rollback and the time added to its name. Start the older release afterwards: serve of this one upgrades again.`,
	run: runRollback,
}

func runRollback(ctx context.Context, c *call) error {
	cfg, err := c.keptFile()
	if err != nil {
		return err
	}
	if _, err := os.Stat(cfg.MasterKey); errors.Is(err, fs.ErrNotExist) { // with neither file, the other folder is meant
		return cfg.FilesExist()
	}
	lost, snapshot, err := app.LostByRollback(cfg)
	if err == nil {
		err = c.confirm(ctx, losses(snapshot, lost))
	}
	if err != nil {
		return err
	}
	done, err := app.Rollback(ctx, cfg, c.progress())
	if err != nil {
		return err
	}
	if err := c.tellRestored(cfg, done); err != nil {
		return err
	}
	fmt.Fprintf(c.stderr, "Now start the release that has schema %d: serve of this one upgrades it again.\n", done.Schema)
	return nil
}
