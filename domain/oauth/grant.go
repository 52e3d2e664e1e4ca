package oauth

import (
	"time"

	"latchkey/domain/identity"
)

// GrantID names a grant. The ids of the families and access tokens under it begin with it.
type GrantID string

// Grant records that a user lets a client act with a scope. There is at most one unrevoked grant for a user and a client:
// it is the remembered consent, and everything issued under it dies with it.
type Grant struct {
	ID        GrantID
	Client    ClientID
	User      identity.UserID
	Scope     Scope // everything the user has agreed to
	CreatedAt time.Time
	UpdatedAt time.Time
	RevokedAt time.Time
}

// Live reports whether the grant still holds.
func (g Grant) Live() bool { return g.ID != "" && g.RevokedAt.IsZero() }

// Extend adds what the user agreed to now and reports whether that changed anything.
func (g *Grant) Extend(scope Scope, now time.Time) bool {
	if g.Scope.Covers(scope) {
		return false
	}
	g.Scope, g.UpdatedAt = g.Scope.Plus(scope), now
	return true
}

// Revoke ends the grant. Revoking twice keeps the first instant.
func (g *Grant) Revoke(now time.Time) {
	if g.RevokedAt.IsZero() {
		g.RevokedAt = now
	}
}
