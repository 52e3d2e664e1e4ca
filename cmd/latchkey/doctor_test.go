package main

import (
	"context"
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"

	"latchkey/app/doctor"
)

func TestDoctor(t *testing.T) {
	inFolder(t)
	if err := os.Chmod(".", 0o700); err != nil {
		t.Fatal(err)
	}
	r := latchkey(t, "", "doctor")
	if r.code != exitOK || r.stderr != "" || !strings.Contains(r.stdout, "Warnings\n\n  backup.never\n") || !strings.Contains(r.stdout, "\n0 errors, 2 warnings, 2 notes") {
		t.Errorf("%+v", r)
	}
	if r := latchkey(t, "", "doctor", "--strict", "--deep"); r.code != exitWarned || r.stderr != "" {
		t.Errorf("%+v", r)
	}
	if r := latchkey(t, "", "doctor", "--rate-limit-scale", "many"); r.code != exitUsage {
		t.Errorf("%+v", r)
	}
	if err := os.Chmod("latchkey.db.key", 0o644); err != nil {
		t.Fatal(err)
	}
	r = latchkey(t, "", "doctor", "--json", "--strict")
	var report struct {
		Findings         []doctor.Finding
		Errors, Warnings int
	}
	if err := json.Unmarshal([]byte(r.stdout), &report); err != nil || r.code != exitUnhealthy || r.stderr != "" {
		t.Fatalf("%v: %+v", err, r)
	}
	if first := report.Findings[0]; report.Errors != 1 || report.Warnings != 2 || first.ID != "masterkey.mode" || first.Severity != doctor.Error || first.Commands[0] != "chmod 600 latchkey.db.key" {
		t.Errorf("%+v", report)
	}
	// What scripts read, to the letter; a command can be copied as it stands.
	shape := regexp.MustCompile(`(?s)^\{\n  "errors": 1,\n  "findings": \[\n    \{\n      "id": "masterkey\.mode",\n      "severity": "error",\n      "found": "[^\n]+",\n` +
		`      "why": "[^\n]+",\n      "mend": "[^\n]+",\n      "commands": \[.*latchkey\.db && latchkey backup verify.*"severity": "ok",\n      "found": "[^\n]+"\n    \}\n  \],\n  "warnings": 2\n\}\n$`)
	if !shape.MatchString(r.stdout) {
		t.Errorf("another shape: %s", r.stdout)
	}
}

func TestDoctorInterrupted(t *testing.T) {
	inFolder(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if r := latchkeyIn(ctx, nil, "", "doctor"); r.code != exitInterrupted || r.stdout != "" {
		t.Errorf("%+v", r)
	}
}

// doctor needs nothing to be there.
func TestDoctorOfNothing(t *testing.T) {
	inEmptyFolder(t)
	if r := latchkey(t, "", "doctor"); r.code != exitUnhealthy || !strings.Contains(r.stdout, "latchkey init --db latchkey.db") {
		t.Errorf("%+v", r)
	}
	if entries, err := os.ReadDir("."); err != nil || len(entries) > 0 {
		t.Errorf("doctor left %v, %v", entries, err)
	}
}

// Every command that doctor advises exists, with these flags and as many arguments.
func TestDoctorAdvisesWhatExists(t *testing.T) {
	text, err := os.ReadFile("../../app/doctor/testdata/commands.txt")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	if len(lines) < 20 {
		t.Fatalf("%d commands", len(lines))
	}
	for _, line := range lines {
		args := strings.Fields(line)[1:]
		cmd, rest, err := find(args)
		if err != nil {
			t.Errorf("%s: %v", line, err)
			continue
		}
		if asksForHelp(rest) {
			continue
		}
		var c call
		if err := c.parse(cmd, rest, nil); err != nil {
			t.Errorf("%s: %v", line, err)
		}
	}
}
