package app_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"latchkey/app"
	"latchkey/app/apptest"
	"latchkey/domain/audit"
	"latchkey/domain/oauth"
	"latchkey/ports"
)

// withDemo is a provider as quickstart serves it.
func withDemo(t *testing.T) *apptest.Provider {
	t.Helper()
	p := apptest.New(t)
	settle(t, p, true)
	return p
}

func settle(t *testing.T, p *apptest.Provider, demo bool) {
	t.Helper()
	p.Restart(func(c *app.Config) { c.Demo = demo })
	if err := p.SettleDemo(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func demoOnFile(t *testing.T, p *apptest.Provider) (c oauth.Client) {
	t.Helper()
	err := p.Store.View(t.Context(), func(r ports.Reader) (err error) {
		c, err = r.Client("demo")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// press sends the form of a page of the demonstration that leads to the action.
func press(t *testing.T, b *apptest.Browser, p apptest.Page, action string) apptest.Page {
	t.Helper()
	_, rest, found := strings.Cut(p.Body, `action="/demo/`+action+`"`)
	if !found {
		t.Fatalf("no form %s: %d %s %.3000s", action, p.Status, p.URL, p.Body)
	}
	p.Body = `<form action="/demo/` + action + `"` + rest
	return b.Submit(p, nil)
}

var failedCheck = regexp.MustCompile(`<strong>Failed:</strong> [^<]*`)

// The demonstration runs the whole flow against this very provider: sign-in, refresh, the replay that ends the family, and
// sign-out, with every check passed and no credential on a page or in the log.
func TestDemo(t *testing.T) {
	p := withDemo(t)
	b := p.Browser()
	signIn := func(again bool) apptest.Page {
		t.Helper()
		page := press(t, b, b.Get("/demo"), "start")
		if page.IsLogin() != again {
			t.Fatalf("login page %v, want %v: %s", !again, again, page.URL)
		}
		if again {
			page = b.Login(page, "alice", apptest.Password)
		}
		if page.IsConsent() {
			page = b.Allow(page)
		}
		if page.URL.Path != "/demo/flow" || strings.Contains(page.URL.String(), "code") || !strings.Contains(page.Body, "You are signed in, Alice Adams") {
			t.Fatalf("the sign-in ended at %s: %.3000s", page.URL, page.Body)
		}
		return page
	}
	check := func(page apptest.Page, passed int, parts ...string) {
		t.Helper()
		if failed := failedCheck.FindAllString(page.Body, -1); len(failed) > 0 || strings.Count(page.Body, "Passed:") < passed {
			t.Errorf("%d checks passed, failed: %q", strings.Count(page.Body, "Passed:"), failed)
		}
		for _, part := range parts {
			if !strings.Contains(page.Body, part) {
				t.Errorf("the page lacks %q", part)
			}
		}
	}

	page := signIn(true)
	check(page, 15, "alice@example.com", "claim", "code_challenge", "Authorization", "at_hash", "refresh_token")
	page = press(t, b, page, "refresh")
	check(page, 24, "replaced by a new one")
	page = press(t, b, page, "refresh")
	page = press(t, b, page, "replay")
	check(page, 36, "invalid_grant", "latchkey explain err_", "work no more")
	if replays := p.Events(audit.TokenReplayed); len(replays) == 0 || replays[0].Client != "demo" {
		t.Errorf("the replay is recorded as %v", replays)
	}

	page = signIn(false)
	page = press(t, b, page, "sign-out")
	if page.URL.Path != "/demo/signed-out" {
		t.Fatalf("signing out ended at %s: %.3000s", page.URL, page.Body)
	}
	check(page, 2, "You are signed out", "your session at Latchkey has ended")
	signIn(true) // because the session at the provider is over too

	if log := p.Log.String(); strings.Contains(log, "at_") || strings.Contains(log, "code=") {
		t.Errorf("the log holds a credential:\n%s", log)
	}
}

// Saying no at the provider is an answer too.
func TestDemoDenied(t *testing.T) {
	p := withDemo(t)
	b := p.Browser()
	page := b.Deny(b.Login(press(t, b, b.Get("/demo"), "start"), "alice", apptest.Password))
	if !strings.Contains(page.Body, "You are not signed in") || !strings.Contains(page.Body, "access_denied") || !strings.Contains(page.Body, "latchkey explain err_") {
		t.Errorf("%s: %.2000s", page.URL, page.Body)
	}
}

// The home page leads to the demonstration while there is one.
func TestDemoLink(t *testing.T) {
	p := apptest.New(t)
	if strings.Contains(p.Browser().Get("/").Body, "/demo") {
		t.Error("serve links to a demonstration")
	}
	settle(t, p, true)
	for _, language := range []string{"en", "id"} {
		if !strings.Contains(p.Browser().Get("/?ui_locales="+language).Body, `href="/demo"`) {
			t.Errorf("no link in %s", language)
		}
		if page := p.Browser().Get("/demo?ui_locales=" + language); !strings.Contains(page.Body, `<html lang="`+language+`"`) || !strings.Contains(page.Body, "/static/style-") {
			t.Errorf("the demonstration in %s: %d %.300s", language, page.Status, page.Body)
		}
	}
	b := p.Browser()
	b.Get("/?ui_locales=id")
	if page := b.Get("/demo"); !strings.Contains(page.Body, `<html lang="id"`) {
		t.Error("the language chosen at the provider is forgotten")
	}
}

// latchkey serve has no demonstration, and what quickstart left on file opens nothing: the client is disabled, its tokens
// are dead. The next quickstart brings it back, with another secret.
func TestDemoLeftBehind(t *testing.T) {
	p := withDemo(t)
	first := demoOnFile(t, p)
	if !first.DisabledAt.IsZero() || first.Secret.IsZero() || first.Public() || first.Profile != oauth.Strict {
		t.Errorf("registered as %+v", first)
	}
	b := p.Browser()
	if page := b.Allow(b.Login(press(t, b, b.Get("/demo"), "start"), "alice", apptest.Password)); page.URL.Path != "/demo/flow" {
		t.Fatalf("%s", page.URL)
	}

	settle(t, p, false)
	for _, path := range []string{"/demo", "/demo/flow", "/demo/callback", "/demo/signed-out"} {
		if page := p.Browser().Get(path); page.Status != http.StatusNotFound {
			t.Errorf("serve answers %s with %d", path, page.Status)
		}
	}
	if c := demoOnFile(t, p); c.DisabledAt.IsZero() {
		t.Error("the client of the demonstration is still enabled")
	}
	if ended := p.Events(audit.GrantRevoked); len(ended) == 0 || ended[0].Client != "demo" {
		t.Errorf("its tokens live: %v", ended)
	}
	page := p.Browser().Get("/authorize?" + url.Values{"client_id": {"demo"}, "redirect_uri": {p.Issuer + "/demo/callback"}, "response_type": {"code"}, "scope": {"openid"}}.Encode())
	if page.IsLogin() || page.Status != http.StatusBadRequest {
		t.Errorf("a request of the disabled client: %d", page.Status)
	}
	changes := len(p.Events(audit.ClientChanged))
	settle(t, p, false)
	if len(p.Events(audit.ClientChanged)) != changes {
		t.Error("a second start of serve changes it again")
	}

	settle(t, p, true)
	if c := demoOnFile(t, p); !c.DisabledAt.IsZero() || c.Secret == first.Secret || c.CreatedAt != first.CreatedAt {
		t.Errorf("the next quickstart: %+v", c)
	}
}

// A client that somebody declared under the same name is theirs: serve leaves it alone, and quickstart does not start.
func TestDemoOfSomebodyElse(t *testing.T) {
	p := apptest.New(t, `{"clients": [{"client_id": "demo", "client_secret": "`+apptest.Secret+`", "redirect_uris": ["https://demo.example/cb"]}]}`)
	before := demoOnFile(t, p)
	settle(t, p, false)
	p.Restart(func(c *app.Config) { c.Demo = true })
	if err := p.SettleDemo(t.Context()); err == nil || !strings.Contains(err.Error(), "--db") {
		t.Errorf("quickstart: %v", err)
	}
	if after := demoOnFile(t, p); after.Secret != before.Secret || !after.DisabledAt.IsZero() {
		t.Errorf("it was changed: %+v", after)
	}
}

// On the program as it is shipped: a quickstart that was killed could take nothing back, so serve does, before it answers.
func TestDemoAfterAKill(t *testing.T) {
	p := apptest.NewProcess(t)
	p.Start("quickstart")
	if page := p.Browser().Get("/demo"); page.Status != http.StatusOK {
		t.Fatalf("quickstart answers /demo with %d", page.Status)
	}
	ask := "/authorize?" + url.Values{"client_id": {"demo"}, "redirect_uri": {p.Issuer + "/demo/callback"}, "response_type": {"code"},
		"scope": {"openid"}, "state": {"s"}, "nonce": {"n"}, "code_challenge": {strings.Repeat("A", 43)}, "code_challenge_method": {"S256"}}.Encode()
	if page := p.Browser().Get(ask); !page.IsLogin() {
		t.Fatalf("while quickstart runs, a request of its demo gets %d", page.Status)
	}
	p.Kill()
	p.Start()
	if page := p.Browser().Get("/demo"); page.Status != http.StatusNotFound {
		t.Errorf("serve answers /demo with %d", page.Status)
	}
	if page := p.Browser().Get(ask); page.IsLogin() || page.Status != http.StatusBadRequest {
		t.Errorf("serve asks people to sign in to what quickstart left: %d", page.Status)
	}
}
