package page

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"math"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// declaredMessages reads the constants beside the texts, so that a new one cannot be forgotten here.
func declaredMessages(t *testing.T) []Message {
	t.Helper()
	files, err := filepath.Glob("messages*.go")
	if err != nil {
		t.Fatal(err)
	}
	var ids []Message
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(node ast.Node) bool {
			spec, ok := node.(*ast.ValueSpec)
			if !ok {
				return true
			}
			if kind, ok := spec.Type.(*ast.Ident); ok && kind.Name == "Message" {
				text, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
				if err != nil {
					t.Fatal(err)
				}
				ids = append(ids, Message(text))
			}
			return true
		})
	}
	if len(ids) < 80 {
		t.Fatalf("found only %d messages", len(ids))
	}
	return ids
}

// Every message a handler or a template can ask for exists in every language, and no text is there for nobody.
func TestMessagesComplete(t *testing.T) {
	used := map[Message]bool{
		"error.contact": true, "error.request": true, // plainFault
		"consent.unverified.next": true, // asked for by its full name
	}
	for _, id := range declaredMessages(t) {
		used[id] = true
		switch group, _, _ := strings.Cut(string(id), "."); group {
		case "link", "device", "outcome", "happened", "activity", "line", "undelivered": // parts of a page, and no statement
		default:
			used[id.Next()] = true
		}
	}
	call := regexp.MustCompile(`\bt "([^"]+)"`)
	templates, err := fs.Glob(pageFiles, "templates/*.html")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range templates {
		text, err := pageFiles.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range call.FindAllSubmatch(text, -1) {
			used[Message(match[1])] = true
		}
	}
	for _, scope := range []Message{"openid", "profile", "email", "address", "phone", "groups", "offline_access"} {
		used["scope."+scope] = true
	}
	for _, code := range explainedCodes {
		id := "code." + Message(code)
		used[id], used[id+".mistakes"], used[id.Next()] = true, true, true
	}
	for _, words := range eventWords {
		used[words.what] = true
	}
	for id := range maps.Values(reasonWords) {
		used[id] = true
	}
	for _, l := range Locales {
		for id := range used {
			if strings.TrimSpace(catalogue[l][id]) == "" {
				t.Errorf("%s lacks %q", l, id)
			}
		}
		for id := range catalogue[l] {
			if !used[id] && !used[Message(strings.TrimSuffix(string(id), ".one"))] {
				t.Errorf("%s has %q, which nothing uses", l, id)
			}
		}
	}
	for _, l := range Locales {
		texts := 0
		for _, family := range families {
			texts += len(family[l])
		}
		if texts != len(catalogue[l]) {
			t.Errorf("%s: %d texts under %d ids: one stands in two families", l, texts, len(catalogue[l]))
		}
	}
	if diff := cmp.Diff(slices.Sorted(maps.Keys(catalogue[English])), slices.Sorted(maps.Keys(catalogue[Indonesian]))); diff != "" {
		t.Errorf("the languages differ (-en +id):\n%s", diff)
	}
}

// A translation that drops or adds a placeholder would lose a value or show a brace.
func TestMessagesHaveTheSamePlaceholders(t *testing.T) {
	placeholder := regexp.MustCompile(`\{\d+\}`)
	for id, text := range catalogue[English] {
		want, got := placeholder.FindAllString(text, -1), placeholder.FindAllString(catalogue[Indonesian][id], -1)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q (-en +id):\n%s", id, diff)
		}
	}
}

func TestMessageText(t *testing.T) {
	tests := []struct {
		name string
		l    Locale
		id   Message
		args []any
		want string
	}{
		{"none", English, "login.title", nil, "Sign in"},
		{"translated", Indonesian, "login.title", nil, "Masuk"},
		{"number", English, "login.too_many.next", []any{5}, "Wait 5 minutes, then try again."},
		{"one", English, "login.too_many.next", []any{1}, "Wait 1 minute, then try again."},
		{"more arguments than places", English, "login.title", []any{1, "x"}, "Sign in"},
		{"a value that looks like a place", English, "consent.title", []any{"{1}{2}", "no"}, "Allow {1}{2} to use your account?"},
		{"reordering marks and controls", English, "consent.title", []any{"a\u202eb\n\u2066c"}, "Allow ab c to use your account?"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := test.l.Text(test.id, test.args...)
			if err != nil || got != test.want {
				t.Errorf("text(%q, %v) = %q, %v; want %q", test.id, test.args, got, err, test.want)
			}
		})
	}
	if text, err := English.Text("no.such"); err == nil {
		t.Errorf("a message that does not exist reads %q", text)
	}
}

func TestMessageField(t *testing.T) {
	tests := map[Message]string{
		MsgUsernameInvalid: "username", MsgUsernameTaken: "username", MsgEmailInvalid: "email", MsgPasswordShort: "password",
		MsgPasswordMismatch: "password_again", MsgExpired: "", MsgForged: "",
	}
	for id, want := range tests {
		if got := id.field(); got != want {
			t.Errorf("%s is about field %q, want %q", id, got, want)
		}
	}
}

// WCAG 2.2, 1.4.3 (text 4.5:1) and 1.4.11 (edges and focus 3:1), in both themes, from the style sheet itself.
func TestStyleContrast(t *testing.T) {
	light, dark, found := strings.Cut(string(StyleSheet.Content), "@media (prefers-color-scheme: dark)")
	if !found {
		t.Fatal("no dark theme")
	}
	pairs := []struct {
		front, back string
		least       float64
	}{
		{"ink", "card", 4.5}, {"ink", "page", 4.5}, {"ink", "tint", 4.5}, {"ink", "danger-tint", 4.5}, {"ink", "warn-tint", 4.5},
		{"muted", "card", 4.5}, {"muted", "page", 4.5}, {"muted", "tint", 4.5}, {"accent", "card", 4.5}, {"accent", "tint", 4.5},
		{"accent-strong", "tint-strong", 4.5}, {"accent-strong", "card", 4.5}, {"on-accent", "accent", 4.5}, {"on-accent", "accent-strong", 4.5},
		{"danger", "card", 4.5}, {"danger", "danger-tint", 4.5}, {"warn", "warn-tint", 4.5},
		{"field", "card", 3}, {"danger", "card", 3}, {"focus", "card", 3}, {"focus", "page", 3}, {"focus", "tint", 3},
	}
	for theme, text := range map[string]string{"light": light, "dark": dark} {
		colours := map[string]string{}
		for _, match := range regexp.MustCompile(`--([a-z-]+): #([0-9a-f]{6});`).FindAllStringSubmatch(text, -1) {
			colours[match[1]] = match[2]
		}
		for _, pair := range pairs {
			ratio := contrast(t, colours[pair.front], colours[pair.back])
			if ratio < pair.least {
				t.Errorf("%s: %s on %s is %.2f:1, want %v:1", theme, pair.front, pair.back, ratio, pair.least)
			}
		}
	}
}

// contrast is the ratio WCAG defines between two colours written as six hexadecimal digits.
func contrast(t *testing.T, a, b string) float64 {
	t.Helper()
	luminance := func(colour string) float64 {
		value, err := strconv.ParseUint(colour, 16, 32)
		if err != nil {
			t.Fatal(err)
		}
		linear := func(shift uint) float64 {
			c := float64(value>>shift&0xff) / 255
			if c <= 0.04045 {
				return c / 12.92
			}
			return math.Pow((c+0.055)/1.055, 2.4)
		}
		return 0.2126*linear(16) + 0.7152*linear(8) + 0.0722*linear(0)
	}
	la, lb := luminance(a), luminance(b)
	return (max(la, lb) + 0.05) / (min(la, lb) + 0.05)
}
