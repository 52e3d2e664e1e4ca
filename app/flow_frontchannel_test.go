package app_test

import (
	"crypto/sha256"
	"encoding/base64"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"latchkey/app/apptest"
	"latchkey/domain/audit"
)

var (
	frameTag  = regexp.MustCompile(`<iframe src="([^"]*)"`)
	frameRule = regexp.MustCompile(`frame-src ([^;]*)`)
)

// wantFrames checks the page of frames: exactly those addresses, and a policy of exactly their origins.
func wantFrames(t *testing.T, page apptest.Page, policy string, frames ...string) {
	t.Helper()
	var got []string
	for _, m := range frameTag.FindAllStringSubmatch(page.Body, -1) {
		got = append(got, html.UnescapeString(m[1]))
	}
	rule := frameRule.FindStringSubmatch(page.Header.Get("Content-Security-Policy"))
	if page.Status != 200 || !slices.Equal(got, frames) || len(rule) != 2 || rule[1] != policy || page.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("%d, frames %q, policy %q; want %q, %q: %.300s", page.Status, got, rule, frames, policy, page.Body)
	}
}

// LO-07, and S1's rows of the front channel.
func TestFrontChannel(t *testing.T) {
	t.Parallel()
	h := newHearer(t)
	p := apptest.New(t, channels(h))
	web, front, both, evil := p.Client("web"), p.Client("front"), p.Client("both"), p.Client("evil")
	const path, policy = "/connect/logout/frontchannel", "https://both.test https://front.test"
	framesOf := func(sid string) []string {
		return []string{"https://both.test/out", "https://front.test/out?x=1&iss=" + strings.NewReplacer(":", "%3A", "/", "%2F").Replace(p.Issuer) + "&sid=" + sid}
	}
	sidOf := func(r apptest.Reply) string { return verify(t, p, r.Get("id_token")).claims["sid"].(string) }
	withToken := func(token string) apptest.Page {
		return p.Browser().Do("GET", path, nil, http.Header{"Authorization": {"Bearer " + token}})
	}

	t.Run("LO-07; S1 GET /connect/logout/frontchannel: with the token, after the logout and before", func(t *testing.T) {
		b := p.Browser()
		one := web.SignIn(b, "alice")
		front.SignIn(b, "alice")
		both.SignIn(b, "alice")
		evil.SignIn(b, "alice")
		front.SignIn(p.Browser(), "bob")
		token, frames := one.Get("access_token"), framesOf(sidOf(one))
		unchanged(t, p, func() { wantFrames(t, withToken(token), policy, frames...) })
		alive(t, web, token)
		if r := central(web, token, ""); r.Get("frontchannel_logout_url") != p.Issuer+path {
			t.Fatalf("%d %s", r.Status, r.Text)
		}
		page := withToken(token)
		wantFrames(t, page, policy, frames...)
		for _, text := range []string{"You are signed out", "Web application", "Signed out", "Being signed out in this browser", "May still be signed in"} {
			if !strings.Contains(page.Body, text) {
				t.Errorf("the page does not say %q: %s", text, page.Body)
			}
		}
		// The browser whose session that was is shown the same.
		page = b.Do("GET", path, nil, nil)
		wantFrames(t, page, policy, frames...)
		if b.Cookies()["latchkey-session"] != "" || b.Cookies()["latchkey-state"] != "" {
			t.Error("the cookies of the ended session stay")
		}
		p.Advance(16 * time.Minute)
		if page := withToken(token); page.Status != 401 {
			t.Errorf("expired: %d", page.Status)
		}
	})
	t.Run("S1 GET /connect/logout/frontchannel: nobody", func(t *testing.T) {
		b := p.Browser()
		one := front.SignIn(b, "alice")
		if page := b.Do("GET", path, nil, nil); page.Location != "/" || !stillIn(front, b) { // a link of any site leads here
			t.Errorf("a live session: %d %q", page.Status, page.Location)
		}
		r := web.Send("GET", path, "", nil)
		if wantError(t, r, 401, "invalid_token"); !strings.HasPrefix(r.Header.Get("WWW-Authenticate"), "Bearer") {
			t.Errorf("WWW-Authenticate %q", r.Header.Get("WWW-Authenticate"))
		}
		for name, token := range map[string]string{"garbage": "x", "JW-02 another key": resigned(one.Get("access_token")), "an ID token": one.Get("id_token")} {
			r := web.Send("GET", path, "", http.Header{"Authorization": {"Bearer " + token}})
			wantError(t, r, 401, "invalid_token")
			if t.Failed() {
				t.Fatal(name)
			}
		}
		// A token that was revoked before its session ended opens nothing afterwards.
		revoke(front, one.Get("access_token"))
		two := front.SignIn(b, "alice")
		line := front.SignIn(b, "alice")
		revoke(front, line.Get("refresh_token"))
		p.Advance(time.Second)
		central(front, two.Get("access_token"), "")
		for _, token := range []string{one.Get("access_token"), line.Get("access_token")} {
			wantError(t, web.Send("GET", path, "", http.Header{"Authorization": {"Bearer " + token}}), 401, "invalid_token")
		}
	})
	t.Run("LO-07: after RP-initiated logout the browser goes on to the application", func(t *testing.T) {
		b := p.Browser()
		one := web.SignIn(b, "alice")
		front.SignIn(b, "alice")
		page := logout(b, set("id_token_hint", one.Get("id_token"), "post_logout_redirect_uri", byePage, "state", "s t"))
		wantFrames(t, page, "https://front.test", framesOf(sidOf(one))[1])
		if page.Header.Get("Refresh") != "3; url="+byePage+"?state=s+t" || !strings.Contains(page.Body, `id="logout-continue" href="`+byePage+`?state=s&#43;t"`) {
			t.Errorf("Refresh %q: %s", page.Header.Get("Refresh"), page.Body)
		}
		if stillIn(web, b) {
			t.Error("still signed in")
		}
		// Confirmed by hand, and on the start page, it is the same page.
		front.SignIn(b, "alice")
		wantFrames(t, b.Submit(logout(b, set("client_id", "web")), nil), "https://front.test", frameOf(t, p, "front"))
		front.SignIn(b, "alice")
		wantFrames(t, b.Submit(b.Get("/"), nil), "https://front.test", frameOf(t, p, "front"))
		// In Indonesian.
		front.SignIn(b, "alice")
		b.Header.Set("Accept-Language", "id")
		if page := b.Submit(b.Get("/"), nil); !strings.Contains(page.Body, "Sedang dikeluarkan di peramban ini") {
			t.Errorf("%s", page.Body)
		}
	})
	t.Run("nobody needs a frame: straight on", func(t *testing.T) {
		b := p.Browser()
		one := web.SignIn(b, "alice")
		wantGone(t, logout(b, set("id_token_hint", one.Get("id_token"), "post_logout_redirect_uri", byePage)), byePage)
		h.told()
		if p.Deliver(); len(h.told()) != 1 {
			t.Error("the back channel was not told")
		}
	})
	t.Run("two applications, one session, one logout", func(t *testing.T) {
		b := p.Browser()
		one, two := web.SignIn(b, "alice"), front.SignIn(b, "alice")
		if sidOf(one) != sidOf(two) {
			t.Fatal("two sessions")
		}
		h.told()
		page := logout(b, set("id_token_hint", two.Get("id_token")))
		wantFrames(t, page, "https://front.test", framesOf(sidOf(two))[1])
		told := h.told()
		if len(told) != 1 || verify(t, p, told[0].Get("logout_token")).claims["sid"] != sidOf(one) {
			t.Errorf("the back channel heard %v", told)
		}
		if !strings.Contains(page.Body, "Signed out</span>") {
			t.Errorf("what became of the other application? %s", page.Body)
		}
	})
}

// frameOf is the front-channel address of the client for the session that ended last.
func frameOf(t *testing.T, p *apptest.Provider, client string) string {
	t.Helper()
	ended := p.Events(audit.SessionEnded)
	return "https://" + client + ".test/out?x=1&iss=" + strings.NewReplacer(":", "%3A", "/", "%2F").Replace(p.Issuer) + "&sid=" + ended[len(ended)-1].Session
}

// S1's rows of session registration.
func TestRegisterSession(t *testing.T) {
	t.Parallel()
	h := newHearer(t)
	p := apptest.New(t, channels(h))
	web, front, evil, m2m := p.Client("web"), p.Client("front"), p.Client("evil"), p.Client("m2m")
	register := func(rp *apptest.RP, token string) apptest.Reply {
		return rp.Send("POST", "/connect/register-session", "", http.Header{"Authorization": {"Bearer " + token}})
	}
	t.Run("S1 POST /connect/register-session: success", func(t *testing.T) {
		for _, rp := range []*apptest.RP{web, front} {
			one := rp.SignIn(p.Browser(), "alice")
			sid := verify(t, p, one.Get("id_token")).claims["sid"]
			for range 2 {
				r := register(rp, one.Get("access_token"))
				if r.Status != 200 || len(r.JSON) != 3 || r.JSON["registered"] != true || r.JSON["client_id"] != rp.ID || r.JSON["sid"] != sid {
					t.Errorf("%d %s", r.Status, r.Text)
				}
			}
		}
	})
	t.Run("S1 POST /connect/register-session: invalid_client 400", func(t *testing.T) {
		one := evil.SignIn(p.Browser(), "alice")
		unchanged(t, p, func() {
			recorded(t, p, func() { wantError(t, register(evil, one.Get("access_token")), 400, "invalid_client") }, audit.BearerDenied)
		})
	})
	t.Run("S1 POST /connect/register-session: invalid_token 401", func(t *testing.T) {
		one := web.SignIn(p.Browser(), "alice")
		gone := web.SignIn(p.Browser(), "alice")
		central(web, gone.Get("access_token"), "")
		own := m2m.Post("/token", set("grant_type", "client_credentials"), nil)
		for name, token := range map[string]string{"of a session that ended": gone.Get("access_token"), "garbage": "x", "none": "", "an ID token": one.Get("id_token"),
			"of no session": own.Get("access_token"), "JW-02 another key": resigned(one.Get("access_token"))} {
			unchanged(t, p, func() {
				r := register(web, token)
				if wantError(t, r, 401, "invalid_token"); !strings.HasPrefix(r.Header.Get("WWW-Authenticate"), "Bearer") {
					t.Errorf("WWW-Authenticate %q", r.Header.Get("WWW-Authenticate"))
				}
			})
			if t.Failed() {
				t.Fatal(name)
			}
		}
		p.Advance(16 * time.Minute)
		wantError(t, register(web, one.Get("access_token")), 401, "invalid_token")
	})
}

// OIDC Session Management 1.0: the state a relying party is told, and the one its frame finds in the browser.
func TestSessionManagement(t *testing.T) {
	t.Parallel()
	p := apptest.New(t, farewell)
	web, native, b := p.Client("web"), p.Client("native"), p.Browser()
	// asked is what the script in the frame answers.
	asked := func(client, origin, sessionState string) string {
		hash, salt, found := strings.Cut(sessionState, ".")
		if !found {
			return "error"
		}
		sum := sha256.Sum256([]byte(client + " " + origin + " " + b.Cookies()["latchkey-state"] + " " + salt))
		if base64.RawURLEncoding.EncodeToString(sum[:]) == hash {
			return "unchanged"
		}
		return "changed"
	}
	state := func() string {
		t.Helper()
		page := web.Authorize(b)
		if page.IsLogin() {
			page = b.Login(page, "alice", apptest.Password)
		}
		if page.IsConsent() {
			page = b.Allow(page)
		}
		return page.Answer().Get("session_state")
	}
	first := state()
	if got := asked("web", "https://app.test", first); got != "unchanged" {
		t.Errorf("after the sign-in: %s", got)
	}
	for name, got := range map[string]string{"another client": asked("evil", "https://app.test", first), "another origin": asked("web", "https://evil.test", first)} {
		if got != "changed" {
			t.Errorf("%s: %s", name, got)
		}
	}
	if again := state(); again == first || asked("web", "https://app.test", again) != "unchanged" || asked("web", "https://app.test", first) != "unchanged" {
		t.Errorf("a second answer: %s", again)
	}
	b.SetCookie("latchkey-state", "lost")
	if lost := state(); asked("web", "https://app.test", lost) != "unchanged" {
		t.Error("a lost cookie is not set again")
	}
	// An application that polls with prompt=none learns from a failure too what to compare from now on, or it would poll for ever.
	failed := func(b *apptest.Browser, code string, changes ...url.Values) string {
		t.Helper()
		v := web.Authorize(b, changes...).Answer()
		if v.Get("error") != code {
			t.Errorf("%s: %v", code, v)
		}
		return v.Get("session_state")
	}
	silent := set("prompt", "none")
	if got := asked("web", "https://app.test", failed(b, "login_required", silent, set("max_age", "0"))); got != "unchanged" {
		t.Errorf("after a failure: %s", got)
	}
	if state := failed(p.Browser(), "login_required", silent); state != "" {
		t.Errorf("a browser that brings no cookie is told %q", state)
	}
	if state := failed(b, "invalid_scope", set("scope", "nope")); state != "" {
		t.Errorf("no authentication request, and it is told %q", state)
	}
	cookies := b.Cookies()
	b.Submit(b.Get("/"), nil)
	old := p.Browser() // another tab's answer is late: its cookies are of the session that ended
	for _, name := range []string{"latchkey-session", "latchkey-browser", "latchkey-state"} {
		old.SetCookie(name, cookies[name])
	}
	if state := failed(old, "login_required", silent); state == "" || asked("web", "https://app.test", state) != "changed" {
		t.Errorf("a session that ended: %q", state)
	}
	if got := asked("web", "https://app.test", first); got != "changed" || b.Cookies()["latchkey-state"] != "" {
		t.Errorf("after the sign-out: %s", got)
	}
	if second := state(); asked("web", "https://app.test", second) != "unchanged" || asked("web", "https://app.test", first) != "changed" {
		t.Error("after the next sign-in")
	}
	if page := native.Authorize(b, set("redirect_uri", "com.example.app:/cb")); page.Answer().Get("session_state") != "" {
		t.Error("a native application has no origin to tell of")
	}
	r := web.Send("GET", "/.well-known/openid-configuration", "", nil)
	if r.JSON["check_session_iframe"] != p.Issuer+"/connect/checksession" {
		t.Errorf("check_session_iframe %v", r.JSON["check_session_iframe"])
	}
	for _, name := range []string{"backchannel_logout_supported", "backchannel_logout_session_supported", "frontchannel_logout_supported", "frontchannel_logout_session_supported"} {
		if r.JSON[name] != true {
			t.Errorf("%s is %v", name, r.JSON[name])
		}
	}
	frame := web.Send("GET", "/connect/checksession", "", nil)
	script := regexp.MustCompile(`(?s)<script>(.*)</script>`).FindStringSubmatch(frame.Text)
	csp := frame.Header.Get("Content-Security-Policy")
	if len(script) != 2 || !strings.Contains(script[1], "'latchkey-state'") || strings.Contains(csp, "frame-ancestors") || frame.Header.Get("X-Frame-Options") != "" {
		t.Fatalf("the frame: %q %.300s", csp, frame.Text)
	}
	sum := sha256.Sum256([]byte(script[1]))
	if !strings.Contains(csp, "script-src 'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"';") {
		t.Errorf("the policy does not allow the script: %s", csp)
	}
	for _, path := range []string{"/", "/login", "/connect/logout"} { // nothing else may be framed
		if csp := p.Browser().Do("GET", path, nil, nil).Header.Get("Content-Security-Policy"); !strings.Contains(csp, "frame-ancestors 'none'") {
			t.Errorf("%s: %s", path, csp)
		}
	}
}
