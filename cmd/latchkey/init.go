package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"latchkey/app"
)

var initCommand = command{
	name:    "init",
	summary: "make a new database and its master key",
	examples: []string{
		"latchkey init",
		"latchkey init --db /var/lib/latchkey/latchkey.db --issuer https://id.example.org",
	},
	flags: []flag{dbFlag, masterKeyFlag, issuerFlag, jsonFlag},
	about: `Makes the database, the master key beside it and the first signing keys. Nothing that exists is touched.
The issuer is not kept: init only checks it, and serve is told it at each start.
Back up the master key apart from the database: either alone is useless, and a lost key cannot be made anew.`,
	run: runInit,
}

func runInit(ctx context.Context, c *call) error {
	cfg, err := c.config()
	if err := errors.Join(err, cfg.Validate()); err != nil {
		return usageError{err}
	}
	if _, err := os.Lstat(cfg.Database); err == nil {
		return fmt.Errorf("the database %s exists already (%w) and is left as it is: next, latchkey serve --db %[1]s --issuer %[3]s",
			cfg.Database, fs.ErrExist, issuerOrExample(cfg.Issuer))
	}
	if _, err := os.Lstat(cfg.MasterKey); err == nil {
		return fmt.Errorf("%s: %w: it may belong to a database that is elsewhere now, so it is left as it is", cfg.MasterKey, fs.ErrExist)
	}
	a, err := app.Create(ctx, cfg)
	if err != nil {
		return err
	}
	if err := a.Close(); err != nil {
		return err
	}
	if c.values.has("json") {
		return printJSON(c.stdout, map[string]string{"database": cfg.Database, "master_key": cfg.MasterKey})
	}
	fmt.Fprintf(c.stderr, `Created the database %s and its master key %s.
Keep a copy of the master key apart from backups of the database.

Next:
  latchkey user add NAME --admin --db %[1]s
  latchkey serve --db %[1]s --issuer %[3]s
`, cfg.Database, cfg.MasterKey, issuerOrExample(cfg.Issuer))
	return nil
}

func issuerOrExample(issuer string) string {
	if issuer == "" {
		return "https://id.example.org"
	}
	return issuer
}
