package web

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey/adapters/ratelimit"
	"latchkey/adapters/web/page"
	"latchkey/domain/audit"
	"latchkey/domain/oauth"
	"latchkey/ports"
)

// limited is a bench whose clock stands still.
func limited(t *testing.T) *bench {
	now := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	return newBench(t, func(c *Config) {
		c.Now, c.Limits = func() time.Time { return now }, ratelimit.New(Budgets, 1200, 1)
		c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("192.0.2.1/32")}
	})
}

// ask sends what an endpoint is charged for, without anything in it; to one for clients, what never reaches the use case.
func (b *bench) ask(path string, headers ...string) *httptest.ResponseRecorder {
	if b.server.routes[path].clients {
		return b.post(path, "a=%zz", headers...)
	}
	if b.server.routes[path].methods["POST"] != nil && path != "/authorize" {
		return b.post(path, "", headers...)
	}
	return b.get(path, headers...)
}

// byEndpoint are the paths of the table.
func (b *bench) byEndpoint() map[ports.Endpoint][]string {
	all := map[ports.Endpoint][]string{}
	for _, path := range slices.Sorted(maps.Keys(b.server.routes)) {
		e := b.server.routes[path].endpoint
		all[e] = append(all[e], path)
	}
	return all
}

// A route without an endpoint would have no limit, and one with a name of its own would not be counted.
func TestEveryRouteHasAnEndpoint(t *testing.T) {
	for e, paths := range newBench(t).byEndpoint() {
		if !slices.Contains(ports.Endpoints, e) || e == ports.EndpointNone {
			t.Errorf("%v belong to the endpoint %q", paths, e)
		}
		free := e == ports.EndpointStatic || e == ports.EndpointHealth || e == ports.EndpointDemo
		if (Budgets[e] == 0) != free {
			t.Errorf("%v: %d requests a minute", paths, Budgets[e])
		}
	}
}

// RL-02: which paths share a budget, written out here, because the table is what the other tests believe.
func TestAliasesShareABudget(t *testing.T) {
	got := newBench(t).byEndpoint()
	for e, want := range map[ports.Endpoint][]string{
		ports.EndpointToken:         {"/access_tokens", "/connect/token", "/oauth2/token", "/token"},
		ports.EndpointUserInfo:      {"/connect/userinfo", "/user_info", "/userinfo"},
		ports.EndpointRevocation:    {"/connect/revocation", "/oauth/revoke", "/oauth2/revocation", "/revocation", "/revoke"},
		ports.EndpointIntrospection: {"/connect/introspect", "/introspect", "/oauth2/introspect"},
		ports.EndpointAuthorize:     {"/authorizations/new", "/authorize", "/connect/authorize", "/oauth2/authorize"},
		ports.EndpointJWKS:          {"/.well-known/jwks.json", "/jwk.json", "/jwks"},
		ports.EndpointLogin:         {"/account/factors/remove", "/account/password", "/account/totp", "/login", "/second-factor"},
	} {
		if diff := cmp.Diff(want, got[e]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", e, diff)
		}
	}
}

// RL-01, RL-02: the budget of an endpoint is used up by all its paths together, and by no other's.
func TestBudgets(t *testing.T) {
	b := limited(t)
	for e, paths := range b.byEndpoint() {
		budget := Budgets[e]
		if budget == 0 {
			continue
		}
		for i := range budget {
			if w := b.ask(paths[i%len(paths)]); w.Code == http.StatusTooManyRequests {
				t.Fatalf("%s: request %d of %d to %s is refused", e, i+1, budget, paths[i%len(paths)])
			}
		}
		calls := len(b.calls)
		for _, path := range paths {
			w := b.ask(path)
			wantError(t, w, http.StatusTooManyRequests, oauth.TooManyAttempts)
			wantHeader(t, w, "Retry-After", fmt.Sprint((60+budget-1)/budget))
			wantHeader(t, w, "Location", "")
		}
		for _, call := range b.calls[calls:] {
			if call != "Deny rate.limited" {
				t.Errorf("%s: %s was called for a refused request", e, call)
			}
		}
		if w := b.ask(paths[0], "X-Forwarded-For: 203.0.113.9"); w.Code == http.StatusTooManyRequests {
			t.Errorf("%s: another address is refused too", e)
		}
	}
	for _, path := range []string{"/healthz", "/readyz"} {
		for range 500 {
			wantStatus(t, b.get(path), http.StatusOK)
		}
	}
}

// RL-03: nothing that a stranger writes into a header makes them somebody else; behind a proxy everybody is themselves.
func TestBudgetsFollowTheAddress(t *testing.T) {
	b := limited(t)
	b.server.TrustedProxies = nil
	for i := range 60 {
		w := b.get("/jwks", fmt.Sprintf("X-Forwarded-For: 203.0.113.%d", i), fmt.Sprintf("Forwarded: for=203.0.113.%d", i), fmt.Sprintf("X-Real-IP: 203.0.113.%d", i))
		wantStatus(t, w, http.StatusOK)
	}
	wantStatus(t, b.get("/jwks", "X-Forwarded-For: 203.0.113.77"), http.StatusTooManyRequests)

	b = limited(t)
	for i := range 61 { // the caller writes the left of the chain, the proxy its end
		w := b.get("/jwks", fmt.Sprintf("X-Forwarded-For: 10.0.0.%d, 203.0.113.9", i))
		if want := i == 60; (w.Code == http.StatusTooManyRequests) != want {
			t.Fatalf("request %d: %d", i+1, w.Code)
		}
	}
	wantStatus(t, b.get("/jwks", "X-Forwarded-For: 203.0.113.10"), http.StatusOK)
	for i := range 61 {
		w := b.get("/jwks", fmt.Sprintf("X-Forwarded-For: 2001:db8::%x", i+1))
		if want := i == 60; (w.Code == http.StatusTooManyRequests) != want {
			t.Fatalf("request %d of one /64: %d", i+1, w.Code)
		}
	}
}

// A refusal is for whoever reads it: a page in their language, JSON, or what a browser application may read.
func TestRefusedPages(t *testing.T) {
	b := limited(t)
	for range 20 {
		b.get("/authorize?client_id=web")
	}
	target := "/authorize?client_id=web&redirect_uri=https://app.test/cb&ui_locales=id"
	w := b.get(target, asBrowser)
	wantStatus(t, w, http.StatusTooManyRequests)
	wantHeader(t, w, "Retry-After", "3")
	wantHeader(t, w, "Location", "")
	if !strings.Contains(w.Body.String(), "Terlalu banyak permintaan") {
		t.Errorf("not in Indonesian: %.1500s", w.Body)
	}
	wantPage(t, b.get("/authorize?client_id=web", asBrowser), http.StatusTooManyRequests, page.MsgTooManyRequests)

	for range 30 {
		b.post("/token", "a=%zz")
	}
	w = b.post("/token", "a=%zz", "Origin: "+spaOrigin)
	wantError(t, w, http.StatusTooManyRequests, oauth.TooManyAttempts)
	wantHeader(t, w, "Access-Control-Allow-Origin", spaOrigin)
	if !strings.Contains(w.Header().Get("Access-Control-Expose-Headers"), "Retry-After") {
		t.Errorf("a browser application cannot read when to come back: %v", w.Header())
	}
}

// To look at the login page is not to try a password.
func TestLookingCostsAPage(t *testing.T) {
	b := limited(t)
	for range 60 {
		wantStatus(t, b.get("/login", asBrowser), http.StatusOK)
	}
	wantStatus(t, b.get("/login", asBrowser), http.StatusTooManyRequests)
	if w := b.post("/login", ""); w.Code == http.StatusTooManyRequests {
		t.Error("whoever looked may not sign in")
	}
}

// RL-12: of a flood one record and one log line are kept. A method that nobody answers is part of it.
func TestFloodIsRecordedOnce(t *testing.T) {
	b := limited(t)
	var refused []*oauth.Error
	b.onDeny = func(kind audit.Kind, refusal *oauth.Error) error {
		if kind == audit.RateLimited {
			refused = append(refused, refusal)
		}
		return nil
	}
	for i := range 500 {
		b.send([]string{"GET", "DELETE"}[i%2], "/userinfo", nil)
	}
	if len(refused) != 1 || refused[0].Facts["endpoint"] != "userinfo" || refused[0].Facts["refused"] != "1" {
		t.Errorf("recorded %v", refused)
	}
	if n := strings.Count(b.log.String(), `"status":429`); n != 1 {
		t.Errorf("%d log lines of a flood", n)
	}
	if n := strings.Count(b.log.String(), "\n"); n != 61 {
		t.Errorf("%d log lines of 500 requests", n)
	}
}

// A flood whose first refusal cannot be recorded is refused all the same.
func TestFloodOnAFullDisk(t *testing.T) {
	b := limited(t)
	b.onDeny = failDeny(ports.ErrUnavailable)
	for range 60 {
		b.get("/jwks")
	}
	wantError(t, b.get("/jwks"), http.StatusServiceUnavailable, oauth.TemporarilyUnavailable)
	wantError(t, b.get("/jwks"), http.StatusTooManyRequests, oauth.TooManyAttempts)
}

// RL-06, RL-13: values and scopes far beyond any application's end at the door of every endpoint that takes them.
func TestHugeValues(t *testing.T) {
	for name, form := range map[string]string{
		"50 KB of scope":      "client_id=web&scope=" + strings.Repeat("x", 50<<10),
		"100 KB of scope":     "client_id=web&scope=" + strings.Repeat("x", 100<<10),
		"50,000 scope tokens": "client_id=web&scope=" + strings.Repeat("a+", 50_000),
		"5,000 scope tokens":  "client_id=web&scope=" + strings.Repeat("a+", 5000),
		"10,000 parameters":   strings.Repeat("a=1&", 10_000),
		"a value of 1 MB":     "client_id=web&state=" + strings.Repeat("x", 1<<20),
	} {
		b := newBench(t)
		for endpoint, w := range map[string]*httptest.ResponseRecorder{
			"token":         b.post("/token", form),
			"revocation":    b.post("/revoke", form),
			"introspection": b.post("/introspect", form),
			"authorize":     b.post("/authorize", form),
			"authorize URL": b.get("/authorize?" + form),
			"logout":        b.post("/connect/logout", form),
		} {
			if w.Code != http.StatusBadRequest && w.Code != http.StatusRequestEntityTooLarge {
				t.Errorf("%s, %s: %d %.200s", endpoint, name, w.Code, w.Body)
			}
		}
		for _, call := range b.calls {
			if !strings.HasPrefix(call, "Deny ") {
				t.Errorf("%s: %s was called", name, call)
			}
		}
	}
}
