package oauth_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"latchkey/domain/oauth"
)

func TestAuthorizationResponse(t *testing.T) {
	const state = "st~a te/ü?&="
	for _, c := range []struct {
		name   string
		change change
		mode   oauth.ResponseMode
		state  string
	}{
		{"AZ-11 query is the default", nil, oauth.ModeQuery, state},
		{"AZ-11 query", change{"response_mode": "query"}, oauth.ModeQuery, state},
		{"AZ-11 fragment", change{"response_mode": "fragment"}, oauth.ModeFragment, state},
		{"AZ-11 form_post", change{"response_mode": "form_post"}, oauth.ModeFormPost, state},
		{"an unknown mode is refused by query", change{"response_mode": "jwt"}, oauth.ModeQuery, state},
		{"no state, none returned", change{"-state": ""}, oauth.ModeQuery, ""},
		{"AZ-05 two states, neither returned", change{"state+": "a"}, oauth.ModeQuery, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			reply, refusal := oauth.FindReplyAddress(parameters(c.change), client(t, oauth.Strict), issuer)
			wantError(t, refusal, "")
			tail := []oauth.Parameter{{Name: "iss", Value: issuer}}
			if c.state != "" {
				tail = []oauth.Parameter{{Name: "state", Value: c.state}, {Name: "iss", Value: issuer}}
			}
			for _, x := range []struct {
				got  oauth.AuthorizationResponse
				head []oauth.Parameter
			}{
				{reply.Code("c0de", ""), []oauth.Parameter{{Name: "code", Value: "c0de"}}},
				{reply.Code("c0de", "a.b"), []oauth.Parameter{{Name: "code", Value: "c0de"}, {Name: "session_state", Value: "a.b"}}},
				{reply.Refuse(oauth.Refuse(oauth.AccessDenied, "no").With("received", "secret"), ""), []oauth.Parameter{{Name: "error", Value: "access_denied"}, {Name: "error_description", Value: "no"}}},
				{reply.Refuse(oauth.Refuse(oauth.LoginRequired, "no"), "a.b"), []oauth.Parameter{{Name: "error", Value: "login_required"}, {Name: "error_description", Value: "no"}, {Name: "session_state", Value: "a.b"}}},
			} {
				want := oauth.AuthorizationResponse{URI: "https://app.test/cb", Mode: c.mode, Parameters: append(x.head, tail...)}
				if diff := cmp.Diff(want, x.got); diff != "" {
					t.Error(diff)
				}
			}
		})
	}
}
