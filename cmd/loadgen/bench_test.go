package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestMain lets this binary stand in for the two the bench starts: latchkey, and
// itself as the constant handler.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case "init", "apply", "serve":
			if err := fakeLatchkey(os.Args[1:]); err != nil {
				fmt.Fprintln(os.Stderr, err)
				os.Exit(1)
			}
			os.Exit(0)
		case "-constant":
			main()
			os.Exit(0)
		}
	}
	os.Exit(m.Run())
}

func testBench(t *testing.T) (*bench, *bytes.Buffer) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("LATCHKEY_DB", "must not reach the server")
	var out bytes.Buffer
	return &bench{binary: self, dir: t.TempDir(), scenarios: benchScenarios, conns: []int{2, 3}, duration: 60 * time.Millisecond,
		warmup: 5 * time.Millisecond, hashCost: 1000, out: &out, progress: io.Discard}, &out
}

func TestBench(t *testing.T) {
	b, out := testBench(t)
	failed, err := b.run(t.Context())
	if err != nil || failed {
		t.Fatalf("failed %v, %v\n%s", failed, err, out)
	}
	for _, name := range append([]string{"raw"}, benchScenarios...) {
		for _, n := range b.conns {
			row := regexp.MustCompile(fmt.Sprintf(`(?m)^%s +%d +[1-9][0-9.]* .* 0 +(\S+ +\S+)$`, name, n))
			m := row.FindStringSubmatch(out.String())
			if m == nil {
				t.Errorf("no good row for %s at %d", name, n)
			} else if hasGoal := !strings.HasPrefix(m[1], "-"); hasGoal == (name == "raw") {
				t.Errorf("%s at %d: goal %q", name, n, m[1])
			}
		}
	}
	for _, want := range []string{"start to first discovery answer", "resident memory, idle", "resident memory, peak under load", "binary, stripped",
		"synchronous=FULL", "1000 rounds"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is missing", want)
		}
	}
	if t.Failed() {
		t.Log(out)
	}
	if left, _ := os.ReadDir(b.dir); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// Errors fail the bench, whatever the rates are.
func TestBenchErrors(t *testing.T) {
	b, out := testBench(t)
	b.scenarios, b.conns = []string{"userinfo"}, []int{2}
	t.Setenv("FAKE_BROKEN", "userinfo")
	failed, err := b.run(t.Context())
	if err != nil || !failed {
		t.Fatalf("failed %v, %v", failed, err)
	}
	if !strings.Contains(out.String(), "x userinfo status 401") {
		t.Errorf("no reason given:\n%s", out)
	}
}

// A server that does not start says why.
func TestBenchServerEnds(t *testing.T) {
	b, _ := testBench(t)
	t.Setenv("FAKE_BROKEN", "crash")
	if _, err := b.run(t.Context()); err == nil || !strings.Contains(err.Error(), "every problem listed at once") {
		t.Errorf("the log is not shown: %v", err)
	}
}

func TestBenchRefusesBadInput(t *testing.T) {
	for name, args := range map[string][]string{
		"no server":        {"-bench"},
		"missing server":   {"-bench", "-server", filepath.Join(t.TempDir(), "none")},
		"unknown scenario": {"-bench", "-server", "x", "-scenarios", "raw"},
		"bad conns":        {"-bench", "-server", "x", "-conns", "0"},
		"no conns":         {"-bench", "-server", "x", "-conns", ""},
		"long duration":    {"-bench", "-server", "x", "-duration", "1h"},
		"argument":         {"-bench", "x"},
		"nothing to do":    {},
	} {
		if _, err := command(t.Context(), args); err == nil {
			t.Errorf("%s accepted", name)
		}
	}
}

func TestHashRate(t *testing.T) {
	if r := hashRate(10, 0); r <= 0 {
		t.Error(r)
	}
}

func TestStrippedSize(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	st, err := os.Stat(self)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := strippedSize(self); err != nil || n <= 0 || n > st.Size() {
		t.Errorf("%d of %d, %v", n, st.Size(), err)
	}
	script := filepath.Join(t.TempDir(), "latchkey")
	if err := os.WriteFile(script, []byte("#!/bin/sh\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	if n, err := strippedSize(script); err != nil || n != 10 {
		t.Errorf("script: %d %v", n, err)
	}
	if _, err := strippedSize(script + "x"); err == nil {
		t.Error("missing file accepted")
	}
}

func TestMedian(t *testing.T) {
	v := []float64{3, 1, 2}
	if median(v) != 2 || v[0] != 3 {
		t.Error(median(v), v)
	}
	if median([]int(nil)) != 0 {
		t.Error("median of nothing")
	}
}
