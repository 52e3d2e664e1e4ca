package main

import (
	"context"
	"errors"
	"fmt"

	"latchkey/app"
	"latchkey/app/admin"
	"latchkey/domain/audit"
	"latchkey/domain/identity"
)

var userAddCommand = command{
	name:    "user add",
	args:    "USERNAME",
	takes:   1,
	summary: "add a user",
	examples: []string{
		"latchkey user add sari --email sari@example.org --name 'Sari Dewi'",
		"latchkey user add tio --admin --group staff",
		"pass show latchkey/tio | latchkey user add tio --password-stdin",
	},
	flags: []flag{dbFlag, masterKeyFlag, issuerFlag,
		{name: "email", value: "ADDRESS", help: "e-mail address"},
		{name: "email-verified", help: "the address was checked"},
		{name: "name", value: "NAME", help: "full name"},
		{name: "group", value: "GROUP", many: true, help: "group the user is in"},
		{name: "admin", help: "may administer this provider"},
		{name: "password-stdin", help: "read the password from stdin"},
		{name: "password-file", value: "FILE", help: "read the password from a file"},
		jsonFlag,
	},
	about: "Without --password-stdin or --password-file the password is asked for. It has at least 15 characters.",
	run:   runUserAdd,
}

var userArguments = map[string]string{"username": "USERNAME", "email": "--email", "email_verified": "--email-verified",
	"claims.name": "--name", "groups": "--group"}

func runUserAdd(ctx context.Context, c *call) error {
	cfg, err := c.database()
	password, given, unread := c.secret("password")
	user := admin.User{
		Username: c.args[0], Password: password,
		Email: c.values.text("email"), EmailVerified: c.values.has("email-verified"),
		Claims: identity.Claims{Name: c.values.text("name")}, Groups: c.values["group"], Admin: c.values.has("admin"),
	}
	if err := errors.Join(err, unread, typed(user.Check(cfg.Issuer), userArguments)); err != nil {
		return err
	}
	if !given {
		if user.Password, err = c.promptPassword(ctx); err != nil {
			return err
		}
	}
	a, err := app.New(ctx, cfg)
	if err != nil {
		return err
	}
	defer a.Close()
	if err := a.Admin.AddUser(ctx, audit.Caller{}, user); err != nil {
		return typed(err, userArguments)
	}
	if c.values.has("json") {
		return printJSON(c.stdout, map[string]any{"username": user.Username, "admin": user.Admin})
	}
	what := "User"
	if user.Admin {
		what = "Administrator"
	}
	fmt.Fprintf(c.stderr, "%s %s added. Next: latchkey client add CLIENT_ID --redirect-uri URL\n", what, user.Username)
	return nil
}
