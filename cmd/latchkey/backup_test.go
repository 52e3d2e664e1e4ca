package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"latchkey/app"
)

// ST-08, ST-09, ST-19 on the command line: what each command says, and its exit code.
func TestBackupCommands(t *testing.T) {
	dir := inFolder(t)
	wrong := "latchkey-master-key-v1:" + strings.Repeat("A", 43) + "\n"
	write(t, "wrong.key", wrong)
	write(t, "broken.db", "dear diary")
	for _, step := range []struct {
		args           string
		code           int
		stdout, stderr string // regular expressions
	}{
		{"backup", exitUsage, `^$`, `backup needs its argument: latchkey backup FILE`},
		{"backup --help", exitOK, `latchkey backup verify:[^$]*latchkey backup:`, `^$`},
		{"help backup", exitOK, `FILE\.part`, `^$`},
		{"backup b.db", exitOK, `^$`, `copying: done\nchecking: done\nb\.db holds \d+ KB\. Next: latchkey backup verify b\.db\n$`},
		{"backup b.db", exitConflict, `^$`, `b\.db: file already exists and is left as it is`},
		{"backup json.db --json", exitOK, `"bytes": \d+`, `done`},
		{"backup nowhere/b.db", exitNotFound, `^$`, `nowhere/b\.db`},
		{"backup verify b.db", exitOK, `^$`, `b\.db is good: schema \d+, 0 users, 0 clients, 2 signing keys, and \d+ audit events until 2`},
		{"backup verify b.db --json", exitOK, `"recorded": true`, `signing: done`},
		{"backup verify b.db --master-key wrong.key", exitFailure, `^$`, `the master key wrong\.key does not belong to it: name the right one with --master-key`},
		{"backup verify b.db --master-key none.key", exitNotFound, `^$`, `none\.key does not exist`},
		{"backup verify b.db --db none.db --master-key latchkey.db.key", exitOK, `^$`, `There is no database none\.db that could keep`},
		{"backup verify broken.db", exitFailure, `^$`, `broken\.db is not a usable database: .*: use another backup`},
		{"backup verify none.db", exitNotFound, `^$`, `none\.db`},
		{"restore b.db", exitRefused, `^$`, `b\.db holds everything until 2.*What happened since is lost: 0 changes of users.*\nEverybody has to sign in again[^$]*--yes`},
		{"restore none.db --yes", exitNotFound, `^$`, `none\.db`},
		{"restore broken.db --yes", exitFailure, `^$`, `broken\.db is not a usable database`},
		{"restore b.db --yes", exitOK, `^$`, `latchkey\.db is back at b\.db: schema[^$]*as it was is kept in latchkey\.db\.before-restore-2`},
		{"restore b.db --yes --json", exitOK, `"kept": "latchkey\.db\.before-restore-2`, `replacing: done`},
		{"upgrade", exitOK, `^$`, `latchkey\.db has schema \d+ already: nothing to do`},
		{"upgrade --json", exitOK, `"snapshot": ""`, `^$`},
		{"rollback --yes", exitNotFound, `^$`, `no snapshot of an older schema`},
		{"upgrade --db none.db", exitNotFound, `^$`, `none\.db does not exist`},
	} {
		r := latchkey(t, "", strings.Fields(step.args)...)
		if r.code != step.code || !regexp.MustCompile(step.stdout).MatchString(r.stdout) || !regexp.MustCompile(step.stderr).MatchString(r.stderr) {
			t.Errorf("%s: exit %d, want %d\n%s%s", step.args, r.code, step.code, r.stdout, r.stderr)
		}
	}
	for _, name := range []string{"none.db", "none.key", "none.db.key"} {
		if _, err := os.Stat(name); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s was made: %v", name, err)
		}
	}

	// What replaces the file is refused while a server has it, and a backup is not.
	server, err := app.NewServer(t.Context(), app.Config{Database: filepath.Join(dir, "latchkey.db")}, func(string, int, int) {})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	for args, code := range map[string]int{"backup beside.db": exitOK, "backup verify b.db": exitOK, "restore b.db --yes": exitConflict, "upgrade": exitConflict, "rollback": exitNotFound} {
		if r := latchkey(t, "", strings.Fields(args)...); r.code != code || code == exitConflict && !strings.Contains(r.stderr, "the database is taken: a server uses latchkey.db: stop the server first") {
			t.Errorf("beside a server, %s: %d, want %d\n%s", args, r.code, code, r.stderr)
		}
	}
}
