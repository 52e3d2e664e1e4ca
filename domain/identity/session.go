package identity

import (
	"crypto/sha256"
	"time"
)

// SessionID names a session to relying parties: the "sid" claim. It opens nothing.
type SessionID string

// How long a session lives. An administrator's is shorter because more can be done with it.
const (
	SessionIdle          = 12 * time.Hour
	SessionAbsolute      = 7 * 24 * time.Hour
	AdminSessionIdle     = 30 * time.Minute
	AdminSessionAbsolute = 8 * time.Hour
	// touchEvery bounds how often use of a session is written down.
	touchEvery = 5 * time.Minute
)

// Session is one browser's sign-in.
type Session struct {
	ID   SessionID
	Key  [sha256.Size]byte // digest of the cookie's value: a copied database opens no session
	User UserID

	AuthTime    time.Time // when the user last proved who they are
	ConfirmedAt time.Time // when they last showed with the password alone that they are still there; zero: not since
	AMR         []string  // authentication methods (RFC 8176)
	ACR         string    // authentication context class

	CreatedAt  time.Time
	LastSeenAt time.Time
	Idle       time.Duration // how long it may go unused
	ExpiresAt  time.Time     // absolute end, whatever its use
	EndedAt    time.Time     // zero: not signed out

	IP        string // where it was started, for the owner's eyes
	UserAgent string
}

// NewSession returns the session that begins when user authenticates at now.
func NewSession(id SessionID, key [sha256.Size]byte, user User, amr []string, acr string, now time.Time) Session {
	s := Session{ID: id, Key: key, User: user.ID, AuthTime: now, AMR: amr, ACR: acr, CreatedAt: now, LastSeenAt: now,
		Idle: SessionIdle, ExpiresAt: now.Add(SessionAbsolute)}
	if user.Admin {
		s.Idle, s.ExpiresAt = AdminSessionIdle, now.Add(AdminSessionAbsolute)
	}
	return s
}

// Live reports whether the session still signs its browser in. One whose sign-in lies in the future does not, see FromFuture.
func (s Session) Live(now time.Time) bool {
	return s.ID != "" && s.EndedAt.IsZero() && now.Before(s.ExpiresAt) && now.Before(s.LastSeenAt.Add(s.Idle)) && !FromFuture(s.AuthTime, now)
}

// RecentSignIn is how long after a sign-in its user may change what guards the account without proving again who they
// are: an open browser that somebody walks up to is not enough.
const RecentSignIn = 10 * time.Minute

// Recent reports whether the user proved lately who they are.
func (s Session) Recent(now time.Time) bool {
	return now.Sub(s.AuthTime).Abs() <= RecentSignIn || now.Sub(s.ConfirmedAt).Abs() <= RecentSignIn
}

// AdminSignIn is how long after a sign-in an administrator may administer without proving again who they are.
const AdminSignIn = time.Hour

// Administers reports whether the sign-in is recent enough for administration. One from the future is not: a clock was wrong.
func (s Session) Administers(now time.Time) bool { return now.Sub(s.AuthTime).Abs() <= AdminSignIn }

// Touch notes use of the session and reports whether that is worth saving.
func (s *Session) Touch(now time.Time) bool {
	if now.Before(s.LastSeenAt.Add(touchEvery)) {
		return false
	}
	s.LastSeenAt = now
	return true
}

// End signs the session out. Ending twice keeps the first instant.
func (s *Session) End(now time.Time) {
	if s.EndedAt.IsZero() {
		s.EndedAt = now
	}
}
