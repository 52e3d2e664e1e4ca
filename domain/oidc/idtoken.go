package oidc

import (
	"crypto/sha256"
	"encoding/base64"
	"time"

	"latchkey/domain/identity"
	"latchkey/domain/oauth"
)

// IDTokenLifetime is how long a client may take to check an ID token. It says who signed in, and opens nothing.
const IDTokenLifetime = 15 * time.Minute

// IDToken is the statement that a user signed in (OIDC Core §2).
type IDToken struct {
	Issuer          string
	Subject         identity.UserID
	Audience        oauth.ClientID
	Session         identity.SessionID
	Nonce           string
	AuthTime        time.Time
	ACR             string
	AMR             []string
	AccessTokenHash string
	IssuedAt        time.Time
	ExpiresAt       time.Time
	Claims          Claims // of the user, when the client reads them here
}

// AccessTokenHash returns at_hash: the left half of the SHA-256 of the token, which both our algorithms hash with
// (OIDC Core §3.1.3.6).
func AccessTokenHash(access oauth.Secret) string {
	sum := sha256.Sum256([]byte(access))
	return base64.RawURLEncoding.EncodeToString(sum[:sha256.Size/2])
}

// IDTokenHint is a former ID token of ours, presented to name the user who is meant. Its age does not matter
// (OIDC Core §3.1.2.1).
type IDTokenHint struct {
	Subject  identity.UserID
	Audience oauth.ClientID
	Session  identity.SessionID
}
