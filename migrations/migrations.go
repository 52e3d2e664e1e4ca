// Package migrations owns the database schema: one numbered file for each change, never edited once released. Running
// them, and refusing a file that is newer than they are, is left to adapters/sqlite.
package migrations

import (
	"embed"
	"fmt"
	"io/fs"
)

//go:embed *.sql
var files embed.FS

// Scripts returns the migrations in order. The n-th, counted from 1, brings a file from PRAGMA user_version n-1 to n. It
// adds and never removes, so that the release before can be started again on the same file.
func Scripts() ([]string, error) {
	entries, err := fs.ReadDir(files, ".")
	if err != nil {
		return nil, err
	}
	var scripts []string
	for i, e := range entries {
		var number int
		if _, err := fmt.Sscanf(e.Name(), "%04d_", &number); err != nil || number != i+1 {
			return nil, fmt.Errorf("migration %s: want number %04d", e.Name(), i+1)
		}
		text, err := fs.ReadFile(files, e.Name())
		if err != nil {
			return nil, err
		}
		scripts = append(scripts, string(text))
	}
	return scripts, nil
}
