package main

import (
	"context"
	"fmt"
	"strings"

	"latchkey/app"
	"latchkey/app/admin"
	"latchkey/domain/audit"
	"latchkey/domain/oauth"
)

var clientListCommand = command{
	name:     "client list",
	summary:  "list the applications",
	examples: []string{"latchkey client list", "latchkey client list --json"},
	flags:    adminFlags(jsonFlag),
	about:    "RELAXED counts the rules that are less strict than the strict profile's: latchkey client show names them.",
	run: func(ctx context.Context, c *call) error {
		return c.manage(ctx, func(a *app.App) error {
			clients, err := a.Admin.Clients(ctx)
			if err != nil || c.values.has("json") {
				return firstOf(err, func() error { return printJSON(c.stdout, clients) })
			}
			c.table(func(row func(string, ...any)) {
				row("CLIENT_ID\tNAME\tPROFILE\tSTATE\tRELAXED\tLAST USED")
				for _, x := range clients {
					row("%s\t%s\t%s\t%s\t%d\t%s", x.ID, orDash(x.Name), x.Profile,
						words(map[string]bool{"public": x.Public, "disabled": x.Disabled}, "public", "disabled"), len(x.Relaxed), stamp(x.LastUsed))
				}
			})
			if len(clients) == 0 {
				fmt.Fprintln(c.stderr, "There is no application yet. Next: latchkey client add CLIENT_ID --redirect-uri URL")
			}
			return nil
		})
	},
}

var clientShowCommand = command{
	name:     "client show",
	args:     "CLIENT_ID",
	takes:    1,
	summary:  "show the registration of an application",
	examples: []string{"latchkey client show wiki", "latchkey client show wiki --json"},
	flags:    adminFlags(jsonFlag),
	about:    "The secret is not shown: only its digest is stored. Rules that are less strict than they could be are marked.",
	run: func(ctx context.Context, c *call) error {
		return c.manage(ctx, func(a *app.App) error {
			x, err := a.Admin.Client(ctx, oauth.ClientID(c.args[0]))
			if err != nil || c.values.has("json") {
				return firstOf(err, func() error { return printJSON(c.stdout, x) })
			}
			c.table(func(row func(string, ...any)) {
				row("client_id\t%s", x.ID)
				for _, m := range x.Members {
					mark := ""
					if m.Relaxed {
						mark = "    relaxed"
					}
					row("%s\t%s%s", m.Name, m.Value, mark)
				}
				row("created\t%s", stamp(x.CreatedAt))
				row("updated\t%s", stamp(x.UpdatedAt))
				row("last used\t%s", stamp(x.LastUsed))
				row("people\t%d", x.Grants)
			})
			if len(x.Relaxed) > 0 {
				fmt.Fprintf(c.stderr, "%d rules are relaxed: %s. Next: take back what the application does not need, with latchkey client edit.\n",
					len(x.Relaxed), strings.Join(x.Relaxed, ", "))
			}
			return nil
		})
	},
}

var clientEditCommand = command{
	name:    "client edit",
	args:    "CLIENT_ID",
	takes:   1,
	summary: "change the registration of an application",
	examples: []string{
		"latchkey client edit wiki --add redirect_uris=https://wiki.example.org/callback",
		"latchkey client edit wiki --set client_name='The wiki' --remove scope=phone",
		"latchkey client edit grafana --set profile=standard --yes",
	},
	flags: adminFlags(
		flag{name: "set", value: "MEMBER=VALUE", many: true, help: "give a member this value, or nothing for its default; of a list the only one"},
		flag{name: "add", value: "MEMBER=VALUE", many: true, help: "add to a list or to scope"},
		flag{name: "remove", value: "MEMBER=VALUE", many: true, help: "take out of a list or of scope"},
		yesFlag, jsonFlag,
	),
	about: `latchkey client show lists the members, and latchkey help file explains them. What is not named stays; another profile
brings its rules along. All of it is changed or nothing is: --set comes first, then --remove, then --add. When something
ends by it, this says so and asks.`,
	run: runClientEdit,
}

func runClientEdit(ctx context.Context, c *call) error {
	var edits []admin.MemberEdit
	for _, how := range []admin.EditKind{admin.SetMember, admin.RemoveItem, admin.AddItem} {
		for _, text := range c.values[string(how)] {
			member, value, ok := strings.Cut(text, "=")
			if !ok {
				return usage("--%s: %q is not MEMBER=VALUE, such as redirect_uris=https://wiki.example.org/callback", how, text)
			}
			edits = append(edits, admin.MemberEdit{How: how, Member: member, Value: value})
		}
	}
	if len(edits) == 0 {
		return usage("nothing to change was named: latchkey client edit --help shows how")
	}
	id := oauth.ClientID(c.args[0])
	return c.manage(ctx, func(a *app.App) error {
		change, err := a.Admin.EditClient(ctx, audit.Caller{}, id, edits, true)
		if err == nil && len(change.Effects) > 0 {
			err = c.confirm(ctx, "This will happen:\n"+change.String())
		}
		if err != nil {
			return err
		}
		change, err = a.Admin.EditClient(ctx, audit.Caller{}, id, edits, false)
		return firstOf(err, func() error { return c.changed(change, "Changed. Next: try again in the application.") })
	})
}

var clientRotateSecretCommand = command{
	name:     "client rotate-secret",
	args:     "CLIENT_ID",
	takes:    1,
	summary:  "give an application a new secret; the old one is dead at once",
	examples: []string{"latchkey client rotate-secret wiki", "latchkey client rotate-secret wiki --yes --json"},
	flags:    adminFlags(yesFlag, jsonFlag),
	about: `The new secret is printed on stdout once and cannot be shown again. Until the application has it, nobody can sign in
to it; tokens it has already stay good. latchkey apply declares a secret of your own.`,
	run: func(ctx context.Context, c *call) error {
		id := oauth.ClientID(c.args[0])
		return c.manage(ctx, func(a *app.App) error {
			if _, err := a.Admin.Client(ctx, id); err != nil {
				return err
			}
			if err := c.confirm(ctx, fmt.Sprintf("The secret of %q is replaced. Until the application has the new one, nobody can sign in to it.", id)); err != nil {
				return err
			}
			secret, err := a.Admin.RotateSecret(ctx, audit.Caller{}, id)
			return firstOf(err, func() error { return c.printSecret(id, secret) })
		})
	},
}

// printSecret prints a client secret that was made.
func (c *call) printSecret(id oauth.ClientID, secret oauth.Secret) error {
	if c.values.has("json") {
		return printJSON(c.stdout, map[string]string{"client_id": string(id), "client_secret": secret.Reveal()})
	}
	fmt.Fprintf(c.stdout, "client_id      %s\nclient_secret  %s\n", id, secret.Reveal())
	fmt.Fprintln(c.stderr, "The secret is shown only now, and the one before is dead. Next: give it to the application.")
	return nil
}

var clientDisableCommand = command{
	name:     "client disable",
	args:     "CLIENT_ID",
	takes:    1,
	summary:  "shut an application out at once",
	examples: []string{"latchkey client disable wiki", "latchkey client disable wiki --yes"},
	flags:    adminFlags(yesFlag, jsonFlag),
	about:    "Its tokens and what people allowed it are revoked, in a running server within a second.",
	run: func(ctx context.Context, c *call) error {
		return c.destroy(ctx, func(a *app.App, planOnly bool) (admin.Change, error) {
			return a.Admin.DisableClient(ctx, audit.Caller{}, oauth.ClientID(c.args[0]), planOnly)
		}, "Disabled. Next, to undo it: latchkey client enable "+c.args[0])
	},
}

var clientEnableCommand = command{
	name:     "client enable",
	args:     "CLIENT_ID",
	takes:    1,
	summary:  "let a disabled application in again",
	examples: []string{"latchkey client enable wiki"},
	flags:    adminFlags(jsonFlag),
	run: func(ctx context.Context, c *call) error {
		return c.manage(ctx, func(a *app.App) error {
			change, err := a.Admin.EnableClient(ctx, audit.Caller{}, oauth.ClientID(c.args[0]))
			return firstOf(err, func() error { return c.changed(change, "Enabled: people sign in to it anew.") })
		})
	},
}

var clientDeleteCommand = command{
	name:     "client delete",
	args:     "CLIENT_ID",
	takes:    1,
	summary:  "delete an application with everything issued to it",
	examples: []string{"latchkey client delete wiki", "latchkey client delete wiki --yes"},
	flags:    adminFlags(yesFlag, jsonFlag),
	about:    "This cannot be undone. The audit log keeps what happened.",
	run: func(ctx context.Context, c *call) error {
		return c.destroy(ctx, func(a *app.App, planOnly bool) (admin.Change, error) {
			return a.Admin.DeleteClient(ctx, audit.Caller{}, oauth.ClientID(c.args[0]), planOnly)
		}, "Deleted.")
	},
}
