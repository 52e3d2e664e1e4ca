package oidc_test

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"latchkey/domain/identity"
	"latchkey/domain/oauth"
	"latchkey/domain/oidc"
)

func TestParseLogoutRequest(t *testing.T) {
	full := oidc.LogoutRequest{Client: "web", Hint: "h", RedirectURI: "https://app.test/bye", State: "s"}
	for _, test := range []struct {
		name, query string
		want        oidc.LogoutRequest
		refused     string
	}{
		{"nothing", "", oidc.LogoutRequest{}, ""},
		{"everything", "client_id=web&id_token_hint=h&post_logout_redirect_uri=https://app.test/bye&state=s&logout_hint=x&ui_locales=id", full, ""},
		{"the other spellings", "client_id=web&id_token_hing=h&post_logout_url=https://app.test/bye&state=s", full, ""},
		{"both spellings alike", "client_id=web&id_token_hint=h&id_token_hing=h&post_logout_redirect_uri=https://app.test/bye&post_logout_url=https://app.test/bye&state=s", full, ""},
		{"one spelling empty", "client_id=web&id_token_hint=&id_token_hing=h&post_logout_redirect_uri=https://app.test/bye&post_logout_url=&state=s", full, ""},
		{"two hints", "id_token_hint=h&id_token_hing=g", oidc.LogoutRequest{}, "differ"},
		{"two URIs", "post_logout_redirect_uri=a&post_logout_url=b", oidc.LogoutRequest{}, "differ"},
		{"a hint twice", "id_token_hint=h&id_token_hint=h", oidc.LogoutRequest{}, "more than once"},
		{"the other spelling twice", "post_logout_url=a&post_logout_url=a", oidc.LogoutRequest{}, "more than once"},
		{"a state twice", "state=a&state=b", oidc.LogoutRequest{}, "more than once"},
		{"a client twice", "client_id=a&client_id=a", oidc.LogoutRequest{}, "more than once"},
		{"what is not read may repeat", "ui_locales=id&ui_locales=en&=x", oidc.LogoutRequest{}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, refusal := oidc.ParseLogoutRequest(parametersOf(t, test.query))
			if test.refused != "" {
				if refusal == nil || refusal.Code != oauth.InvalidRequest || !strings.Contains(refusal.Description, test.refused) {
					t.Errorf("refusal %v", refusal)
				}
				return
			}
			if diff := cmp.Diff(test.want, got); diff != "" || refusal != nil {
				t.Errorf("%v (-want +got):\n%s", refusal, diff)
			}
		})
	}
}

func parametersOf(t *testing.T, query string) oauth.Parameters {
	t.Helper()
	values, err := url.ParseQuery(query)
	if err != nil {
		t.Fatal(err)
	}
	p := oauth.Parameters{Values: map[string]string{}}
	for name, v := range values {
		p.Values[name] = v[0]
		if len(v) > 1 {
			p.Repeated = append(p.Repeated, name)
		}
	}
	return p
}

// LO-03 and the registered query of RD-08.
func TestLogoutReturn(t *testing.T) {
	c := oauth.Client{ID: "web", RedirectURIs: []string{"https://app.test/cb"}, PostLogoutRedirectURIs: []string{"https://app.test/bye", "https://app.test/q?x=1", "com.example.app:/bye"}}
	for _, test := range []struct {
		uri, state, want string
		refused          bool
	}{
		{"", "s", "", false},
		{"https://app.test/bye", "", "https://app.test/bye", false},
		{"https://app.test/bye", "a b&c=d#ü", "https://app.test/bye?state=a+b%26c%3Dd%23%C3%BC", false},
		{"https://app.test/q?x=1", "s", "https://app.test/q?x=1&state=s", false},
		{"com.example.app:/bye", "s", "com.example.app:/bye?state=s", false},
		{"https://app.test/bye/", "s", "", true},
		{"https://app.test/bye?x=1", "s", "", true},
		{"https://app.test/cb", "s", "", true},
	} {
		q := oidc.LogoutRequest{RedirectURI: test.uri, State: test.state}
		uri, refusal := q.Return(c)
		if uri != test.want || (refusal != nil) != test.refused {
			t.Errorf("%s with state %q: %q, %v", test.uri, test.state, uri, refusal)
		}
		if uri, refusal := q.Return(oauth.Client{}); uri != "" || (refusal == nil) != (test.uri == "") {
			t.Errorf("%s of nobody: %q, %v", test.uri, uri, refusal)
		}
	}
}

func TestHintProves(t *testing.T) {
	s := identity.Session{ID: "sid_1", User: "alice"}
	for hint, want := range map[oidc.IDTokenHint]bool{
		{Subject: "alice", Session: "sid_1"}: true,
		{Subject: "alice"}:                   true, // refreshed while the user was away
		{Subject: "bob", Session: "sid_1"}:   false,
		{Session: "sid_1"}:                   false,
		{}:                                   false,
	} {
		if hint.Proves(s) != want {
			t.Errorf("%+v: %v", hint, !want)
		}
	}
	if (oidc.IDTokenHint{}).Proves(identity.Session{}) {
		t.Error("nothing proves nothing")
	}
}

// Wherever a browser is sent, it is a registered address with at most a state behind it, which comes back as it was sent.
func FuzzLogoutReturn(f *testing.F) {
	registered := []string{"https://app.test/bye", "https://app.test/q?x=1", "http://127.0.0.1/bye", "com.example.app:/bye"}
	for _, r := range registered {
		f.Add("post_logout_redirect_uri="+url.QueryEscape(r)+"&state=s", "s")
	}
	f.Add("post_logout_url=https://app.test/bye%23f", "\r\nSet-Cookie: x=1")
	f.Add("post_logout_redirect_uri=http://127.0.0.1:80@evil.test/bye", "#?&=")
	c := oauth.Client{ID: "web", PostLogoutRedirectURIs: registered}
	f.Fuzz(func(t *testing.T, query, state string) {
		values, err := url.ParseQuery(query)
		if err != nil {
			return
		}
		p := oauth.Parameters{Values: map[string]string{}}
		for name, v := range values {
			p.Values[name] = v[0]
		}
		p.Values["state"] = state
		q, refusal := oidc.ParseLogoutRequest(p)
		if refusal != nil {
			return
		}
		uri, refusal := q.Return(c)
		if refusal != nil || uri == "" {
			return
		}
		rest, ok := strings.CutPrefix(uri, q.RedirectURI)
		if !ok || !slices.ContainsFunc(registered, func(r string) bool { return oauth.MatchRedirectURI([]string{r}, q.RedirectURI) }) {
			t.Fatalf("%q leads to %q", q.RedirectURI, uri)
		}
		if state == "" && rest == "" {
			return
		}
		back, err := url.ParseQuery(strings.TrimLeft(rest, "?&"))
		if err != nil || len(back) != 1 || back.Get("state") != state || strings.ContainsAny(rest, "\r\n #<>\"") {
			t.Fatalf("state %q came to %q: %v", state, rest, err)
		}
	})
}
