package web

import (
	"errors"
	"net/http"
	"slices"
	"testing"

	"latchkey/domain/oauth"
)

var (
	silentRevocation = []string{"/revocation", "/oauth/revoke", "/oauth2/revocation"}
	plainRevocation  = []string{"/revoke", "/connect/revocation"}
)

// What each path answers: three of them 200 and an empty object whatever was sent, two as RFC 7009 §2.2 has it. A fault is
// a fault at each: 200 is a promise.
func TestRevocationPaths(t *testing.T) {
	tests := []struct {
		name, target, body string
		headers            []string
		answer             error // of the use case
		silent, plain      int
		code               oauth.ErrorCode
		calls              []string
	}{
		{"a token", "", "token=t&client_id=web&client_secret=s", nil, nil, 200, 200, "", []string{"Revoke"}},
		{"a wrong hint", "", "token=t&token_type_hint=nonsense&client_id=web", nil, nil, 200, 200, "", []string{"Revoke"}},
		{"no token", "", "client_id=web", nil, oauth.Refuse(oauth.InvalidRequest, "token is missing"), 200, 400, "invalid_request", []string{"Revoke"}},
		{"failed authentication", "", "token=t&client_id=web", nil, oauth.Refuse(oauth.InvalidClient, "client authentication failed"), 200, 401, "invalid_client", []string{"Revoke"}},
		{"two ways to authenticate", "", "token=t&client_id=web&client_secret=s", []string{"Authorization: Basic d2ViOnM="}, nil, 200, 400, "invalid_request", []string{"Deny token.denied"}},
		{"no Basic", "", "token=t", []string{"Authorization: Bearer t"}, nil, 200, 401, "invalid_client", []string{"Deny client.auth.fail"}},
		{"two tokens", "", "token=t&token=u&client_id=web", nil, nil, 200, 400, "invalid_request", []string{"Deny token.denied"}},
		{"the token in the query", "?token=t", "client_id=web", nil, nil, 200, 400, "invalid_request", []string{"Deny token.denied"}},
		{"too many requests", "", "token=t&client_id=web", nil, oauth.Refuse(oauth.TooManyAttempts, "too many requests"), 429, 429, "too_many_attempts", []string{"Revoke"}},
		{"a fault", "", "token=t&client_id=web", nil, errors.New("disk on fire"), 500, 500, "server_error", []string{"Revoke"}},
	}
	for _, test := range tests {
		for _, path := range append(silentRevocation, plainRevocation...) {
			b := newBench(t)
			b.onRevoke = func(p oauth.PresentedToken) error {
				if test.answer == nil && (p.Token != "t" || len(p.Credentials) != 1 || p.Credentials[0].ID != "web") {
					t.Errorf("%s: %+v", test.name, p)
				}
				return test.answer
			}
			w := b.post(path+test.target, test.body, test.headers...)
			want := test.silent
			if slices.Contains(plainRevocation, path) {
				want = test.plain
			}
			if want == http.StatusOK {
				wantStatus(t, w, want)
				wantHeader(t, w, "Cache-Control", "no-store")
				if w.Body.String() != "{}" {
					t.Errorf("%s at %s: %s", test.name, path, w.Body)
				}
			} else {
				wantError(t, w, want, test.code)
			}
			b.wantCalls(test.calls...)
			if t.Failed() {
				t.Fatalf("%s at %s", test.name, path)
			}
		}
	}
	wantGolden(t, "revocation", newBench(t).post("/revocation", "token=t&client_id=web"))
}

// AD-16: what cannot be recorded is not answered as done.
func TestRevocationUnrecorded(t *testing.T) {
	b := newBench(t)
	b.onDeny = failDeny(errors.New("disk on fire"))
	wantError(t, b.post("/revocation", "token=t&token=u&client_id=web"), http.StatusInternalServerError, "server_error")
}
