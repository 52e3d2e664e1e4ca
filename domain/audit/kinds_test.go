package audit_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"latchkey/domain/audit"
)

// A kind that the list forgets could be recorded and never be asked for.
func TestKindsAreAllOfThem(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "event.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var declared []audit.Kind
	seen := map[string]bool{}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if kind, ok := spec.Type.(*ast.Ident); !ok || kind.Name != "Kind" || len(spec.Values) != 1 {
			t.Fatalf("%s is not declared as a Kind with its word", spec.Names[0])
		}
		word, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
		if err != nil || seen[word] {
			t.Errorf("%s: %q is taken, or %v", spec.Names[0], word, err)
		}
		seen[word] = true
		declared = append(declared, audit.Kind(word))
		return true
	})
	if diff := cmp.Diff(declared, audit.Kinds); diff != "" {
		t.Errorf("declared in event.go and in Kinds (-declared +Kinds):\n%s", diff)
	}
}
