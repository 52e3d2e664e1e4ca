package main

import (
	"fmt"
	"net/url"
)

// statusError is an answer that is not the expected one; class is the reason
// under which the report counts it.
type statusError struct{ class, detail string }

func (e *statusError) Error() string { return e.class + ": " + e.detail }

func unexpected(what string, r *Resp) error {
	return &statusError{fmt.Sprintf("%s status %d", what, r.Status), fmt.Sprintf("%.300s", r.Body)}
}

func missing(what, field string, body []byte) error {
	return &statusError{what + " without " + field, fmt.Sprintf("%.300s", body)}
}

// post sends a form as the client and wants a 200.
func (f *Flow) post(h *Client, what string, to target, as *OAuthClient, v url.Values) (*Resp, error) {
	r, err := h.Do(Request{Method: "POST", To: to, Auth: f.auth[as.ID], Form: []byte(as.form(v).Encode())})
	if err == nil && r.Status != 200 {
		err = unexpected(what, r)
	}
	return r, err
}

// get fetches a document and wants a 200.
func get(h *Client, what string, to target, auth string) (*Resp, error) {
	r, err := h.Do(Request{Method: "GET", To: to, Auth: auth})
	if err == nil && r.Status != 200 {
		err = unexpected(what, r)
	}
	return r, err
}

// ClientCredentials asks for an access token (RFC 6749, section 4.4).
func (f *Flow) ClientCredentials(h *Client) (string, error) {
	v := url.Values{"grant_type": {"client_credentials"}}
	if f.cc.Scope != "" {
		v.Set("scope", f.cc.Scope)
	}
	r, err := f.post(h, "client_credentials", f.tToken, f.cc, v)
	if err != nil {
		return "", err
	}
	if _, ok := jsonField(r.Body, "token_type"); !ok {
		return "", missing("client_credentials", "token_type", r.Body)
	}
	t, err := parseTokens("client_credentials", r.Body)
	return t.Access, err
}

// Introspect says whether a token is active (RFC 7662, section 2.2).
func (f *Flow) Introspect(h *Client, token string) (bool, error) {
	r, err := f.post(h, "introspection", f.tIntro, f.res, url.Values{"token": {token}})
	if err != nil {
		return false, err
	}
	a, ok := jsonField(r.Body, "active")
	if !ok {
		return false, missing("introspection", "active", r.Body)
	}
	return string(a) == "true", nil
}

// Userinfo wants a subject for the bearer token (OpenID Connect Core 1.0,
// section 5.3); auth is the complete Authorization value.
func (f *Flow) Userinfo(h *Client, auth string) error {
	r, err := get(h, "userinfo", f.tUserinfo, auth)
	if err != nil {
		return err
	}
	if s, ok := jsonField(r.Body, "sub"); !ok || len(s) == 0 {
		return missing("userinfo", "sub", r.Body)
	}
	return nil
}

// Refresh spends a refresh token and wants another one back (RFC 6749,
// section 6).
func (f *Flow) Refresh(h *Client, rt string) (Tokens, error) {
	r, err := f.post(h, "refresh", f.tToken, f.rt, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {rt}})
	if err != nil {
		return Tokens{}, err
	}
	t, err := parseTokens("refresh", r.Body)
	if err != nil {
		return t, err
	}
	if t.Refresh == "" {
		return t, missing("refresh", "refresh_token", r.Body)
	}
	if t.Refresh == rt {
		return t, &statusError{"refresh token not rotated", ""}
	}
	return t, nil
}

// Revoke revokes an access token (RFC 7009, section 2.1).
func (f *Flow) Revoke(h *Client, owner *OAuthClient, token string) error {
	_, err := f.post(h, "revocation", f.tRevoke, owner, url.Values{"token": {token}, "token_type_hint": {"access_token"}})
	return err
}

// parseTokens copies the tokens out of a response; an access token must be there.
func parseTokens(what string, b []byte) (Tokens, error) {
	field := func(name string) string { x, _ := jsonField(b, name); return string(x) }
	t := Tokens{Access: field("access_token"), Refresh: field("refresh_token"), ID: field("id_token")}
	if t.Access == "" {
		return t, missing(what, "access_token", b)
	}
	return t, nil
}

// checkDiscovery and checkJWKS look at one document. A worker looks once at each
// distinct document (worker.document).
func (f *Flow) checkDiscovery(b []byte) error {
	if s, _ := jsonField(b, "issuer"); string(s) != f.cfg.Issuer {
		return missing("discovery", "the issuer", b)
	}
	for _, k := range []string{"jwks_uri", "token_endpoint"} {
		if _, ok := jsonField(b, k); !ok {
			return missing("discovery", k, b)
		}
	}
	return nil
}

func checkJWKS(b []byte) error {
	if k, ok := jsonField(b, "keys"); !ok || len(k) < len(`[{"kty":""}]`) {
		return missing("jwks", "keys", b)
	}
	return nil
}
