package ports

import (
	"time"

	"latchkey/domain/audit"
	"latchkey/domain/identity"
	"latchkey/domain/oauth"
)

// Activity is what happened to an account, as its user sees it.
type Activity struct {
	User   identity.User
	Events []audit.Event // newest first
	Older  int64         // where the next older ones begin: before this number; 0: there are none
	// Clients are those the events name, as far as they still exist.
	Clients map[oauth.ClientID]oauth.Client
	Grants  map[oauth.GrantID]bool // which of those the events name are still kept
	SignIns []SignInDay            // of the last days, oldest first; none on a page of older events
}

// SignInDay counts the sign-ins to an account on a day of its user.
type SignInDay struct {
	Start      time.Time // midnight where the user is
	OK, Failed int
}

// ApplicationHistory is an application that the user allowed something, with the lines of tokens it was given.
type ApplicationHistory struct {
	User identity.User
	AccountApplication
	Lines []TokenLine // the last used first
	More  bool        // there are older lines
}

// TokenLine is a token family and what became of it.
type TokenLine struct {
	Family  oauth.TokenFamily
	Session identity.Session // in which it began; the zero value when that is no longer kept
	Ended   time.Time        // revoked or expired; zero: its newest token works
	Events  []audit.Event    // what was presented that should not have been, and what was given back; oldest first
}
