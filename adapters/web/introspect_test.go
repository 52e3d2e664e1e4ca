package web

import (
	"testing"
	"time"

	"latchkey/domain/oauth"
)

func TestIntrospectionGolden(t *testing.T) {
	wantGolden(t, "introspection", newBench(t).post("/introspect", "token=t&client_id=web&client_secret=s"))
	b := newBench(t)
	b.onIntrospect = func(oauth.PresentedToken) (oauth.Introspection, error) {
		at := time.Unix(1710000000, 0)
		return oauth.Introspection{Active: true, Use: oauth.UseRefresh, Issuer: testIssuer, Subject: alice.ID, Client: "web", Scope: "openid offline_access",
			IssuedAt: at, ExpiresAt: at.Add(24 * time.Hour)}, nil
	}
	wantGolden(t, "introspection_refresh", b.post("/introspect", "token=t&client_id=web&client_secret=s"))
	// A token that is worth nothing has no other member, whatever the use case knew of it.
	b.onIntrospect = func(oauth.PresentedToken) (oauth.Introspection, error) {
		return oauth.Introspection{Subject: alice.ID, Scope: "openid", ExpiresAt: time.Unix(1710000000, 0)}, nil
	}
	wantGolden(t, "introspection_inactive", b.post("/introspect", "token=t&client_id=web&client_secret=s"))
}

func TestIntrospectionMalformed(t *testing.T) {
	for name, test := range map[string]struct{ target, body, call string }{
		"two tokens":       {"/introspect", "token=t&token=u&client_id=web", "Deny token.denied"},
		"in the query":     {"/introspect?token=t", "client_id=web", "Deny token.denied"},
		"a hint twice":     {"/introspect", "token=t&token_type_hint=a&token_type_hint=b&client_id=web", "Deny token.denied"},
		"a client in both": {"/introspect?client_id=web", "token=t&client_id=web", "Deny token.denied"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			wantError(t, b.post(test.target, test.body), 400, "invalid_request")
			b.wantCalls(test.call)
		})
	}
}
