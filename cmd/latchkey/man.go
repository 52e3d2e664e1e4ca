package main

import (
	"context"
	"fmt"
	"io"
	"strings"
)

// manCommand is a function because it prints the table that holds it.
func manCommand() command {
	return command{
		name:     "man",
		summary:  "print the manual page",
		examples: []string{"latchkey man > /usr/local/share/man/man1/latchkey.1"},
		run: func(_ context.Context, c *call) error {
			printMan(c.stdout, commands())
			return nil
		},
	}
}

// printMan writes the manual page in the man(7) macros, which every roff knows.
func printMan(w io.Writer, all []command) {
	fmt.Fprintf(w, ".TH LATCHKEY 1 \"\" %s \"User Commands\"\n", quoteRoff(moduleVersion()))
	fmt.Fprint(w, ".SH NAME\nlatchkey \\- an OpenID Connect Provider in one program and one file\n")
	fmt.Fprint(w, ".SH SYNOPSIS\n.B latchkey\n.I COMMAND\n[ARGUMENT] [FLAGS]\n")
	fmt.Fprint(w, ".SH DESCRIPTION\nLatchkey signs people in to the applications of an organisation. Data goes to standard output and talk to\n"+
		"standard error. No secret is taken from the arguments.\n.SH COMMANDS\n")
	for _, cmd := range all {
		fmt.Fprintf(w, ".SS \"%s\"\n%s.\n", roff(synopsis(cmd)), roff(cmd.summary))
		for _, f := range cmd.flags {
			fmt.Fprintf(w, ".TP\n.B %s\n%s\n", roff(strings.TrimSpace("--"+f.name+" "+f.value)), roff(flagHelp(f)))
		}
		if cmd.about != "" {
			fmt.Fprintf(w, ".PP\n%s\n", roff(strings.ReplaceAll(cmd.about, "\n", " ")))
		}
		fmt.Fprint(w, ".PP\nExamples:\n.PP\n.nf\n.RS\n")
		for _, e := range cmd.examples {
			fmt.Fprintln(w, roff(e))
		}
		fmt.Fprint(w, ".RE\n.fi\n")
	}
	fmt.Fprint(w, ".SH \"EXIT STATUS\"\n.nf\n")
	for line := range strings.Lines(strings.TrimPrefix(exitCodes, "Exit codes:\n")) {
		fmt.Fprintln(w, roff(strings.TrimRight(line, "\n")))
	}
	fmt.Fprint(w, ".fi\n.SH ENVIRONMENT\nFlags shown with a name in brackets have that twin in the environment; the flag wins.\n")
	fmt.Fprint(w, ".SH \"SEE ALSO\"\n.BR systemd.exec (5),\n.BR systemd-creds (1).\n\"latchkey help systemd\" prints a service unit.\n")
}

// roff escapes a line of text: a dash in an option must stay one that can be copied, and a dot or quote that begins a line
// is a command.
func roff(s string) string {
	var out strings.Builder
	for _, r := range s {
		switch {
		case r == '\\':
			out.WriteString(`\e`)
		case r == '-':
			out.WriteString(`\-`)
		case r > '~':
			fmt.Fprintf(&out, `\[u%04X]`, r) // roff reads ASCII
		default:
			out.WriteRune(r)
		}
	}
	if strings.HasPrefix(s, ".") || strings.HasPrefix(s, "'") {
		return `\&` + out.String()
	}
	return out.String()
}

func quoteRoff(s string) string { return `"` + strings.ReplaceAll(roff(s), `"`, `\(dq`) + `"` }
