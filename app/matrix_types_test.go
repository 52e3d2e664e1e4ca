package app_test

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"latchkey/app"
	"latchkey/app/apptest"
	"latchkey/domain/audit"
)

// role is something that one kind of artefact is for.
type role struct {
	name string
	own  []string // the artefacts that work in it
	// works presents a value in the role and reports whether it did what it is for.
	works func(value string) bool
}

// JW-05 and the rule behind it: of everything that the provider gives out, each works in its own role alone, whatever a client
// says that it is. Nothing changes where it does not.
func TestMatrixTypes(t *testing.T) {
	t.Parallel()
	h := newHearer(t)
	p := apptest.New(t, channels(h))
	p.Restart(func(c *app.Config) { c.RateLimitScale = 1000 }) // wrong passwords and codes are most of it
	web, b := p.Client("web"), p.Browser()
	artefacts := map[string]string{"a client secret": apptest.Secret, "a password": apptest.Password}

	// A session that has ended left its logout token; one that lives has everything else.
	central(web, web.SignIn(p.Browser(), "alice").Get("access_token"), "")
	p.Deliver()
	told := h.told()
	if len(told) != 1 {
		t.Fatalf("%d logout tokens", len(told))
	}
	artefacts["a logout token"] = told[0].Get("logout_token")
	tokens := web.SignIn(b, "alice")
	for name, member := range map[string]string{"an access token": "access_token", "an ID token": "id_token", "a refresh token": "refresh_token"} {
		artefacts[name] = tokens.Get(member)
	}
	artefacts["a code"] = web.Code(b, "alice")
	_, signOut := b.Form(b.Get("/"))
	artefacts["a form's token"] = signOut.Get("csrf")
	artefacts["a session's cookie"] = b.Cookies()["latchkey-session"]
	artefacts["a browser's cookie"] = b.Cookies()["latchkey-browser"]
	artefacts["a session's state"] = b.Cookies()["latchkey-state"]
	artefacts["a sid"], _ = verify(t, p, tokens.Get("id_token")).claims["sid"].(string)
	artefacts["a jti"], _ = verify(t, p, tokens.Get("access_token")).claims["jti"].(string)
	reset, err1 := p.Admin.OfferReset(t.Context(), audit.Caller{}, "alice")
	setup, err2 := p.Admin.OfferRecovery(t.Context(), audit.Caller{})
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	artefacts["a reset link"], artefacts["a set-up link"] = reset.Secret.Reveal(), setup.Secret.Reveal()
	visitor := p.Browser()
	artefacts["an interaction"] = web.Authorize(visitor).URL.Query().Get("interaction")
	bob := p.Browser()
	signedIn(t, bob, "bob", apptest.Password)
	phone := p.Enrol(bob)
	artefacts["a recovery code"] = phone.Recovery[0]
	waits := p.Browser()
	asked(t, waits)
	artefacts["a challenge's cookie"] = waits.Cookies()["latchkey-challenge"]
	artefacts["an error_ref"] = web.Refresh("x").Get("error_ref")
	artefacts["a code of an app"] = phone.Code() // last: it moves the clock
	for name, value := range artefacts {
		if value == "" {
			t.Fatalf("there is no %s: %v %v", name, b.Cookies(), waits.Cookies())
		}
	}

	browser := func(name, value string) http.Header {
		return http.Header{"Cookie": {name + "=" + value}, "Accept": {"text/html"}}
	}
	says := func(w *httptest.ResponseRecorder, text string) bool {
		if w.Code >= 500 {
			t.Errorf("%d %s", w.Code, w.Body)
		}
		return w.Code == http.StatusOK && strings.Contains(w.Body.String(), text)
	}
	header := http.Header{"Cookie": {cookies(b)}, "Origin": {p.Issuer}, "Sec-Fetch-Site": {"same-origin"}}
	bearer := func(method, path string) func(string) bool {
		return func(v string) bool {
			return says(knock(p, method, path, nil, http.Header{"Authorization": {"Bearer " + v}}), "")
		}
	}
	form := func(path, client, says200, name string, more ...string) func(string) bool {
		return func(v string) bool {
			f := set(more...)
			f.Set(name, v)
			return says(knock(p, "POST", path, f, asClient(client)), says200)
		}
	}
	revoked := func(hint string) func(string) bool { // says 200 whatever it is
		return func(v string) bool {
			before := digest(t, p)
			form(apptest.Alias("/revoke"), "web", "", "token", "token_type_hint", hint)(v)
			return !cmp.Equal(before, digest(t, p))
		}
	}
	access, refresh := []string{"an access token"}, []string{"a refresh token"}
	roles := []role{
		{"Bearer at userinfo", access, bearer("GET", "/userinfo")},
		{"access_token in the body of userinfo", access, func(v string) bool { return says(knock(p, "POST", "/userinfo", set("access_token", v), nil), `"sub"`) }},
		{"Bearer of a session's registration", access, bearer("POST", "/connect/register-session")},
		{"client_secret", []string{"a client secret"}, func(v string) bool {
			return says(knock(p, "POST", "/introspect", set("client_id", "web", "client_secret", v, "token", "x"), nil), `"active"`)
		}},
		{"a session's cookie", []string{"a session's cookie"}, func(v string) bool {
			return says(knock(p, "GET", "/account", nil, browser("latchkey-session", v)), "Your account")
		}},
		{"a challenge's cookie", []string{"a challenge's cookie"}, func(v string) bool {
			return says(knock(p, "GET", "/second-factor", nil, browser("latchkey-challenge", v)), `id="factor-submit"`)
		}},
		{"an interaction", []string{"an interaction"}, func(v string) bool {
			return says(knock(p, "GET", "/login?"+url.Values{"interaction": {v}}.Encode(), nil, http.Header{"Cookie": {cookies(visitor)}, "Accept": {"text/html"}}), "Web application")
		}},
		{"a set-up link", []string{"a set-up link"}, func(v string) bool {
			return says(knock(p, "GET", "/setup?"+url.Values{"token": {v}}.Encode(), nil, nil), "password_again")
		}},
		{"a reset link", []string{"a reset link"}, func(v string) bool {
			return says(knock(p, "GET", "/reset?"+url.Values{"token": {v}}.Encode(), nil, nil), "password_again")
		}},
		{"id_token_hint of a request", []string{"an ID token"}, func(v string) bool {
			w := knock(p, "GET", "/authorize?"+web.Request(set("prompt", "none", "id_token_hint", v, "response_type", "code", "scope", "openid")).Encode(), nil, header)
			return strings.Contains(w.Header().Get("Location"), "code=")
		}},
	}
	for _, hint := range []string{"", "access_token", "refresh_token", "id_token", "authorization_code", "nonsense"} {
		roles = append(roles, role{"token at introspection, hint " + hint, slices.Concat(access, refresh), form("/introspect", "web", `"active":true`, "token", "token_type_hint", hint)})
	}
	// Whatever is below changes what it is right for: the diagonal is walked in this order.
	roles = append(roles,
		role{"code", []string{"a code"}, form("/token", "web", `"access_token"`, "code", "grant_type", "authorization_code", "redirect_uri", web.RedirectURI, "code_verifier", apptest.Verifier)},
		role{"refresh_token", refresh, func(v string) bool {
			w := knock(p, "POST", "/token", set("grant_type", "refresh_token", "refresh_token", v), asClient("web"))
			if artefacts["a refresh token"] == v && w.Code == http.StatusOK {
				artefacts["a refresh token"] = p.JSON(w.Body.String())["refresh_token"].(string)
			}
			return says(w, `"access_token"`)
		}},
		role{"a password", []string{"a password"}, func(v string) bool {
			other := p.Browser()
			tryLogin(other, "carol", v)
			return isSignedIn(other)
		}},
		role{"a recovery code", []string{"a recovery code"}, func(v string) bool {
			other := p.Browser()
			asked(t, other)
			other.Factor(other.Get("/second-factor?recovery=1"), v)
			return isSignedIn(other)
		}},
		role{"a code of an app", []string{"a code of an app"}, func(v string) bool {
			other := p.Browser()
			other.Factor(asked(t, other), v)
			return isSignedIn(other)
		}},
		role{"token at revocation, hint refresh_token", refresh, revoked("refresh_token")},
		role{"token at revocation, no hint", nil, revoked("")},
		role{"a form's token", []string{"a form's token"}, func(v string) bool {
			return knock(p, "POST", "/logout", set("csrf", v), header).Code < 400
		}},
		role{"id_token_hint of a sign-out", nil, func(v string) bool {
			return says(knock(p, "GET", "/connect/logout?"+url.Values{"id_token_hint": {v}}.Encode(), nil, http.Header{"Cookie": header["Cookie"], "Accept": {"text/html"}}), "You are signed out")
		}},
		role{"Bearer of the end of a session", nil, bearer("POST", "/connect/logout")},
	)
	// Revocation takes both, and the last two end a session: each is shown to work on a session of its own.
	fresh := map[string][]string{"token at revocation, hint refresh_token": access, "token at revocation, no hint": slices.Concat(access, refresh), "id_token_hint of a sign-out": {"an ID token"}, "Bearer of the end of a session": access}

	pairs := 0
	before := digest(t, p)
	for _, r := range roles {
		for _, name := range slices.Sorted(maps.Keys(artefacts)) {
			if slices.Contains(r.own, name) || slices.Contains(fresh[r.name], name) {
				continue
			}
			if pairs++; r.works(artefacts[name]) {
				t.Errorf("%s works as %s", name, r.name)
			}
		}
		if diff := cmp.Diff(before, digest(t, p)); diff != "" {
			t.Fatalf("%s: state changed (-before +after):\n%s", r.name, diff)
		}
	}
	for _, r := range roles {
		for _, name := range r.own {
			if !r.works(artefacts[name]) {
				t.Errorf("%s does not work as %s", name, r.name)
			}
		}
	}
	for _, r := range roles {
		for _, name := range fresh[r.name] {
			again := p.Browser()
			one := web.SignIn(again, "alice")
			header["Cookie"] = []string{cookies(again)}
			value := one.Get(map[string]string{"an access token": "access_token", "an ID token": "id_token", "a refresh token": "refresh_token"}[name])
			if !r.works(value) {
				t.Errorf("%s of a new session does not work as %s", name, r.name)
			}
		}
	}
	log := p.Log.String()
	for name, value := range artefacts {
		if len(value) > 12 && !slices.Contains([]string{"a sid", "a jti", "an error_ref", "an interaction"}, name) && strings.Contains(log, value) {
			t.Errorf("%s is in the log", name)
		}
	}
	t.Logf("%d artefacts in %d roles, %d pairs besides the diagonal: none works", len(artefacts), len(roles), pairs)
}
