package web

import (
	"net/http"

	"latchkey/adapters/web/read"
	"latchkey/domain/oauth"
)

// introspect answers the introspection endpoint (RFC 7662 §2).
func (s *server) introspect(w http.ResponseWriter, r *request) error {
	req, refusal := read.PresentedToken(r.Request)
	if refusal != nil {
		return s.malformed(r, refusal)
	}
	found, err := s.Introspection.Introspect(r.Context(), r.caller, req)
	if err != nil {
		return err
	}
	return writePrivate(w, introspection(found))
}

// introspectionBody is the JSON of RFC 7662 §2.2. Of a token that is worth nothing it says that and no more.
type introspectionBody struct {
	Active    bool   `json:"active"`
	TokenType string `json:"token_type,omitempty"`
	Issuer    string `json:"iss,omitempty"`
	Audience  string `json:"aud,omitempty"`
	Subject   string `json:"sub,omitempty"`
	Session   string `json:"sid,omitempty"`
	ClientID  string `json:"client_id,omitempty"`
	ID        string `json:"jti,omitempty"`
	IssuedAt  int64  `json:"iat,omitempty"`
	ExpiresAt int64  `json:"exp,omitempty"`
	Use       string `json:"token_use,omitempty"`
	Scope     string `json:"scope,omitempty"`
}

func introspection(i oauth.Introspection) introspectionBody {
	if !i.Active {
		return introspectionBody{}
	}
	body := introspectionBody{Active: true, Issuer: i.Issuer, Audience: i.Audience, Subject: string(i.Subject), Session: string(i.Session),
		ClientID: string(i.Client), ID: string(i.ID), IssuedAt: i.IssuedAt.Unix(), ExpiresAt: i.ExpiresAt.Unix(), Use: string(i.Use), Scope: string(i.Scope)}
	if i.Use == oauth.UseAccess {
		body.TokenType = "Bearer" // a refresh token is presented to nobody but us
	}
	return body
}
