package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"latchkey/app"
	"latchkey/app/admin"
)

// What the commands for daily administration share: they open the provider's file beside a running server, say what will
// happen before something is lost, and help with a mistyped name.

var yesFlag = flag{name: "yes", help: "do it without asking"}

// adminFlags are those of every such command, and more.
func adminFlags(more ...flag) []flag {
	return append([]flag{dbFlag, masterKeyFlag}, more...)
}

// manage opens the provider for one deed and closes it again.
func (c *call) manage(ctx context.Context, do func(*app.App) error) error {
	cfg, err := c.database()
	if err != nil {
		return err
	}
	a, err := app.New(ctx, cfg)
	if err != nil {
		return err
	}
	return suggest(errors.Join(do(a), a.Close()))
}

// lists say which command shows the names there are of something.
var lists = map[string]string{"user": "user list", "client": "client list", "signing key": "key list", "live session": "session list",
	"token family": "user show NAME"}

// suggest adds to an unknown name the one that a typing mistake may have meant, or where to look.
func suggest(err error) error {
	var unknown *admin.UnknownError
	if !errors.As(err, &unknown) {
		return err
	}
	if near := nearest(unknown.Name, unknown.Known); near != "" {
		return fmt.Errorf("%w: did you mean %s?", err, near)
	}
	return fmt.Errorf("%w: latchkey %s shows those there are", err, lists[unknown.Object])
}

// errUnconfirmed says that nobody agreed to something that cannot be undone.
var errUnconfirmed = errors.New("nothing was done")

// confirm says what will happen and asks, unless --yes agreed to it already.
func (c *call) confirm(ctx context.Context, what string) error {
	fmt.Fprintln(c.stderr, strings.TrimSuffix(what, "\n"))
	if c.values.has("yes") {
		return nil
	}
	terminal, ok := c.stdin.(*os.File)
	if !ok || !isTerminal(terminal) {
		return fmt.Errorf("%w, because there is no terminal to ask: add --yes to agree", errUnconfirmed)
	}
	fmt.Fprint(c.stderr, "Go on? Type yes: ")
	answer, err := readLine(ctx, bufio.NewReader(terminal))
	if err != nil && !errors.Is(err, io.EOF) { // whoever ends the input did not agree
		return err
	}
	if strings.TrimSpace(answer) != "yes" {
		return errUnconfirmed
	}
	return nil
}

// table aligns rows of cells that are separated by tabs.
func (c *call) table(rows func(row func(format string, args ...any))) {
	t := tabwriter.NewWriter(c.stdout, 0, 0, 2, ' ', 0)
	rows(func(format string, args ...any) { fmt.Fprintf(t, format+"\n", args...) })
	t.Flush()
}

// stamp is an instant as people and scripts read it; - is none.
func stamp(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format(time.RFC3339)
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// words joins the words that apply.
func words(given map[string]bool, order ...string) string {
	var all []string
	for _, w := range order {
		if given[w] {
			all = append(all, w)
		}
	}
	return orDash(strings.Join(all, ", "))
}

// changed prints what a command changed, and what may come next.
func (c *call) changed(change admin.Change, next string) error {
	if c.values.has("json") {
		return printJSON(c.stdout, change)
	}
	fmt.Fprint(c.stdout, change)
	if change.Action == admin.Unchanged {
		next = "Nothing to change."
	}
	fmt.Fprintln(c.stderr, next)
	return nil
}

// warnWithoutAdmin says so when nobody is left who may administer the provider.
func (c *call) warnWithoutAdmin(ctx context.Context, a *app.App) error {
	left, err := a.Admin.HasAdmin(ctx)
	if err == nil && !left {
		fmt.Fprintln(c.stderr, "Note: no administrator is left who can sign in. Next: latchkey recover-admin")
	}
	return err
}

// page returns the address of a page of the provider that takes a one-time link.
func (c *call) page(path string, link admin.Link) (string, error) {
	cfg, err := c.config()
	if err != nil {
		return "", err
	}
	return cfg.Issuer + path + "?token=" + link.Secret.Reveal(), nil
}

// needsIssuer says that a command cannot do without the issuer: it prints an address.
func (c *call) needsIssuer() error {
	if c.values.text("issuer") == "" {
		return usage("issuer: is missing: give --issuer or LATCHKEY_ISSUER, such as https://id.example.org: the link begins with it")
	}
	return nil
}
