package explain

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey/adapters/memory"
	"latchkey/domain/audit"
	"latchkey/domain/oauth"
	"latchkey/ports"
)

// Every cause that can be recognised has its words in every language, with the same values in them, and a section.
func TestTextsAreWhole(t *testing.T) {
	causes := map[Cause]bool{other: true}
	for _, r := range recognitions {
		causes[r.cause] = true
	}
	want := slices.Sorted(maps.Keys(causes))
	if diff := cmp.Diff(want, slices.Sorted(maps.Keys(sections))); diff != "" {
		t.Errorf("sections (-causes +sections):\n%s", diff)
	}
	for cause := range commands {
		if !causes[cause] {
			t.Errorf("a command for %s, which is no cause", cause)
		}
	}
	placeholder := regexp.MustCompile(`\{[a-z]*\}`)
	values := func(w words) []string {
		found := placeholder.FindAllString(w.Summary+w.Rule+w.Mistake+w.Fix, -1)
		slices.Sort(found)
		return found
	}
	for language, text := range texts {
		if diff := cmp.Diff(want, slices.Sorted(maps.Keys(text))); diff != "" {
			t.Errorf("%s (-causes +texts):\n%s", language, diff)
		}
		for cause, w := range text {
			for _, sentence := range []string{w.Summary, w.Rule, w.Mistake, w.Fix} {
				if !strings.HasSuffix(strings.TrimSuffix(sentence, "{expected}."), ".") && sentence != "" && !strings.HasSuffix(sentence, ".") || len(sentence) < 8 {
					t.Errorf("%s %s: %q is no sentence", language, cause, sentence)
				}
			}
			if diff := cmp.Diff(values(english[cause]), values(w)); diff != "" {
				t.Errorf("%s %s: values (-en +%s):\n%s", language, cause, language, diff)
			}
		}
	}
	if diff := cmp.Diff(slices.Sorted(maps.Keys(englishPhrases)), slices.Sorted(maps.Keys(indonesianPhrases))); diff != "" {
		t.Errorf("phrases (-en +id):\n%s", diff)
	}
	for name, phrase := range englishPhrases {
		if diff := cmp.Diff(placeholder.FindAllString(phrase, -1), placeholder.FindAllString(indonesianPhrases[name], -1)); diff != "" {
			t.Errorf("%s (-en +id):\n%s", name, diff)
		}
	}
}

// The commands that explanations advise are listed in a file, with which the command line proves that each of them exists.
func TestCommandsAreListed(t *testing.T) {
	advised := map[string]bool{}
	for _, c := range commands {
		advised[strings.NewReplacer("{client}", "CLIENT_ID", "{family}", "FAMILY").Replace(c)] = true
	}
	listed, err := os.ReadFile("testdata/commands.txt")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(strings.TrimSpace(string(listed)), "\n"), slices.Sorted(maps.Keys(advised))); diff != "" {
		t.Errorf("(-listed +advised):\n%s", diff)
	}
}

// Every refusal that the source can make and record has a cause: a new one without words is found here.
func TestEveryRefusalCanBeExplained(t *testing.T) {
	// These are shown and never recorded: faults, paths that do not exist, forms and pages that say what is so themselves.
	unrecorded := []string{"there is nothing at this path", "client_id was sent more than once", // by its end
		"this sign-in is over", "send an access token", "nobody is asked for a passkey here",
		"the request was given up", "the server cannot do this now", "too many sign-ins at once", "another user is signed in than the form was made for"}
	root := os.DirFS("../..")
	found := 0
	err := fs.WalkDir(root, ".", func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go") ||
			!strings.HasPrefix(file, "domain/") && !strings.HasPrefix(file, "app/") && !strings.HasPrefix(file, "adapters/") {
			return err
		}
		text, err := fs.ReadFile(root, file)
		if err != nil {
			return err
		}
		tree, err := parser.ParseFile(token.NewFileSet(), file, text, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(tree, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || len(call.Args) != 2 || !named(call.Fun, "Refuse") {
				return true
			}
			literal, ok := call.Args[1].(*ast.BasicLit)
			if !ok {
				return true // made of parts: see the cases below
			}
			description, _ := strconv.Unquote(literal.Value)
			found++
			known := slices.ContainsFunc(unrecorded, func(s string) bool { return strings.HasPrefix(description, s) }) ||
				slices.ContainsFunc(recognitions, func(r recognition) bool { return strings.HasPrefix(description, r.begins) })
			if !known {
				t.Errorf("%s: %q has no cause", file, description)
			}
			return true
		})
		return nil
	})
	if err != nil || found < 60 {
		t.Errorf("%d refusals found: %v", found, err)
	}
}

func named(fun ast.Expr, name string) bool {
	switch f := fun.(type) {
	case *ast.Ident:
		return f.Name == name
	case *ast.SelectorExpr:
		return f.Sel.Name == name
	}
	return false
}

// recorded is a store with one refusal on record.
func recorded(t *testing.T, e audit.Event, clients ...oauth.Client) *Service {
	t.Helper()
	store := memory.New()
	err := store.Update(t.Context(), func(tx ports.Tx) error {
		var failed error
		for _, c := range clients {
			failed = errors.Join(failed, tx.SaveClient(c))
		}
		return errors.Join(failed, tx.Record(e))
	})
	if err != nil {
		t.Fatal(err)
	}
	return &Service{Store: store}
}

func event(refusal *oauth.Error, client string) audit.Event {
	return audit.Event{At: time.Date(2026, 11, 21, 2, 0, 0, 0, time.UTC), Kind: audit.RequestDenied, Client: client,
		Caller: audit.Caller{RequestID: "req_7w3kq2xnd5gzhc4a", IP: "203.0.113.7", UserAgent: "curl\x1b]0;x\x07"}, Facts: refusal.Report()}
}

func TestReferences(t *testing.T) {
	s := recorded(t, event(oauth.Refuse(oauth.InvalidRequest, "nonce is missing"), "web"))
	for _, ref := range []string{"err_7w3kq2xnd5gzhc4a", "req_7w3kq2xnd5gzhc4a", " ERR_7W3KQ2XND5GZHC4A\n"} {
		if x, err := s.Explain(t.Context(), ref, "en"); err != nil || x.Cause != "nonce_missing" || x.Ref != "err_7w3kq2xnd5gzhc4a" || x.RequestID != "req_7w3kq2xnd5gzhc4a" {
			t.Errorf("%q: %v %+v", ref, err, x)
		}
	}
	for _, language := range []string{"en", "id", "fr", ""} {
		for ref, says := range map[string]string{"err_aaaaaaaaaaaaaaaa": "--client", "": "err_", "7w3kq2xnd5gzhc4a": "err_", "err_": "err_", "err_x' OR 1=1": "err_",
			"req_" + strings.Repeat("a", 65): "err_", "err_\x1b[2J": `\u001b`} {
			if _, err := s.Explain(t.Context(), ref, language); !errors.Is(err, ports.ErrNotFound) || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "\x1b") {
				t.Errorf("%s %q: %v", language, ref, err)
			}
		}
	}
	if _, err := s.Refusals(t.Context(), "nobody", 10, "en"); !errors.Is(err, ports.ErrNotFound) {
		t.Errorf("refusals of nobody: %v", err)
	}
	if list, err := s.Refusals(t.Context(), "", 10, "en"); err != nil || len(list) != 1 || list[0].Summary != english["nonce_missing"].Summary {
		t.Errorf("%v %+v", err, list)
	}
}

// WB-07: what strangers sent neither commands a terminal nor reorders a line, wherever it stands.
func TestReceivedValuesAreVisible(t *testing.T) {
	const hostile = "https://app.test/cb\x1b[2J\x07\u202e\r\n\x00é"
	s := recorded(t, event(oauth.Refuse(oauth.InvalidRequest, "redirect_uri is not registered for this client").With("received", hostile), "we\x1bb"),
		oauth.Client{ID: "we\x1bb", Name: "W\x1b\u202eb", RedirectURIs: []string{"https://app.test/cb"}})
	x, err := s.Explain(t.Context(), "err_7w3kq2xnd5gzhc4a", "en")
	if err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf("%+v", x)
	if strings.ContainsAny(text, "\x1b\x07\u202e\r\n\x00") || !strings.Contains(x.Received, `\u001b[2J`) || !strings.Contains(x.Received, `\u202e\r\n`) || !strings.Contains(x.Received, "é") {
		t.Errorf("%s", text)
	}
	if x.Command != "latchkey client edit CLIENT_ID --add redirect_uris=URL" || argument("x; reboot", "CLIENT_ID") != "CLIENT_ID" || argument("--db", "CLIENT_ID") != "CLIENT_ID" || argument("a-b.c_1", "") != "a-b.c_1" {
		t.Errorf("command %q", x.Command)
	}
}

// A URI that was too long to be kept whole is compared as far as it was kept.
func TestLongRedirectURI(t *testing.T) {
	long := "https://app.test/" + strings.Repeat("a", 400)
	s := recorded(t, event(oauth.Refuse(oauth.InvalidRequest, "redirect_uri is not registered for this client").With("received", "http"+long[5:]), "web"),
		oauth.Client{ID: "web", RedirectURIs: []string{long}})
	x, err := s.Explain(t.Context(), "err_7w3kq2xnd5gzhc4a", "id")
	if err != nil || len(x.Differences) != 1 || !strings.Contains(x.Differences[0], "skemanya http, seharusnya https") {
		t.Errorf("%v %q", err, x.Differences)
	}
}

// What has been mended since is said, and so is a client that is gone.
func TestSettled(t *testing.T) {
	for name, c := range map[string]struct {
		refusal *oauth.Error
		client  oauth.Client
		settled bool
	}{
		"registered since": {oauth.Refuse(oauth.InvalidRequest, "redirect_uri is not registered for this client").With("received", "https://app.test/cb/"),
			oauth.Client{ID: "web", RedirectURIs: []string{"https://app.test/cb/"}}, true},
		"still another": {oauth.Refuse(oauth.InvalidRequest, "redirect_uri is not registered for this client").With("received", "https://app.test/cb/"),
			oauth.Client{ID: "web", RedirectURIs: []string{"https://app.test/cb"}}, false},
		"registered, but disabled": {oauth.Refuse(oauth.InvalidRequest, "redirect_uri is not registered for this client").With("received", "https://app.test/cb"),
			oauth.Client{ID: "web", RedirectURIs: []string{"https://app.test/cb"}, DisabledAt: time.Now()}, false},
		"added since": {oauth.UnknownClient(), oauth.Client{ID: "web"}, true},
		"method":      {oauth.Client{ID: "web", AuthMethod: oauth.AuthBasic}.Authenticate(oauth.Credentials{Secret: "x", Method: oauth.AuthPost}), oauth.Client{ID: "web"}, true},
		"scope":       {oauth.Refuse(oauth.InvalidScope, "scope has a value that this client may not ask for").With("received", "roles"), oauth.Client{ID: "web", Scope: "openid roles"}, true},
		"scope lacks": {oauth.Refuse(oauth.InvalidScope, "scope has a value that this client may not ask for").With("received", "roles"), oauth.Client{ID: "web", Scope: "openid"}, false},
		"gone":        {oauth.Refuse(oauth.InvalidRequest, "nonce is missing"), oauth.Client{}, false},
	} {
		var clients []oauth.Client
		if c.client.ID != "" {
			clients = append(clients, c.client)
		}
		x, err := recorded(t, event(c.refusal, "web"), clients...).Explain(t.Context(), "err_7w3kq2xnd5gzhc4a", "en")
		if err != nil || (x.Settled != "") != c.settled || strings.Contains(x.Fix, "No client has this client_id now") != (c.client.ID == "") {
			t.Errorf("%s: %v settled %q, fix %q", name, err, x.Settled, x.Fix)
		}
	}
}

// An event of an older version, or of one to come, is explained as far as its code goes.
func TestUnknownCause(t *testing.T) {
	x, err := recorded(t, event(oauth.Refuse(oauth.InvalidRequest, "something new"), "web")).Explain(t.Context(), "err_7w3kq2xnd5gzhc4a", "en")
	if err != nil || x.Cause != "other" || !strings.Contains(x.Summary, "something new") || x.Fix == "" {
		t.Errorf("%v %+v", err, x)
	}
}

func TestRecognise(t *testing.T) {
	for address, want := range map[string]string{"https://g.test/login/generic_oauth": "Grafana", "https://g.test/grafana/login/generic_oauth/": "Grafana",
		"http://x.test/apps/user_oidc/code?x": "Nextcloud (user_oidc)", "https://x.test/oauth2/callback": "oauth2-proxy", "http://localhost:3000/api/auth/callback/latchkey": "Auth.js (NextAuth)",
		"https://x.test/secure/redirect_uri": "mod_auth_openidc", "https://git.test/user/oauth2/latchkey/callback": "Gitea or Forgejo",
		"https://app.test/cb": "", "": "", "cb": "", "https://login.generic_oauth": ""} {
		if a, ok := recognise(address); a.name != want || ok != (want != "") {
			t.Errorf("%s is %q, want %q", address, a.name, want)
		}
	}
}
