package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"latchkey/app"
	"latchkey/app/admin"
	"latchkey/domain/audit"
)

var applyCommand = command{
	name:    "apply",
	args:    "FILE",
	takes:   1,
	summary: "bring users, groups, clients and settings in line with a file",
	examples: []string{
		"latchkey apply latchkey.json --plan     # show what would change",
		"latchkey apply latchkey.json",
		"generate-it | latchkey apply -",
	},
	flags: []flag{dbFlag, masterKeyFlag, issuerFlag, {name: "plan", help: "print the difference and change nothing"}, jsonFlag},
	about: `FILE is JSON, - is stdin. Everything in it is applied or nothing is; applying it again changes nothing. A server
may be running. The file in its smallest form:

  {"users":   [{"username": "sari", "password": "…", "email": "sari@example.org"}],
   "clients": [{"client_id": "wiki", "redirect_uris": ["https://wiki.example.org/callback"]}]}

What it leaves out of a user or client gets its default, except passwords and client secrets, which are kept.
latchkey help file describes every member. Text that is not JSON ends with 2, a document that breaks a rule with 5; nothing
is changed then. Differences are printed as + (new), ~ (changed) and = (unchanged);
a client secret that was made is printed once.`,
	run: runApply,
}

func runApply(ctx context.Context, c *call) error {
	cfg, err := c.database()
	if err != nil {
		return err
	}
	b, err := readDocument(c.args[0], c.stdin)
	if err != nil {
		return err
	}
	// Apply refuses a document with mistakes, and adds to its list what only the database can tell.
	document, wrong := admin.ParseDocument(b)
	if errors.Is(wrong, admin.ErrNotDocument) {
		return usage("%s: %w", map[bool]string{true: "stdin", false: c.args[0]}[c.args[0] == "-"], wrong)
	}
	a, err := app.New(ctx, cfg)
	if err != nil {
		return errors.Join(wrong, err)
	}
	defer a.Close()
	plan, err := a.Admin.Apply(ctx, audit.Caller{}, document, c.values.has("plan"))
	if err != nil {
		return err
	}
	if c.values.has("json") {
		return printJSON(c.stdout, plan)
	}
	fmt.Fprint(c.stdout, plan)
	for _, made := range plan.Made {
		fmt.Fprintf(c.stdout, "client_secret of %q, shown only now: %s\n", made.Client, made.Secret.Reveal())
	}
	switch {
	case !plan.Changed():
		fmt.Fprintln(c.stderr, "Nothing to change.")
	case plan.Applied:
		fmt.Fprintf(c.stderr, "Applied: %s.\n", plan.Summary())
	default:
		fmt.Fprintf(c.stderr, "Plan only: %s. Next: latchkey apply %s\n", plan.Summary(), c.args[0])
	}
	return nil
}

func readDocument(path string, stdin io.Reader) ([]byte, error) {
	in := stdin
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in = f
	}
	return io.ReadAll(io.LimitReader(in, admin.MaxDocument+1)) // ParseDocument refuses one byte too many
}
