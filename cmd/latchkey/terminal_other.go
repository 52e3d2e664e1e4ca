//go:build !linux

package main

import (
	"errors"
	"os"
)

// isTerminal says no, so that nobody types a password that is shown.
func isTerminal(*os.File) bool { return false }

func hideInput(*os.File) (restore func(), err error) {
	return nil, errors.New("this system has no prompt for secrets: use --password-stdin or --password-file")
}
