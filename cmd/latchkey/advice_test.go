package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// written is where a text of ours names a command: from the name of the program to what ends a command in prose or in a shell.
var written = regexp.MustCompile("(?:^|[^/.A-Za-z-])latchkey ((?:[A-Za-z0-9_%{}\\[\\]$(),:@+=/.<>'-]+[ \n]?)+)")

// prose are the words that follow the name of the program where it is no command.
var prose = []string{"and", "as", "beside", "has", "help,", "installation", "into", "is", "or", "that", "was", "knows", "needs", "rather", "itself", "bind", "binary", "left", "opens"}

// named is the first word of a command; anything else after the name of the program is a path, a version or a placeholder.
var named = regexp.MustCompile(`^[a-z][a-z-]*$`)

// TestTextsNameCommandsThatExist looks at every text of the program and its documents: a command that one of them names is
// in the table, and so is every flag of it. Somebody who types what an error told them must not meet another one.
func TestTextsNameCommandsThatExist(t *testing.T) {
	found := 0
	for _, text := range texts(t) {
		for _, m := range written.FindAllStringSubmatch(text.text, -1) {
			words := strings.Fields(m[1])
			for i, w := range words { // prose goes on after the command
				words[i] = strings.TrimRight(w, ".,:;)'")
			}
			if words[0] == "latchkey" { // the user of that name runs it
				words = words[1:]
			}
			if len(words) == 0 || !named.MatchString(words[0]) || slices.Contains(prose, words[0]) {
				continue
			}
			found++
			cmd, rest, err := find(words)
			if group := subcommands(words[0]); err != nil && (len(group) == 0 || len(words) > 1 && !isHelp(words[1])) {
				t.Errorf("%s: latchkey %s: %v", text.where, strings.Join(words, " "), err)
				continue
			}
			for _, w := range rest {
				name, _, _ := strings.Cut(strings.TrimLeft(w, "-"), "=")
				known := isHelp(w) || slices.ContainsFunc(cmd.flags, func(f flag) bool { return f.name == name })
				if strings.HasPrefix(w, "-") && w != "-" && !known {
					t.Errorf("%s: latchkey %s: there is no %s", text.where, strings.Join(words, " "), w)
				}
			}
		}
	}
	if found < 150 {
		t.Errorf("%d commands were found in our texts", found)
	}
}

type place struct{ where, text string }

// texts are the string literals of the program, and its documents, templates and scripts.
func texts(t *testing.T) (all []place) {
	t.Helper()
	files := token.NewFileSet()
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir():
			if name := d.Name(); name == "node_modules" || name == "testdata" || len(name) > 2 && name[0] == '.' {
				return fs.SkipDir
			}
			return nil
		case strings.HasSuffix(path, ".md"), strings.HasSuffix(path, ".html"), strings.HasSuffix(path, ".service"), strings.HasSuffix(path, ".txt"):
			text, err := os.ReadFile(path)
			all = append(all, place{path, string(text)})
			return err
		case !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go"):
			return nil
		}
		file, err := parser.ParseFile(files, path, nil, 0)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if literal, ok := n.(*ast.BasicLit); ok && literal.Kind == token.STRING {
				if text, err := strconv.Unquote(literal.Value); err == nil {
					all = append(all, place{files.Position(literal.Pos()).String(), text})
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}
