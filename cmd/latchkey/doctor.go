package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"latchkey/app"
	"latchkey/app/doctor"
)

var doctorCommand = command{
	name:    "doctor",
	summary: "say what is wrong with this installation, why, and how to mend it",
	examples: []string{
		"latchkey doctor --issuer https://id.example.org",
		"latchkey doctor --json --strict    # for a monitor: exit code 7 on a warning",
		"latchkey doctor --deep             # every page of the file and every audit event",
	},
	flags: append(append([]flag{}, serveCommand.flags...),
		flag{name: "deep", help: "check every page, every reference and the whole audit trail: reads all of the file"},
		flag{name: "strict", help: "end with 7 when there are warnings"}, jsonFlag),
	about: `Tell it what serve is told, with flags or the environment. It changes nothing, and runs beside a server or without one.
Of the network it asks only the issuer's URL.

--json prints {"errors": N, "warnings": N, "findings": [...]}, the worst first. Each finding has an id, which keeps its meaning
from release to release, a severity (error, warning, note or ok) and found; but for ok also why and mend, and commands, a list,
where there are some. Every sentence may be worded anew.`,
	run: runDoctor,
}

// errFindings end a doctor that found something: what it is has been printed.
var (
	errUnhealthy = errors.New("doctor found errors")
	errWarned    = errors.New("doctor found warnings")
)

func runDoctor(ctx context.Context, c *call) error {
	cfg, err := c.config()
	if err != nil {
		return usageError{err}
	}
	findings, err := app.Doctor(ctx, cfg, c.values.has("deep"))
	if err != nil {
		return err
	}
	if c.values.has("json") {
		if err := printJSON(c.stdout, map[string]any{"findings": findings, "errors": doctor.Count(findings, doctor.Error),
			"warnings": doctor.Count(findings, doctor.Warning)}); err != nil {
			return err
		}
	} else {
		printFindings(c.stdout, findings)
	}
	switch {
	case doctor.Count(findings, doctor.Error) > 0:
		return errUnhealthy
	case doctor.Count(findings, doctor.Warning) > 0 && c.values.has("strict"):
		return errWarned
	}
	return nil
}

// printFindings prints one paragraph for what is to be done and one line for what is right.
func printFindings(w io.Writer, findings []doctor.Finding) {
	headings := map[doctor.Severity]string{doctor.Error: "Errors", doctor.Warning: "Warnings", doctor.Note: "Notes", doctor.OK: "In order"}
	var group doctor.Severity
	for _, f := range findings {
		if f.Severity != group {
			group = f.Severity
			fmt.Fprintf(w, "%s\n\n", headings[group])
		}
		if f.Severity == doctor.OK {
			fmt.Fprintf(w, "  %-18s %s\n", f.ID, f.Found)
			continue
		}
		fmt.Fprintf(w, "  %s\n    %s\n    Why: %s\n    Mend: %s\n", f.ID, f.Found, f.Why, f.Mend)
		for _, line := range f.Commands {
			fmt.Fprintf(w, "      %s\n", line)
		}
		fmt.Fprintln(w)
	}
	count := func(s doctor.Severity, one, many string) string {
		if n := doctor.Count(findings, s); n != 1 {
			return fmt.Sprintf("%d %s", n, many)
		}
		return "1 " + one
	}
	fmt.Fprintf(w, "\n%s, %s, %s, %d in order.\n", count(doctor.Error, "error", "errors"), count(doctor.Warning, "warning", "warnings"),
		count(doctor.Note, "note", "notes"), doctor.Count(findings, doctor.OK))
}
