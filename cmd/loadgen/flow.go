package main

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"net/url"
	"strings"
	"sync"
	"time"
)

// Tokens is what the token endpoint gave.
type Tokens struct{ Access, Refresh, ID string }

// Flow holds what the workers share for one provider.
type Flow struct {
	cfg  *Config
	cc   *OAuthClient // nil where the configuration has none
	code *OAuthClient
	res  *OAuthClient // authenticates introspection
	rt   *OAuthClient // owns refresh chains

	tDiscovery, tToken, tJWKS, tIntro, tUserinfo, tRevoke, tRaw target // zero where the provider has none

	auth map[string]string // client id -> Authorization value, "" where credentials travel in the body

	mu sync.Mutex
	// sessions are the signed-in browsers by worker: a login costs a password
	// hash, and the set-up of one scenario need not repeat that of another.
	sessions map[int]*Jar
}

// newFlow needs a config that has been through discover.
func newFlow(cfg *Config) (*Flow, error) {
	f := &Flow{cfg: cfg, auth: map[string]string{}, sessions: map[int]*Jar{},
		cc: cfg.client("cc"), code: cfg.client("code"), res: cfg.client("resource", "cc", "code"), rt: cfg.client("refresh", "code")}
	for dst, s := range map[*target]string{
		&f.tDiscovery: cfg.discoveryURL(), &f.tToken: cfg.endpoints.Token, &f.tJWKS: cfg.endpoints.JWKS,
		&f.tIntro: cfg.endpoints.Introspection, &f.tUserinfo: cfg.endpoints.Userinfo, &f.tRevoke: cfg.endpoints.Revocation,
		&f.tRaw: cfg.RawURL,
	} {
		if s == "" {
			continue
		}
		var err error
		if *dst, err = parseTarget(s); err != nil {
			return nil, err
		}
	}
	for _, c := range []*OAuthClient{f.cc, f.code, f.res, f.rt} {
		if c != nil {
			f.auth[c.ID] = c.authHeader()
		}
	}
	return f, nil
}

// session returns the worker's signed-in browser, or a fresh one.
func (f *Flow) session(worker int) *Jar {
	f.mu.Lock()
	defer f.mu.Unlock()
	if j := f.sessions[worker]; j != nil {
		return j
	}
	return &Jar{}
}

// keepSession remembers the worker's browser; nil forgets it.
func (f *Flow) keepSession(worker int, j *Jar) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.sessions[worker] = j
}

// codeOpts varies the authorization code flow.
type codeOpts struct {
	client      *OAuthClient
	user        User
	params      map[string]string // added to the authorization request
	interactive bool              // pages may appear and are filled in
	wantRefresh bool
	authorize   *Hist // where not nil: time until the code is there
	token       *Hist // where not nil: time of the token request
	pages       *int  // where not nil: raised to the number of pages met
}

var b64 = base64.RawURLEncoding

// Code runs authorize -> (pages) -> code -> token with PKCE S256, state and
// nonce, all checked.
func (f *Flow) Code(h *Client, o codeOpts) (Tokens, error) {
	var rnd [64]byte
	rand.Read(rnd[:])
	verifier, state, nonce := b64.EncodeToString(rnd[:32]), b64.EncodeToString(rnd[32:48]), b64.EncodeToString(rnd[48:])
	challenge := sha256.Sum256([]byte(verifier))
	q := url.Values{
		"response_type": {"code"}, "client_id": {o.client.ID}, "redirect_uri": {o.client.RedirectURI},
		"scope": {o.client.Scope}, "state": {state}, "nonce": {nonce},
		"code_challenge": {b64.EncodeToString(challenge[:])}, "code_challenge_method": {"S256"},
	}
	for k, v := range o.params {
		q.Set(k, v)
	}
	t0 := time.Now()
	code, err := f.authorize(h, f.cfg.endpoints.Authorization+"?"+q.Encode(), o, state)
	if err != nil {
		return Tokens{}, err
	}
	t1 := time.Now()
	tk, err := f.exchange(h, o, code, verifier, nonce)
	if err != nil {
		return tk, err
	}
	if o.authorize != nil {
		o.authorize.Add(t1.Sub(t0))
	}
	if o.token != nil {
		o.token.Add(time.Since(t1))
	}
	return tk, nil
}

// exchange redeems the code (RFC 6749, section 4.1.3; RFC 7636, section 4.5).
func (f *Flow) exchange(h *Client, o codeOpts, code, verifier, nonce string) (Tokens, error) {
	v := o.client.form(url.Values{"grant_type": {"authorization_code"}, "code": {code},
		"redirect_uri": {o.client.RedirectURI}, "code_verifier": {verifier}})
	r, err := h.Do(Request{Method: "POST", To: f.tToken, Auth: f.auth[o.client.ID], Form: []byte(v.Encode())})
	if err != nil {
		return Tokens{}, err
	}
	if r.Status != 200 {
		return Tokens{}, unexpected("code exchange", r)
	}
	tk, err := parseTokens("code exchange", r.Body)
	if err != nil {
		return tk, err
	}
	if tk.Refresh == "" && o.wantRefresh {
		return tk, missing("code exchange", "refresh_token", r.Body)
	}
	if tk.ID == "" {
		return tk, missing("code exchange", "id_token", r.Body)
	}
	return tk, f.checkIDToken(tk.ID, nonce)
}

// checkIDToken looks at the claims only. Verifying the signature on each
// operation would take more of the shared machine than the server itself; the
// tests of the provider do that.
func (f *Flow) checkIDToken(id, nonce string) error {
	p := strings.Split(id, ".")
	if len(p) != 3 {
		return &statusError{"id_token not a JWS", id}
	}
	c, err := b64.DecodeString(p[1])
	if err != nil {
		return &statusError{"id_token not base64url", id}
	}
	if n, _ := jsonField(c, "nonce"); string(n) != nonce {
		return &statusError{"id_token nonce differs", string(c)}
	}
	if s, _ := jsonField(c, "sub"); len(s) == 0 {
		return &statusError{"id_token without sub", string(c)}
	}
	if s, _ := jsonField(c, "iss"); string(s) != f.cfg.Issuer {
		return &statusError{"id_token iss differs", string(c)}
	}
	return nil
}
