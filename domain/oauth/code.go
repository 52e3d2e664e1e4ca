package oauth

import (
	"time"

	"latchkey/domain/identity"
)

// AuthorizationCode is an issued code (RFC 6749 §4.1.2), known by its digest. It stays on file after use, so that a
// second use is recognised.
type AuthorizationCode struct {
	Digest      Digest
	Grant       GrantID
	Client      ClientID
	User        identity.UserID
	Session     identity.SessionID
	RedirectURI string
	Scope       Scope
	Nonce       string
	Challenge   CodeChallenge

	// What the ID token says of the sign-in, fixed when the code was issued.
	AuthTime time.Time
	AMR      []string
	ACR      string

	CreatedAt  time.Time
	ExpiresAt  time.Time
	RedeemedAt time.Time
	ReplayedAt time.Time
	Family     FamilyID // the tokens of the first redemption
}

// Exchange is what a client presents to redeem a code.
type Exchange struct {
	Client      Client
	RedirectURI string
	Verifier    string
}

// Redeem spends the code, or returns why it may not be spent (RFC 6749 §4.1.3, RFC 7636 §4.6).
//
// The proofs come before the question whether the code was used: a failed proof must not spend the code, and only a
// replay that is otherwise valid may revoke, or whoever saw a code could end the sign-in it began. A replay sets
// ReplayedAt: the family must then be revoked. Save the code whatever the answer.
func (c *AuthorizationCode) Redeem(x Exchange, now time.Time) *Error {
	optional := x.RedirectURI == "" && x.Client.Rules.RedirectURIOptional && len(x.Client.RedirectURIs) == 1
	switch {
	case c.Client != x.Client.ID:
		return Refuse(InvalidGrant, "the code was issued to another client").With("reason", "other client")
	case c.RedirectURI != x.RedirectURI && !optional:
		return Refuse(InvalidGrant, "redirect_uri differs from the authorization request").With("reason", "other redirect_uri").
			With("received", x.RedirectURI).With("expected", c.RedirectURI)
	case !c.Challenge.Verify(x.Verifier):
		return Refuse(InvalidGrant, "code_verifier does not match the code_challenge").With("reason", "verifier").
			With("verifier", c.Challenge.mismatch(x.Verifier))
	case !c.RedeemedAt.IsZero():
		if c.ReplayedAt.IsZero() {
			c.ReplayedAt = now
		}
		return Refuse(InvalidGrant, "the code was already used: every token issued from it is now revoked").With("reason", "replayed")
	case !now.Before(c.ExpiresAt):
		return Refuse(InvalidGrant, "the code has expired").With("reason", "expired").
			With("expected", "at most "+c.ExpiresAt.Sub(c.CreatedAt).String()).With("received", now.Sub(c.CreatedAt).Truncate(time.Second).String())
	case identity.FromFuture(c.CreatedAt, now):
		return Refuse(InvalidGrant, "the code was issued while the clock of the provider was wrong").With("reason", "from the future").
			With("received", c.CreatedAt.Format(time.RFC3339)).With("expected", "at most "+now.Format(time.RFC3339))
	}
	c.RedeemedAt = now
	return nil
}
