package jose

import (
	"errors"
	"maps"
	"slices"

	"latchkey/domain/identity"
	"latchkey/domain/oauth"
	"latchkey/domain/oidc"
)

// typIDToken marks an ID token. The plain type is what every client library accepts.
const typIDToken = "JWT"

// protocolMembers of tokens carry the security of a sign-in. A claim of the user never stands in for one, not even for one
// that this token leaves out, nor in other letter case: folded names.
var protocolMembers = foldedSet("iss", "sub", "aud", "exp", "nbf", "iat", "jti", "auth_time", "nonce", "acr", "amr", "azp",
	"at_hash", "c_hash", "s_hash", "sid", "client_id", "scope", "cnf", "act", "events")

func foldedSet(names ...string) map[string]bool {
	set := map[string]bool{}
	for _, name := range names {
		set[fold(name)] = true
	}
	return set
}

// SignIDToken signs the token with the client's algorithm. Empty members are left out.
func (s *Signer) SignIDToken(t oidc.IDToken, alg oauth.Algorithm) (oauth.Secret, error) {
	return s.sign(alg, t.IssuedAt, typIDToken, func(b []byte) ([]byte, error) { return appendIDToken(b, t) })
}

// appendIDToken writes the members of OIDC Core §2, then the claims of the user in the order of their names.
func appendIDToken(b []byte, t oidc.IDToken) ([]byte, error) {
	b = append(b, '{')
	b = appendText(b, "iss", t.Issuer)
	b = appendText(b, "sub", string(t.Subject))
	b = appendText(b, "aud", string(t.Audience))
	b = appendDate(b, "exp", t.ExpiresAt)
	b = appendDate(b, "iat", t.IssuedAt)
	b = appendDateIf(b, "auth_time", t.AuthTime)
	b = appendTextIf(b, "nonce", t.Nonce)
	b = appendTextIf(b, "acr", t.ACR)
	b = appendListIf(b, "amr", t.AMR)
	b = appendTextIf(b, "at_hash", t.AccessTokenHash)
	b = appendTextIf(b, "sid", string(t.Session))
	var err error
	for _, name := range slices.Sorted(maps.Keys(t.Claims)) {
		if protocolMembers[fold(name)] {
			continue
		}
		b = append(appendString(append(b, ','), name), ':')
		if b, err = appendValue(b, t.Claims[name]); err != nil {
			return nil, err
		}
	}
	return append(b, '}'), nil
}

var errIssuer = errors.New("the token was issued under another issuer")

// VerifyIDToken reads an ID token of ours that comes back as a hint. It may have expired long ago (OIDC Core §3.1.2.1),
// and names whom it names as long as the key that signed it is on file.
func (s *Signer) VerifyIDToken(token oauth.Secret, issuer string) (oidc.IDTokenHint, error) {
	set, err := s.ready()
	if err != nil {
		return oidc.IDTokenHint{}, err
	}
	m, err := set.verify(token.Reveal(), typIDToken)
	if err != nil {
		return oidc.IDTokenHint{}, err
	}
	iss := m.text("iss")
	hint := oidc.IDTokenHint{
		Subject:  identity.UserID(m.text("sub")),
		Audience: oauth.ClientID(m.text("aud")),
		Session:  identity.SessionID(m.textIf("sid")),
	}
	m.date("exp")
	m.date("iat")
	switch {
	case m.err != nil:
		return oidc.IDTokenHint{}, m.err
	case iss != issuer:
		return oidc.IDTokenHint{}, errIssuer
	}
	return hint, nil
}
