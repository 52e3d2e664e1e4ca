package main

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"latchkey/app"
	"latchkey/app/admin"
	"latchkey/domain/audit"
)

// eventRecord is an audit event as it is exported.
type eventRecord struct {
	Seq       int64             `json:"seq"`
	At        time.Time         `json:"at"`
	Kind      audit.Kind        `json:"kind"`
	RequestID string            `json:"request_id,omitempty"`
	IP        string            `json:"ip,omitempty"`
	UserAgent string            `json:"user_agent,omitempty"`
	Client    string            `json:"client_id,omitempty"`
	User      string            `json:"sub,omitempty"`
	Session   string            `json:"sid,omitempty"`
	Grant     string            `json:"grant,omitempty"`
	Family    string            `json:"family,omitempty"`
	Facts     map[string]string `json:"facts,omitempty"`
	MAC       string            `json:"mac"`
}

func recordOf(e audit.Event) eventRecord {
	return eventRecord{e.Seq, e.At, e.Kind, e.Caller.RequestID, e.Caller.IP, e.Caller.UserAgent, e.Client, e.User, e.Session, e.Grant,
		e.Family, e.Facts, fmt.Sprintf("%x", e.MAC)}
}

// factsText is what an event says, in a fixed order, each value quoted if it has to be.
func factsText(facts map[string]string) string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(facts)) {
		value := facts[name]
		if value == "" || strings.ContainsAny(value, " \"\t\n=") || strings.ContainsFunc(value, unprintable) {
			value = strconv.Quote(value)
		}
		all = append(all, name+"="+value)
	}
	return strings.Join(all, " ")
}

// queryFlags select events.
var queryFlags = []flag{
	{name: "kind", value: "KIND", many: true, help: "what happened, such as auth.login.fail"},
	{name: "user", value: "USERNAME", help: "about this user, or a sub"},
	{name: "client", value: "CLIENT_ID", help: "about this application"},
	{name: "request", value: "REQUEST_ID", help: "of this request, or the error_ref that it was shown"},
	{name: "since", value: "TIME", help: "from then on: 2026-01-31, 2026-01-31T08:00:00Z, or how long ago, such as 90m, 24h or 7d"},
	{name: "until", value: "TIME", help: "before then"},
	{name: "refused", help: "only what was refused"},
}

// query reads the flags; the user is looked up by the provider.
func (c *call) query(ctx context.Context, a *app.App) (audit.Query, error) {
	q := audit.Query{Client: c.values.text("client"), RequestID: requestID(c.values.text("request")), Refused: c.values.has("refused")}
	var problems []error
	for _, k := range c.values["kind"] {
		if q.Kinds = append(q.Kinds, audit.Kind(k)); !slices.Contains(audit.Kinds, audit.Kind(k)) {
			problems = append(problems, unknownKind(k))
		}
	}
	for name, at := range map[string]*time.Time{"since": &q.Since, "until": &q.Until} {
		if text := c.values.text(name); text != "" {
			t, err := parseTime(text, a.Admin.Now())
			if *at = t; err != nil {
				problems = append(problems, usage("--%s: %w", name, err))
			}
		}
	}
	for name, to := range map[string]*int{"limit": &q.Limit, "n": &q.Limit} {
		if text := c.values.text(name); text != "" {
			n, err := strconv.Atoi(text)
			if *to = n; err != nil || n < 1 {
				problems = append(problems, usage("--%s: %q is not a number of events from 1", name, text))
			}
		}
	}
	if name := c.values.text("user"); name != "" && len(problems) == 0 {
		sub, err := a.Admin.Subject(ctx, name)
		if q.User = sub; err != nil {
			problems = append(problems, err)
		}
	}
	return q, errors.Join(problems...)
}

// requestID takes the reference of an error for the request that it was shown to: the two differ in how they begin.
func requestID(typed string) string {
	if id, ok := strings.CutPrefix(typed, "err_"); ok {
		return "req_" + id
	}
	return typed
}

// unknownKind refuses what no event can be, which would select none and look as if nothing had happened.
func unknownKind(typed string) error {
	var names, alike []string
	for _, k := range audit.Kinds {
		names = append(names, string(k))
	}
	if near := nearest(typed, names); near != "" {
		return usage("--kind: there is no kind %q: did you mean %s?", typed, near)
	}
	topic, _, _ := strings.Cut(typed, ".")
	for _, name := range names {
		if topic != "" && (strings.HasPrefix(name, topic+".") || strings.Contains(name, typed)) {
			alike = append(alike, name)
		}
	}
	if len(alike) == 0 {
		alike = names
	}
	return usage("--kind: there is no kind %q: write one of %s", typed, strings.Join(alike, ", "))
}

// parseTime reads an instant or how long ago it was.
func parseTime(text string, now time.Time) (time.Time, error) {
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC(), nil
		}
	}
	if days, ok := strings.CutSuffix(text, "d"); ok {
		if n, err := strconv.Atoi(days); err == nil && n > 0 && n < 100_000 {
			return now.AddDate(0, 0, -n), nil
		}
	}
	if d, err := time.ParseDuration(text); err == nil && d > 0 {
		return now.Add(-d), nil
	}
	return time.Time{}, fmt.Errorf("%q is no time: write 2026-01-31, 2026-01-31T08:00:00Z, or how long ago, such as 90m, 24h or 7d", text)
}

var auditTailCommand = command{
	name:     "audit tail",
	summary:  "show the newest events, and follow them",
	examples: []string{"latchkey audit tail", "latchkey audit tail -n 50 --follow", "latchkey audit tail --follow --refused --json"},
	flags: adminFlags(append([]flag{
		{name: "n", value: "N", help: "how many (default 20)"},
		{name: "follow", help: "go on with new events until Ctrl-C"}, jsonFlag}, queryFlags...)...),
	run: runAuditTail,
}

// followEvery is how often --follow looks.
const followEvery = 500 * time.Millisecond

func runAuditTail(ctx context.Context, c *call) error {
	return c.manage(ctx, func(a *app.App) error {
		q, err := c.query(ctx, a)
		if err != nil {
			return err
		}
		q.Newest = true
		if q.Limit == 0 {
			q.Limit = 20
		}
		var newest []audit.Event
		if err := a.Admin.Events(ctx, q, func(e audit.Event) error { newest = append(newest, e); return nil }); err != nil {
			return err
		}
		show := c.eventPrinter(ctx, a)
		q.Newest, q.Limit = false, 0
		each := func(e audit.Event) error {
			q.After = e.Seq
			return show(e)
		}
		for _, e := range slices.Backward(newest) {
			if err := each(e); err != nil {
				return err
			}
		}
		for c.values.has("follow") {
			select {
			case <-ctx.Done():
				return nil // this is how it ends
			case <-time.After(followEvery):
			}
			if err := a.Admin.Events(ctx, q, each); err != nil && ctx.Err() == nil {
				return err
			}
		}
		return nil
	})
}

// eventPrinter prints events one in a line, in text with names instead of subs, or in JSON.
func (c *call) eventPrinter(ctx context.Context, a *app.App) func(audit.Event) error {
	if c.values.has("json") {
		return func(e audit.Event) error { return printJSONLine(c.stdout, recordOf(e)) }
	}
	names := map[string]string{}
	return func(e audit.Event) error {
		name, known := names[e.User]
		if !known && e.User != "" {
			var err error
			if name, err = a.Admin.Username(ctx, e.User); err != nil {
				return err
			}
			names[e.User] = name
		}
		line := fmt.Sprintf("%s %d %s", e.At.UTC().Format("2006-01-02T15:04:05.000Z"), e.Seq, e.Kind)
		for _, x := range [][2]string{{"user", name}, {"client", e.Client}, {"ip", e.Caller.IP}, {"request", e.Caller.RequestID}, {"family", e.Family}} {
			if x[1] != "" {
				line += " " + factsText(map[string]string{x[0]: x[1]})
			}
		}
		if len(e.Facts) > 0 {
			line += " " + factsText(e.Facts)
		}
		_, err := fmt.Fprintln(c.stdout, line)
		return err
	}
}

var auditQueryCommand = command{
	name:    "audit query",
	summary: "search the audit log",
	examples: []string{
		"latchkey audit query --user sari --since 24h",
		"latchkey audit query --client wiki --refused --limit 10",
		"latchkey audit query --kind auth.login.fail --kind auth.lock --since 7d --json",
	},
	flags: adminFlags(append(slices.Clone(queryFlags), flag{name: "limit", value: "N", help: "the newest N at most (default 100)"}, jsonFlag)...),
	about: "Events are printed oldest first. latchkey explain tells what a refusal means.",
	run: func(ctx context.Context, c *call) error {
		return c.manage(ctx, func(a *app.App) error {
			q, err := c.query(ctx, a)
			if err != nil {
				return err
			}
			if q.Newest = true; q.Limit == 0 {
				q.Limit = 100
			}
			var found []audit.Event
			if err := a.Admin.Events(ctx, q, func(e audit.Event) error { found = append(found, e); return nil }); err != nil {
				return err
			}
			show := c.eventPrinter(ctx, a)
			for _, e := range slices.Backward(found) {
				if err := show(e); err != nil {
					return err
				}
			}
			switch {
			case len(found) == 0:
				fmt.Fprintln(c.stderr, "No event matches. Next: drop a flag, or look with latchkey audit tail")
			case len(found) == q.Limit:
				fmt.Fprintf(c.stderr, "These are the newest %d; there may be more. Next: --limit, or latchkey audit export\n", q.Limit)
			}
			return nil
		})
	},
}

var auditExportCommand = command{
	name:    "audit export",
	summary: "write the audit log to stdout as JSON lines or CSV",
	examples: []string{
		"latchkey audit export --since 2026-01-01 > audit.jsonl",
		"latchkey audit export --since 7d --csv > audit.csv",
	},
	flags: adminFlags(append(slices.Clone(queryFlags), flag{name: "csv", help: "write CSV instead of JSON lines"})...),
	about: `Oldest first, all that match. Characters that command a terminal are escaped. In CSV a value that a spreadsheet would
take for a formula has an apostrophe before it.`,
	run: func(ctx context.Context, c *call) error {
		return c.manage(ctx, func(a *app.App) error {
			q, err := c.query(ctx, a)
			if err != nil {
				return err
			}
			if !c.values.has("csv") {
				return a.Admin.Events(ctx, q, func(e audit.Event) error { return printJSONLine(c.stdout, recordOf(e)) })
			}
			w := csv.NewWriter(c.stdout)
			w.Write(csvHeader)
			err = a.Admin.Events(ctx, q, func(e audit.Event) error { return w.Write(csvRow(e)) })
			w.Flush()
			return errors.Join(err, w.Error())
		})
	},
}

var csvHeader = []string{"seq", "at", "kind", "request_id", "ip", "user_agent", "client_id", "sub", "sid", "grant", "family", "facts", "mac"}

func csvRow(e audit.Event) []string {
	r := recordOf(e)
	facts, _ := json.Marshal(r.Facts) // strings only
	row := []string{strconv.FormatInt(r.Seq, 10), r.At.UTC().Format(time.RFC3339Nano), string(r.Kind), r.RequestID, r.IP, r.UserAgent, r.Client, r.User,
		r.Session, r.Grant, r.Family, string(facts), r.MAC}
	for i, cell := range row {
		if cell = escaped(cell); cell != "" && strings.ContainsRune("=+-@", rune(cell[0])) {
			cell = "'" + cell
		}
		row[i] = cell
	}
	return row
}

var auditVerifyCommand = command{
	name:    "audit verify",
	summary: "prove that no event was changed, taken out or put in",
	examples: []string{
		"latchkey audit verify",
		"journalctl -u latchkey | latchkey audit verify --anchors -",
		"latchkey audit verify --anchors /var/log/latchkey.log",
	},
	flags: adminFlags(flag{name: "anchors", value: "FILE", help: "any text with anchors in it, such as the log of the server; - is stdin"}, jsonFlag),
	about: `Each event carries a keyed hash of itself and of all before it, so verify names the first that is not what was
recorded. Events cut off at the end, and an older copy of the database put back, are seen against anchors: the server
logs one at start, every 15 minutes, after 10,000 events and at its end. Keep the log where whoever can change the
database cannot. The head is printed as an anchor at the end.`,
	run: runAuditVerify,
}

func runAuditVerify(ctx context.Context, c *call) error {
	var anchors []audit.Anchor
	if path := c.values.text("anchors"); path != "" {
		var err error
		if anchors, err = c.readAnchors(path); err != nil {
			return err
		}
	}
	cfg, err := c.database()
	if err != nil {
		return err
	}
	a, changed, err := app.Evidence(ctx, cfg)
	if err != nil {
		return err
	}
	verify := func() error {
		told := int64(0)
		head, err := a.Admin.VerifyTrail(ctx, anchors, func(done, all int64) {
			if tenth := done * 10 / max(all, 1); tenth > told && tenth < 10 {
				told = tenth
				fmt.Fprintf(c.stderr, "%d %% of %d events verified\n", tenth*10, all)
			}
		})
		if err != nil {
			return err
		}
		if changed != nil {
			fmt.Fprintf(c.stderr, "%s verified, %s found again: what was changed is elsewhere, or after the last anchor.\n", counted(head.Seq, "event"), counted(len(anchors), "anchor"))
			return nil
		}
		if c.values.has("json") {
			return printJSON(c.stdout, map[string]any{"events": head.Seq, "anchors": len(anchors), "head": admin.AnchorLine(head)})
		}
		fmt.Fprintf(c.stderr, "%s verified, %s found again. The head:\n", counted(head.Seq, "event"), counted(len(anchors), "anchor"))
		fmt.Fprintln(c.stdout, admin.AnchorLine(head))
		if len(anchors) == 0 {
			fmt.Fprintln(c.stderr, "Without anchors nobody sees that the newest events were cut off. Next: latchkey audit verify --anchors LOG")
		}
		return nil
	}
	return errors.Join(verify(), changed, a.Close())
}

// readAnchors reads anchors from a file. Text without any is a mistake: it would prove nothing.
func (c *call) readAnchors(path string) ([]audit.Anchor, error) {
	var in io.Reader = c.stdin
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in = f
	}
	anchors, err := admin.ReadAnchors(in)
	if err == nil && len(anchors) == 0 {
		err = usage("there is no anchor in %s: a server logs them as %q", path, "audit anchor seq=… mac=…")
	}
	return anchors, err
}
