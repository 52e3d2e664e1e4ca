package app_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// A mutant is a mistake that a tired maintainer could make, or that somebody could hide in a change: testdata/mutants.txt has
// them all. Tests that pass beside one would not have noticed it.

// mutant is one entry of the list.
type mutant struct {
	name     string
	ids      []string // of the catalogue: what it breaks
	tests    []suite  // run first, narrowest first
	file     string   // path from the root, with slashes
	old, new string   // old occurs in the file exactly once
}

// suite is a package, with the names of its tests that are run; without names, all.
type suite struct {
	folder string
	names  []string
}

// endToEnd is run beside a mutant that its own tests let pass, without its campaigns: they are about faults of another kind,
// and take longer than all else together.
var endToEnd = suite{folder: "app"}

func readMutants(t *testing.T) []mutant {
	t.Helper()
	text, err := os.ReadFile("testdata/mutants.txt")
	if err != nil {
		t.Fatal(err)
	}
	var all []mutant
	for block := range strings.SplitSeq(strings.TrimSpace(string(text)), "\n\n") {
		if strings.HasPrefix(block, "#") {
			continue
		}
		m, err := parseMutant(strings.Split(strings.TrimLeft(block, "\n"), "\n"))
		if err != nil {
			t.Fatalf("mutants.txt: %v in\n%s", err, block)
		}
		if slices.ContainsFunc(all, func(other mutant) bool { return other.name == m.name }) {
			t.Fatalf("mutants.txt: there are two mutants called %s", m.name)
		}
		all = append(all, m)
	}
	return all
}

var catalogueID = regexp.MustCompile(`^[A-Z]{2}-\d{2}$`)

// parseMutant reads an entry: name, ids and tests; the file; the lines that go, with "-", and those that come, with "+".
func parseMutant(lines []string) (mutant, error) {
	head := strings.Fields(lines[0])
	if len(head) < 3 || len(lines) < 3 {
		return mutant{}, errors.New("an entry needs a name, ids, tests, a file and a change")
	}
	m := mutant{name: head[0], ids: strings.Split(head[1], ","), file: lines[1]}
	for _, id := range m.ids {
		if !catalogueID.MatchString(id) {
			return m, fmt.Errorf("%q is no id of the catalogue", id)
		}
	}
	for _, text := range head[2:] {
		folder, names, _ := strings.Cut(text, ":")
		m.tests = append(m.tests, suite{folder, strings.FieldsFunc(names, func(r rune) bool { return r == '|' })})
	}
	var old, new []string
	for _, line := range lines[2:] {
		switch {
		case strings.HasPrefix(line, "- "):
			old = append(old, line[2:])
		case strings.HasPrefix(line, "+ "):
			new = append(new, line[2:])
		default:
			return m, fmt.Errorf("a line begins with neither - nor +: %q", line)
		}
	}
	m.old, m.new = strings.Join(old, "\n"), strings.Join(new, "\n")
	if m.old == "" || m.old == m.new {
		return m, errors.New("it changes nothing")
	}
	return m, nil
}

// apply returns the file with the mistake in it.
func (m mutant) apply() ([]byte, error) {
	text, err := os.ReadFile(filepath.Join("..", filepath.FromSlash(m.file)))
	if err != nil {
		return nil, err
	}
	if n := bytes.Count(text, []byte(m.old)); n != 1 {
		return nil, fmt.Errorf("%s has %d times, and must have once:\n%s", m.file, n, m.old)
	}
	return bytes.Replace(text, []byte(m.old), []byte(m.new), 1), nil
}

// Each mutant still fits what it changes: one that does not is written anew, or deleted with what it was about.
func TestMutantsFit(t *testing.T) {
	all := readMutants(t)
	if len(all) < 60 {
		t.Errorf("%d mutants are too few to say much", len(all))
	}
	packages := map[string]string{}
	for _, m := range all {
		if _, err := m.apply(); err != nil || !strings.HasSuffix(m.file, ".go") || strings.HasSuffix(m.file, "_test.go") {
			t.Errorf("%s in %s: %v", m.name, m.file, err)
		}
		for _, s := range m.tests {
			text, ok := packages[s.folder]
			if !ok {
				text = testsOf(t, s.folder)
				packages[s.folder] = text
			}
			if text == "" {
				t.Errorf("%s: %s has no tests", m.name, s.folder)
			}
			for _, name := range s.names {
				if !strings.Contains(text, "func "+name+"(") {
					t.Errorf("%s: %s has no test %s", m.name, s.folder, name)
				}
			}
		}
	}
}

// testsOf returns all test files of a package, one after another.
func testsOf(t *testing.T, folder string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", filepath.FromSlash(folder), "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(text)
	}
	return all.String()
}

// The tests notice at least 95 of a hundred mutants. LATCHKEY_MUTANTS chooses them: a regular expression over their names, or
// all of them. Without it nothing runs: one takes a few seconds, and one that survives a minute.
func TestMutants(t *testing.T) {
	chosen := os.Getenv("LATCHKEY_MUTANTS")
	if chosen == "" {
		t.Skip("make mutants runs it")
	}
	if chosen == "all" {
		chosen = "."
	}
	pattern, err := regexp.Compile(chosen)
	if err != nil {
		t.Fatal(err)
	}
	mutants := slices.DeleteFunc(readMutants(t), func(m mutant) bool { return !pattern.MatchString(m.name) })
	if len(mutants) == 0 {
		t.Fatalf("no mutant is called %s", chosen)
	}
	soundWithout(t, mutants)
	caught, broken := 0, 0
	var survivors []string
	for _, m := range mutants {
		start := time.Now()
		by, err := m.run(t)
		took := time.Since(start).Round(100 * time.Millisecond)
		switch {
		case err != nil:
			broken++
			t.Errorf("%-34s %v", m.name, err)
		case by == "":
			survivors = append(survivors, m.name)
			t.Logf("%-34s SURVIVED %s, %v", m.name, strings.Join(m.ids, " "), took)
		default:
			caught++
			t.Logf("%-34s caught by %s, %v", m.name, by, took)
		}
	}
	t.Logf("%d of %d caught", caught, len(mutants))
	if 100*caught < 95*(len(mutants)-broken) {
		t.Errorf("survivors: %s", strings.Join(survivors, ", "))
	}
}

// soundWithout runs what the mutants will be run beside: a test that fails by itself catches nothing.
func soundWithout(t *testing.T, mutants []mutant) {
	t.Helper()
	folders := []string{endToEnd.folder}
	for _, m := range mutants {
		for _, s := range m.tests {
			folders = append(folders, s.folder)
		}
	}
	slices.Sort(folders)
	for _, folder := range slices.Compact(folders) {
		if out, err := (suite{folder: folder}).command(t, "").CombinedOutput(); err != nil {
			t.Fatalf("%s fails without any mutant:\n%s", folder, out)
		}
	}
}

var (
	failed = regexp.MustCompile(`(?m)^\s*--- FAIL: (\S+)`)
	unfit  = regexp.MustCompile(`\[(build|setup) failed\]`)
)

// run returns what caught the mutant, or "" when nothing did. The error is about the mutant itself.
func (m mutant) run(t *testing.T) (by string, err error) {
	text, err := m.apply()
	if err != nil {
		return "", err
	}
	overlay, err := m.overlay(t.TempDir(), text)
	if err != nil {
		return "", err
	}
	for _, s := range append(slices.Clone(m.tests), endToEnd) {
		out, err := s.command(t, overlay).CombinedOutput()
		switch first := failed.FindSubmatch(out); {
		case err == nil:
			continue
		case unfit.Match(out):
			return "", fmt.Errorf("does not build:\n%s", out)
		case first != nil:
			return s.folder + " " + string(first[1]), nil
		}
		return s.folder + " " + brief(out), nil // a panic, or no end
	}
	return "", nil
}

// brief returns the first line that says why the tests ended.
func brief(out []byte) string {
	for line := range strings.SplitSeq(string(out), "\n") {
		if strings.HasPrefix(line, "panic:") || strings.HasPrefix(line, "fatal error:") {
			return line
		}
	}
	return strings.TrimSpace(string(out))
}

// overlay writes what go build is to read in the place of the file. Nothing in the tree is touched, and nothing is compiled
// that does not depend on the file.
func (m mutant) overlay(dir string, text []byte) (string, error) {
	file, err := filepath.Abs(filepath.Join("..", filepath.FromSlash(m.file)))
	if err != nil {
		return "", err
	}
	mutated, overlay := filepath.Join(dir, "mutant.go"), filepath.Join(dir, "overlay.json")
	list, err := json.Marshal(map[string]map[string]string{"Replace": {file: mutated}})
	if err != nil {
		return "", err
	}
	return overlay, errors.Join(os.WriteFile(mutated, text, 0o600), os.WriteFile(overlay, list, 0o600))
}

// command runs the suite. The overlay travels in the environment, so that it counts for a program that a test builds too.
func (s suite) command(t *testing.T, overlay string) *exec.Cmd {
	args := []string{"test", "-tags", "sqlite_omit_load_extension", "-vet=off", "-failfast", "-timeout", "10m"}
	switch {
	case len(s.names) > 0:
		args = append(args, "-run=^("+strings.Join(s.names, "|")+")$")
	case s.folder == endToEnd.folder:
		args = append(args, "-skip=^Test(Fault|Mutants)")
	}
	c := exec.CommandContext(t.Context(), "go", append(args, "./"+s.folder)...)
	c.Dir = ".."
	c.Env = append(os.Environ(), "LATCHKEY_MUTANTS=")
	if overlay != "" {
		c.Env = append(c.Env, "GOFLAGS="+os.Getenv("GOFLAGS")+" -overlay="+overlay)
	}
	return c
}
