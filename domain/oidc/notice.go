package oidc

import (
	"time"

	"latchkey/domain/identity"
	"latchkey/domain/oauth"
)

// NoticeID names a logout notice. A session ends once, so each of its clients is told once, and the two make the name.
type NoticeID string

// LogoutNotice is what a client has to be told: a session in which it took part has ended (OIDC Back-Channel Logout 1.0
// §2.5). It is saved with the end of the session and sent afterwards, as often as it takes.
type LogoutNotice struct {
	ID      NoticeID
	Client  oauth.ClientID
	Session identity.SessionID
	Sub     identity.UserID

	CreatedAt   time.Time
	Attempts    int
	NextAt      time.Time // when it is sent (again); zero: never
	DeliveredAt time.Time
	FailedAt    time.Time // when it was given up
	LastError   string    // of the last attempt, in words of ours; empty: none failed
}

// How long one delivery may take, and how long a notice is tried. The first is shorter than every back-off, so that no
// attempt begins, here or in another process, while one may still be under way.
const (
	NoticeTimeout  = 5 * time.Second
	NoticeLifetime = 24 * time.Hour
)

// backOff is how long to wait after each attempt; the last goes on.
var backOff = []time.Duration{10 * time.Second, time.Minute, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour}

// NewLogoutNotice returns the notice for one client of a session that ended at now. It is due at once.
func NewLogoutNotice(s identity.Session, c oauth.ClientID, now time.Time) LogoutNotice {
	return LogoutNotice{ID: NoticeID(string(s.ID) + " " + string(c)), Client: c, Session: s.ID, Sub: s.User, CreatedAt: now, NextAt: now}
}

// Due reports whether the notice is to be sent at now.
func (n LogoutNotice) Due(now time.Time) bool { return !n.NextAt.IsZero() && !now.Before(n.NextAt) }

// Begin notes an attempt that is about to be made. If nothing is heard of it, because the process died, the next one follows
// as after a failure.
func (n *LogoutNotice) Begin(now time.Time) {
	n.NextAt = now.Add(backOff[min(n.Attempts, len(backOff)-1)])
	n.Attempts++
}

// Delivered notes that the client has the notice.
func (n *LogoutNotice) Delivered(now time.Time) {
	n.DeliveredAt, n.NextAt, n.LastError = now, time.Time{}, ""
}

// Failed notes that an attempt failed. It is the last when the client will not hear of it, or time is up.
func (n *LogoutNotice) Failed(problem string, forGood bool, now time.Time) {
	n.LastError = problem
	if forGood || n.NextAt.After(n.CreatedAt.Add(NoticeLifetime)) {
		n.FailedAt, n.NextAt = now, time.Time{}
	}
}

// DeliveryState says how far a notice is.
type DeliveryState string

// The states of a notice.
const (
	Pending   DeliveryState = "pending"
	Delivered DeliveryState = "delivered"
	Failed    DeliveryState = "failed"
)

// State says how far the notice is: pending as long as another attempt follows.
func (n LogoutNotice) State() DeliveryState {
	switch {
	case !n.DeliveredAt.IsZero():
		return Delivered
	case !n.FailedAt.IsZero():
		return Failed
	}
	return Pending
}

// LogoutTokenLifetime is how long a client may take to read a logout token (OIDC Back-Channel Logout 1.0 §4).
const LogoutTokenLifetime = 2 * time.Minute

// LogoutToken tells a client that a session of its user has ended (OIDC Back-Channel Logout 1.0 §2.4). It has no nonce, so
// that it never passes for an ID token.
type LogoutToken struct {
	ID        string
	Issuer    string
	Audience  oauth.ClientID
	Subject   identity.UserID
	Session   identity.SessionID
	IssuedAt  time.Time
	ExpiresAt time.Time
}

// Token returns the logout token of an attempt at now.
func (n LogoutNotice) Token(id, issuer string, now time.Time) LogoutToken {
	return LogoutToken{ID: id, Issuer: issuer, Audience: n.Client, Subject: n.Sub, Session: n.Session, IssuedAt: now,
		ExpiresAt: now.Add(LogoutTokenLifetime)}
}
