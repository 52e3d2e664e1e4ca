package ports

import (
	"context"
	"slices"
	"time"

	"latchkey/domain/audit"
	"latchkey/domain/identity"
	"latchkey/domain/oauth"
	"latchkey/domain/oidc"
)

// LogoutEndpoint signs users out when a relying party asks (OIDC RP-Initiated Logout 1.0).
type LogoutEndpoint interface {
	// Logout answers a request that has just arrived.
	Logout(context.Context, audit.Caller, Browser, oidc.LogoutRequest) (Logout, error)
	// ConfirmLogout answers the confirmation page, which showed the user.
	ConfirmLogout(context.Context, audit.Caller, Browser, oidc.LogoutRequest, identity.UserID) (Logout, error)
}

// Logout is the answer to a request to sign out.
type Logout struct {
	// Ask: nothing proves that the user wants this, so nothing was done. A page has to ask them.
	Ask  bool
	User identity.User // with Ask: who is signed in

	Client oauth.Client       // who asks; zero: nothing names an application
	Return string             // where the browser goes once nobody is signed in; empty: a page of ours
	Ended  identity.SessionID // the session that ended; empty: there was none to end
}

// SingleLogout signs users out of the applications of a session that ended, or ends it for one of them.
type SingleLogout interface {
	// Applications says who took part in a session, and how far the telling is.
	Applications(context.Context, identity.SessionID) (SignedOut, error)
	// Tell sends what the applications of a session that ended have to be told, and waits a moment for their answers: what
	// is not delivered by then is sent later.
	Tell(context.Context, identity.SessionID) (SignedOut, error)
	// LogoutByToken ends the session of an access token, with everything issued for it, and tells its applications.
	LogoutByToken(ctx context.Context, caller audit.Caller, accessToken oauth.Secret) (SignedOut, error)
	// FrontChannel finds the applications of a session for the page that signs a browser out of them: the session of an
	// access token or, without one, the session of the browser if it has ended. ErrSignedOut: there is neither.
	FrontChannel(ctx context.Context, caller audit.Caller, b Browser, accessToken oauth.Secret) (SignedOut, error)
	// RegisterSession notes that the client of an access token takes part in its session.
	RegisterSession(ctx context.Context, caller audit.Caller, accessToken oauth.Secret) (oauth.ClientID, identity.SessionID, error)
}

// SignedOut tells what became of the applications of a session.
type SignedOut struct {
	Session      identity.SessionID       // empty: a token was ended that belonged to none any more
	Applications []SignedOutOfApplication // by name
}

// SignedOutOfApplication is one application that took part in a session. One without a channel is told nothing: its user
// may still be signed in there.
type SignedOutOfApplication struct {
	Client      oauth.Client
	BackChannel oidc.DeliveryState // empty: no notice for the client
	Frame       string             // what a frame of the browser loads to sign the user out there; empty: none
}

// Frames reports whether some application is signed out by a frame of the browser.
func (s SignedOut) Frames() bool {
	return slices.ContainsFunc(s.Applications, func(a SignedOutOfApplication) bool { return a.Frame != "" })
}

// Notices shows operators which applications were told by the back channel that a session ended.
type Notices interface {
	// LogoutNotices returns what is on record, newest first, at most limit.
	LogoutNotices(ctx context.Context, limit int) ([]NoticeInfo, error)
}

// NoticeInfo is what is shown of a logout notice.
type NoticeInfo struct {
	Client      oauth.ClientID     `json:"client_id"`
	ClientName  string             `json:"client_name"`
	User        string             `json:"username,omitempty"` // empty: deleted
	Subject     identity.UserID    `json:"sub"`
	Session     identity.SessionID `json:"sid"`
	State       oidc.DeliveryState `json:"state"`
	Attempts    int                `json:"attempts"`
	CreatedAt   time.Time          `json:"created_at"`
	NextAt      time.Time          `json:"next_at,omitzero"`
	DeliveredAt time.Time          `json:"delivered_at,omitzero"`
	FailedAt    time.Time          `json:"failed_at,omitzero"`
	LastError   string             `json:"last_error,omitempty"`
}
