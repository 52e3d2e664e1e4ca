package app_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// arrows says what each folder may import of ours; the longest entry that leads a file's path counts. Read it as the
// architecture: arrows point inwards, and adapters do not know one another.
var arrows = map[string][]string{
	"domain/identity":   {},
	"domain/oauth":      {"domain/identity"},
	"domain/oidc":       {"domain/identity", "domain/oauth"},
	"domain/audit":      {}, // it names the nouns as text, and knows none
	"ports":             {"domain", "ports"},
	"migrations":        {},
	"adapters":          {"domain", "ports", "migrations"},
	"adapters/web":      {"domain", "ports", "adapters/web/page", "adapters/web/read"},
	"adapters/web/page": {"domain", "adapters/web/qr"}, // pages are made of values, and can ask nobody
	"adapters/web/read": {"domain"},
	"adapters/web/qr":   {},
	"app":               {"domain", "ports", "app"},             // use cases
	"app/app.go":        {"domain", "ports", "app", "adapters"}, // the one file that knows concrete types
	"cmd":               {"domain", "ports", "app"},
	"cmd/loadgen":       {}, // sees the provider as strangers do
}

// outside says which folders may import each module that is not ours.
var outside = map[string][]string{
	"github.com/mattn/go-sqlite3": {"adapters/sqlite"},
	"github.com/google/go-cmp":    {"ports/storetest"}, // and every test
}

// impure lists what the domain does without: rules of values and now are tested in tables, in microseconds. The one
// exception lets a secret say how it is logged.
var (
	impure     = []string{"context", "crypto/rand", "database/sql", "log", "math/rand", "net/http", "os", "sync"}
	exceptions = map[string]string{"domain/oauth/secret.go": "log/slog"}
	clocks     = []string{"Now", "Since", "Until", "After", "AfterFunc", "Sleep", "Tick", "NewTimer", "NewTicker"}
)

// topLevel lists what may lie at the root; the last ones are made by building and running, and are not kept.
var topLevel = []string{"domain", "ports", "adapters", "app", "cmd", "migrations", "go.mod", "go.sum", "Makefile", "README.md", "LICENSE", ".*",
	"latchkey", "latchkey.db*", "*.prof"}

// mostLines bounds a file that is not a test: a longer one is two.
const mostLines = 450

// source is one Go file of ours that is not a test.
type source struct {
	file  string // path from the root, with slashes
	lines int
	tree  *ast.File
}

func sources(t *testing.T) []source {
	t.Helper()
	var all []source
	root := os.DirFS("..")
	err := fs.WalkDir(root, ".", func(file string, d fs.DirEntry, err error) error {
		name := d.Name()
		switch {
		case err != nil:
			return err
		case d.IsDir() && (name == "node_modules" || name == "testdata" || name != "." && name[0] == '.'):
			return fs.SkipDir
		case d.IsDir() || path.Ext(name) != ".go" || strings.HasSuffix(name, "_test.go"):
			return nil
		}
		text, err := fs.ReadFile(root, file)
		if err != nil {
			return err
		}
		tree, err := parser.ParseFile(token.NewFileSet(), file, text, parser.ParseComments|parser.SkipObjectResolution)
		all = append(all, source{file, strings.Count(string(text), "\n"), tree})
		return err
	})
	if err != nil || len(all) < 50 {
		t.Fatalf("%d files read: %v", len(all), err)
	}
	return all
}

// under reports whether file is the folder or lies in it.
func under(file, folder string) bool { return file == folder || strings.HasPrefix(file, folder+"/") }

func TestArrows(t *testing.T) {
	for _, s := range sources(t) {
		var here string
		for folder := range arrows {
			if under(s.file, folder) && len(folder) > len(here) {
				here = folder
			}
		}
		if here == "" {
			t.Errorf("%s: no arrow begins here", s.file)
		}
		for _, spec := range s.tree.Imports {
			imported, _ := strconv.Unquote(spec.Path.Value)
			ours, isOurs := strings.CutPrefix(imported, "latchkey/")
			host, _, _ := strings.Cut(imported, "/") // a module has one, the standard library has not
			switch {
			case isOurs && !slices.ContainsFunc(arrows[here], func(folder string) bool { return under(ours, folder) }):
				t.Errorf("%s: %s may not import %s", s.file, here, imported)
			case strings.Contains(host, ".") && !mayImportModule(s.file, imported):
				t.Errorf("%s may not import %s", s.file, imported)
			}
		}
	}
}

func mayImportModule(file, imported string) bool {
	for module, folders := range outside {
		if under(imported, module) {
			return slices.ContainsFunc(folders, func(folder string) bool { return under(file, folder) })
		}
	}
	return false
}

func TestDomainIsPure(t *testing.T) {
	for _, s := range sources(t) {
		if !under(s.file, "domain") {
			continue
		}
		clock := "" // what the file calls package time
		for _, spec := range s.tree.Imports {
			imported, _ := strconv.Unquote(spec.Path.Value)
			if slices.ContainsFunc(impure, func(p string) bool { return under(imported, p) }) && exceptions[s.file] != imported {
				t.Errorf("%s: the domain does without %s", s.file, imported)
			}
			if spec.Name != nil && spec.Name.Name == "." {
				t.Errorf("%s: the names of %s come without their package", s.file, imported)
			}
			if imported == "time" {
				clock = "time"
				if spec.Name != nil {
					clock = spec.Name.Name
				}
			}
		}
		ast.Inspect(s.tree, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.SelectorExpr:
				if x, ok := n.X.(*ast.Ident); ok && x.Name == clock && slices.Contains(clocks, n.Sel.Name) {
					t.Errorf("%s: time.%s: rules take now as a value", s.file, n.Sel.Name)
				}
			case *ast.GoStmt:
				t.Errorf("%s: a rule starts no goroutine", s.file)
			}
			return true
		})
	}
}

func TestTopLevel(t *testing.T) {
	entries, err := os.ReadDir("..")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !slices.ContainsFunc(topLevel, func(pattern string) bool { ok, _ := path.Match(pattern, e.Name()); return ok }) {
			t.Errorf("%s does not belong at the root: what it documents or serves lies in a folder there", e.Name())
		}
	}
}

func TestTwoModules(t *testing.T) {
	list := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Path}}", "all")
	list.Dir = ".."
	out, err := list.CombinedOutput()
	want := "latchkey\ngithub.com/google/go-cmp\ngithub.com/mattn/go-sqlite3\n"
	if err != nil || string(out) != want {
		t.Errorf("go list -m all: %v\n%s\nwant\n%s", err, out, want)
	}
}

func TestFiles(t *testing.T) {
	documented := map[string]bool{}
	for _, s := range sources(t) {
		documented[path.Dir(s.file)] = documented[path.Dir(s.file)] || s.tree.Doc.Text() != ""
		if s.lines > mostLines {
			t.Errorf("%s has %d lines: split it by noun", s.file, s.lines)
		}
	}
	for folder, ok := range documented {
		if !ok {
			t.Errorf("%s: no comment says what the package owns and what it leaves to others", folder)
		}
	}
}
