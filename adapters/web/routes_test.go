package web

import (
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The paths of the table of routes are kept in a file, which those read who send nonsense to all of them: a new route is not
// left out there. Names that hold a digest of what they serve are not among them.
func TestRoutesGolden(t *testing.T) {
	var paths []string
	for _, path := range slices.Sorted(maps.Keys(newBench(t).server.routes)) {
		if !strings.HasPrefix(path, "/static/") {
			paths = append(paths, path)
		}
	}
	const name = "testdata/routes.txt"
	text := strings.Join(paths, "\n") + "\n"
	if *update {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	kept, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(kept), text); diff != "" {
		t.Errorf("%s (-kept +routes; -update writes it again):\n%s", name, diff)
	}
}
