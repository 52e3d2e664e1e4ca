package main

import (
	"bytes"
	"os"
	"strings"
	"testing"
)

// A full disk behind stdout loses a secret that is shown once: that is no success.
func TestOutputThatIsLost(t *testing.T) {
	inFolder(t)
	if r := latchkey(t, "", "client", "add", "wiki", "--redirect-uri", "https://wiki.example.org/cb"); r.code != exitOK {
		t.Fatalf("%+v", r)
	}
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer full.Close()
	for _, line := range []string{"client rotate-secret wiki --yes", "client list", "client list --json", "audit export", "completion bash", "doctor"} {
		var stderr bytes.Buffer
		code := run(t.Context(), strings.Fields(line), strings.NewReader(""), full, &stderr, nil)
		if code != exitFailure || !strings.Contains(stderr.String(), "no space left on device): make room") {
			t.Errorf("%s: %d %s", line, code, stderr.String())
		}
	}
}
