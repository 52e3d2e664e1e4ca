package main

import (
	"context"
	"fmt"

	"latchkey/app"
)

var masterKeyRotateCommand = command{
	name:    "master-key rotate",
	summary: "replace the master key, beside a running server",
	examples: []string{
		"cp -p latchkey.db.key /mnt/safe/ && latchkey master-key rotate     # keep the old key for the backups there are",
		"latchkey master-key rotate --master-key /etc/latchkey/master.key --yes",
		"latchkey master-key rotate --to new.key                            # the key comes from elsewhere: put it there yourself",
	},
	flags: []flag{dbFlag, masterKeyFlag, {name: "to", value: "FILE", help: "write the new key here and leave the old file as it is"}, yesFlag, jsonFlag},
	about: `The master key seals one thing: the root, from which every other key derives. A new master key is made, the root is
sealed under it, and it takes the name of the old one, which no longer opens the database. Nobody notices: sessions,
passwords, tokens and signing keys stay as they are, and a running server goes on without a restart. A crash at any instant
leaves a key that opens the database; the next start finishes what was begun.
Backups and copies made before still open with the old key, and with it alone: keep a copy of it as long as you keep them,
or make a new backup and delete them. Whoever has both the old key and such a copy has what is in it: then also revoke the
signing keys, change the secrets of the applications and ask people to change their passwords.
With a read-only key, such as a credential of systemd, name the file that it is made from with --master-key, or use --to.
A database that was made by a release without this command has its first master key as its root. That key then opens nothing
any more, yet everything derives from it: it stays sensitive for as long as the database is used.`,
	run: func(ctx context.Context, c *call) error {
		return c.manage(ctx, func(a *app.App) error {
			cfg, _ := c.database() // which manage has found good
			old := cfg.MasterKey + " is replaced, and what is in it now is gone"
			if c.values.text("to") != "" {
				old = cfg.MasterKey + " no longer opens the database"
			}
			err := c.confirm(ctx, old+": backups and snapshots made before need it, so keep a copy of it if you may need them.")
			if err != nil {
				return err
			}
			done, err := a.RotateMasterKey(ctx, c.values.text("to"))
			if err != nil {
				return err
			}
			if c.values.has("json") {
				return printJSON(c.stdout, map[string]any{"master_key": done.File, "first_key_is_root": done.Inherited})
			}
			c.tellRotated(cfg, done)
			return nil
		})
	},
}

func (c *call) tellRotated(cfg app.Config, done app.MasterKeyRotation) {
	fmt.Fprintf(c.stderr, "%s opens %s now, and the key before it does not. A running server goes on as it is.\n", done.File, cfg.Database)
	if done.Inherited {
		fmt.Fprintln(c.stderr, "This database was made before there was a root: its first master key is the root, from which passwords and tokens derive and "+
			"cannot derive anew. That key stays sensitive: destroy every copy of it that no backup needs.")
	}
	if done.File != cfg.MasterKey {
		fmt.Fprintf(c.stderr, "Next, before the server starts again: put it where %s comes from, such as install -m 600 %s /etc/latchkey/master.key\n",
			cfg.MasterKey, done.File)
	}
	fmt.Fprintln(c.stderr, "Next: copy the new key to where you keep it, and make a backup: latchkey backup FILE")
}
