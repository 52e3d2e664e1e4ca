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

// Agree records the answer to a consent page and reports whether that changed anything. What was asked for and left out
// is withdrawn, even if the user agreed to it before: the next request for it asks again.
func (g *Grant) Agree(asked, agreed Scope, now time.Time) bool {
	scope := g.Scope.Without(asked).Plus(agreed)
	if scope.Covers(g.Scope) && g.Scope.Covers(scope) {
		return false
	}
	g.Scope, g.UpdatedAt = scope, now
	return true
}

// Revoke ends the grant. Revoking twice keeps the first instant.
func (g *Grant) Revoke(now time.Time) {
	if g.RevokedAt.IsZero() {
		g.RevokedAt = now
	}
}
