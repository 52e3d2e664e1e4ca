package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// Check is a short functional probe: a fast number of a provider that does less
// than the others must be seen as such.
type Check struct {
	Peer          string            `json:"peer"`
	SigningKeys   string            `json:"signing_keys"`
	Tokens        map[string]string `json:"tokens"` // kind and size by name
	RefreshReplay string            `json:"refresh_replay,omitempty"`
	FamilyRevoked string            `json:"refresh_family_revoked_on_replay,omitempty"`
	Revocation    string            `json:"revocation_effective,omitempty"`
	Garbage       string            `json:"introspection_of_garbage,omitempty"`
	LoginPages    int               `json:"login_pages"`
	LoginHTTP     uint64            `json:"login_http_requests"`
	SessionHTTP   uint64            `json:"session_http_requests"`
	Errors        []string          `json:"errors,omitempty"`
}

func (c *Check) failed(what string, err error) bool {
	if err != nil {
		c.Errors = append(c.Errors, what+": "+err.Error())
	}
	return err != nil
}

func check(f *Flow) *Check {
	c := &Check{Peer: f.cfg.Name, Tokens: map[string]string{}}
	w := newWorker(f, 0, nil)
	defer w.h.Close()
	if r, err := get(w.h, "jwks", f.tJWKS, ""); !c.failed("jwks", err) {
		c.SigningKeys = keyInfo(r.Body)
	}
	if f.cc != nil {
		t, err := f.ClientCredentials(w.h)
		c.failed("client_credentials", err)
		c.Tokens["client_credentials"] = tokenKind(t)
	}
	if needCode(f) == "" && c.flows(f, w) {
		c.refresh(f, w)
	}
	if f.tIntro.origin != "" && needToken(f) == "" {
		c.introspection(f, w)
	}
	return c
}

// flows signs in once with pages and once with the session.
func (c *Check) flows(f *Flow, w *worker) bool {
	w.h.Jar = &Jar{}
	sent := w.h.Requests
	t, err := f.Code(w.h, codeOpts{client: f.code, user: w.user, interactive: true, pages: &c.LoginPages})
	if c.failed("login", err) {
		return false
	}
	c.LoginHTTP = w.h.Requests - sent
	c.Tokens["access"], c.Tokens["id"], c.Tokens["refresh"] = tokenKind(t.Access), tokenKind(t.ID), tokenKind(t.Refresh)
	sent = w.h.Requests
	_, err = f.Code(w.h, codeOpts{client: f.code, user: w.user})
	c.failed("flow with session", err)
	c.SessionHTTP = w.h.Requests - sent
	if f.tUserinfo.origin != "" {
		c.failed("userinfo", f.Userinfo(w.h, "Bearer "+t.Access))
	}
	return true
}

// refresh rotates once and presents the spent token again; then the family must
// be dead (RFC 9700, section 4.14.2).
func (c *Check) refresh(f *Flow, w *worker) {
	t, err := w.login(f.rt, true)
	if c.failed("login for refresh", err) {
		return
	}
	t2, err := f.Refresh(w.h, t.Refresh)
	if c.failed("refresh", err) {
		return
	}
	c.Tokens["refreshed access"], c.Tokens["refreshed id"] = tokenKind(t2.Access), tokenKind(t2.ID)
	c.RefreshReplay, c.FamilyRevoked = "accepted", "no"
	if _, err := f.Refresh(w.h, t.Refresh); err != nil {
		c.RefreshReplay = "refused"
	}
	if _, err := f.Refresh(w.h, t2.Refresh); err != nil {
		c.FamilyRevoked = "yes"
	}
}

func (c *Check) introspection(f *Flow, w *worker) {
	active, err := f.Introspect(w.h, "this-is-no-token")
	if !c.failed("introspection of garbage", err) {
		c.Garbage = fmt.Sprintf("active=%v", active)
	}
	token, owner, err := w.accessToken()
	if c.failed("token to introspect", err) {
		return
	}
	active, err = f.Introspect(w.h, token)
	if err == nil && !active {
		err = errors.New("a live token is not active")
	}
	if c.failed("introspection", err) || f.tRevoke.origin == "" {
		return
	}
	if c.failed("revocation", f.Revoke(w.h, owner, token)) {
		return
	}
	active, err = f.Introspect(w.h, token)
	if !c.failed("introspection of a revoked token", err) {
		c.Revocation = fmt.Sprintf("active afterwards=%v", active)
	}
}

func tokenKind(t string) string {
	if t == "" {
		return "none"
	}
	if p := strings.Split(t, "."); len(p) == 3 {
		if h, err := b64.DecodeString(p[0]); err == nil {
			if a, ok := jsonField(h, "alg"); ok {
				return fmt.Sprintf("JWT %s, %d bytes", a, len(t))
			}
		}
	}
	return fmt.Sprintf("opaque, %d bytes", len(t))
}

// keyInfo says how the provider signs.
func keyInfo(jwks []byte) string {
	var d struct {
		Keys []struct{ Kty, Alg, Crv, N string }
	}
	if json.Unmarshal(jwks, &d) != nil {
		return ""
	}
	var s []string
	for _, k := range d.Keys {
		x := k.Kty
		if k.Crv != "" {
			x += " " + k.Crv
		}
		if k.N != "" {
			x += fmt.Sprintf(" %d bits", len(k.N)*6/8*8)
		}
		if k.Alg != "" {
			x += " " + k.Alg
		}
		s = append(s, x)
	}
	return strings.Join(s, ", ")
}
