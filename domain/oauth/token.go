package oauth

import (
	"strings"
	"time"

	"latchkey/domain/identity"
)

// TokenRequest is a parsed request to the token endpoint (RFC 6749 §3.2).
type TokenRequest struct {
	GrantType string
	// Credentials are the readings of the client's authentication, in the order to try: Basic credentials are
	// form-decoded as RFC 6749 §2.3.1 asks, and read as sent for the many clients that do not encode.
	Credentials []Credentials

	Code         Secret
	RedirectURI  string
	Verifier     string
	RefreshToken Secret
	Scope        string
}

// TokenResponse is a successful answer of the token endpoint (RFC 6749 §5.1, OIDC Core §3.1.3.3).
type TokenResponse struct {
	AccessToken  Secret
	TokenType    string
	ExpiresIn    time.Duration
	RefreshToken Secret // empty: none
	Scope        Scope
	IDToken      Secret // empty: none
}

// TokenID is the jti of an access token. It begins with the id of its family, which begins with that of its grant.
type TokenID string

// Family returns the family the token belongs to.
func (id TokenID) Family() FamilyID {
	i := strings.LastIndexByte(string(id), '.')
	return FamilyID(id[:max(i, 0)])
}

// AccessToken is what a JWT access token says (RFC 9068 §2.2).
type AccessToken struct {
	ID        TokenID
	Issuer    string
	Audience  string
	Subject   identity.UserID
	Client    ClientID
	Session   identity.SessionID
	Scope     Scope
	AuthTime  time.Time
	ACR       string
	AMR       []string
	IssuedAt  time.Time
	ExpiresAt time.Time
}

// Valid reports whether the token may be used at now, at a resource of the audience (RFC 9068 §4).
func (t AccessToken) Valid(issuer, audience string, now time.Time) bool {
	return t.Issuer == issuer && t.Audience == audience && now.Before(t.ExpiresAt) && !identity.FromFuture(t.IssuedAt, now)
}
