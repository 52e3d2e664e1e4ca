package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"regexp"
	"strings"
	"syscall"

	"latchkey/app"
	"latchkey/app/admin"
	"latchkey/ports"
)

// Exit codes. They are part of what scripts rely on.
const (
	exitOK          = 0
	exitFailure     = 1
	exitUsage       = 2
	exitNotFound    = 3
	exitConflict    = 4
	exitRefused     = 5
	exitUnhealthy   = 6
	exitWarned      = 7
	exitInterrupted = 130
)

const exitCodes = `Exit codes:
  0    done
  1    failure
  2    what was typed is wrong: usage, values, configuration, or a file that is no document; nothing was changed
  3    not found: a file or an object that was named
  4    conflict: it exists already, or something else holds it
  5    refused: what was asked for breaks a rule, or nobody agreed to it; nothing was changed
  6    doctor found errors
  7    doctor found warnings (with --strict)
  130  interrupted
`

// usageError is a mistake in arguments or configuration.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

func usage(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// typed turns the problems of an object that was declared with arguments into mistakes of these arguments: names has the
// argument of each member.
func typed(err error, names map[string]string) error {
	var problems admin.Problems
	if !errors.As(err, &problems) {
		return err
	}
	told := make(admin.Problems, len(problems))
	for i, p := range problems {
		told[i] = p
		end := strings.IndexFunc(p, func(r rune) bool { return r == ' ' || r == ':' || r == '[' })
		if end < 0 {
			continue
		}
		if argument, ok := names[p[:end]]; ok {
			told[i] = argument + index.ReplaceAllString(p[end:], "")
		}
	}
	return usageError{told}
}

// index is the place of a value in a list, which an argument does not show.
var index = regexp.MustCompile(`^\[\d+\]`)

func exitCode(ctx context.Context, err error) int {
	is := func(targets ...error) bool {
		for _, t := range targets {
			if errors.Is(err, t) {
				return true
			}
		}
		return false
	}
	var wrong usageError
	var problems admin.Problems
	switch {
	case ctx.Err() != nil && is(context.Canceled):
		return exitInterrupted
	case errors.As(err, &wrong):
		return exitUsage
	case is(errUnhealthy):
		return exitUnhealthy
	case is(errWarned):
		return exitWarned
	case errors.As(err, &problems), is(errUnconfirmed):
		return exitRefused
	case is(admin.ErrExists, admin.ErrAdminExists, fs.ErrExist, app.ErrLocked, syscall.EADDRINUSE):
		return exitConflict
	case is(ports.ErrNotFound, fs.ErrNotExist):
		return exitNotFound
	}
	return exitFailure
}

// show prints an error: one line, or a list of everything that is wrong.
func show(w io.Writer, err error) {
	text := err.Error()
	var file *fs.PathError // words of the system, which do not say what to do
	if errors.As(err, &file) && strings.HasSuffix(text, file.Error()) {
		switch {
		case errors.Is(file, fs.ErrNotExist):
			text += ": check the path"
		case errors.Is(file, fs.ErrPermission):
			text += ": run this as the user whom it belongs to"
		}
	}
	var lines []string
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	if len(lines) == 1 {
		fmt.Fprintln(w, "latchkey:", lines[0])
		return
	}
	fmt.Fprintf(w, "latchkey: %d things have to be put right:\n", len(lines))
	for _, line := range lines {
		fmt.Fprintln(w, "  -", line)
	}
}
