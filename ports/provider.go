package ports

import (
	"context"
	"errors"
	"time"

	"latchkey/domain/audit"
	"latchkey/domain/identity"
	"latchkey/domain/oauth"
	"latchkey/domain/oidc"
)

// Browser is what a browser brought in its cookies.
type Browser struct {
	Key     oauth.Secret // made for each browser; interactions and forms belong to it
	Session oauth.Secret // opens its session; empty: nobody is signed in

	Challenge oauth.Secret // answers for a sign-in that waits for its second factor; empty: none does
}

// AuthorizationEndpoint answers authorization requests (RFC 6749 §3.1, OIDC Core §3.1.2) and the pages between a request
// and its answer. A refusal is for a page of ours: whatever may be redirected is a Next with a Response.
type AuthorizationEndpoint interface {
	Authorize(context.Context, audit.Caller, Browser, oauth.Parameters) (Next, error)
	// Resume says how an open interaction goes on.
	Resume(context.Context, audit.Caller, Browser, oidc.InteractionID) (Next, error)
	Login(context.Context, audit.Caller, Browser, oidc.InteractionID, LoginForm) (Next, error)
	// SecondFactor answers the challenge of the browser on its way through an interaction.
	SecondFactor(context.Context, audit.Caller, Browser, oidc.InteractionID, FactorForm) (Next, error)
	// SelectAccount answers the account page: with the user it showed, or with none to sign in as somebody else.
	SelectAccount(context.Context, audit.Caller, Browser, oidc.InteractionID, identity.UserID) (Next, error)
	Consent(context.Context, audit.Caller, Browser, oidc.InteractionID, ConsentForm) (Next, error)
}

// LoginForm is what a person typed.
type LoginForm struct {
	Username string
	Password string
	Passkey  *PasskeyForm // shown instead of both; nil: none was
}

// ConsentForm is a person's answer to the consent page. What is not in the request is ignored.
type ConsentForm struct {
	User     identity.UserID // whom the page showed: another tab may have signed in somebody else since
	Approved bool
	Scopes   []string
}

// Next is how an authorization request goes on.
type Next struct {
	Step     oidc.Step
	Response *oauth.AuthorizationResponse // when Step is oidc.Respond

	// What the page of any other step shows.
	Interaction oidc.Interaction
	Request     oauth.AuthorizationRequest
	Client      oauth.Client
	User        identity.User // who is signed in; zero: nobody
	Wanted      identity.User // who the application asked for with id_token_hint; zero: anybody
	Grant       oauth.Grant   // what the user agreed to before; zero: nothing

	Login Login // the outcome of a login form; zero for every other call
}

// Login is the outcome of a login form, or of that of the second factor: a session, a challenge or a problem.
type Login struct {
	Cookie     oauth.Secret // opens the new session; empty: not signed in
	Session    identity.Session
	Challenge  oauth.Secret // answers for the sign-in, which waits for its second factor; empty: it does not
	Problem    LoginProblem
	RetryAfter time.Duration // with LoginLocked and LoginBusy
	Tries      int           // with FactorFailed: codes that were wrong so far
}

// LoginProblem is why a person was not signed in.
type LoginProblem string

const (
	LoginFailed LoginProblem = "failed" // unknown user, wrong password and disabled account alike
	LoginLocked LoginProblem = "locked" // too many attempts
	LoginBusy   LoginProblem = "busy"   // too many sign-ins at once

	FactorFailed LoginProblem = "factor_failed" // the code is wrong, or was used
	FactorOver   LoginProblem = "factor_over"   // the password has to be typed again
)

// SessionEndpoint signs a browser in and out of the provider itself.
type SessionEndpoint interface {
	// Current returns the live session and its user, or zero values.
	Current(context.Context, Browser) (identity.Session, identity.User, error)
	SignIn(context.Context, audit.Caller, Browser, LoginForm) (Login, error)
	// SignOut returns the session that ended; none, if none was live.
	SignOut(context.Context, audit.Caller, Browser) (identity.SessionID, error)
}

// TokenEndpoint answers token requests (RFC 6749 §3.2).
type TokenEndpoint interface {
	Token(context.Context, audit.Caller, oauth.TokenRequest) (oauth.TokenResponse, error)
}

// UserInfoEndpoint answers UserInfo requests (OIDC Core §5.3). The claims are shared: read them only.
type UserInfoEndpoint interface {
	UserInfo(ctx context.Context, caller audit.Caller, accessToken oauth.Secret) (oidc.Claims, error)
}

// Document is something published, encoded once.
type Document struct {
	Body []byte
	ETag string
}

// Publications are what anybody may fetch.
type Publications interface {
	Metadata(context.Context) (Document, error) // OIDC Discovery §4
	KeySet(context.Context) (Document, error)   // RFC 7517 §5
	// BrowserOrigin reports whether some client runs in browsers at the origin.
	BrowserOrigin(ctx context.Context, origin string) (bool, error)
	Settings(context.Context) (oidc.Settings, error)
}

// SetupEndpoint makes the first administrator from a one-time link.
type SetupEndpoint interface {
	// Offered reports whether the link still works. That a dead one was opened is recorded.
	Offered(ctx context.Context, caller audit.Caller, link oauth.Secret) (bool, error)
	// Complete uses the link. Problems are what the form has to say; the link is spent only without any.
	Complete(context.Context, audit.Caller, SetupForm) (user identity.User, problems []error, err error)
}

// SetupForm is what the first administrator typed.
type SetupForm struct {
	Link     oauth.Secret
	Username string
	Email    string
	Password string
	Again    string // the same password, typed a second time
}

// ResetEndpoint sets a new password from a one-time link. A dead link is one refusal, recorded, with ErrNotFound as its
// cause, whatever killed it and whether it ever lived.
type ResetEndpoint interface {
	// ResetOffered returns whose password the link sets.
	ResetOffered(ctx context.Context, caller audit.Caller, link oauth.Secret) (identity.User, error)
	// ResetPassword uses the link. Problems are what the form has to say; the link is spent only without any.
	ResetPassword(context.Context, audit.Caller, ResetForm) (problems []error, err error)
}

// ResetForm is what a person with a link typed.
type ResetForm struct {
	Link     oauth.Secret
	Password string
	Again    string
}

// Denials records what an adapter refused before a use case could: a forged form, a malformed request.
type Denials interface {
	Deny(context.Context, audit.Caller, audit.Kind, *oauth.Error) error
}

// AccountEndpoint shows signed-in users their own account and lets them change it. Every call is about the user whose
// session the browser brought, and ErrSignedOut without one.
type AccountEndpoint interface {
	Account(context.Context, Browser) (Account, error)
	// Activity returns what happened to the account before the numbered event; 0: of late.
	Activity(ctx context.Context, b Browser, before int64) (Activity, error)
	// Application returns a grant of the user, revoked or not, with what was issued under it, or ErrNotFound.
	Application(context.Context, audit.Caller, Browser, oauth.GrantID) (ApplicationHistory, error)
	// ChangePassword ends everything that was signed in with the old one, and begins a new session for this browser.
	ChangePassword(context.Context, audit.Caller, Browser, PasswordForm) (AccountChange, error)
	ChangeEmail(context.Context, audit.Caller, Browser, EmailForm) (AccountChange, error)
	EndSession(context.Context, audit.Caller, Browser, SessionForm) (AccountChange, error)
	// Disconnect withdraws what the user allowed an application, with everything issued for it.
	Disconnect(context.Context, audit.Caller, Browser, DisconnectForm) (AccountChange, error)
}

// Account is what users see of their own account.
type Account struct {
	User         identity.User
	Session      identity.Session // of this browser
	Sessions     []AccountSession // this browser first, then by last use, newest first
	Applications []AccountApplication
	Factors      []identity.Factor      // confirmed, oldest first
	Recovery     identity.RecoveryCodes // what is left of them
}

// AccountSession is a live session and the applications that hold tokens for it.
type AccountSession struct {
	Session identity.Session
	Clients []oauth.Client
}

// AccountApplication is an application the user allowed something.
type AccountApplication struct {
	Grant    oauth.Grant
	Client   oauth.Client
	LastUsed time.Time // when it was last given a token by a code or a refresh; zero: longer ago than families are kept
}

// AccountProof says who a form of the account was shown to, and that they are still there. A current password is needed
// once the sign-in is older than ten minutes; one that is right counts as a new sign-in.
type AccountProof struct {
	User    identity.UserID // another tab may have signed in somebody else since
	Current string          // password; empty: none was typed
}

// PasswordForm asks for a new password. It always needs the current one.
type PasswordForm struct {
	AccountProof
	New, Again string
}

// EmailForm asks for another e-mail address. Nobody has verified it then.
type EmailForm struct {
	AccountProof
	Email string
}

// SessionForm asks to end one session, or every one but this browser's.
type SessionForm struct {
	AccountProof
	Session identity.SessionID
	Others  bool
}

// DisconnectForm asks to revoke a grant.
type DisconnectForm struct {
	AccountProof
	Grant oauth.GrantID
}

// AccountChange is the outcome of a form of the account.
type AccountChange struct {
	Cookie oauth.Secret // opens the session from now on; empty: it is opened as before
	// Problems are why nothing was done: the errors of package identity, those below, ErrBusy, and ErrNotFound for what
	// does not exist or is not the user's.
	Problems   []error
	RetryAfter time.Duration  // with ErrLocked and ErrBusy
	Codes      []oauth.Secret // recovery codes that were made, to be shown now and never again
}

// What an account form has to say.
var (
	ErrSignedOut      = errors.New("nobody is signed in")
	ErrOtherUser      = errors.New("another user is signed in than the form was made for")
	ErrPasswordNeeded = errors.New("the current password is needed")
	ErrPasswordWrong  = errors.New("the current password is wrong")
	ErrLocked         = errors.New("too many attempts")
)

// ErrInteractionOver is returned for an interaction that was answered, has expired, or belongs to another browser. The
// person has to start again from the application; when this browser gave the answer, Next.Interaction comes along, so that
// the request can be made again from here.
var ErrInteractionOver = errors.New("the interaction is over")

// ErrPasswordsDiffer is what a form has to say when a new password was not typed twice alike.
var ErrPasswordsDiffer = errors.New("the two passwords differ")

// ErrUsernameTaken is returned when another user has the username.
var ErrUsernameTaken = errors.New("the username is taken")
