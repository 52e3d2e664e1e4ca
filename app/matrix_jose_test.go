package app_test

import (
	"crypto"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey/app/apptest"
	"latchkey/domain/oidc"
)

// consumer is a place where somebody may present a token.
type consumer struct {
	name   string
	header bool // it reads the token from a header, whose value has no space around it
	send   func(token string) *httptest.ResponseRecorder
	took   func(*httptest.ResponseRecorder) bool // it was accepted, as far as the answer says
}

// consumers returns every place that takes tokens: those that take an access token, then those that take an ID token as a
// hint, from the browser of whoever it is about.
func consumers(p *apptest.Provider, session string) (bearers, hints []consumer) {
	web, browser := asClient("web"), http.Header{"Cookie": {session}, "Accept": {"text/html"}}
	bearer := func(method, path string) func(string) *httptest.ResponseRecorder {
		return func(token string) *httptest.ResponseRecorder {
			return knock(p, method, path, nil, http.Header{"Authorization": {"Bearer " + token}})
		}
	}
	is := func(status int) func(*httptest.ResponseRecorder) bool {
		return func(w *httptest.ResponseRecorder) bool { return w.Code == status }
	}
	rp := p.Client("web")
	bearers = []consumer{
		{"userinfo", true, bearer("GET", "/userinfo"), is(200)},
		{"userinfo by its body", false, func(token string) *httptest.ResponseRecorder {
			return knock(p, "POST", "/userinfo", set("access_token", token), nil)
		}, is(200)},
		{"introspection", false, func(token string) *httptest.ResponseRecorder {
			return knock(p, "POST", "/introspect", set("token", token, "token_type_hint", []string{"access_token", "refresh_token", ""}[rand.IntN(3)]), web.Clone())
		}, func(w *httptest.ResponseRecorder) bool { return strings.Contains(w.Body.String(), `"active":true`) }},
		{"revocation", false, func(token string) *httptest.ResponseRecorder {
			return knock(p, "POST", apptest.Alias("/revoke"), set("token", token), web.Clone())
		}, func(*httptest.ResponseRecorder) bool { return false }}, // says 200 whatever it is: what is stored says more
		{"registration of a session", true, bearer("POST", "/connect/register-session"), func(w *httptest.ResponseRecorder) bool { return w.Code < 400 }},
		{"end of a session", true, bearer("POST", "/connect/logout"), func(w *httptest.ResponseRecorder) bool { return w.Code < 400 }},
	}
	hints = []consumer{
		{"hint of a request", false, func(token string) *httptest.ResponseRecorder {
			return knock(p, "GET", apptest.Alias("/authorize")+"?"+rp.Request(set("prompt", "none", "id_token_hint", token)).Encode(), nil, browser)
		}, func(w *httptest.ResponseRecorder) bool { return strings.Contains(w.Header().Get("Location"), "code=") }},
		{"hint of a sign-out", false, func(token string) *httptest.ResponseRecorder {
			return knock(p, "GET", apptest.Alias("/logout")+"?"+url.Values{"id_token_hint": {token}}.Encode(), nil, browser)
		}, func(w *httptest.ResponseRecorder) bool {
			return strings.Contains(w.Body.String(), "You are signed out")
		}},
	}
	return bearers, hints
}

// JW-01 to JW-08, JW-12 and JW-14 at every door: none of the forgeries of an access token and of ID tokens is accepted
// anywhere, changes anything or is logged, and what they were made of is accepted before and after.
func TestMatrixJOSE(t *testing.T) {
	t.Parallel()
	each := size(t, "FORGERIES", 24)
	p := apptest.New(t, clients("rsa", `"id_token_signed_response_alg": "RS256"`,
		"web", `"redirect_uris": ["https://app.test/cb"], "frontchannel_logout_uri": "https://app.test/out"`))
	web, b := p.Client("web"), p.Browser()
	mine := web.SignIn(b, "alice")
	private := signingKeys(t, p)
	keyOf := func(kid string) crypto.Signer { return private[oidc.KeyID(kid)] }
	access, id := takenApart(t, mine.Get("access_token"), keyOf), takenApart(t, mine.Get("id_token"), keyOf)
	rs := takenApart(t, p.Client("rsa").SignIn(b, "alice").Get("id_token"), keyOf)
	bearers, hints := consumers(p, cookies(b))

	kinds := []struct {
		name   string
		of     good
		tokens map[string]string
		right  []consumer // take the good one
	}{
		{"access token", access, forgeries(t, access, rs, true), bearers}, {"ID token", id, forgeries(t, id, rs, false), hints},
		{"ID token of RS256", rs, forgeries(t, rs, id, false), nil},
	}
	// Somebody else's tokens: a second provider's, whose keys are its own, and one that claims to be us.
	elsewhere := apptest.Elsewhere(t)
	foreign, theirs := elsewhere.Client("web").SignIn(elsewhere.Browser(), "alice"), signingKeys(t, elsewhere)
	for i, member := range []string{"access_token", "id_token"} {
		k := kinds[i]
		there := takenApart(t, foreign.Get(member), func(kid string) crypto.Signer { return theirs[oidc.KeyID(kid)] })
		k.tokens["of another issuer"] = foreign.Get(member)
		k.tokens["of another issuer, as ours"] = sealedBy(t, there.key, object(there.header, "kid", quote(k.of.header["kid"].(string))), object(k.of.payload))
		k.tokens["a logout token"] = sealedBy(t, k.of.key, object(k.of.header, "typ", `"logout+jwt"`),
			object(k.of.payload, "events", `{"http://schemas.openid.net/event/backchannel-logout":{}}`, "nonce", ""))
	}
	whole := func(g good) string { return g.text + "." + g.signature }
	accepted := func(when string) {
		for _, k := range kinds {
			for _, c := range k.right {
				if c.name == "end of a session" || c.name == "revocation" || c.name == "hint of a sign-out" {
					continue // which end it: last of all
				}
				if w := c.send(whole(k.of)); !c.took(w) {
					t.Errorf("%s: the %s itself is refused as %s: %d %s %.300s", when, k.name, c.name, w.Code, w.Header().Get("Location"), w.Body)
				}
			}
		}
	}
	accepted("before")

	var mu sync.Mutex
	var took []time.Duration
	slowest, tokens, logged := "", 0, len(p.Log.String())
	before := digest(t, p)
	for _, k := range kinds {
		names := slices.Sorted(maps.Keys(k.tokens))
		if len(names) < 300 {
			t.Errorf("only %d forgeries of an %s", len(names), k.name)
		}
		names = sampled(names, each, rand.IntN(1<<20))
		tokens += len(names)
		together(names, func(name string) {
			token := k.tokens[name]
			for _, c := range slices.Concat(bearers, hints) {
				if c.header && strings.TrimSpace(token) != token {
					continue
				}
				begun := time.Now()
				w := c.send(token)
				d := time.Since(begun)
				if w.Code >= 500 || c.took(w) {
					t.Errorf("%s, %s, as %s: %d %s %.300s", k.name, name, c.name, w.Code, w.Header().Get("Location"), w.Body)
				}
				mu.Lock()
				if took = append(took, d); d > 5*time.Millisecond {
					slowest = k.name + ", " + name + ", as " + c.name
				}
				mu.Unlock()
			}
		})
	}
	if diff := cmp.Diff(before, digest(t, p)); diff != "" {
		t.Errorf("state changed (-before +after):\n%s", diff)
	}
	log := p.Log.String()[logged:]
	for _, e := range p.Events() {
		for _, fact := range e.Facts {
			log += fact
		}
	}
	if i := strings.Index(log, "eyJ"); i >= 0 { // how every token begins
		t.Errorf("a token is in the log: %.200s", log[max(0, i-100):])
	}
	accepted("after")
	for _, k := range kinds[:2] {
		for _, c := range k.right {
			if c.name == "end of a session" || c.name == "hint of a sign-out" {
				again := web.SignIn(b, "alice").Get(map[bool]string{true: "access_token", false: "id_token"}[k.name == "access token"])
				_, fresh := consumers(p, cookies(b))
				if k.name == "ID token" {
					c = fresh[1]
				}
				if w := c.send(again); !c.took(w) {
					t.Errorf("the %s itself is refused as %s: %d %.600s", k.name, c.name, w.Code, w.Body)
				}
			}
		}
	}
	slices.Sort(took)
	t.Logf("%d forged tokens at %d doors, %d presentations: none accepted, nothing changed; half of them within %v, 99%% within %v, all within %v; last above 5ms: %s", tokens, len(bearers)+len(hints), len(took),
		percentile(took, 50), percentile(took, 99), took[len(took)-1], slowest)
}
