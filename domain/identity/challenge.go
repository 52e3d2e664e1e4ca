package identity

import (
	"crypto/sha256"
	"time"
)

const (
	// ChallengeLifetime is how long a right password waits for the second factor.
	ChallengeLifetime = 10 * time.Minute
	// ChallengeAttempts is how many codes one right password is good for.
	ChallengeAttempts = 5
)

// Challenge is a sign-in that waits for its second factor. It is no session: whoever has one has typed a password and is
// nobody yet.
type Challenge struct {
	Key  [sha256.Size]byte // digest of the cookie's value
	User UserID

	Session     SessionID // the session it raises; empty: it began with a password and begins one
	Interaction string    // the authorization request whose page took the password; empty: signing in to the provider itself
	PasswordAt  time.Time // the account's PasswordChangedAt when the password was checked: a later one ends the challenge

	Attempts  int // codes that were heard
	CreatedAt time.Time
	ExpiresAt time.Time
}

// NewChallenge returns the challenge of the user that waits from now on.
func NewChallenge(key [sha256.Size]byte, user User, now time.Time) Challenge {
	return Challenge{Key: key, User: user.ID, PasswordAt: user.PasswordChangedAt, CreatedAt: now, ExpiresAt: now.Add(ChallengeLifetime)}
}

// Open reports whether the challenge may still be answered for the user.
func (c Challenge) Open(u User, now time.Time) bool {
	return c.User != "" && c.User == u.ID && !u.Disabled() && c.PasswordAt.Equal(u.PasswordChangedAt) && now.Before(c.ExpiresAt) && !FromFuture(c.CreatedAt, now)
}

// Answer counts a code before it is looked at, so that parallel guesses cannot outrun the count, and reports whether it is
// heard.
func (c *Challenge) Answer() bool {
	if c.Attempts >= ChallengeAttempts {
		return false
	}
	c.Attempts++
	return true
}
