package page

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"strings"
	"testing"
)

// error_uri of every code leads to its explanation.
func TestErrorCodesAreExplained(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "../../../domain/oauth/error.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	page := rendered(parsedPages(t), English, Frame{}, ErrorCodes{}).Body.String()
	found := 0
	ast.Inspect(file, func(node ast.Node) bool {
		spec, ok := node.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if kind, ok := spec.Type.(*ast.Ident); ok && kind.Name == "ErrorCode" {
			code, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			found++
			if !strings.Contains(page, `<section id="`+code+`"`) {
				t.Errorf("%s is not explained", code)
			}
		}
		return true
	})
	if found < 20 || found != len(explainedCodes) {
		t.Errorf("%d codes, %d explained", found, len(explainedCodes))
	}
}
