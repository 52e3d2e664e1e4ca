package main

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// fakeFlow is a flow against a fakeOP in this process.
func fakeFlow(t *testing.T, broken string) *Flow {
	t.Helper()
	var op *fakeOP
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { op.ServeHTTP(w, r) }))
	t.Cleanup(s.Close)
	op = newFakeOP(s.URL, broken)
	c := &Config{Name: "fake", Issuer: s.URL, RevokePoolSeconds: 1, RawURL: s.URL + "/jwks",
		Clients: map[string]OAuthClient{"cc": {ID: "cc", Secret: "s1"},
			"code":    {ID: "app", Secret: "s2", Auth: "post", Scope: "openid", RedirectURI: redirectURI},
			"refresh": {ID: "app", Secret: "s2", Auth: "post", Scope: "openid offline_access", RedirectURI: redirectURI}},
		Users: []User{{"bob", "pw"}}}
	if err := c.complete(); err != nil {
		t.Fatal(err)
	}
	if _, err := c.discover(); err != nil {
		t.Fatal(err)
	}
	f, err := newFlow(c)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestAllScenarios(t *testing.T) {
	f := fakeFlow(t, "")
	for _, s := range scenarios() {
		r := run(t.Context(), f, s, 3, 20*time.Millisecond, 100*time.Millisecond, nil)
		if r.Skipped != "" || r.Errors != 0 || r.Requests == 0 || r.RPS == 0 {
			t.Errorf("%s: %+v", s.Name, r)
		}
	}
}

func TestCheck(t *testing.T) {
	c := check(fakeFlow(t, ""))
	if len(c.Errors) > 0 || c.RefreshReplay != "refused" || c.FamilyRevoked != "yes" || c.Revocation != "active afterwards=false" ||
		c.Garbage != "active=false" || c.LoginPages != 2 || c.SessionHTTP != 2 || c.SigningKeys != "EC P-256 ES256" {
		t.Errorf("%+v", c)
	}
	if c := check(fakeFlow(t, "norotate")); len(c.Errors) == 0 {
		t.Errorf("a provider that does not rotate passed: %+v", c)
	}
}

// A provider that answers wrongly must show errors, never throughput.
func TestErrorsAreCounted(t *testing.T) {
	for _, c := range []struct{ broken, scenario, reason string }{
		{"norotate", "refresh", "refresh token not rotated"},
		{"nonce", "code_login", "id_token nonce differs"},
		{"inactive", "introspection", "introspection: active token reported inactive"},
		{"userinfo", "userinfo", "userinfo status 401"},
		{"forgets", "code_login", "login refused"},
	} {
		t.Run(c.broken, func(t *testing.T) {
			r := run(t.Context(), fakeFlow(t, c.broken), scenarioNamed(c.scenario), 2, 0, 50*time.Millisecond, nil)
			if r.Errors == 0 || r.Requests != 0 || r.ErrorReasons[c.reason] == 0 {
				t.Errorf("want %q: %+v", c.reason, r)
			}
		})
	}
}

// What cannot be set up is reported as such and sends no load.
func TestSetUpFailure(t *testing.T) {
	f := fakeFlow(t, "nonce")
	r := run(t.Context(), f, scenarioNamed("code_session"), 2, 0, 50*time.Millisecond, nil)
	if r.Skipped == "" || r.Requests != 0 {
		t.Errorf("%+v", r)
	}
}

func TestPick(t *testing.T) {
	known := []string{"a", "b", "c"}
	for _, c := range []struct {
		list string
		want int // -1: an error
	}{{"all", 3}, {"c,a", 2}, {"b", 1}, {"d", -1}, {"", -1}, {"a,,", 1}} {
		got, err := pick(c.list, known)
		if (err != nil) != (c.want < 0) || err == nil && len(got) != c.want {
			t.Errorf("%q: %v %v", c.list, got, err)
		}
	}
	if got, _ := pick("c,a", known); got[0] != "a" || got[1] != "c" {
		t.Errorf("not in the order of the table: %v", got)
	}
}
