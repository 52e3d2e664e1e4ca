package oauth_test

import (
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"latchkey/domain/oauth"
)

// change is what one case sends differently: "-name" leaves a parameter out, "name+" sends it twice.
type change map[string]string

// parameters returns a request that every profile accepts, changed.
func parameters(c change) oauth.Parameters {
	p := oauth.Parameters{Values: map[string]string{
		"client_id": "web", "redirect_uri": "https://app.test/cb", "response_type": "code", "scope": "openid profile",
		"state": "st~a te/ü?&=", "nonce": "n-1", "code_challenge": challenge, "code_challenge_method": "S256",
	}}
	for name, value := range c {
		if left, ok := strings.CutPrefix(name, "-"); ok {
			delete(p.Values, left)
		} else if twice, ok := strings.CutSuffix(name, "+"); ok {
			p.Values[twice] = value
			p.Repeated = append(p.Repeated, twice)
		} else {
			p.Values[name] = value
		}
	}
	return p
}

func authorize(t testing.TB, p oauth.Parameters, c oauth.Client) (oauth.AuthorizationRequest, *oauth.Error) {
	t.Helper()
	reply, refusal := oauth.FindReplyAddress(p, c, issuer)
	if refusal != nil {
		t.Fatalf("no reply address: %v", refusal)
	}
	return oauth.ParseAuthorizationRequest(p, c, reply)
}

func TestAuthorizationRequest(t *testing.T) {
	const (
		invalid     = oauth.InvalidRequest
		scope       = oauth.InvalidScope
		unsupported = oauth.UnsupportedResponseType
	)
	none := change{"-code_challenge": "", "-code_challenge_method": ""}
	with := func(a, b change) change {
		c := maps.Clone(a)
		maps.Copy(c, b)
		return c
	}
	for _, c := range []struct {
		name   string
		change change
		// What each profile answers: strict, standard, legacy2012, coreone; and a public client of the strict one.
		strict, standard, legacy, coreone, public oauth.ErrorCode
	}{
		{"everything right", nil, "", "", "", "", ""},
		{"unknown parameters are ignored (RFC 6749 §3.1)", change{"access_type": "offline", "ui_locales": "id"}, "", "", "", "", ""},

		{"AZ-03 no response_type", change{"-response_type": ""}, invalid, invalid, invalid, invalid, invalid},
		{"AZ-03 empty response_type", change{"response_type": ""}, invalid, invalid, invalid, invalid, invalid},
		{"AZ-03 unknown response_type", change{"response_type": "foo"}, unsupported, unsupported, unsupported, unsupported, unsupported},
		{"AZ-03 code twice", change{"response_type": "code code"}, unsupported, unsupported, unsupported, unsupported, unsupported},
		{"response_type in upper case", change{"response_type": "CODE"}, unsupported, unsupported, unsupported, unsupported, unsupported},
		{"AZ-04 token", change{"response_type": "token"}, unsupported, oauth.UnauthorizedClient, oauth.UnauthorizedClient, oauth.UnauthorizedClient, unsupported},
		{"AZ-04 code id_token in another order", change{"response_type": "id_token code"}, unsupported, oauth.UnauthorizedClient, oauth.UnauthorizedClient, oauth.UnauthorizedClient, unsupported},
		{"response_type none", change{"response_type": "none"}, unsupported, unsupported, unsupported, unsupported, unsupported},

		{"AZ-05 scope twice", change{"scope+": "openid"}, invalid, invalid, invalid, invalid, invalid},
		{"AZ-05 state twice", change{"state+": "s"}, invalid, invalid, invalid, invalid, invalid},
		{"AZ-05 an unknown parameter twice", change{"foo+": "1"}, invalid, invalid, invalid, invalid, invalid},
		{"resource may repeat (RFC 8707 §2)", change{"resource+": "https://api.test"}, "", "", "", "", ""},

		{"AZ-12 request", change{"request": "x.y.z"}, oauth.RequestNotSupported, oauth.RequestNotSupported, oauth.RequestNotSupported, oauth.RequestNotSupported, oauth.RequestNotSupported},
		{"AZ-12 request_uri", change{"request_uri": "https://evil.test/"}, oauth.RequestURINotSupported, oauth.RequestURINotSupported, oauth.RequestURINotSupported, oauth.RequestURINotSupported, oauth.RequestURINotSupported},
		{"registration", change{"registration": "{}"}, oauth.RegistrationUnsupported, oauth.RegistrationUnsupported, oauth.RegistrationUnsupported, oauth.RegistrationUnsupported, oauth.RegistrationUnsupported},
		{"unknown response_mode", change{"response_mode": "jwt"}, invalid, invalid, invalid, invalid, invalid},

		{"no scope", change{"-scope": ""}, scope, scope, scope, scope, scope},
		{"scope without openid", change{"scope": "profile"}, scope, scope, scope, scope, scope},
		{"scope in upper case", change{"scope": "OPENID"}, scope, scope, scope, scope, scope},
		{"malformed scope", change{"scope": "openid \""}, scope, scope, scope, scope, scope},
		{"unknown scope", change{"scope": "openid foo"}, scope, "", "", scope, scope},
		{"scope of another client", change{"scope": "openid address"}, scope, "", "", scope, scope},

		{"no state", change{"-state": ""}, invalid, invalid, "", "", invalid},
		{"empty state counts as none", change{"state": ""}, invalid, invalid, "", "", invalid},
		{"no nonce", change{"-nonce": ""}, invalid, "", "", "", invalid},
		{"empty nonce counts as none", change{"nonce": ""}, invalid, "", "", "", invalid},

		{"PK-01 no code_challenge", none, invalid, "", "", invalid, invalid},
		{"PK-01 neither code_challenge nor nonce", with(none, change{"-nonce": ""}), invalid, invalid, "", invalid, invalid},
		{"PK-02 method plain", change{"code_challenge": verifier, "code_challenge_method": "plain"}, invalid, invalid, invalid, invalid, invalid},
		{"PK-02 code_challenge without a method", change{"-code_challenge_method": ""}, invalid, invalid, invalid, invalid, invalid},
		{"PK-02 a method without code_challenge", change{"-code_challenge": ""}, invalid, invalid, invalid, invalid, invalid},
		{"PK-02 malformed code_challenge", change{"code_challenge": "short"}, invalid, invalid, invalid, invalid, invalid},

		{"AZ-07 prompt none login", change{"prompt": "none login"}, invalid, invalid, invalid, invalid, invalid},
		{"AZ-07 prompt foo", change{"prompt": "foo"}, invalid, invalid, invalid, invalid, invalid},
		{"AZ-07 prompt in upper case", change{"prompt": "Login"}, invalid, invalid, invalid, invalid, invalid},
		{"prompt none", change{"prompt": "none"}, "", "", "", "", ""},
		{"prompt login consent select_account", change{"prompt": "login consent select_account"}, "", "", "", "", ""},

		{"max_age 0", change{"max_age": "0"}, "", "", "", "", ""},
		{"max_age negative", change{"max_age": "-1"}, invalid, invalid, invalid, invalid, invalid},
		{"max_age signed", change{"max_age": "+1"}, invalid, invalid, invalid, invalid, invalid},
		{"max_age fraction", change{"max_age": "1.5"}, invalid, invalid, invalid, invalid, invalid},
		{"max_age words", change{"max_age": "1h"}, invalid, invalid, invalid, invalid, invalid},
		{"max_age beyond a duration", change{"max_age": "9223372036854775807"}, "", "", "", "", ""},
		{"max_age beyond a number", change{"max_age": "99999999999999999999"}, invalid, invalid, invalid, invalid, invalid},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, x := range []struct {
				client oauth.Client
				want   oauth.ErrorCode
			}{
				{client(t, oauth.Strict), c.strict}, {client(t, oauth.Standard), c.standard}, {client(t, oauth.Legacy2012), c.legacy},
				{client(t, oauth.CoreOne), c.coreone}, {public(client(t, oauth.Strict)), c.public},
			} {
				t.Run(string(x.client.Profile)+string(x.client.AuthMethod), func(t *testing.T) {
					_, refusal := authorize(t, parameters(c.change), x.client)
					wantError(t, refusal, x.want)
				})
			}
		})
	}
}

// A public client has PKCE whatever its profile: nothing else ties its code to it (RFC 9700 §2.1.1).
func TestPublicClientsAlwaysHavePKCE(t *testing.T) {
	for _, profile := range []oauth.Profile{oauth.Strict, oauth.Standard, oauth.Legacy2012, oauth.CoreOne} {
		t.Run("PK-01 "+string(profile), func(t *testing.T) {
			c := public(client(t, profile))
			c.Rules.RequirePKCE, c.Rules.AllowNoBinding = false, true
			_, refusal := authorize(t, parameters(change{"-code_challenge": "", "-code_challenge_method": ""}), c)
			wantError(t, refusal, oauth.InvalidRequest)
		})
	}
}

func TestAuthorizationRequestValues(t *testing.T) {
	for _, c := range []struct {
		name   string
		adjust func(*oauth.Client)
		change change
		check  func(oauth.AuthorizationRequest) bool
	}{
		{"what was sent", nil, change{"login_hint": "alice", "ui_locales": "id en", "id_token_hint": "x.y.z"}, func(r oauth.AuthorizationRequest) bool {
			return r.Client == "web" && r.Scope == "openid profile" && r.Nonce == "n-1" && r.Challenge == "S256:"+challenge &&
				r.LoginHint == "alice" && r.UILocales == "id en" && r.IDTokenHint == "x.y.z" && r.URI() == "https://app.test/cb" &&
				r.Prompt == oauth.Prompt{} && r.MaxAge < 0
		}},
		{"a scope nobody may have is dropped where that is the rule", func(c *oauth.Client) { c.Rules.IgnoreUnknownScopes = true },
			change{"scope": "foo openid address email"}, func(r oauth.AuthorizationRequest) bool { return r.Scope == "openid email" }},
		{"openid is not needed where that is the rule", func(c *oauth.Client) { c.Rules.RequireOpenID = false },
			change{"scope": "profile"}, func(r oauth.AuthorizationRequest) bool { return r.Scope == "profile" }},
		{"every prompt", nil, change{"prompt": "login consent select_account"}, func(r oauth.AuthorizationRequest) bool {
			return r.Prompt == oauth.Prompt{Login: true, Consent: true, SelectAccount: true}
		}},
		{"max_age", nil, change{"max_age": "300"}, func(r oauth.AuthorizationRequest) bool { return r.MaxAge == 5*time.Minute }},
		{"max_age 0", nil, change{"max_age": "0"}, func(r oauth.AuthorizationRequest) bool { return r.MaxAge == 0 }},
		{"a huge max_age stays positive", nil, change{"max_age": "9223372036854775807"}, func(r oauth.AuthorizationRequest) bool { return r.MaxAge > 90*365*24*time.Hour }},
		{"default_max_age", func(c *oauth.Client) { c.DefaultMaxAge = time.Hour }, nil, func(r oauth.AuthorizationRequest) bool { return r.MaxAge == time.Hour }},
		{"max_age overrides default_max_age", func(c *oauth.Client) { c.DefaultMaxAge = time.Hour }, change{"max_age": "7200"},
			func(r oauth.AuthorizationRequest) bool { return r.MaxAge == 2*time.Hour }},
		{"plain where that is the rule", func(c *oauth.Client) { c.Rules.AllowPlain = true }, change{"code_challenge": verifier, "code_challenge_method": "plain"},
			func(r oauth.AuthorizationRequest) bool { return r.Challenge == "plain:"+verifier }},
		{"no challenge where that is the rule", func(c *oauth.Client) { c.Rules.RequirePKCE = false }, change{"-code_challenge": "", "-code_challenge_method": ""},
			func(r oauth.AuthorizationRequest) bool { return r.Challenge == "" && r.Nonce == "n-1" }},
		{"no nonce where that is the rule", func(c *oauth.Client) { c.Rules.RequireNonce = false }, change{"-nonce": ""},
			func(r oauth.AuthorizationRequest) bool { return r.Challenge != "" && r.Nonce == "" }},
	} {
		t.Run(c.name, func(t *testing.T) {
			cl := client(t, oauth.Strict)
			if c.adjust != nil {
				c.adjust(&cl)
			}
			r, refusal := authorize(t, parameters(c.change), cl)
			wantError(t, refusal, "")
			if !c.check(r) {
				t.Errorf("read as %+v", r)
			}
		})
	}
}

func TestClientWithoutTheCodeFlow(t *testing.T) {
	c := client(t, oauth.Strict)
	c.ResponseTypes = nil
	_, refusal := authorize(t, parameters(nil), c)
	wantError(t, refusal, oauth.UnauthorizedClient)
}

func TestFindReplyAddress(t *testing.T) {
	for _, c := range []struct {
		name   string
		change change
		code   oauth.ErrorCode
	}{
		{"registered", nil, ""},
		{"RD-01 left out, though only one is registered", change{"-redirect_uri": ""}, oauth.InvalidRequest},
		{"RD-01 empty", change{"redirect_uri": ""}, oauth.InvalidRequest},
		{"RD-02 another", change{"redirect_uri": "https://app.test/cb/"}, oauth.InvalidRequest},
		{"AZ-05 redirect_uri twice", change{"redirect_uri+": "https://app.test/cb"}, oauth.InvalidRequest},
		{"AZ-05 client_id twice", change{"client_id+": "web"}, oauth.InvalidRequest},
		{"RD-10 before everything else", change{"redirect_uri": "https://evil.test/", "scope": "\"", "response_type": "foo", "-state": ""}, oauth.InvalidRequest},
		{"everything else is judged later", change{"scope": "\"", "response_type": "foo", "-state": ""}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, refusal := oauth.FindReplyAddress(parameters(c.change), client(t, oauth.Strict), issuer)
			wantError(t, refusal, c.code)
			if (a.URI() == "") != (refusal != nil) {
				t.Errorf("refused: %v, address %q", refusal, a.URI())
			}
		})
	}
	t.Run("the operator reads what was received and expected", func(t *testing.T) {
		_, refusal := oauth.FindReplyAddress(parameters(change{"redirect_uri": "https://evil.test/"}), client(t, oauth.Strict), issuer)
		if refusal.Facts["received"] != "https://evil.test/" || refusal.Facts["expected"] != "https://app.test/cb" {
			t.Errorf("facts: %v", refusal.Facts)
		}
		if strings.Contains(refusal.Description, "evil") {
			t.Errorf("the client is shown what it sent: %q", refusal.Description)
		}
	})
}

// Nothing a stranger sends makes a request valid that the rules of its client forbid.
func FuzzParseAuthorizationRequest(f *testing.F) {
	good := url.Values{}
	for name, value := range parameters(nil).Values {
		good.Set(name, value)
	}
	f.Add(good.Encode())
	for _, more := range []string{"&prompt=none+login", "&max_age=0", "&max_age=-1", "&scope=openid", "&request=x", "&response_mode=fragment",
		"&resource=a&resource=b", "&prompt=login%20consent", "&response_mode=form_post&ui_locales=id", "&code_challenge_method=plain"} {
		f.Add(good.Encode() + more)
	}
	f.Add("client_id=web&redirect_uri=https://app.test/cb&response_type=code&scope=openid&state=s")
	f.Add("redirect_uri=https%3A%2F%2Fapp.test%2Fcb&response_type=code&scope=openid%20foo&nonce=n")
	f.Fuzz(func(t *testing.T, query string) {
		values, _ := url.ParseQuery(query)
		p := oauth.Parameters{Values: map[string]string{}}
		for name, v := range values {
			p.Values[name] = v[0]
			if len(v) > 1 {
				p.Repeated = append(p.Repeated, name)
			}
		}
		for _, profile := range []oauth.Profile{oauth.Strict, oauth.Standard, oauth.Legacy2012, oauth.CoreOne} {
			for _, c := range []oauth.Client{client(t, profile), public(client(t, profile))} {
				reply, refusal := oauth.FindReplyAddress(p, c, issuer)
				if refusal != nil {
					wantError(t, refusal, oauth.InvalidRequest)
					continue
				}
				if !slices.Contains(c.RedirectURIs, reply.URI()) || reply.URI() != p.Get("redirect_uri") {
					t.Fatalf("the answer would go to %q", reply.URI())
				}
				r, refusal := oauth.ParseAuthorizationRequest(p, c, reply)
				if refusal != nil {
					wantError(t, refusal, refusal.Code)
					continue
				}
				checkAccepted(t, p, c, r)
			}
		}
	})
}

// checkAccepted states the rules of S1's table, relaxed by the rules of the client, over a request that was accepted.
func checkAccepted(t *testing.T, p oauth.Parameters, c oauth.Client, r oauth.AuthorizationRequest) {
	t.Helper()
	for name, broken := range map[string]bool{
		"response_type is code":           p.Get("response_type") != "code",
		"no parameter repeats":            slices.ContainsFunc(p.Repeated, func(n string) bool { return n != "resource" }),
		"scope holds openid":              !r.Scope.Has(oauth.ScopeOpenID),
		"scope is the client's":           !c.Scope.Covers(r.Scope),
		"scope was asked for":             slices.ContainsFunc(r.Scope.List(), func(s string) bool { return !slices.Contains(strings.Split(p.Get("scope"), " "), s) }),
		"state is there where required":   c.Rules.RequireState && p.Get("state") == "",
		"nonce is there where required":   c.Rules.RequireNonce && p.Get("nonce") == "",
		"PKCE is there where required":    (c.Rules.RequirePKCE || c.Public()) && r.Challenge == "",
		"PKCE or nonce, or a rule":        r.Challenge == "" && r.Nonce == "" && !c.Rules.AllowNoBinding,
		"PKCE is S256":                    r.Challenge != "" && (p.Get("code_challenge_method") != "S256" || string(r.Challenge) != "S256:"+p.Get("code_challenge")),
		"a challenge sent is kept":        p.Get("code_challenge") != "" && r.Challenge == "",
		"no request object is overlooked": p.Get("request") != "" || p.Get("request_uri") != "",
		"prompt none stands alone":        r.Prompt.None && (r.Prompt.Login || r.Prompt.Consent || r.Prompt.SelectAccount),
		"max_age is kept":                 (p.Get("max_age") != "") != (r.MaxAge >= 0),
	} {
		if broken {
			t.Errorf("%s %s: not so for %q, read as %+v", c.Profile, name, p.Values, r)
		}
	}
}
