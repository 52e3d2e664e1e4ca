package app_test

import (
	"math"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"latchkey/app/apptest"
	"latchkey/domain/audit"
)

func TestAuthorizationRequest(t *testing.T) {
	t.Parallel()
	p := apptest.New(t, clients("broad", `"profile": "standard"`, "slow", `"default_max_age": 60`))
	web := p.Client("web")
	started := []audit.Kind{audit.InteractionStarted}
	denied := []audit.Kind{audit.RequestDenied}

	t.Run("AZ-01", func(t *testing.T) {
		b := p.Browser()
		state := "a b+c%26&=\"<>'ü~" + strings.Repeat("x", 128)
		var page apptest.Page
		recorded(t, p, func() { page = web.Authorize(b, set("state", state, "nonce", "n o+n%ce")) }, started...)
		if !page.IsLogin() || page.Status != http.StatusOK || len(digest(t, p)["interaction"]) != 1 || len(digest(t, p)["code"]) != 0 {
			t.Fatalf("want the login page and one interaction: %d %v", page.Status, digest(t, p)["interaction"])
		}
		recorded(t, p, func() { page = b.Login(page, "alice", apptest.Password) }, audit.LoginSucceeded)
		recorded(t, p, func() { page = b.Allow(page) }, audit.ConsentGranted, audit.CodeIssued)
		v := answer(t, b, page, web.RedirectURI)
		if v.Get("state") != state {
			t.Errorf("state %q", v.Get("state"))
		}
		tokens := wantTokens(t, web.Exchange(v.Get("code")))
		if nonce := verify(t, p, tokens.Get("id_token")).claims["nonce"]; nonce != "n o+n%ce" {
			t.Errorf("nonce %q", nonce)
		}
	})
	t.Run("AZ-02", func(t *testing.T) {
		b := p.Browser()
		for _, id := range []string{`nobody<b>"`, "", strings.Repeat("x", 4000)} {
			unchanged(t, p, func() {
				recorded(t, p, func() {
					page := web.Authorize(b, url.Values{"client_id": {id}})
					wantPage(t, page, 400)
					if strings.Contains(page.Body, "<b>") || id == `nobody<b>"` && !strings.Contains(page.Body, "nobody&lt;b&gt;") {
						t.Errorf("client_id is not shown escaped: %.800s", page.Body)
					}
				}, denied...)
			})
		}
	})
	t.Run("JSON for programs", func(t *testing.T) {
		r := web.Send("GET", apptest.Alias("/authorize")+"?client_id=nobody", "", nil)
		wantErrorWithout401(t, r, "invalid_client")
		if r.Header.Get("Location") != "" {
			t.Errorf("Location %q", r.Header.Get("Location"))
		}
	})

	// Every parameter of the strict reference's table, which strict clients follow, and what answers a request that lacks it
	// or gets it wrong.
	broad := p.Client("broad")
	for _, c := range []struct {
		name   string
		rp     *apptest.RP
		change url.Values
		code   string
	}{
		{"strict: response_type missing; AZ-03; A4", web, without("response_type"), "invalid_request"},
		{"strict: response_type; AZ-03", web, set("response_type", "foo"), "unsupported_response_type"},
		{"AZ-03 twice", web, set("response_type", "code code"), "unsupported_response_type"},
		{"AZ-04 token, strict as strict has it", web, set("response_type", "token"), "unsupported_response_type"},
		{"AZ-04 token", broad, set("response_type", "token"), "unauthorized_client"},
		{"AZ-04 id_token", broad, set("response_type", "id_token"), "unauthorized_client"},
		{"AZ-04 code id_token", broad, set("response_type", "code id_token"), "unauthorized_client"},
		{"AZ-04 id_token code", broad, set("response_type", "id_token code"), "unauthorized_client"},
		{"strict: scope missing", web, without("scope"), "invalid_scope"},
		{"strict: scope without openid", web, set("scope", "profile email"), "invalid_scope"},
		{"strict: scope unknown", web, set("scope", "openid admin"), "invalid_scope"},
		{"scope in other letter case", web, set("scope", "OpenID"), "invalid_scope"},
		{"scope with a quote", web, set("scope", `openid "x"`), "invalid_scope"},
		{"scope of 65 values", web, set("scope", "openid"+strings.Repeat(" a", 1)+manyScopes(65)), "invalid_scope"},
		{"strict: state missing", web, without("state"), "invalid_request"},
		{"strict: state empty", web, set("state", ""), "invalid_request"},
		{"strict: nonce missing", web, without("nonce"), "invalid_request"},
		{"strict: code_challenge missing; PK-01", web, without("code_challenge", "code_challenge_method"), "invalid_request"},
		{"PK-01 method alone", web, without("code_challenge"), "invalid_request"},
		{"PK-02 no method", web, without("code_challenge_method"), "invalid_request"},
		{"PK-02 plain", web, set("code_challenge_method", "plain", "code_challenge", apptest.Verifier), "invalid_request"},
		{"PK-02 s256", web, set("code_challenge_method", "s256"), "invalid_request"},
		{"PK-02 short challenge", web, set("code_challenge", "abc"), "invalid_request"},
		{"PK-02 padded challenge", web, set("code_challenge", strings.Repeat("A", 43)+"="), "invalid_request"},
		{"PK-01 spa", p.Client("spa"), without("code_challenge", "code_challenge_method"), "invalid_request"},
		{"PK-02 spa", p.Client("spa"), set("code_challenge_method", "plain", "code_challenge", apptest.Verifier), "invalid_request"},
		{"PK-01 native", p.Client("native"), without("code_challenge", "code_challenge_method"), "invalid_request"},
		{"AZ-07 none login", web, set("prompt", "none login"), "invalid_request"},
		{"AZ-07 foo", web, set("prompt", "foo"), "invalid_request"},
		{"AZ-07 create", web, set("prompt", "login create"), "invalid_request"},
		{"AZ-06", web, set("prompt", "none"), "login_required"},
		{"AZ-12 request", web, set("request", "eyJhbGciOiJub25lIn0.e30."), "request_not_supported"},
		{"AZ-12 request of another server", web, set("request", "x", "response_type", "foo"), "request_not_supported"},
		{"registration", web, set("registration", "{}"), "registration_not_supported"},
		{"response_mode", web, set("response_mode", "web_message"), "invalid_request"},
		{"max_age negative", web, set("max_age", "-1"), "invalid_request"},
		{"max_age text", web, set("max_age", "1h"), "invalid_request"},
		{"max_age huge", web, set("max_age", "99999999999999999999"), "invalid_request"},
		{"id_token_hint garbage", web, set("id_token_hint", "garbage"), "invalid_request"},
		{"id_token_hint garbage, silent", web, set("id_token_hint", "a.b.c", "prompt", "none"), "invalid_request"},
		{"two scope", web, url.Values{"scope": {"openid", "openid"}}, "invalid_request"},
		{"AZ-05 nonce", web, url.Values{"nonce": {"a", "b"}}, "invalid_request"},
		{"AZ-05 response_type", web, url.Values{"response_type": {"code", "token"}}, "invalid_request"},
		{"AZ-05 code_challenge", web, url.Values{"code_challenge": {"a", "a"}}, "invalid_request"},
		{"AZ-05 unknown", web, url.Values{"unknown": {"a", "a"}}, "invalid_request"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := p.Browser()
			unchanged(t, p, func() {
				recorded(t, p, func() {
					r := c.rp.Request(c.change)
					wantRedirectError(t, p, b, c.rp.Authorize(b, c.change), c.rp, r.Get("state"), c.code)
				}, denied...)
			})
			if len(b.Cookies()) != 0 {
				t.Errorf("cookies were set: %v", b.Cookies())
			}
		})
	}
	t.Run("AZ-05 state", func(t *testing.T) {
		b := p.Browser()
		wantRedirectError(t, p, b, web.Authorize(b, url.Values{"state": {"a", "b"}}), web, "", "invalid_request")
	})
	t.Run("AZ-05 client_id and redirect_uri", func(t *testing.T) {
		b := p.Browser()
		for _, change := range []url.Values{{"client_id": {"web", "web"}}, {"client_id": {"web", "evil"}},
			{"redirect_uri": {web.RedirectURI, web.RedirectURI}}, {"redirect_uri": {web.RedirectURI, "https://evil.test/cb"}}} {
			unchanged(t, p, func() { recorded(t, p, func() { wantPage(t, web.Authorize(b, change), 400) }, denied...) })
		}
	})
	t.Run("AZ-12 request_uri", func(t *testing.T) {
		sink, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer sink.Close()
		b := p.Browser()
		page := web.Authorize(b, set("request_uri", "http://"+sink.Addr().String()+"/r"))
		wantRedirectError(t, p, b, page, web, "state of web", "request_uri_not_supported")
		sink.(*net.TCPListener).SetDeadline(time.Now()) // whatever connected by now waits to be accepted
		if c, err := sink.Accept(); err == nil {
			c.Close()
			t.Error("the server fetched the request_uri")
		}
	})
	t.Run("AZ-11", func(t *testing.T) {
		const tricky = "s +%&~\"><script>\r\nX: y"
		for _, mode := range []string{"query", "fragment", "form_post"} {
			b := p.Browser()
			mark := map[string]string{"query": "?", "fragment": "#"}[mode]
			check := func(page apptest.Page, want ...string) {
				t.Helper()
				v := answer(t, b, page, web.RedirectURI)
				for _, name := range append(want, "state", "iss") {
					if len(v[name]) != 1 {
						t.Errorf("%s: %s occurs %d times: %v", mode, name, len(v[name]), v)
					}
				}
				if v.Get("iss") != p.Issuer || v.Get("state") != tricky || !strings.HasPrefix(page.Location, strings.TrimSuffix(web.RedirectURI+mark, "?")) && mark != "" {
					t.Errorf("%s: %v", mode, v)
				}
				if len(v) != len(want)+2 {
					t.Errorf("%s: further parameters: %v", mode, v)
				}
			}
			change := set("response_mode", mode, "state", tricky)
			check(web.Authorize(b, change, set("scope", "nope")), "error", "error_description", "error_uri")
			page := web.Authorize(b, change)
			if page = b.Login(page, "alice", apptest.Password); page.IsConsent() {
				page = b.Allow(page)
			}
			check(page, "code", "session_state")
		}
	})
	t.Run("A1 A2 A3 A8", func(t *testing.T) {
		b := p.Browser()
		web.Code(b, "alice")
		hint := web.SignIn(b, "alice").Get("id_token")
		for name, change := range map[string]url.Values{
			"unknown parameter": set("extra", "foobar"),
			"scope order":       set("scope", "email  offline_access openid profile openid"),
			"display page":      set("display", "page"), "display popup": set("display", "popup"), "display odd": set("display", "odd"),
			"ui_locales": set("ui_locales", "id xx-?? en"), "claims_locales": set("claims_locales", "id"),
			"login_hint": set("login_hint", "buffy@example.com"), "acr_values": set("acr_values", "urn:sso:loa:mfa urn:sso:loa:pwd 1"),
			"huge login_hint": set("login_hint", strings.Repeat("h", 4000)), "resource twice": {"resource": {"https://a.test", "https://b.test"}},
			"empty optional parameters": set("prompt", "", "max_age", "", "response_mode", "", "id_token_hint", ""),
			"hint":                      set("id_token_hint", hint), "huge max_age": set("max_age", "9223372036854775807"),
			"state of 4096 bytes": set("state", strings.Repeat("s", 4096)),
		} {
			page := web.Authorize(b, change)
			if v := answer(t, b, page, web.RedirectURI); v.Get("code") == "" || v.Get("state") != web.Request(change).Get("state") {
				t.Errorf("%s: %.300s", name, page.Location)
			}
		}
		tokens := web.SignIn(b, "alice", set("scope", "email  offline_access openid profile openid"))
		if tokens.Get("scope") != "email offline_access openid profile" {
			t.Errorf("scope %q", tokens.Get("scope"))
		}
		// A form in the body; with a session, and from another site where the Lax session cookie does not come along.
		form := web.Request()
		for range 4 {
			page := b.Do("POST", apptest.Alias("/authorize"), form, nil)
			if v := answer(t, b, page, web.RedirectURI); v.Get("code") == "" {
				t.Errorf("POST: %s", page.Location)
			}
		}
		stranger := p.Browser()
		page := stranger.Do("POST", apptest.Alias("/authorize"), form, http.Header{"Origin": {"https://app.test"}, "Sec-Fetch-Site": {"cross-site"}})
		if page.Status != http.StatusSeeOther || !strings.HasPrefix(page.Location, "/authorize?") {
			t.Fatalf("POST of another site: %d %s", page.Status, page.Location)
		}
		if page = stranger.Get(page.Location); !page.IsLogin() {
			t.Errorf("POST of another site: %d %s", page.Status, page.URL)
		}
	})
	t.Run("values beyond every bound", func(t *testing.T) {
		b := p.Browser()
		for name, query := range map[string]string{
			"state of 4097 bytes": web.Request(set("state", strings.Repeat("s", 4097))).Encode(),
			"101 parameters":      web.Request().Encode() + strings.Repeat("&a=b", 101),
			"bad escape":          web.Request().Encode() + "&x=%zz",
			"not UTF-8":           web.Request().Encode() + "&x=%ff",
			"NUL":                 web.Request().Encode() + "&x=%00",
		} {
			t.Run(name, func(t *testing.T) {
				unchanged(t, p, func() {
					recorded(t, p, func() { wantPage(t, b.Do("GET", "/authorize?"+query, nil, nil), 400) }, denied...)
				})
			})
		}
	})
	t.Run("B2", func(t *testing.T) {
		b := p.Browser()
		// Without state, none comes back. A client that need not send it is of profile coreone; see TestRules.
		state := "ABCxyz019-._~" + strings.Repeat("-", 115)
		page := web.Authorize(b, set("prompt", "none", "state", state))
		wantRedirectError(t, p, b, page, web, state, "login_required")
	})
	t.Run("B5", func(t *testing.T) {
		b := p.Browser()
		web.Code(b, "alice")
		seen := map[string]bool{}
		for range 20 {
			code := web.Code(b, "alice")
			if len(code) < 22 || entropy(code) < 96 || seen[code] || url.QueryEscape(code) != code {
				t.Errorf("code %q: entropy %.0f", code, entropy(code))
			}
			seen[code] = true
		}
	})
	t.Run("AZ-15", func(t *testing.T) {
		b := p.Browser()
		web.Code(b, "alice")
		fresh := p.Browser()
		login := web.Authorize(fresh)
		unchanged(t, p, func() {
			for range 4 {
				page := b.Do("HEAD", apptest.Alias("/authorize")+"?"+web.Request().Encode(), nil, nil)
				if page.Status != http.StatusMethodNotAllowed || page.Body != "" || page.Location != "" {
					t.Errorf("HEAD: %d %s", page.Status, page.Location)
				}
			}
			if page := fresh.Do("HEAD", login.URL.String(), nil, nil); page.Status != http.StatusMethodNotAllowed {
				t.Errorf("HEAD on the login page: %d", page.Status)
			}
		})
		if page := fresh.Get(login.URL.String()); !page.IsLogin() {
			t.Errorf("GET afterwards: %d", page.Status)
		}
		if code := web.Code(b, "alice"); code == "" {
			t.Error("no code afterwards")
		}
	})
	t.Run("AZ-23", func(t *testing.T) {
		b := p.Browser()
		form := set("username", "alice", "password", apptest.Password, "client_secret", apptest.Secret)
		for _, path := range []string{"//login", "/x/../authorize", "/./consent", "/login/", "/token/", "/%6cogin", "/login%2f", "/.//token", "/authorize/.."} {
			for _, base := range []string{path, path + "?a=b"} {
				page := b.Do("POST", p.Issuer+base, form, nil)
				if (page.Status != 404 && page.Status != 400) || page.Location != "" {
					t.Errorf("POST %s: %d %s", base, page.Status, page.Location)
				}
			}
		}
	})
	t.Run("default_max_age", func(t *testing.T) {
		b, slow := p.Browser(), p.Client("slow")
		slow.Code(b, "alice")
		p.Advance(61 * time.Second)
		if page := slow.Authorize(b); !page.IsLogin() {
			t.Errorf("no new sign-in: %s", page.URL)
		}
		if page := slow.Authorize(b, set("max_age", "3600")); page.Answer().Get("code") == "" {
			t.Errorf("max_age does not take the place of default_max_age: %s", page.URL)
		}
	})
}

// wantErrorWithout401 checks the JSON error of a browser endpoint, where nobody authenticates.
func wantErrorWithout401(t *testing.T, r apptest.Reply, code string) {
	t.Helper()
	if r.Status != 400 || r.Get("error") != code || r.Header.Get("WWW-Authenticate") != "" || r.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("want 400 %s: %d %v %.300s", code, r.Status, r.Header, r.Text)
	}
}

func manyScopes(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(" s" + string(rune('a'+i%26)) + string(rune('a'+i/26)))
	}
	return b.String()
}

// entropy is the Shannon entropy of the text in bits, counted from its own characters.
func entropy(s string) float64 {
	counts := map[rune]float64{}
	for _, c := range s {
		counts[c]++
	}
	bits := 0.0
	for _, n := range counts {
		bits -= n * math.Log2(n/float64(len(s)))
	}
	return bits
}
