package app_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"latchkey/app/apptest"
	"latchkey/ports"
)

// misconfigured is one mistake in the set-up of a real relying party, made over HTTP. run returns the request id of the
// refusal that its operator would see.
type misconfigured struct {
	name  string
	run   func(t *testing.T) string
	cause string
	words []string // in the explanation, wherever they stand
}

// explained looks the refusal up in both languages and checks what is said.
func explained(t *testing.T, p *apptest.Provider, m misconfigured) {
	t.Helper()
	ref := m.run(t)
	x, err := p.Explain.Explain(t.Context(), ref, "en")
	if err != nil {
		t.Fatalf("%s: %v", ref, err)
	}
	text := wording(x)
	if x.Cause != m.cause {
		t.Errorf("cause %q, want %q: %s", x.Cause, m.cause, text)
	}
	for _, w := range m.words {
		if !strings.Contains(text, w) {
			t.Errorf("%q is not said:\n%s", w, text)
		}
	}
	if x.Rule == "" || x.Section == "" || x.Mistake == "" || x.Fix == "" || strings.ContainsAny(text, "{}") {
		t.Errorf("not whole:\n%s", text)
	}
	for _, secret := range []string{apptest.Secret, apptest.Password, apptest.Verifier} {
		if strings.Contains(text+fmt.Sprintf("%+v", x), secret) {
			t.Errorf("AD-04: the explanation holds a secret:\n%s", text)
		}
	}
	other, err := p.Explain.Explain(t.Context(), "err_"+strings.TrimPrefix(ref, "req_"), "id")
	if err != nil || other.Cause != x.Cause || other.Fix == x.Fix || other.Summary == x.Summary {
		t.Errorf("in Indonesian: %v %+v", err, other)
	}
}

func wording(x ports.Explanation) string {
	return strings.Join([]string{x.Summary, "received: " + x.Received, "expected: " + strings.Join(x.Expected, " "), "nearest: " + x.Nearest,
		strings.Join(x.Differences, "; "), x.Rule, x.Section, x.Mistake, x.Fix, x.Setting, x.Command, x.Settled}, "\n")
}

const grafana = "https://grafana.test/login/generic_oauth"

func explainProvider(t *testing.T) *apptest.Provider {
	return apptest.New(t, clients("grafana", `"redirect_uris": ["`+grafana+`"]`, "cloud", `"redirect_uris": ["https://cloud.test/apps/user_oidc/code"]`,
		"proxy", `"redirect_uris": ["https://proxy.test/oauth2/callback"]`, "next", `"redirect_uris": ["http://localhost:3000/api/auth/callback/latchkey"]`,
		"basic", `"token_endpoint_auth_method": "client_secret_basic"`, "plainoauth", `"require_openid": false`,
		"gone", `"disabled": true`, "other", `"client_secret": "another-secret-0123456789-0123456789"`))
}

// What the browser is shown at the authorization endpoint: every mistake ends in the right advice.
func TestExplainAuthorizationRequests(t *testing.T) {
	t.Parallel()
	p := explainProvider(t)
	b := p.Browser()
	sends := func(client string, change ...url.Values) func(*testing.T) string {
		return func(*testing.T) string { return p.Client(client).Authorize(b, change...).Header.Get("X-Request-Id") }
	}
	redirect := func(client, uri string) func(*testing.T) string { return sends(client, set("redirect_uri", uri)) }
	for _, m := range []misconfigured{
		{"Grafana: trailing slash", redirect("grafana", grafana+"/"), "redirect_mismatch", []string{"trailing slash", "Grafana", "root_url", "nearest: " + grafana}},
		{"Grafana: http behind a proxy", redirect("grafana", "http://grafana.test/login/generic_oauth"), "redirect_mismatch", []string{"the scheme is http instead of https", "root_url"}},
		{"Grafana: port of the container", redirect("grafana", "https://grafana.test:3000/login/generic_oauth"), "redirect_mismatch", []string{"it has the port 3000", "GF_SERVER_ROOT_URL"}},
		{"Grafana: root_url was never set", redirect("grafana", "http://localhost:3000/login/generic_oauth"), "redirect_mismatch", []string{"the host is localhost instead of grafana.test", "root_url"}},
		{"Grafana: path of another provider", redirect("grafana", "https://grafana.test/login/oauth"), "redirect_mismatch", []string{"the path is /login/oauth instead of /login/generic_oauth", "Grafana"}},
		{"Nextcloud: path of the other app", redirect("cloud", "https://cloud.test/apps/oidc_login/oidc"), "redirect_mismatch", []string{"the path is /apps/oidc_login/oidc instead of /apps/user_oidc/code", "overwriteprotocol"}},
		{"Nextcloud: http", redirect("cloud", "http://cloud.test/apps/user_oidc/code"), "redirect_mismatch", []string{"http instead of https", "overwriteprotocol"}},
		{"oauth2-proxy: wrong path", redirect("proxy", "https://proxy.test/oauth/callback"), "redirect_mismatch", []string{"character 25: 2 is missing", "nearest: https://proxy.test/oauth2/callback", "--redirect-url"}},
		{"oauth2-proxy: capitals", redirect("proxy", "https://Proxy.test/oauth2/callback"), "redirect_mismatch", []string{"upper and lower case differ: Proxy.test instead of proxy.test"}},
		{"Auth.js: 127.0.0.1", redirect("next", "http://127.0.0.1:3000/api/auth/callback/latchkey"), "redirect_mismatch", []string{"the host is 127.0.0.1 instead of localhost", "NEXTAUTH_URL"}},
		{"a line break from a file", redirect("grafana", grafana+"\n"), "redirect_mismatch", []string{"white space", `received: ` + grafana + `\n`}},
		{"one letter", redirect("proxy", "https://proxy.test/oauth2/callbock"), "redirect_mismatch", []string{"character 32: o instead of a"}},
		{"no redirect_uri", sends("web", without("redirect_uri")), "redirect_missing", []string{"https://app.test/cb"}},
		{"unknown client", sends("web", set("client_id", "wbe")), "client_unknown", []string{"received: wbe", "latchkey client add wbe"}},
		{"unknown client whose id is as long as a secret", sends("web", set("client_id", strings.Repeat("cf85", 8))), "client_unknown", []string{"received: cf85…", "latchkey client add CLIENT_ID"}},
		{"unknown client with a shell in its name", sends("web", set("client_id", "$(reboot)")), "client_unknown", []string{"latchkey client add CLIENT_ID"}},
		{"disabled client", sends("gone"), "client_disabled", []string{"latchkey client enable gone"}},
		{"no client_id", sends("web", without("client_id")), "client_id_missing", nil},
		{"scope without openid", sends("web", set("scope", "profile email")), "scope_openid", []string{"Add openid", "received: profile email"}},
		{"scope of another provider", sends("web", set("scope", "openid roles")), "scope_unregistered", []string{"received: roles", "Take roles out"}},
		{"scopes with commas", sends("web", set("scope", "openid,profile")), "scope_unregistered", []string{"received: openid,profile", "commas"}},
		{"no PKCE", sends("web", without("code_challenge", "code_challenge_method")), "pkce_missing", []string{"Use PKCE", "require_pkce"}},
		{"plain PKCE", sends("web", set("code_challenge", apptest.Verifier, "code_challenge_method", "plain")), "pkce_plain", []string{"Set the method to S256", "received: plain"}},
		{"the verifier as challenge", sends("web", set("code_challenge", apptest.Verifier)), "pkce_challenge", []string{"the verifier itself"}},
		{"no state", sends("web", without("state")), "state_missing", []string{"require_state", "web"}},
		{"no nonce", sends("web", without("nonce")), "nonce_missing", []string{"require_nonce"}},
		{"implicit flow", sends("web", set("response_type", "token")), "response_type", []string{"implicit", "received: token"}},
		{"no response_type", sends("web", without("response_type")), "response_type_missing", nil},
		{"request object", sends("web", set("request", "e30.e30.")), "request_object", []string{"request objects off"}},
		{"silent renewal without a session", func(*testing.T) string {
			return p.Client("web").Authorize(p.Browser(), set("prompt", "none")).Header.Get("X-Request-Id")
		}, "login_required", []string{"prompt=none", "offline_access"}},
		{"prompt of another provider", sends("web", set("prompt", "create")), "prompt", []string{"received: create"}},
		{"a parameter twice", sends("web", url.Values{"nonce": {"a", "a"}}), "parameter_repeated", []string{"Remove nonce"}},
		{"max_age with a unit", sends("web", set("max_age", "1h")), "max_age", []string{"1h"}},
	} {
		t.Run(m.name, func(t *testing.T) { explained(t, p, m) })
	}
	t.Run("registered since", func(t *testing.T) {
		ref := redirect("grafana", grafana+"/")(t)
		p.Apply(clients("grafana", `"redirect_uris": ["`+grafana+`", "`+grafana+`/"]`))
		if x, err := p.Explain.Explain(t.Context(), ref, "en"); err != nil || len(x.Differences) > 0 || !strings.Contains(x.Settled, "would not be refused any more") {
			t.Errorf("%v %+v", err, x)
		}
	})
}

// What a relying party's server is told at the token and UserInfo endpoints.
func TestExplainMachineRequests(t *testing.T) {
	t.Parallel()
	p := explainProvider(t)
	b, web, spa := p.Browser(), p.Client("web"), p.Client("spa")
	ref := func(r apptest.Reply) string { return r.Header.Get("X-Request-Id") }
	asForm := http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}
	with := func(client, secret string) func(*testing.T) string { // a code exchange with the given credentials
		return func(*testing.T) string {
			rp := p.Client(client)
			rp.Secret = secret
			return ref(rp.Exchange("code"))
		}
	}
	redeems := func(change ...url.Values) func(*testing.T) string {
		return func(*testing.T) string { return ref(web.Exchange(web.Code(b, "alice"), change...)) }
	}
	bearer := func(token func() string) func(*testing.T) string {
		return func(*testing.T) string { return ref(web.UserInfo(token())) }
	}
	for _, m := range []misconfigured{
		{"secret with a trailing newline", with("web", apptest.Secret+"\n"), "secret_surplus", []string{"trailing newline", "printf"}},
		{"secret with the quotes of an .env file", with("web", `"`+apptest.Secret+`"`), "secret_surplus", []string{"quotes"}},
		{"secret of another client", with("other", apptest.Secret), "secret_wrong", []string{"secret of another client", "latchkey client rotate-secret other"}},
		{"unknown client", with("nobody", apptest.Secret), "client_unknown", []string{"latchkey client add nobody"}},
		{"unknown client whose id is as long as a secret", with(strings.Repeat("ab12", 8), apptest.Secret), "client_unknown", []string{"shown by its beginning"}},
		{"disabled client", with("gone", apptest.Secret), "client_disabled", []string{"latchkey client enable gone"}},
		{"post instead of Basic", func(*testing.T) string {
			return ref(web.Post("/token", set("client_id", "basic", "client_secret", apptest.Secret, "grant_type", "authorization_code"), nil))
		}, "auth_method", []string{"received: client_secret_post", "expected: client_secret_basic", "Set the method to client_secret_basic"}},
		{"public client sends a secret", func(*testing.T) string {
			return ref(spa.Post("/token", set("client_id", "spa", "client_secret", "left over", "grant_type", "authorization_code"), nil))
		}, "auth_public_secret", []string{"Clear the secret"}},
		{"confidential client without its secret", func(*testing.T) string {
			return ref(web.Post("/token", set("client_id", "web", "grant_type", "authorization_code"), nil))
		}, "auth_no_secret", []string{"expected: client_secret_basic or client_secret_post"}},
		{"Basic and the form at once", func(*testing.T) string {
			return ref(web.Post("/token", set("client_id", "web", "client_secret", apptest.Secret), http.Header{"Authorization": {basicHeader(web)}}))
		}, "auth_two_ways", []string{"client_secret_basic or client_secret_post"}},
		{"JSON body", func(*testing.T) string {
			return ref(web.Send("POST", "/token", `{"grant_type": "authorization_code", "client_secret": "`+apptest.Secret+`"}`, http.Header{"Content-Type": {"application/json"}}))
		}, "form_type", []string{"received: application/json"}},
		{"JSON body that says it is a form", func(*testing.T) string {
			return ref(web.Send("POST", "/token", `{"grant_type": "authorization_code", "client_secret": "`+apptest.Secret+`%"}`, asForm))
		}, "form_encoding", nil},
		{"no grant_type", func(*testing.T) string { return ref(web.Post("/token", url.Values{"code": {"x"}}, nil)) }, "grant_type_missing", []string{"JSON"}},
		{"password grant", func(*testing.T) string { return ref(web.Post("/token", set("grant_type", "password"), nil)) }, "grant_type_unknown", []string{"password"}},
		{"client_credentials without being registered for it", func(*testing.T) string {
			return ref(web.Post("/token", set("client_id", "web", "client_secret", apptest.Secret, "grant_type", "client_credentials"), nil))
		}, "grant_type_unregistered", []string{"Add client_credentials to grant_types of web"}},
		{"GET at the token endpoint", func(*testing.T) string { return ref(web.Send("GET", "/token?client_id=web", "", nil)) }, "method", []string{"received: GET /token", "expected: POST"}},
		{"secret in the URL", func(*testing.T) string { return ref(web.Send("POST", "/token?client_secret=x", "", asForm)) }, "parameters_in_url", []string{"client_secret"}},
		{"verifier of another sign-in: two workers", redeems(set("code_verifier", strings.Repeat("another-worker", 4))), "verifier_wrong", []string{"session store"}},
		{"lost session, no verifier", redeems(without("code_verifier")), "verifier_missing", []string{"session was lost"}},
		{"double callback", func(t *testing.T) string {
			code := web.Code(b, "alice")
			wantTokens(t, web.Exchange(code))
			return ref(web.Exchange(code))
		}, "code_replayed", []string{"two workers", "redeem each code once"}},
		{"slow application", func(*testing.T) string {
			code := web.Code(b, "alice")
			p.Advance(10 * time.Minute)
			return ref(web.Exchange(code))
		}, "code_expired", []string{"10m0s after", "at most 2m0s", "clock"}},
		{"another URL in the second step", redeems(set("redirect_uri", "http://app.test/cb")), "code_redirect", []string{"the scheme is http instead of https", "proxy"}},
		{"code of another client", func(*testing.T) string {
			evil := p.Client("evil")
			return ref(evil.Exchange(web.Code(b, "alice"), set("redirect_uri", web.RedirectURI)))
		}, "code_other_client", []string{"another client"}},
		{"code of nobody", func(*testing.T) string { return ref(web.Exchange("made-up")) }, "code_unknown", nil},
		{"two instances refresh at once", func(t *testing.T) string {
			first := web.SignIn(b, "alice").Get("refresh_token")
			wantTokens(t, web.Refresh(first))
			return ref(web.Refresh(first))
		}, "refresh_replayed", []string{"Two instances", "received: token 1 of the line", "refresh_token_grace of web", "latchkey family show "}},
		{"refresh after the replay", func(t *testing.T) string {
			first := web.SignIn(b, "alice").Get("refresh_token")
			second := wantTokens(t, web.Refresh(first)).Get("refresh_token")
			web.Refresh(first)
			return ref(web.Refresh(second))
		}, "refresh_revoked", []string{"refresh token replayed"}},
		{"refresh token of another provider", func(*testing.T) string { return ref(web.Refresh("1//0gabc")) }, "refresh_unknown", []string{"another provider"}},
		{"refresh for more", func(*testing.T) string {
			return ref(web.Refresh(web.SignIn(b, "alice", set("scope", "openid offline_access")).Get("refresh_token"), "openid email"))
		}, "scope_exceeds", []string{"received: openid email", "expected: openid offline_access"}},
		{"the user signed out", func(t *testing.T) string {
			own := p.Browser()
			code := web.Code(own, "bob")
			page := own.Get("/")
			own.Submit(page, nil)
			return ref(web.Exchange(code))
		}, "session_ended", []string{"offline_access"}},
		{"access token kept too long", bearer(func() string {
			token := web.SignIn(b, "alice").Get("access_token")
			p.Advance(16 * time.Minute)
			return token
		}), "bearer_expired", []string{"issued 16m0s ago", "at most 15m0s"}},
		{"ID token as bearer", bearer(func() string { return web.SignIn(b, "alice").Get("id_token") }), "bearer_id_token", []string{"id_token instead of access_token", "access_token"}},
		{"token of another provider", bearer(func() string { return "eyJhbGciOiJub25lIn0.e30." }), "bearer_foreign", []string{"another provider"}},
		{"UserInfo without openid", func(*testing.T) string {
			rp := p.Client("plainoauth")
			return ref(rp.UserInfo(rp.SignIn(b, "alice", set("scope", "profile")).Get("access_token")))
		}, "bearer_scope", []string{"Add openid", "received: profile"}},
		{"access token in the query", func(*testing.T) string { return ref(web.Send("GET", "/userinfo?access_token=x", "", nil)) }, "bearer_place", []string{"Authorization: Bearer"}},
		{"token of a replayed code", func(*testing.T) string {
			code := web.Code(b, "alice")
			token := web.Exchange(code).Get("access_token")
			web.Exchange(code)
			return ref(web.UserInfo(token))
		}, "bearer_revoked", []string{"code replayed"}},
	} {
		t.Run(m.name, func(t *testing.T) { explained(t, p, m) })
	}

	t.Run("the refusals of a client", func(t *testing.T) {
		for client, shown := range map[string]string{"nobody": "nobody", "other": "other", "spa": "spa", "basic": "basic", "gone": "gone", strings.Repeat("ab12", 8): "ab12…"} {
			list, err := p.Explain.Refusals(t.Context(), client, 10, "en")
			if err != nil || len(list) == 0 || list[0].Client != shown {
				t.Errorf("%s: %v %+v", client, err, list)
			}
		}
		list, err := p.Explain.Refusals(t.Context(), "web", 5, "en")
		if err != nil || len(list) != 5 || list[0].Cause != "bearer_revoked" || list[0].When.Before(list[4].When) {
			t.Errorf("%v %+v", err, list)
		}
	})
	t.Run("the client learns nothing of it", func(t *testing.T) {
		tell := func(r apptest.Reply) string {
			same := strings.NewReplacer(r.Get("error_ref"), "err_", r.Get("request_id"), "req_") // nothing else may differ
			return same.Replace(fmt.Sprint(r.Status, r.JSON, r.Header.Get("WWW-Authenticate")))
		}
		unknown, wrong, newline, disabled := p.Client("nobody"), p.Client("other"), p.Client("web"), p.Client("gone")
		newline.Secret += "\n"
		for _, rp := range []*apptest.RP{wrong, newline, disabled} {
			if a, b := tell(unknown.Exchange("code")), tell(rp.Exchange("code")); a != b {
				t.Errorf("%s is told apart:\n%s\n%s", rp.ID, a, b)
			}
		}
		id, expired := web.SignIn(b, "alice").Get("id_token"), "a.b.c"
		if a, b := tell(web.UserInfo(expired)), tell(web.UserInfo(id)); a != b {
			t.Errorf("an ID token is told apart:\n%s\n%s", a, b)
		}
	})
}
