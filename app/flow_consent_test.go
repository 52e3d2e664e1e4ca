package app_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"latchkey/app/apptest"
	"latchkey/domain/audit"
)

func TestConsent(t *testing.T) {
	t.Parallel()
	p := apptest.New(t)
	web, spa := p.Client("web"), p.Client("spa")
	asked := func(t *testing.T, b *apptest.Browser, rp *apptest.RP, user string, change ...url.Values) apptest.Page {
		t.Helper()
		page := rp.Authorize(b, change...)
		if page.IsLogin() {
			page = b.Login(page, user, apptest.Password)
		}
		if !page.IsConsent() {
			t.Fatalf("no consent page: %d %s", page.Status, page.URL)
		}
		return page
	}

	t.Run("CN-01; A19", func(t *testing.T) {
		b := p.Browser()
		page := asked(t, b, web, "bob")
		recorded(t, p, func() { wantRedirectError(t, p, b, b.Deny(page), web, "state of web", "access_denied") }, audit.ConsentDenied, audit.RequestDenied)
		page = asked(t, b, web, "bob") // a refusal is not remembered
		recorded(t, p, func() { page = b.Allow(page) }, audit.ConsentGranted, audit.CodeIssued)
		wantTokens(t, web.Exchange(answer(t, b, page, web.RedirectURI).Get("code")))
		recorded(t, p, func() {
			if web.Authorize(b).Answer().Get("code") == "" {
				t.Error("consent was not remembered")
			}
		}, audit.CodeIssued)
		page = asked(t, p.Browser(), spa, "bob")
		if page := b.Submit(page, set("approved", "true")); page.Status != http.StatusForbidden {
			t.Errorf("another browser answered the page: %d", page.Status)
		}
	})
	t.Run("CN-02; S4", func(t *testing.T) {
		b := p.Browser()
		ab := set("scope", "openid email")
		b.Allow(asked(t, b, spa, "alice", ab))
		for _, scope := range []string{"openid", "email openid", "openid email"} {
			if page := spa.Authorize(b, set("scope", scope)); page.Answer().Get("code") == "" {
				t.Errorf("%s: asked again", scope)
			}
		}
		page := asked(t, b, spa, "alice", set("scope", "openid email groups"))
		if strings.Count(page.Body, "Already allowed") == 0 || !strings.Contains(page.Body, "groups you belong to") {
			t.Errorf("the page does not tell old from new: %s", page.Body)
		}
		if page := spa.Authorize(b, ab); page.Answer().Get("code") == "" {
			t.Error("asking for more took away what was allowed")
		}
		b.Allow(page)
		if page := spa.Authorize(b, set("scope", "groups openid email")); page.Answer().Get("code") == "" {
			t.Error("the third is not remembered")
		}
	})
	t.Run("CN-03", func(t *testing.T) {
		b := p.Browser()
		evil := p.Client("evil")
		page := asked(t, b, evil, "alice", set("scope", "openid email"))
		page = b.Submit(page, url.Values{"approved": {"true"}, "scope": {"openid", "email", "profile", "groups", "admin"}, "client_id": {"web"},
			"redirect_uri": {"https://elsewhere.test/cb"}, "sub": {"usr_bob"}, "user": {"usr_bob"}, "state": {"x"}})
		v := answer(t, b, page, evil.RedirectURI)
		if v.Get("state") != "state of evil" {
			t.Errorf("state %v", v)
		}
		r := wantTokens(t, evil.Exchange(v.Get("code")))
		if info := evil.UserInfo(r.Get("access_token")); r.Get("scope") != "openid email" || info.Get("name") != "" || info.Get("email") != "alice@example.com" {
			t.Errorf("%s %s", r.Text, info.Text)
		}
		// Less than was asked is granted as ticked; without openid there is no sign-in to agree to.
		page = asked(t, b, evil, "alice", set("scope", "openid profile phone"))
		page = b.Submit(page, url.Values{"approved": {"true"}, "scope": {"phone"}})
		if r := wantTokens(t, evil.Exchange(page.Answer().Get("code"))); r.Get("scope") != "openid phone" {
			t.Errorf("%s", r.Text)
		}
		asked(t, b, evil, "alice", set("scope", "openid profile")) // still asked about what was left out

		page = asked(t, b, evil, "alice", set("scope", "openid address"))
		for name, change := range map[string]url.Values{
			"no token": {"csrf": nil}, "another interaction": {"interaction": {"x"}}, "another user": {"csrf": {tokenFor(t, b, page, "usr_someone")}},
		} {
			unchanged(t, p, func() {
				recorded(t, p, func() {
					if page := b.Submit(page, change); page.Status != http.StatusForbidden || page.Location != "" {
						t.Errorf("%s: %d %s", name, page.Status, page.Location)
					}
				}, audit.CSRFDenied)
			})
		}
		// Neither button is no consent.
		if page := b.Submit(page, nil); page.Answer().Get("error") != "access_denied" {
			t.Errorf("neither: %s", page.URL)
		}
	})
	t.Run("CN-04", func(t *testing.T) {
		b := p.Browser()
		native := p.Client("native")
		page := asked(t, b, native, "alice")
		action, form := b.Form(page)
		form.Set("approved", "true")
		events := len(p.Events())
		codes, over := map[string]bool{}, 0
		for _, r := range parallel(20, func() apptest.Page { return b.Do("POST", action, form, nil) }) {
			switch {
			case r.Status == http.StatusSeeOther:
				codes[answer(t, b, r, native.RedirectURI).Get("code")] = true
			case r.Status == http.StatusBadRequest:
				over++
			default:
				t.Errorf("%d %s", r.Status, r.Location)
			}
		}
		if len(codes) != 1 || over != 19 {
			t.Errorf("%d codes, %d refused", len(codes), over)
		}
		issued := 0
		for _, e := range p.Events()[events:] {
			if e.Kind == audit.CodeIssued || e.Kind == audit.ConsentGranted {
				issued++
			}
		}
		if issued != 2 {
			t.Errorf("%d events of one consent and one code", issued)
		}
		for code := range codes {
			wantTokens(t, native.Exchange(code))
		}
		wantAnswered(t, b.Do("POST", action, form, nil))
	})
	t.Run("CN-02 a scope left out is withdrawn", func(t *testing.T) {
		b := p.Browser()
		web.SignIn(b, "alice")
		page := asked(t, b, web, "alice", set("prompt", "consent"))
		if code := b.Submit(page, set("approved", "true", "scope", "openid")).Answer().Get("code"); code == "" {
			t.Fatal("no code")
		}
		if page := web.Authorize(b); !page.IsConsent() {
			t.Errorf("what was withdrawn was given silently: %s", page.URL)
		}
	})
	t.Run("CN-05; A13", func(t *testing.T) {
		b := p.Browser()
		web.Code(b, "alice")
		before := digest(t, p)["grant"]
		page := asked(t, b, web, "alice", set("prompt", "consent"))
		if page = b.Get(page.URL.String()); !page.IsConsent() {
			t.Errorf("a reload went through: %s", page.URL)
		}
		r := wantTokens(t, web.Exchange(b.Allow(page).Answer().Get("code")))
		if r.Get("refresh_token") == "" || len(digest(t, p)["grant"]) != len(before) {
			t.Errorf("%s", r.Text)
		}
		wantRedirectError(t, p, b, web.Authorize(b, set("prompt", "consent none")), web, "state of web", "invalid_request")
	})
	t.Run("CN-07: what the page says", func(t *testing.T) {
		p.Apply(clients("shown", `"client_name": "<i>Sample & Sons</i>", "logo_uri": "https://shown.test/logo.png", "policy_uri": "https://shown.test/policy", "tos_uri": "https://shown.test/terms"`))
		shown, b := p.Client("shown"), p.Browser()
		login := shown.Authorize(b, set("scope", "openid email offline_access"))
		page := b.Login(login, "alice", apptest.Password)
		for _, has := range []string{"&lt;i&gt;Sample &amp; Sons&lt;/i&gt;", "shown.test", "https://shown.test/logo.png", "https://shown.test/policy", "https://shown.test/terms"} {
			if !strings.Contains(login.Body, has) || !strings.Contains(page.Body, has) {
				t.Errorf("S2: a page lacks %s", has)
			}
		}
		for _, has := range []string{"See your email address", "alice@example.com", "Stay connected while you are away", "alice", "until you or your administrator withdraw it"} {
			if !strings.Contains(page.Body, has) {
				t.Errorf("the consent page lacks %q", has)
			}
		}
		if !strings.Contains(page.Header.Get("Content-Security-Policy"), "https://shown.test") || strings.Contains(page.Body, "<i>") {
			t.Errorf("Content-Security-Policy %q", page.Header.Get("Content-Security-Policy"))
		}
	})
}

// tokenFor is the CSRF token of a page with another fact after it: what an attacker can make of it.
func tokenFor(t *testing.T, b *apptest.Browser, page apptest.Page, fact string) string {
	t.Helper()
	_, form := b.Form(page)
	mac, _, _ := strings.Cut(form.Get("csrf"), ".")
	return mac + "." + fact
}
