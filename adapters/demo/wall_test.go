package demo

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Nobody but a page of ours, in the browser it was shown in, sets anything in motion.
func TestForms(t *testing.T) {
	p := newProvider(t)
	victim, attacker := p.browser(), p.browser()
	attacker.get("/demo")
	stolen := csrfField.FindStringSubmatch(attacker.page)[1]
	victim.end(victim.good(victim.begin()))
	own := csrfField.FindStringSubmatch(victim.page)[1]
	for _, action := range []string{"start", "refresh", "replay", "sign-out"} {
		for name, try := range map[string]struct {
			token  string
			header http.Header
		}{
			"no token":                 {"", nil},
			"the token of another":     {stolen, nil},
			"a page of another origin": {own, http.Header{"Origin": {"https://evil.test"}}},
			"a page without a name":    {own, http.Header{"Origin": {"null"}}},
			"another site":             {own, http.Header{"Sec-Fetch-Site": {"cross-site"}}},
			"another host of the site": {own, http.Header{"Sec-Fetch-Site": {"same-site"}}},
		} {
			if victim.do("POST", "/demo/"+action, url.Values{"csrf": {try.token}}, try.header); victim.last.StatusCode != http.StatusForbidden {
				t.Errorf("%s, %s: %d", action, name, victim.last.StatusCode)
			}
		}
		if victim.get("/demo/" + action); victim.last.StatusCode != http.StatusMethodNotAllowed || victim.last.Header.Get("Allow") != "POST" {
			t.Errorf("GET %s: %d", action, victim.last.StatusCode)
		}
	}
	if victim.do("POST", "/demo/start", url.Values{"csrf": {own}, "x": {strings.Repeat("x", maxForm)}}, nil); victim.last.StatusCode != http.StatusForbidden {
		t.Errorf("a large form: %d", victim.last.StatusCode)
	}
	if stranger := p.browser().do("POST", "/demo/start", url.Values{"csrf": {own}}, nil); stranger.last.StatusCode != http.StatusForbidden {
		t.Errorf("without a cookie: %d", stranger.last.StatusCode)
	}
	if len(p.asked) != 1 {
		t.Errorf("%d token requests", len(p.asked))
	}
}

// Every answer has the headers of the provider's pages, and the cookie is out of reach of scripts and other paths.
func TestHeaders(t *testing.T) {
	p := newProvider(t)
	b := p.browser()
	for _, path := range []string{"/demo", "/demo/flow", "/demo/callback", "/demo/signed-out", "/demo/refresh", "/demo" + p.app.pages.name} {
		h := b.get(path).last.Header
		for name, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cross-Origin-Opener-Policy": "same-origin",
			"Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"} {
			if h.Get(name) != want {
				t.Errorf("%s: %s is %q", path, name, h.Get(name))
			}
		}
		if path != "/demo"+p.app.pages.name && h.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %q", path, h.Get("Cache-Control"))
		}
	}
	cookies := p.browser().get("/demo").last.Cookies()
	if len(cookies) != 1 || !cookies[0].HttpOnly || cookies[0].SameSite != http.SameSiteLaxMode || cookies[0].Path != "/demo" || cookies[0].MaxAge != 3600 || len(cookies[0].Value) != cookieChars {
		t.Errorf("cookies %+v", cookies)
	}
	if p.browser().get("/demo/nothing").last.StatusCode != http.StatusNotFound {
		t.Error("an unknown path is not left to the provider")
	}
}

// A browser that opened another name of this machine is led to the one that is registered.
func TestLeadsHome(t *testing.T) {
	p := newProvider(t)
	u, _ := url.Parse(p.server.URL)
	b := p.browser().get("http://localhost:" + u.Port() + "/demo?ui_locales=id")
	if got := b.last.Header.Get("Location"); b.last.StatusCode != http.StatusSeeOther || got != p.server.URL+"/demo?ui_locales=id" {
		t.Errorf("%d %q", b.last.StatusCode, got)
	}
}

// However many browsers come, so many are remembered, each for an hour.
func TestVisits(t *testing.T) {
	now := noon
	table := newVisits(func() time.Time { return now })
	first := table.open("first")
	for i := range 3 * mostVisits {
		now = now.Add(time.Millisecond)
		table.open(strconv.Itoa(i))
	}
	newest := strconv.Itoa(3*mostVisits - 1)
	if len(table.byKey) != mostVisits || table.get("first") != nil || table.get(newest) == nil || table.get("") != nil {
		t.Errorf("%d visits, first %p", len(table.byKey), first)
	}
	moved := table.get(newest)
	table.move(moved, newest, "another")
	if table.get(newest) != nil || table.get("another") != moved {
		t.Error("a visit has two cookies")
	}
	if now = now.Add(cookieLife); table.get("another") != nil {
		t.Error("a visit outlives its cookie")
	}
}

// Every text that a page can ask for exists in both languages, and no text is there for nobody.
func TestTexts(t *testing.T) {
	used := map[string]bool{"spent": true, "newest": true}
	call := regexp.MustCompile(`\bt "([^"]+)"`)
	templates, err := fs.Glob(files, "templates/*.html")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range templates {
		text, _ := fs.ReadFile(files, name)
		for _, m := range call.FindAllSubmatch(text, -1) {
			used[string(m[1])] = true
		}
	}
	named := regexp.MustCompile(`^(check|part|fault|notice)\.[a-z0-9_]+$`)
	for _, name := range []string{"demo.go", "flow.go", "after.go", "exchange.go", "idtoken.go"} {
		source, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		tree, err := parser.ParseFile(token.NewFileSet(), name, source, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(tree, func(n ast.Node) bool {
			if literal, ok := n.(*ast.BasicLit); ok && literal.Kind == token.STRING {
				if id, _ := strconv.Unquote(literal.Value); named.MatchString(id) {
					used[id] = true
					if strings.HasPrefix(id, "notice.") {
						used[id+".next"] = true
					}
				}
			}
			return true
		})
		for _, m := range regexp.MustCompile(`step\{Name: "([a-z_]+)"`).FindAllSubmatch(source, -1) {
			used["step."+string(m[1])], used["step."+string(m[1])+".why"] = true, true
		}
	}
	if len(used) < 100 {
		t.Fatalf("only %d texts are asked for", len(used))
	}
	optional := regexp.MustCompile(`^(param|header|basic|bearer|answer|token|jwt|claim|metadata|logout)\.`)
	for locale, all := range texts {
		for id := range used {
			if all[id] == "" {
				t.Errorf("%s: %q is missing", locale, id)
			}
		}
		for id, text := range all {
			if !used[id] && !optional.MatchString(id) {
				t.Errorf("%s: %q is for nobody", locale, id)
			}
			if strings.Count(text, "{1}") != strings.Count(english[id], "{1}") {
				t.Errorf("%s: %q has other arguments than in English", locale, id)
			}
		}
		if len(all) != len(english) {
			t.Errorf("%s has %d texts, English %d", locale, len(all), len(english))
		}
	}
}
