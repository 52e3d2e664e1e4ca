package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"latchkey/app"
	"latchkey/ports"
)

var explainCommand = command{
	name:    "explain",
	args:    "ERROR_REF",
	takes:   anyArguments,
	summary: "say why a request was refused, and what to change",
	examples: []string{
		"latchkey explain err_7w3kq2xnd5gzhc4a",
		"latchkey explain --client grafana          # its last refusals",
		"latchkey explain err_7w3kq2xnd5gzhc4a --lang id --json",
	},
	flags: []flag{dbFlag, masterKeyFlag,
		{name: "client", value: "CLIENT_ID", help: "list the last refusals of a client instead"},
		{name: "limit", value: "NUMBER", help: "how many of them, 1 to 1000 (default 20)"},
		{name: "lang", value: "en|id", help: "language of the explanation (default en)"},
		jsonFlag,
	},
	about: `ERROR_REF is the error_ref (err_…) or request_id (req_…) that an error page, an error answer or the X-Request-Id header
showed. The explanation says what was received and expected, which rule was broken, the likely mistake and how to mend it.
No secret is in it. Of an application that only reports an error code, --client lists the last refusals.`,
	run: runExplain,
}

func runExplain(ctx context.Context, c *call) error {
	client, language := c.values.text("client"), c.values.text("lang")
	limit, err := 20, error(nil)
	if text := c.values.text("limit"); text != "" {
		limit, err = strconv.Atoi(text)
	}
	switch {
	case err != nil || limit < 1 || limit > 1000:
		return usage("--limit: %q is not a number from 1 to 1000", c.values.text("limit"))
	case language != "" && language != "en" && language != "id":
		return usage("--lang: %q is not a language of the explanations: use en or id", language)
	case len(c.args) > 1:
		return usage("explain takes one reference: %q is one too many", c.args[1])
	case c.values.has("client") && len(c.args) == 1:
		return usage("explain takes a reference or --client, not both: latchkey explain ERROR_REF")
	case client == "" && len(c.args) == 0:
		return usage("explain needs a reference or --client: latchkey explain ERROR_REF, with the error_ref that was shown")
	case c.values.has("limit") && !c.values.has("client"):
		return usage("--limit goes with --client")
	}
	cfg, err := c.database()
	if err != nil {
		return err
	}
	a, err := app.New(ctx, cfg)
	if err != nil {
		return err
	}
	defer a.Close()
	if client != "" {
		return c.listRefusals(ctx, a, client, limit, language)
	}
	x, err := a.Explain.Explain(ctx, c.args[0], language)
	switch {
	case err != nil:
		return err
	case c.values.has("json"):
		return printJSON(c.stdout, x)
	}
	printExplanation(c, x)
	return nil
}

func (c *call) listRefusals(ctx context.Context, a *app.App, client string, limit int, language string) error {
	refusals, err := a.Explain.Refusals(ctx, client, limit, language)
	switch {
	case err != nil:
		return err
	case c.values.has("json"):
		return printJSON(c.stdout, refusals)
	case len(refusals) == 0:
		fmt.Fprintf(c.stderr, "No request of %s was refused.\n", client)
		return nil
	}
	table := tabwriter.NewWriter(c.stdout, 0, 0, 2, ' ', 0)
	for _, r := range refusals {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", r.When.Format(time.RFC3339), r.Ref, r.Code, r.Summary)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(c.stderr, "Next: latchkey explain %s\n", refusals[0].Ref)
	return nil
}

// headings are the words before the parts of an explanation.
var headings = map[string][]string{
	"":   {"When", "Client", "Caller", "Told", "Received", "Expected", "Nearest", "Difference", "Rule", "Section", "Likely", "Fix", "Setting", "Command", "Now"},
	"id": {"Waktu", "Klien", "Pemanggil", "Dijawab", "Diterima", "Diharapkan", "Terdekat", "Perbedaan", "Aturan", "Pasal", "Mungkin", "Perbaikan", "Pengaturan", "Perintah", "Kini"},
}

func printExplanation(c *call, x ports.Explanation) {
	client := x.Client
	if x.ClientName != "" && x.ClientName != client {
		client += " (" + x.ClientName + ")"
	}
	words := headings[""]
	if c.values.text("lang") == "id" {
		words = headings["id"]
	}
	fmt.Fprintf(c.stdout, "%s\n%s\n\n", x.Ref, x.Summary)
	for i, values := range [][]string{{x.When.Format(time.RFC3339)}, {client}, {strings.TrimSpace(x.IP + " " + x.UserAgent)}, {x.Code + ": " + x.Description},
		{x.Received}, x.Expected, {x.Nearest}, x.Differences, {x.Rule}, {x.Section}, {x.Mistake}, {x.Fix}, {x.Setting}, {x.Command}, {x.Settled}} {
		for j, value := range values {
			name := words[i]
			if j > 0 {
				name = ""
			}
			if value != "" {
				fmt.Fprintf(c.stdout, "%-11s %s\n", name, wrapped(value, 12, 100))
			}
		}
	}
}

// wrapped breaks a text into lines of at most width characters at its spaces, the later ones indented.
func wrapped(text string, indent, width int) string {
	var lines []string
	line := ""
	for _, word := range strings.Split(text, " ") {
		if line != "" && indent+len(line)+1+len(word) > width {
			lines, line = append(lines, line), ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	return strings.Join(append(lines, line), "\n"+strings.Repeat(" ", indent))
}
