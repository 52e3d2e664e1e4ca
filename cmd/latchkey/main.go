// Command latchkey is the provider and its command line.
//
// This package owns arguments, prompts, exit codes and what is printed. What a command does is package app.
//
//	main.go      the table of commands, from which help is made too
//	flags.go     arguments and their LATCHKEY_ twins
//	exit.go      exit codes and how errors are shown
//	terminal.go  what may reach a terminal, and prompts
//	the rest     one file for each command
//
// Data goes to stdout and talk to stderr. No secret is taken from the arguments, where every user of the machine can
// read it, and none is printed but one that was made and is shown once.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
)

func main() {
	leaveNoCore()
	if os.Getenv("GOGC") == "" {
		limitGarbage()
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal does not wait for what is in flight
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr, environment(os.Environ())))
}

// command is one row of the table.
type command struct {
	name     string // one or two words
	args     string // positional arguments, as help shows them
	takes    int    // how many positional arguments, or anyArguments
	summary  string
	examples []string
	about    string // paragraphs after the flags; may be empty
	flags    []flag
	run      func(context.Context, *call) error
}

const anyArguments = -1

// call is one use of a command.
type call struct {
	stdin  io.Reader
	stdout io.Writer
	stderr io.Writer
	args   []string
	values values
}

func commands() []command {
	return []command{initCommand, serveCommand, quickstartCommand, doctorCommand, explainCommand, applyCommand, userAddCommand, userListCommand, userShowCommand,
		userEditCommand, userPasswdCommand, userResetLinkCommand, userUnlockCommand, userResetFactorsCommand, userDisableCommand, userEnableCommand, userDeleteCommand,
		clientAddCommand, clientListCommand, clientShowCommand, clientEditCommand, clientRotateSecretCommand, clientDisableCommand, clientEnableCommand, clientDeleteCommand,
		keyListCommand, keyRotateCommand, keyRevokeCommand, masterKeyRotateCommand, sessionListCommand, sessionRevokeCommand, logoutListCommand, familyShowCommand, familyRevokeCommand,
		auditTailCommand, auditQueryCommand, auditExportCommand, auditVerifyCommand, recoverAdminCommand,
		backupVerifyCommand, backupCommand, restoreCommand, upgradeCommand, rollbackCommand, // the longer name first: see find
		completionCommand(), manCommand(), versionCommand, helpCommand()}
}

// run is the whole program but for the process around it. It returns the exit code.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer, env map[string]string) int {
	out := &printable{Writer: stdout}
	c := &call{stdin: stdin, stdout: out, stderr: &printable{Writer: stderr}}
	if len(args) == 0 {
		printOverview(c.stderr)
		return exitUsage
	}
	if isHelp(args[0]) {
		printOverview(c.stdout)
		return exitOK
	}
	if args[0] == "--version" {
		args = []string{versionCommand.name}
	}
	if group := subcommands(args[0]); len(group) > 0 && len(args) > 1 && isHelp(args[1]) {
		printGroup(c.stdout, group)
		return exitOK
	}
	cmd, rest, err := find(args)
	if err != nil {
		show(c.stderr, err)
		return exitUsage
	}
	if asksForHelp(rest) {
		printHelp(c.stdout, cmd)
		return exitOK
	}
	if err = c.parse(cmd, rest, env); err != nil {
		show(c.stderr, err)
		fmt.Fprintf(c.stderr, "latchkey %s --help explains the command.\n", cmd.name)
		return exitUsage
	}
	if err = cmd.run(ctx, c); out.failed != nil {
		err = out.failed
	}
	if err == nil {
		return exitOK
	}
	code := exitCode(ctx, err)
	switch code {
	case exitInterrupted:
		fmt.Fprintln(c.stderr, "latchkey: interrupted")
		return code
	case exitUnhealthy, exitWarned: // told on stdout
		return code
	}
	show(c.stderr, err)
	return code
}

// parse reads what follows the name of a command.
func (c *call) parse(cmd command, args []string, env map[string]string) (err error) {
	c.values, c.args, err = parseArguments(cmd.flags, args, env)
	err = errors.Join(err, misspelt(env))
	switch {
	case err != nil || cmd.takes == anyArguments || len(c.args) == cmd.takes:
		return err
	case cmd.takes == 0:
		return fmt.Errorf("%s takes no argument beside its flags: %q is one too many", cmd.name, c.args[0])
	case len(c.args) == 0:
		return fmt.Errorf("%s needs its argument: latchkey %s %s", cmd.name, cmd.name, cmd.args)
	}
	return fmt.Errorf("%s takes one argument, %s: %q is one too many", cmd.name, cmd.args, c.args[1])
}

func asksForHelp(args []string) bool {
	if i := slices.Index(args, "--"); i >= 0 {
		args = args[:i]
	}
	return slices.ContainsFunc(args, isHelp)
}

func isHelp(arg string) bool { return arg == "-h" || arg == "--help" || arg == "-help" }

// subcommands returns the commands of one or two words that begin with this one.
func subcommands(first string) []command {
	return slices.DeleteFunc(commands(), func(cmd command) bool { return cmd.name != first && !strings.HasPrefix(cmd.name, first+" ") })
}

// find returns the command that the arguments name, and what follows its name.
func find(args []string) (command, []string, error) {
	var names, second []string
	for _, cmd := range commands() {
		group, sub, two := strings.Cut(cmd.name, " ")
		switch {
		case two && args[0] == group && len(args) > 1 && args[1] == sub:
			return cmd, args[2:], nil
		case two && args[0] == group:
			second = append(second, sub)
		case !two && args[0] == cmd.name:
			return cmd, args[1:], nil
		}
		names = append(names, group)
	}
	if len(second) > 0 {
		typed := strings.Join(args[:min(2, len(args))], " ")
		return command{}, nil, usage("there is no command %q: use latchkey %s %s", typed, args[0], strings.Join(second, ", "))
	}
	if near := nearest(args[0], names); near != "" {
		return command{}, nil, usage("there is no command %q: did you mean %s?", args[0], near)
	}
	return command{}, nil, usage("there is no command %q: latchkey help lists them", args[0])
}
