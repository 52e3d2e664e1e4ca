package jose

import (
	"latchkey/domain/identity"
	"latchkey/domain/oauth"
)

// typAccessToken marks an access token, so that no other token of ours passes for one (RFC 9068 §2.1).
const typAccessToken = "at+jwt"

// SignAccessToken signs the token with ES256. Empty members are left out.
func (s *Signer) SignAccessToken(t oauth.AccessToken) (oauth.Secret, error) {
	return s.sign(oauth.ES256, t.IssuedAt, typAccessToken, func(b []byte) ([]byte, error) {
		return appendAccessToken(b, t), nil
	})
}

// appendAccessToken writes the members of RFC 9068 §2.2, and sid for logout.
func appendAccessToken(b []byte, t oauth.AccessToken) []byte {
	b = append(b, '{')
	b = appendText(b, "iss", t.Issuer)
	b = appendText(b, "sub", string(t.Subject))
	b = appendText(b, "aud", t.Audience)
	b = appendDate(b, "exp", t.ExpiresAt)
	b = appendDate(b, "iat", t.IssuedAt)
	b = appendText(b, "jti", string(t.ID))
	b = appendText(b, "client_id", string(t.Client))
	b = appendTextIf(b, "scope", string(t.Scope))
	b = appendTextIf(b, "sid", string(t.Session))
	b = appendDateIf(b, "auth_time", t.AuthTime)
	b = appendTextIf(b, "acr", t.ACR)
	b = appendListIf(b, "amr", t.AMR)
	return append(b, '}')
}

// VerifyAccessToken reads an access token of ours. Whether it is still good, and here, is for AccessToken.Valid.
func (s *Signer) VerifyAccessToken(token oauth.Secret) (oauth.AccessToken, error) {
	set, err := s.ready()
	if err != nil {
		return oauth.AccessToken{}, err
	}
	m, err := set.verify(token.Reveal(), typAccessToken)
	if err != nil {
		return oauth.AccessToken{}, err
	}
	t := oauth.AccessToken{
		Issuer:    m.text("iss"),
		Subject:   identity.UserID(m.text("sub")),
		Audience:  m.text("aud"),
		ExpiresAt: m.date("exp"),
		IssuedAt:  m.date("iat"),
		ID:        oauth.TokenID(m.text("jti")),
		Client:    oauth.ClientID(m.text("client_id")),
		Scope:     oauth.Scope(m.textIf("scope")),
		Session:   identity.SessionID(m.textIf("sid")),
		AuthTime:  m.dateIf("auth_time"),
		ACR:       m.textIf("acr"),
		AMR:       m.listIf("amr"),
	}
	if m.err != nil {
		return oauth.AccessToken{}, m.err
	}
	return t, nil
}
