package oauth

import (
	"time"

	"latchkey/domain/identity"
)

// PresentedToken is a request about a token: to end it (RFC 7009 §2.1) or to tell what it is worth (RFC 7662 §2.1). A
// token_type_hint is not kept: the text of a token says of which type it is.
type PresentedToken struct {
	Credentials []Credentials // as in TokenRequest
	Token       Secret
}

// TokenUse is what a token is for.
type TokenUse string

const (
	UseAccess  TokenUse = "access"
	UseRefresh TokenUse = "refresh"
)

// Introspection is what a client is told about a token (RFC 7662 §2.2). The zero value is all that is told about one that
// opens nothing or is none of the client's business: which of the two, and why, it does not learn.
type Introspection struct {
	Active    bool
	Use       TokenUse
	ID        TokenID // empty for a refresh token
	Issuer    string
	Audience  string // empty for a refresh token: only its client and this server read it
	Subject   identity.UserID
	Session   identity.SessionID // empty: none
	Client    ClientID
	Scope     Scope
	IssuedAt  time.Time
	ExpiresAt time.Time
}

// Concerns reports whether the client may ask about the token: it was issued to the client, or is meant for it. Anybody else
// would learn from a token it came by who is signed in where (RFC 7662 §4).
func (t AccessToken) Concerns(id ClientID) bool { return t.Client == id || t.Audience == string(id) }

// Introspection describes the token. That it is still good is for the caller to know.
func (t AccessToken) Introspection() Introspection {
	return Introspection{Active: true, Use: UseAccess, ID: t.ID, Issuer: t.Issuer, Audience: t.Audience, Subject: t.Subject, Session: t.Session,
		Client: t.Client, Scope: t.Scope, IssuedAt: t.IssuedAt, ExpiresAt: t.ExpiresAt}
}

// Introspection describes the newest refresh token of the family. That it is still good is for the caller to know.
func (f *TokenFamily) Introspection(issuer string) Introspection {
	expires := f.RotatedAt.Add(RefreshIdle)
	if f.ExpiresAt.Before(expires) {
		expires = f.ExpiresAt
	}
	return Introspection{Active: true, Use: UseRefresh, Issuer: issuer, Subject: f.User, Session: f.Session, Client: f.Client, Scope: f.Scope,
		IssuedAt: f.RotatedAt, ExpiresAt: expires}
}
