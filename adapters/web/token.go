package web

import (
	"net/http"
	"time"

	"latchkey/adapters/web/read"
	"latchkey/domain/audit"
	"latchkey/domain/oauth"
	"latchkey/ports"
)

// token answers the token endpoint (RFC 6749 §3.2).
func (s *server) token(w http.ResponseWriter, r *request) error {
	req, refusal := read.TokenRequest(r.Request)
	if refusal != nil {
		return s.malformed(r, refusal)
	}
	resp, err := s.Token.Token(r.Context(), r.caller, req)
	if err != nil {
		return err
	}
	s.countTokens(resp)
	h := w.Header()
	h["Cache-Control"] = noStore
	h["Pragma"] = noCache
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
