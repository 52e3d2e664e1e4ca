package main

import (
	"context"
	_ "embed"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"latchkey/app/admin"
)

// systemdUnit is the service unit for people who install Latchkey.
//
//go:embed latchkey.service
var systemdUnit string

// helpCommand is a function because help prints the table that holds it.
func helpCommand() command {
	return command{
		name:    "help",
		args:    "[COMMAND]",
		takes:   anyArguments,
		summary: "explain a command",
		examples: []string{"latchkey help", "latchkey help user add", "latchkey help file    # every member of the file for apply",
			"latchkey help systemd > /etc/systemd/system/latchkey.service"},
		run: func(_ context.Context, c *call) error {
			if len(c.args) == 0 {
				printOverview(c.stdout)
				return nil
			}
			switch c.args[0] {
			case "file":
				fmt.Fprint(c.stdout, admin.Guide)
				return nil
			case "systemd":
				fmt.Fprint(c.stdout, systemdUnit)
				return nil
			}
			if group := subcommands(c.args[0]); len(group) > 0 && len(c.args) == 1 {
				printGroup(c.stdout, group)
				return nil
			}
			cmd, _, err := find(c.args)
			if err != nil {
				return err
			}
			printHelp(c.stdout, cmd)
			return nil
		},
	}
}

func printOverview(w io.Writer) {
	fmt.Fprint(w, `Latchkey signs people in to the applications of an organisation: an OpenID Connect
Provider in one program and one file.

Start here:
  latchkey quickstart        try it on this machine, at http://localhost:8080
  latchkey init              make the database and its key for a server

Commands:
`)
	t := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	for _, c := range commands() {
		fmt.Fprintf(t, "  %s\t%s\n", strings.TrimSpace(c.name+" "+c.args), c.summary)
	}
	t.Flush()
	fmt.Fprint(w, "\nlatchkey COMMAND --help explains a command, with examples.\n\n", exitCodes)
}

// printGroup explains the commands that begin with the same word, or lists them when that is more than a page.
func printGroup(w io.Writer, group []command) {
	if len(group) <= 2 {
		for _, c := range group {
			printHelp(w, c)
		}
		return
	}
	t := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	for _, c := range group {
		fmt.Fprintf(t, "latchkey %s\t%s\n", strings.TrimSpace(c.name+" "+c.args), c.summary)
	}
	t.Flush()
	first, _, _ := strings.Cut(group[0].name, " ")
	fmt.Fprintf(w, "\nlatchkey %s COMMAND --help explains a command, with examples.\n", first)
}

func printHelp(w io.Writer, c command) {
	fmt.Fprintf(w, "latchkey %s: %s\n\nExamples:\n", c.name, c.summary)
	for _, e := range c.examples {
		fmt.Fprintf(w, "  %s\n", e)
	}
	fmt.Fprintf(w, "\nUsage:\n  %s\n", synopsis(c))
	if len(c.flags) > 0 {
		fmt.Fprint(w, "\nFlags:\n")
		t := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
		for _, f := range c.flags {
			fmt.Fprintf(t, "  %s\t%s\n", strings.TrimSpace("--"+f.name+" "+f.value), flagHelp(f))
		}
		t.Flush()
	}
	if c.about != "" {
		fmt.Fprintf(w, "\n%s\n", c.about)
	}
	fmt.Fprint(w, "\n", exitCodes)
}

func flagHelp(f flag) string {
	help := f.help
	if f.many {
		help += "; may be repeated"
	}
	if f.env {
		help += " [" + f.twin() + "]"
	}
	return help
}

// synopsis is a command as it is typed.
func synopsis(c command) string {
	words := []string{"latchkey", c.name}
	if c.args != "" {
		words = append(words, c.args)
	}
	if len(c.flags) > 0 {
		words = append(words, "[flags]")
	}
	return strings.Join(words, " ")
}
