package main

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"

	"latchkey/app"
)

var versionCommand = command{
	name:     "version",
	summary:  "print the versions of Latchkey, Go and SQLite",
	examples: []string{"latchkey version", "latchkey version --json"},
	flags:    []flag{jsonFlag},
	run:      runVersion,
}

func runVersion(_ context.Context, c *call) error {
	sqlite := app.SQLiteVersion()
	if c.values.has("json") {
		return printJSON(c.stdout, map[string]string{"latchkey": moduleVersion(), "go": runtime.Version(), "sqlite": sqlite})
	}
	fmt.Fprintf(c.stdout, "latchkey %s\ngo %s\nsqlite %s\n", moduleVersion(), runtime.Version(), sqlite)
	return nil
}

// moduleVersion is what the build says of itself: a release, or the commit.
func moduleVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "(devel)"
	}
	return info.Main.Version
}
