package main

import (
	"encoding/json"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// What bash offers is what the table holds.
func TestBashCompletes(t *testing.T) {
	script := latchkey(t, "", "completion", "bash").stdout
	offered := func(line string) []string {
		try := script + `
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _latchkey; printf '%s\n' "${COMPREPLY[@]}"`
		out, err := exec.Command("bash", append([]string{"-c", try, "bash"}, strings.Split(line, " ")...)...).CombinedOutput()
		if err != nil {
			t.Fatalf("%q: %v: %s", line, err, out)
		}
		return strings.Fields(string(out))
	}
	for line, want := range map[string][]string{
		"latchkey ver":              {"version"},
		"latchkey user a":           {"add"},
		"latchkey user add --pass":  {"--password-stdin", "--password-file"},
		"latchkey client add --pub": {"--public"},
		"latchkey serve --tls-":     {"--tls-cert", "--tls-key"},
		"latchkey nothing --x":      {},
		// What follows an argument, and what follows a command that is a group as well.
		"latchkey backup ":                           {"verify", "--db", "--master-key", "--json", "--help"},
		"latchkey backup to.db --d":                  {"--db"},
		"latchkey backup verify to.db --mas":         {"--master-key"},
		"latchkey backup --db x.db to.db --mas":      {"--master-key"},
		"latchkey explain err_7w3kq2xnd5gzhc4a --la": {"--lang"},
		"latchkey user add sari --gr":                {"--group"},
		"latchkey restore from.db --y":               {"--yes"},
	} {
		if got := offered(line); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", line, got, want)
		}
	}
	if all := offered("latchkey "); len(all) != len(firstWords(commands())) {
		t.Errorf("%d commands are offered: %q", len(all), all)
	}
}

// Every command and every flag is in each script and in the manual.
func TestCompletionsAndManualAreWhole(t *testing.T) {
	for _, args := range [][]string{{"completion", "bash"}, {"completion", "zsh"}, {"completion", "fish"}, {"man"}} {
		r := latchkey(t, "", args...)
		if r.code != exitOK {
			t.Fatalf("%q: %+v", args, r)
		}
		text := strings.ReplaceAll(r.stdout, `\-`, "-")
		for _, cmd := range commands() {
			words := strings.Fields(cmd.name)
			if !strings.Contains(text, words[len(words)-1]) {
				t.Errorf("%q lacks %s", args, cmd.name)
			}
			for _, f := range cmd.flags {
				if !strings.Contains(text, "--"+f.name) && !strings.Contains(text, "-l "+f.name) {
					t.Errorf("%q lacks --%s of %s", args, f.name, cmd.name)
				}
			}
		}
	}
	if r := latchkey(t, "", "completion", "tcsh"); r.code != exitUsage || !strings.Contains(r.stderr, "bash, zsh or fish") {
		t.Errorf("an unknown shell: %+v", r)
	}
}

// The manual is formatted without a complaint, and shows what help shows.
func TestManual(t *testing.T) {
	page := latchkey(t, "", "man").stdout
	for i, line := range strings.Split(page, "\n") {
		if strings.HasPrefix(line, ".") && !slices.Contains([]string{".TH", ".SH", ".SS", ".TP", ".B", ".BR", ".I", ".PP", ".nf", ".fi", ".RS", ".RE"}, strings.Fields(line)[0]) {
			t.Errorf("line %d begins with an unknown macro: %s", i+1, line)
		}
	}
	for _, want := range []string{".SS \"latchkey serve [flags]\"", `\-\-trusted\-proxies NETWORKS`, "LATCHKEY_DB", "130  interrupted", ".SH \"EXIT STATUS\""} {
		if !strings.Contains(page, want) {
			t.Errorf("the manual lacks %q", want)
		}
	}
}

// The bill of materials names the two modules, Go and SQLite, each with a version.
func TestSBOM(t *testing.T) {
	var doc bom
	r := latchkey(t, "", "version", "--sbom")
	if err := json.Unmarshal([]byte(r.stdout), &doc); err != nil || r.code != exitOK {
		t.Fatalf("%v: %+v", err, r)
	}
	var names []string
	for _, c := range doc.Components {
		names = append(names, c.Name)
		if c.Version == "" || c.Type != "library" {
			t.Errorf("%+v", c)
		}
	}
	for _, want := range []string{"Go standard library", "github.com/mattn/go-sqlite3", "SQLite"} {
		if !slices.Contains(names, want) {
			t.Errorf("the document lacks %s: %q", want, names)
		}
	}
	if doc.Format != "CycloneDX" || doc.Spec != "1.6" || doc.Metadata.Component.Name != "latchkey" {
		t.Errorf("%+v", doc.Metadata)
	}
}

func TestSystemdUnit(t *testing.T) {
	r := latchkey(t, "", "help", "systemd")
	for _, want := range []string{"Type=notify", "WatchdogSec=", "ExecStart=/usr/local/bin/latchkey serve", "ProtectSystem=strict", "LoadCredential=", "MemoryDenyWriteExecute=yes", "LimitCORE=0"} {
		if !strings.Contains(r.stdout, want) {
			t.Errorf("the unit lacks %q", want)
		}
	}
	// Each setting in it is one that serve knows.
	for field := range strings.FieldsSeq(r.stdout) {
		name, _, found := strings.Cut(strings.TrimPrefix(field, "Environment="), "=")
		if !found || !strings.HasPrefix(name, "LATCHKEY_") {
			continue
		}
		if !slices.ContainsFunc(serveCommand.flags, func(f flag) bool { return f.env && f.twin() == name }) {
			t.Errorf("serve does not know %s", name)
		}
	}
}
