package web

import (
	"net/http"
	"time"

	"latchkey/domain/audit"
	"latchkey/domain/oauth"
)

// token answers the token endpoint (RFC 6749 §3.2).
func (s *server) token(w http.ResponseWriter, r *request) error {
	req, refusal := parseTokenRequest(r.Request)
	if refusal != nil {
		kind := audit.TokenDenied
		if refusal.Code == oauth.InvalidClient {
			kind = audit.ClientAuthFailed
		}
		if err := s.Denials.Deny(r.Context(), r.caller, kind, refusal); err != nil {
			return err
		}
		return refusal
	}
	resp, err := s.Token.Token(r.Context(), r.caller, req)
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Pragma", "no-cache")
	writeJSON(w, http.StatusOK, tokenBody{
		AccessToken:  resp.AccessToken.Reveal(),
		TokenType:    resp.TokenType,
		ExpiresIn:    int64(resp.ExpiresIn / time.Second),
		RefreshToken: resp.RefreshToken.Reveal(),
		Scope:        string(resp.Scope),
		IDToken:      resp.IDToken.Reveal(),
	})
	return nil
}

// tokenBody is the JSON of RFC 6749 §5.1 and OIDC Core §3.1.3.3.
type tokenBody struct {
	AccessToken  string `json:"access_token"`
	IDToken      string `json:"id_token,omitempty"`
	TokenType    string `json:"token_type"`
	ExpiresIn    int64  `json:"expires_in"`
	Scope        string `json:"scope,omitempty"` // a scope has at least one value
	RefreshToken string `json:"refresh_token,omitempty"`
}

// tokenParameters are the parameters the token endpoint reads.
var tokenParameters = []string{"grant_type", "code", "redirect_uri", "code_verifier", "refresh_token", "scope", "client_id",
	"client_secret", "client_assertion", "client_assertion_type"}

// parseTokenRequest turns bytes into a token request. Parameters in the query are refused rather than ignored, so that
// a client that leaks its secret into logs is told (RFC 6749 §3.2).
func parseTokenRequest(r *http.Request) (oauth.TokenRequest, *oauth.Error) {
	var req oauth.TokenRequest
	query, refusal := parseForm(r.URL.RawQuery)
	if refusal != nil {
		return req, refusal
	}
	for _, name := range tokenParameters {
		if len(query.values[name]) > 0 {
			return req, oauth.Refuse(oauth.InvalidRequest, "send the parameters in the request body, not in the URL").With("received", name)
		}
	}
	f, refusal := readForm(r)
	if refusal != nil {
		return req, refusal
	}
	for _, name := range tokenParameters {
		if len(f.values[name]) > 1 {
			return req, oauth.Refuse(oauth.InvalidRequest, name+" was sent more than once")
		}
	}
	req = oauth.TokenRequest{
		GrantType:    f.get("grant_type"),
		Code:         oauth.Secret(f.get("code")),
		RedirectURI:  f.get("redirect_uri"),
		Verifier:     f.get("code_verifier"),
		RefreshToken: oauth.Secret(f.get("refresh_token")),
		Scope:        f.get("scope"),
	}
	req.Credentials, refusal = credentials(r, f)
	return req, refusal
}
