package web

import (
	"net/http"
	"time"

	"latchkey/domain/audit"
	"latchkey/domain/oauth"
	"latchkey/ports"
)

// token answers the token endpoint (RFC 6749 §3.2).
func (s *server) token(w http.ResponseWriter, r *request) error {
	req, refusal := parseTokenRequest(r.Request)
	if refusal != nil {
		return s.malformed(r, refusal)
	}
	resp, err := s.Token.Token(r.Context(), r.caller, req)
	if err != nil {
		return err
	}
	s.countTokens(resp)
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

func (s *server) countTokens(resp oauth.TokenResponse) {
	s.Metrics.Issued(ports.AccessToken)
	if resp.IDToken != "" {
		s.Metrics.Issued(ports.IDToken)
	}
	if resp.RefreshToken != "" {
		s.Metrics.Issued(ports.RefreshToken)
	}
}

// malformed records the refusal of a client's request that no use case saw. It counts as that of somebody who did not
// authenticate.
func (s *server) malformed(r *request, refusal *oauth.Error) error {
	if err := s.admit(r, r.route.endpoint); err != nil {
		return err
	}
	kind := audit.TokenDenied
	if refusal.Code == oauth.InvalidClient {
		kind = audit.ClientAuthFailed
	}
	if err := s.deny(r, kind, refusal); err != nil {
		return err
	}
	return refusal
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

// parseTokenRequest turns bytes into a token request.
func parseTokenRequest(r *http.Request) (oauth.TokenRequest, *oauth.Error) {
	f, refusal := readMachineForm(r, tokenParameters)
	if refusal != nil {
		return oauth.TokenRequest{}, refusal
	}
	req := oauth.TokenRequest{
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

// readMachineForm reads the form of a client, in which none of the parameters repeats. Parameters in the query are refused
// rather than ignored, so that a client that leaks its secret into logs is told (RFC 6749 §3.2).
func readMachineForm(r *http.Request, parameters []string) (form, *oauth.Error) {
	query, refusal := parseForm(r.URL.RawQuery)
	if refusal != nil {
		return form{}, refusal
	}
	for _, name := range parameters {
		if len(query.values[name]) > 0 {
			return form{}, oauth.Refuse(oauth.InvalidRequest, "send the parameters in the request body, not in the URL").With("received", name)
		}
	}
	f, refusal := readForm(r)
	if refusal != nil {
		return form{}, refusal
	}
	for _, name := range parameters {
		if len(f.values[name]) > 1 {
			return form{}, oauth.Refuse(oauth.InvalidRequest, name+" was sent more than once").With("received", name)
		}
	}
	return f, nil
}
