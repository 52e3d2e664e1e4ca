package jose

import (
	"latchkey/domain/oauth"
	"latchkey/domain/oidc"
)

// typLogoutToken marks a logout token, so that it passes for no other token of ours (OIDC Back-Channel Logout 1.0 §2.4).
const typLogoutToken = "logout+jwt"

// SignLogoutToken signs the token with the client's algorithm.
func (s *Signer) SignLogoutToken(t oidc.LogoutToken, alg oauth.Algorithm) (oauth.Secret, error) {
	return s.sign(alg, t.IssuedAt, typLogoutToken, func(b []byte) ([]byte, error) { return appendLogoutToken(b, t), nil })
}

// appendLogoutToken writes the members of OIDC Back-Channel Logout 1.0 §2.4.
func appendLogoutToken(b []byte, t oidc.LogoutToken) []byte {
	b = append(b, '{')
	b = appendText(b, "iss", t.Issuer)
	b = appendText(b, "sub", string(t.Subject))
	b = appendText(b, "aud", string(t.Audience))
	b = appendDate(b, "exp", t.ExpiresAt)
	b = appendDate(b, "iat", t.IssuedAt)
	b = appendText(b, "jti", t.ID)
	b = appendText(b, "sid", string(t.Session))
	return append(b, `,"events":{"http://schemas.openid.net/event/backchannel-logout":{}}}`...)
}
