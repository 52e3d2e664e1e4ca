package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
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
	exitInterrupted = 130
)

const exitCodes = `Exit codes:
  0    done
  1    failure
  2    wrong usage or configuration; nothing was changed
  3    not found: a file or an object that was named
  4    conflict: it exists already, or something else holds it
  5    refused: what was given breaks a rule; nothing was changed
  130  interrupted
`

// usageError is a mistake in arguments or configuration.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

func usage(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

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
	case errors.As(err, &problems):
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
	var lines []string
	for line := range strings.Lines(err.Error()) {
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
