package apptest

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// RP is a relying party: one registered client.
type RP struct {
	t           testing.TB
	issuer      string
	client      *http.Client
	lossy       bool
	ID          string
	Secret      string
	RedirectURI string
	Scope       string
}

// Verifier is the code_verifier of every request that Request builds.
const Verifier = "dBjftJeZ4CVP-mBjRFC7636-appendix-B-like-verifier"

// Client returns the relying party of a declared client.
func (s *Site) Client(id string) *RP {
	rp := &RP{t: s.t, issuer: s.Issuer, client: &http.Client{Transport: s.Transport}, lossy: s.Lossy, ID: id, Secret: Secret, Scope: "openid profile email offline_access"}
	switch id {
	case "web":
		rp.RedirectURI = "https://app.test/cb"
	case "evil":
		rp.RedirectURI = "https://evil.test/cb"
	case "spa":
		rp.RedirectURI, rp.Secret = "https://spa.test/cb", ""
	case "native":
		rp.RedirectURI, rp.Secret = "http://127.0.0.1:51234/cb", ""
	case "loose":
		rp.RedirectURI = "https://loose.test/cb?x=1"
	default:
		rp.RedirectURI = "https://" + id + ".test/cb"
	}
	return rp
}

// aliases are the paths of each endpoint, which behave alike.
var aliases = map[string][]string{
	"/authorize":  {"/authorize", "/oauth2/authorize", "/connect/authorize", "/authorizations/new"},
	"/token":      {"/token", "/oauth2/token", "/connect/token", "/access_tokens"},
	"/userinfo":   {"/userinfo", "/connect/userinfo"},
	"/revocation": {"/revocation", "/oauth/revoke", "/oauth2/revocation"}, // 200 whatever is sent
	"/revoke":     {"/revoke", "/connect/revocation"},
	"/introspect": {"/introspect", "/oauth2/introspect", "/connect/introspect"},
	"/logout":     {"/connect/logout", "/connect/endsession"},
	"/jwks":       {"/jwks", "/.well-known/jwks.json", "/jwk.json"},
}

// Alias returns one of the paths of an endpoint, by chance: a test that passes on one has to pass on each.
func Alias(endpoint string) string {
	paths := aliases[endpoint]
	return paths[rand.N(len(paths))]
}

// Request returns a valid authorization request; change sets parameters, or removes those it gives no value.
func (rp *RP) Request(change ...url.Values) url.Values {
	sum := sha256.Sum256([]byte(Verifier))
	v := url.Values{
		"client_id": {rp.ID}, "redirect_uri": {rp.RedirectURI}, "response_type": {"code"}, "scope": {rp.Scope},
		"state": {"state of " + rp.ID}, "nonce": {"nonce of " + rp.ID},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])}, "code_challenge_method": {"S256"},
	}
	for _, c := range change {
		for name, values := range c {
			if v[name] = values; len(values) == 0 {
				delete(v, name)
			}
		}
	}
	return v
}

// Authorize opens the authorization request in the browser.
func (rp *RP) Authorize(b *Browser, change ...url.Values) Page {
	rp.t.Helper()
	return b.Get(Alias("/authorize") + "?" + rp.Request(change...).Encode())
}

// Code takes the user through whatever pages come and returns the code.
func (rp *RP) Code(b *Browser, username string, change ...url.Values) string {
	rp.t.Helper()
	p := rp.Authorize(b, change...)
	if p.IsLogin() {
		p = b.Login(p, username, Password)
	}
	if p.IsConsent() {
		p = b.Allow(p)
	}
	code := p.Answer().Get("code")
	if code == "" {
		rp.t.Fatalf("no code: %d %s %.600s", p.Status, p.URL, p.Body)
	}
	return code
}

// Reply is a JSON answer.
type Reply struct {
	Status int
	Header http.Header
	Text   string
	JSON   map[string]any
	Err    error // as in Page
}

// Get returns a text member.
func (r Reply) Get(name string) string {
	s, _ := r.JSON[name].(string)
	return s
}

// Post sends a form to a machine endpoint, with Basic when the client is confidential and the form has no client_id.
func (rp *RP) Post(path string, form url.Values, header http.Header) Reply {
	rp.t.Helper()
	req, err := http.NewRequestWithContext(context.Background(), "POST", rp.issuer+path, strings.NewReader(form.Encode()))
	if err != nil {
		rp.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	switch {
	case form.Has("client_id") || header.Get("Authorization") != "":
	case rp.Secret != "":
		req.SetBasicAuth(url.QueryEscape(rp.ID), url.QueryEscape(rp.Secret))
	default:
		form.Set("client_id", rp.ID)
		return rp.Post(path, form, header)
	}
	for name, values := range header {
		req.Header[http.CanonicalHeaderKey(name)] = values
	}
	return rp.do(req)
}

// Send sends any request to a path of the provider.
func (rp *RP) Send(method, path, body string, header http.Header) Reply {
	rp.t.Helper()
	req, err := http.NewRequestWithContext(context.Background(), method, rp.issuer+path, strings.NewReader(body))
	if err != nil {
		rp.t.Fatal(err)
	}
	for name, values := range header {
		req.Header[http.CanonicalHeaderKey(name)] = values
	}
	return rp.do(req)
}

func (rp *RP) do(req *http.Request) Reply {
	rp.t.Helper()
	resp, text, err := fetch(rp.client, req)
	if err != nil && !rp.lossy {
		rp.t.Fatal(err)
	}
	r := Reply{Status: resp.StatusCode, Header: resp.Header, Text: string(text), Err: err}
	json.Unmarshal(text, &r.JSON)
	return r
}

// Exchange redeems a code; change works as in Request.
func (rp *RP) Exchange(code string, change ...url.Values) Reply {
	rp.t.Helper()
	form := url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {rp.RedirectURI}, "code_verifier": {Verifier}}
	for _, c := range change {
		for name, values := range c {
			if form[name] = values; len(values) == 0 {
				delete(form, name)
			}
		}
	}
	return rp.Post(Alias("/token"), form, nil)
}

// Refresh uses a refresh token.
func (rp *RP) Refresh(token string, scope ...string) Reply {
	rp.t.Helper()
	form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}}
	if len(scope) > 0 {
		form.Set("scope", strings.Join(scope, " "))
	}
	return rp.Post(Alias("/token"), form, nil)
}

// SignIn takes the user through everything and returns the token response.
func (rp *RP) SignIn(b *Browser, username string, change ...url.Values) Reply {
	rp.t.Helper()
	r := rp.Exchange(rp.Code(b, username, change...))
	if r.Status != http.StatusOK {
		rp.t.Fatalf("token: %d %s", r.Status, r.Text)
	}
	return r
}

// UserInfo calls the UserInfo endpoint with an access token.
func (rp *RP) UserInfo(token string) Reply {
	rp.t.Helper()
	req, err := http.NewRequestWithContext(context.Background(), "GET", rp.issuer+Alias("/userinfo"), nil)
	if err != nil {
		rp.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	return rp.do(req)
}
