package main

import (
	"context"
	"errors"
	"fmt"

	"latchkey/app"
	"latchkey/app/admin"
	"latchkey/domain/audit"
	"latchkey/domain/oauth"
)

var clientAddCommand = command{
	name:    "client add",
	args:    "CLIENT_ID",
	takes:   1,
	summary: "register an application",
	examples: []string{
		"latchkey client add wiki --name Wiki --redirect-uri https://wiki.example.org/callback",
		"latchkey client add spa --public --redirect-uri https://app.example.org/callback",
		"latchkey client add grafana --profile standard --redirect-uri https://grafana.example.org/login/generic_oauth",
	},
	flags: []flag{dbFlag, masterKeyFlag,
		{name: "redirect-uri", value: "URL", many: true, help: "where answers may go, exactly"},
		{name: "post-logout-redirect-uri", value: "URL", many: true, help: "where people may go after signing out"},
		{name: "name", value: "NAME", help: "name that people see"},
		{name: "profile", value: "NAME", help: "strict (default), standard, legacy2012 or coreone: what is asked of its requests"},
		{name: "scope", value: "SCOPES", help: "what it may ask for, separated by spaces (default: every standard scope)"},
		{name: "public", help: "it runs in browsers or on devices and keeps no secret"},
		{name: "client-secret-stdin", help: "read its secret from stdin instead of making one"},
		{name: "client-secret-file", value: "FILE", help: "read its secret from a file instead of making one"},
		jsonFlag,
	},
	about: `A secret that is made is printed on stdout once and cannot be shown again. Everything else a client can have
is set with latchkey client edit, or declared with latchkey apply.`,
	run: runClientAdd,
}

var clientArguments = map[string]string{"client_id": "CLIENT_ID", "client_name": "--name", "redirect_uris": "--redirect-uri",
	"post_logout_redirect_uris": "--post-logout-redirect-uri", "profile": "--profile", "scope": "--scope"}

func runClientAdd(ctx context.Context, c *call) error {
	cfg, err := c.database()
	secret, _, unread := c.secret("client-secret")
	client := admin.Client{
		ID: oauth.ClientID(c.args[0]), Secret: secret, Name: c.values.text("name"),
		RedirectURIs: c.values["redirect-uri"], PostLogoutRedirectURIs: c.values["post-logout-redirect-uri"],
		Profile: oauth.Profile(c.values.text("profile")),
	}
	if c.values.has("public") {
		client.AuthMethod = oauth.AuthNone
	}
	if c.values.has("scope") {
		scope := c.values.text("scope")
		client.Scope = &scope
	}
	if err := errors.Join(err, unread, typed(client.Check(), clientArguments)); err != nil {
		return err
	}
	a, err := app.New(ctx, cfg)
	if err != nil {
		return err
	}
	defer a.Close()
	made, err := a.Admin.AddClient(ctx, audit.Caller{}, client)
	if err != nil {
		return typed(err, clientArguments)
	}
	if c.values.has("json") {
		printed := map[string]string{"client_id": string(client.ID)}
		if made != "" {
			printed["client_secret"] = made.Reveal()
		}
		return printJSON(c.stdout, printed)
	}
	fmt.Fprintf(c.stdout, "client_id      %s\n", client.ID)
	if made != "" {
		fmt.Fprintf(c.stdout, "client_secret  %s\n", made.Reveal())
		fmt.Fprintln(c.stderr, "The secret is shown only now.")
	}
	fmt.Fprintln(c.stderr, "Client added. Next: give these values and the issuer to the application.")
	return nil
}
