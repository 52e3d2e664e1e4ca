package main

import (
	"context"
	"fmt"

	"latchkey/app"
	"latchkey/app/admin"
	"latchkey/domain/audit"
	"latchkey/domain/oidc"
)

var keyListCommand = command{
	name:     "key list",
	summary:  "list the signing keys",
	examples: []string{"latchkey key list", "latchkey key list --json"},
	flags:    adminFlags(jsonFlag),
	about: `A key is published a day before it signs and eight days after the next one took over. Keys rotate by themselves
every 90 days.`,
	run: func(ctx context.Context, c *call) error {
		return c.manage(ctx, func(a *app.App) error {
			keys, err := a.Admin.SigningKeys(ctx)
			return firstOf(err, func() error { return c.printKeys(keys) })
		})
	},
}

func (c *call) printKeys(keys []admin.KeyInfo) error {
	if c.values.has("json") {
		return printJSON(c.stdout, keys)
	}
	c.table(func(row func(string, ...any)) {
		row("KID\tALG\tSTATE\tCREATED\tACTIVE FROM\tERASED AT")
		for _, k := range keys {
			row("%s\t%s\t%s\t%s\t%s\t%s", k.ID, k.Algorithm, k.State, stamp(k.CreatedAt), stamp(k.ActiveAt), stamp(k.ErasedAt))
		}
	})
	return nil
}

var keyRotateCommand = command{
	name:     "key rotate",
	summary:  "bring the next signing keys forward",
	examples: []string{"latchkey key rotate"},
	flags:    adminFlags(jsonFlag),
	about: `Makes the next key of each algorithm now, unless there is one already. It is published for a day before it signs, so
that no application meets a token whose key it has not fetched. For a key that somebody else may have, use latchkey
key revoke.`,
	run: func(ctx context.Context, c *call) error {
		return c.manage(ctx, func(a *app.App) error {
			coming, err := a.Admin.BringRotationForward(ctx, audit.Caller{})
			if err != nil {
				return err
			}
			for _, k := range coming {
				fmt.Fprintf(c.stderr, "The next %s key signs from %s.\n", k.Algorithm, stamp(k.ActiveAt))
			}
			return c.printKeys(coming)
		})
	},
}

var keyRevokeCommand = command{
	name:     "key revoke",
	args:     "KID",
	takes:    1,
	summary:  "erase a signing key that somebody else may have",
	examples: []string{"latchkey key revoke 4kq7x2m9c3vbn8ty", "latchkey key revoke 4kq7x2m9c3vbn8ty --yes"},
	flags:    adminFlags(yesFlag, jsonFlag),
	about: `The key is erased at once and no longer published; a running server refuses every token signed with it within a
second. When it was the key that signs, another one takes over at once: applications that keep the key set for a while
refuse new tokens until they fetch it again, five minutes at most if they follow its max-age. Refresh tokens stay
good. If the database or the master key was stolen, replace the master key, revoke every key, change the secrets of the
applications and ask people to change their passwords.`,
	run: func(ctx context.Context, c *call) error {
		id := oidc.KeyID(c.args[0])
		return c.manage(ctx, func(a *app.App) error {
			done, err := a.Admin.RevokeKey(ctx, audit.Caller{}, id, true)
			if err != nil {
				return err
			}
			what := fmt.Sprintf("The %s key %s (%s) is erased, and every token signed with it is refused.", done.Revoked.Algorithm, id, done.Revoked.State)
			if done.Revoked.State == oidc.Active {
				what += " Another key signs at once: until applications fetch it, sign-ins to them may fail, five minutes at most for most."
			}
			if err := c.confirm(ctx, what); err != nil {
				return err
			}
			if done, err = a.Admin.RevokeKey(ctx, audit.Caller{}, id, false); err != nil {
				return err
			}
			if c.values.has("json") {
				return printJSON(c.stdout, done)
			}
			fmt.Fprintf(c.stderr, "Revoked %s.\n", id)
			if done.Replacement.ID != "" {
				fmt.Fprintf(c.stderr, "%s signs with %s now. Next: restart applications that refuse to sign people in, so that they fetch the key set.\n",
					done.Replacement.ID, done.Replacement.Algorithm)
			}
			return nil
		})
	},
}
