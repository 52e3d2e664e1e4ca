package demo

import (
	"crypto/sha256"
	"encoding/json"
	"html"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"
)

// provider is a provider of the tests' own, which answers what the test wants it to.
type provider struct {
	t       testing.TB
	server  *httptest.Server
	app     *application
	handler http.Handler
	now     time.Time
	signer  *signer

	nonce       string
	asked       []url.Values // at the token endpoint
	sameRefresh bool
	change      map[string]func(http.ResponseWriter) bool    // answers in place of an endpoint
	claims      func(claims map[string]any)                  // changes the ID token
	endings     func(metadata map[string]any, issuer string) // changes the metadata
}

func newProvider(t testing.TB) *provider {
	t.Helper()
	p := &provider{t: t, now: noon, signer: newSigner(t, "k1"), change: map[string]func(http.ResponseWriter) bool{}}
	p.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { p.handler.ServeHTTP(w, r) }))
	t.Cleanup(p.server.Close)
	issuer := p.server.URL
	handler, err := New(Config{Issuer: issuer, ClientID: "demo", ClientSecret: "the secret of the demonstration, quite long", Path: "/demo",
		RedirectURI: issuer + "/demo/callback", PostLogoutRedirectURI: issuer + "/demo/signed-out", Scope: "openid email",
		StyleSheet: "/static/style.css", Language: func(http.ResponseWriter, *http.Request) string { return "en" },
		Now: func() time.Time { return p.now }, Log: slog.New(slog.DiscardHandler)}, http.HandlerFunc(p.answer))
	if err != nil {
		t.Fatal(err)
	}
	p.handler, p.app = handler, handler.(*application)
	return p
}

// answer is what the provider itself answers.
func (p *provider) answer(w http.ResponseWriter, r *http.Request) {
	if change := p.change[r.URL.Path]; change != nil && change(w) {
		return
	}
	issuer := p.server.URL
	switch r.URL.Path {
	case "/.well-known/openid-configuration":
		metadata := map[string]any{"issuer": issuer, "authorization_endpoint": issuer + "/authorize", "token_endpoint": issuer + "/token",
			"userinfo_endpoint": issuer + "/userinfo", "jwks_uri": issuer + "/jwks", "code_challenge_methods_supported": []string{"S256"},
			"authorization_response_iss_parameter_supported": true}
		if p.endings != nil {
			p.endings(metadata, issuer)
		}
		reply(w, 200, metadata)
	case "/authorize":
		p.nonce = r.URL.Query().Get("nonce")
	case "/token":
		r.ParseForm()
		p.asked = append(p.asked, r.PostForm)
		claims := goodClaims()
		claims["iss"], claims["nonce"] = issuer, p.nonce
		half := sha256.Sum256([]byte(accessToken))
		claims["at_hash"] = base64url.EncodeToString(half[:16])
		if p.claims != nil {
			p.claims(claims)
		}
		refresh := "rt_" + strings.Repeat("x", 40)
		if !p.sameRefresh {
			refresh += strings.Repeat("x", len(p.asked))
		}
		reply(w, 200, map[string]any{"access_token": accessToken, "token_type": "Bearer", "expires_in": 900, "refresh_token": refresh,
			"id_token": p.signer.sign(map[string]any{"alg": "ES256", "kid": "k1"}, claims)})
	case "/jwks":
		reply(w, 200, keySet(p.signer))
	case "/userinfo":
		reply(w, 200, map[string]any{"sub": "usr_1", "name": "Sari <b>"})
	default:
		http.NotFound(w, r)
	}
}

func reply(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(body)
}

// browser keeps cookies and follows no redirect.
type browser struct {
	p      *provider
	client *http.Client
	last   *http.Response
	page   string
}

func (p *provider) browser() *browser {
	jar, _ := cookiejar.New(nil)
	return &browser{p: p, client: &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

func (b *browser) do(method, target string, form url.Values, header http.Header) *browser {
	b.p.t.Helper()
	if strings.HasPrefix(target, "/") {
		target = b.p.server.URL + target
	}
	req, err := http.NewRequest(method, target, strings.NewReader(form.Encode()))
	if err != nil {
		b.p.t.Fatal(err)
	}
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for name, values := range header {
		req.Header[name] = values
	}
	b.last, err = b.client.Do(req)
	if err != nil {
		b.p.t.Fatal(err)
	}
	text, _ := io.ReadAll(b.last.Body)
	b.last.Body.Close()
	b.page = html.UnescapeString(string(text))
	return b
}

func (b *browser) get(target string) *browser { return b.do("GET", target, nil, nil) }

var csrfField = regexp.MustCompile(`name="csrf" value="([^"]+)"`)

// press sends one of the forms of the page.
func (b *browser) press(action string) *browser {
	b.p.t.Helper()
	m := csrfField.FindStringSubmatch(b.page)
	if m == nil || !strings.Contains(b.page, `action="/demo/`+action+`"`) {
		b.p.t.Fatalf("no form %s on the page: %d %s", action, b.last.StatusCode, b.page)
	}
	return b.do("POST", "/demo/"+action, url.Values{"csrf": {m[1]}}, nil)
}

// begin sends the authorization request and returns it.
func (b *browser) begin() url.Values {
	b.p.t.Helper()
	b.get("/demo").press("start")
	location, err := b.last.Location()
	if err != nil || location.Path != "/authorize" {
		b.p.t.Fatalf("no authorization request: %v %v", location, err)
	}
	b.get(location.String())
	return location.Query()
}

// end brings an answer back and shows the flow.
func (b *browser) end(answer url.Values) *browser {
	b.p.t.Helper()
	return b.get("/demo/callback?" + answer.Encode()).get("/demo/flow")
}

func (b *browser) good(request url.Values) url.Values {
	return url.Values{"code": {"a code of the provider, which is quite long"}, "state": {request.Get("state")}, "iss": {b.p.server.URL}}
}

func (b *browser) wants(parts ...string) {
	b.p.t.Helper()
	for _, part := range parts {
		if !strings.Contains(b.page, part) {
			b.p.t.Errorf("the page lacks %q:\n%s", part, b.page)
		}
	}
}

func (b *browser) lacks(parts ...string) {
	b.p.t.Helper()
	for _, part := range parts {
		if strings.Contains(b.page, part) {
			b.p.t.Errorf("the page has %q", part)
		}
	}
}

// A sign-in from the first page to the last, with what the application sends and what it never shows.
func TestFlow(t *testing.T) {
	p := newProvider(t)
	b := p.browser()
	request := b.begin()
	for name, want := range map[string]string{"client_id": "demo", "response_type": "code", "redirect_uri": p.server.URL + "/demo/callback",
		"scope": "openid email", "code_challenge_method": "S256", "ui_locales": "en"} {
		if request.Get(name) != want {
			t.Errorf("%s = %q", name, request.Get(name))
		}
	}
	b.get("/demo/flow").wants("The sign-in is not finished")
	answer := b.good(request)
	before := b.cookie()
	b.end(answer).wants("You are signed in, Sari <b>", "Passed:", `demo-refresh`, "Your session at Latchkey goes on",
		"the application proves that it is itself", "whoever bears it is answered", "Comes back unchanged", "Stands for your sign-in", "As it was sent",
		"Where codes are exchanged", "Which of the published keys", "Who it is about", "Opens the UserInfo endpoint", "not kept by anybody")
	b.lacks("Failed:", "<strong>Failed", answer.Get("code"), accessToken, "the secret of the demonstration", `demo-replay`)
	if b.cookie() == before {
		t.Error("the cookie of before the sign-in is the one after it")
	}

	sent := p.asked[0]
	challenge := sha256.Sum256([]byte(sent.Get("code_verifier")))
	if sent.Get("code") != answer.Get("code") || base64url.EncodeToString(challenge[:]) != request.Get("code_challenge") || sent.Get("redirect_uri") != request.Get("redirect_uri") {
		t.Errorf("token request: %v", sent)
	}
	b.get("/demo/callback?" + answer.Encode()).wants("This answer belongs to no sign-in of yours")
	if b.last.StatusCode != http.StatusBadRequest || len(p.asked) != 1 {
		t.Errorf("the answer was taken twice: %d, %d token requests", b.last.StatusCode, len(p.asked))
	}

	b.get("/demo/flow").press("sign-out").get("/demo/signed-out").wants("You are signed out", "goes on until you sign out there")
	if b.get("/demo/flow"); b.last.StatusCode != http.StatusSeeOther {
		t.Errorf("after sign-out the flow is still there: %d", b.last.StatusCode)
	}
}

func (b *browser) cookie() string {
	u, _ := url.Parse(b.p.server.URL + "/demo/flow")
	for _, c := range b.client.Jar.Cookies(u) {
		return c.Value
	}
	return ""
}

// Whatever does not fit ends the sign-in, and says why.
func TestFlowStops(t *testing.T) {
	fault := func(status int, body map[string]any) func(http.ResponseWriter) bool {
		return func(w http.ResponseWriter) bool {
			reply(w, status, body)
			return true
		}
	}
	for _, test := range []struct {
		name   string
		before func(p *provider)
		answer func(a url.Values)
		shows  []string
		asks   int // token requests
	}{
		{"a state of another browser", nil, func(a url.Values) { a.Set("state", "other") }, []string{"Failed:", "slipped in another sign-in"}, 0},
		{"no state", nil, func(a url.Values) { a.Del("state") }, []string{"Failed:", "slipped in another sign-in"}, 0},
		{"another issuer", nil, func(a url.Values) { a.Set("iss", "https://evil.test") }, []string{"Failed:", "https://evil.test"}, 0},
		{"no issuer though announced", nil, func(a url.Values) { a.Del("iss") }, []string{"Failed:"}, 0},
		{"two codes", nil, func(a url.Values) { a.Add("code", "two") }, []string{"parameters missing or doubled"}, 0},
		{"no code", nil, func(a url.Values) { a.Del("code") }, []string{"parameters missing or doubled"}, 0},
		{"a refusal", nil, func(a url.Values) {
			a.Del("code")
			a.Set("error", "access_denied")
			a.Set("error_description", "no <i>")
		},
			[]string{"access_denied", "no <i>", "latchkey explain --client demo"}, 0},
		{"a refusal with a reference", nil, func(a url.Values) {
			a.Del("code")
			a.Set("error", "access_denied")
			a.Set("error_uri", "https://op.test/errors?ref=err_abc#access_denied")
		}, []string{"access_denied", "latchkey explain err_abc"}, 0},
		{"a reference by redirect that is a command", nil, func(a url.Values) {
			a.Del("code")
			a.Set("error", "access_denied")
			a.Set("error_uri", "https://op.test/errors?ref=x%3B+rm+-rf+~")
		}, []string{"latchkey explain --client demo"}, 0},
		{"invalid_grant", func(p *provider) {
			p.change["/token"] = fault(400, map[string]any{"error": "invalid_grant", "error_description": "gone", "error_ref": "err_abc"})
		}, nil, []string{"invalid_grant", "gone", "latchkey explain err_abc"}, 0},
		{"a reference that is a command", func(p *provider) {
			p.change["/token"] = fault(400, map[string]any{"error": "invalid_grant", "error_ref": "x; rm -rf ~"})
		}, nil, []string{"latchkey explain --client demo"}, 0},
		{"no JSON", func(p *provider) {
			p.change["/token"] = func(w http.ResponseWriter) bool { w.Write([]byte("<html>")); return true }
		}, nil, []string{"not a JSON object"}, 0},
		{"an endless answer", func(p *provider) {
			p.change["/jwks"] = func(w http.ResponseWriter) bool { w.Write(make([]byte, maxAnswer+1)); return true }
		}, nil, []string{"too large"}, 1},
		{"a redirect", func(p *provider) {
			p.change["/userinfo"] = func(w http.ResponseWriter) bool {
				w.Header().Set("Location", "/elsewhere")
				w.WriteHeader(302)
				return true
			}
		}, nil, []string{"not the one the protocol asks for"}, 1},
		{"an ID token of another sign-in", func(p *provider) { p.claims = func(c map[string]any) { c["nonce"] = "other" } }, nil, []string{"Failed:", "it is no token from another one"}, 1},
		{"somebody else's answer", func(p *provider) {
			p.change["/userinfo"] = fault(200, map[string]any{"sub": "usr_2"})
		}, nil, []string{"Failed:", "usr_2"}, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := newProvider(t)
			if test.before != nil {
				test.before(p)
			}
			b := p.browser()
			answer := b.good(b.begin())
			if test.answer != nil {
				test.answer(answer)
			}
			b.end(answer).wants("You are not signed in", "<title>Error:")
			b.wants(test.shows...)
			b.lacks("You are signed in,", "demo-refresh")
			if len(p.asked) != test.asks {
				t.Errorf("%d token requests", len(p.asked))
			}
		})
	}
}

// The metadata decides where the rest goes, so it is believed only about the issuer that was configured.
func TestDiscoveryStops(t *testing.T) {
	for name, change := range map[string]func(m map[string]any, issuer string){
		"another issuer":   func(m map[string]any, issuer string) { m["issuer"] = issuer + "/" },
		"no PKCE":          func(m map[string]any, _ string) { delete(m, "code_challenge_methods_supported") },
		"plain PKCE alone": func(m map[string]any, _ string) { m["code_challenge_methods_supported"] = []string{"plain"} },
	} {
		t.Run(name, func(t *testing.T) {
			p := newProvider(t)
			p.endings = change
			b := p.browser()
			b.get("/demo").press("start")
			if b.last.Header.Get("Location") != "/demo/flow" {
				t.Fatalf("sent to %s", b.last.Header.Get("Location"))
			}
			b.get("/demo/flow").wants("You are not signed in", "Failed:")
		})
	}
}

// Refresh replaces both tokens; the old refresh token can then be tried again, and after that nothing works.
func TestRefreshAndReplay(t *testing.T) {
	p := newProvider(t)
	b := p.browser()
	b.end(b.good(b.begin()))
	p.claims = func(c map[string]any) { delete(c, "nonce") }
	b.press("refresh").get("/demo/flow").wants("The refresh token was replaced", "demo-replay")
	b.lacks("Failed:")
	refused := func(w http.ResponseWriter) bool {
		reply(w, 400, map[string]any{"error": "invalid_grant", "error_ref": "err_r"})
		return true
	}
	p.change["/token"] = refused
	p.change["/userinfo"] = func(w http.ResponseWriter) bool { reply(w, 401, map[string]any{"error": "invalid_token"}); return true }
	b.press("replay").get("/demo/flow").wants("The old refresh token is refused", "latchkey explain err_r", "work no more")
	b.lacks("Failed:", "demo-refresh", "demo-replay")

	// A provider that lets the thief go on is shown for what it is.
	p.change = map[string]func(http.ResponseWriter) bool{}
	p.claims = nil
	b.end(b.good(b.begin()))
	p.claims = func(c map[string]any) { delete(c, "nonce") }
	b.press("refresh").get("/demo/flow").press("replay").get("/demo/flow")
	if n := strings.Count(b.page, "<strong>Failed:"); n != 3 {
		t.Errorf("%d checks failed, want all 3", n)
	}

	// So is one that gives the same refresh token again.
	p.sameRefresh, p.claims = true, nil
	b.end(b.good(b.begin()))
	p.claims = func(c map[string]any) { delete(c, "nonce") }
	b.press("refresh").get("/demo/flow").wants("<strong>Failed:</strong> The refresh token was replaced", "work no more")
}

// Signing out forgets the tokens, revokes them, and asks the provider to end its session; the answer counts only with the
// state that was sent.
func TestSignOut(t *testing.T) {
	p := newProvider(t)
	p.endings = func(m map[string]any, issuer string) {
		m["end_session_endpoint"], m["revocation_endpoint"] = issuer+"/logout?x=1", issuer+"/revoke"
	}
	revoked := 0
	p.change["/revoke"] = func(http.ResponseWriter) bool { revoked++; return true }
	leave := func() (*browser, url.Values) {
		b := p.browser()
		b.end(b.good(b.begin())).press("sign-out")
		location, err := b.last.Location()
		if err != nil || location.Path != "/logout" {
			t.Fatalf("sent to %v, %v", location, err)
		}
		return b, location.Query()
	}
	b, sent := leave()
	if token, err := parseJWT(sent.Get("id_token_hint")); err != nil || token.claims["aud"] != "demo" || sent.Get("post_logout_redirect_uri") != p.server.URL+"/demo/signed-out" ||
		sent.Get("client_id") != "demo" || sent.Get("x") != "1" || revoked != 1 {
		t.Errorf("sign-out request %v, %d revocations, %v", sent, revoked, err)
	}
	b.get("/demo/signed-out?state="+sent.Get("state")).wants("your session at Latchkey has ended", "The refresh token is revoked")
	b.lacks("Failed:", sent.Get("id_token_hint"))
	b.begin()
	b.get("/demo/signed-out").lacks("Sign-out request")

	b, _ = leave()
	b.get("/demo/signed-out?state=other").wants("did not confirm", "Failed:")
	b, _ = leave()
	if b.get("/demo/flow"); b.last.Header.Get("Location") != "/demo" {
		t.Error("who does not come back from the provider is still signed in here")
	}
}

// However often somebody refreshes, the page stays bounded, and the sign-in stays on it.
func TestStepsBounded(t *testing.T) {
	f := &flow{}
	for range signInSteps {
		f.Steps = append(f.Steps, step{Name: "token"})
	}
	for range 50 {
		f.add(step{Name: "refresh"})
	}
	if len(f.Steps) != mostSteps || f.Steps[signInSteps-1].Name != "token" || f.Steps[signInSteps].Name != "refresh" {
		t.Errorf("%d steps", len(f.Steps))
	}
}
