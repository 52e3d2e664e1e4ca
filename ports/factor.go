package ports

import (
	"context"
	"errors"

	"latchkey/domain/audit"
	"latchkey/domain/identity"
	"latchkey/domain/oauth"
	"latchkey/domain/oidc"
)

// ChallengeEndpoint asks for the second factor of somebody whose password was right. A browser with a challenge is signed
// in nowhere until it is answered.
type ChallengeEndpoint interface {
	// Challenge returns the challenge of the browser, or ErrNoChallenge.
	Challenge(context.Context, Browser) (Challenge, error)
	// RaiseSession begins a challenge for the session of the browser and returns its cookie. It is ErrNoChallenge when nobody
	// is signed in, the user has no second factor, or the session began with one.
	RaiseSession(context.Context, audit.Caller, Browser) (oauth.Secret, error)
	// AnswerChallenge answers the challenge of the browser outside of any interaction.
	AnswerChallenge(context.Context, audit.Caller, Browser, FactorForm) (Login, error)
}

// Challenge is what the page of the second factor shows.
type Challenge struct {
	User        identity.User
	Interaction oidc.InteractionID // whose login page took the password; empty: the provider's own
	Tries       int                // codes that were wrong
	Recovery    bool               // recovery codes are left
	App         bool               // an app of the user makes codes
	Passkey     bool               // the user has a passkey
}

// FactorForm is what a person typed for the second factor.
type FactorForm struct {
	Code     string
	Recovery bool // it is a recovery code

	Passkey *PasskeyForm // shown instead of a code; nil: none was
}

// FactorEndpoint lets signed-in users add and remove second factors of their own. Every call is about the user whose
// session the browser brought, and ErrSignedOut without one. What guards the account is not changed in a session that lacks
// the second factor its user has: that is ErrFactorNeeded.
type FactorEndpoint interface {
	// OfferTOTP makes a seed that an app may take over. Until ConfirmTOTP it proves nothing.
	OfferTOTP(context.Context, audit.Caller, Browser, AccountProof) (AccountChange, error)
	// OfferedTOTP shows the seed again, or ErrNotFound: to nobody whose sign-in is not recent.
	OfferedTOTP(context.Context, Browser) (TOTPOffer, error)
	// ConfirmTOTP makes the offered factor one that is asked for from now on. The first one brings recovery codes along.
	ConfirmTOTP(context.Context, audit.Caller, Browser, ConfirmForm) (AccountChange, error)
	RenameFactor(context.Context, audit.Caller, Browser, RenameForm) (AccountChange, error)
	// RemoveFactor needs a code of a factor, or a recovery code: a password is not enough to get rid of what guards it.
	RemoveFactor(context.Context, audit.Caller, Browser, RemoveForm) (AccountChange, error)
	// MakeRecoveryCodes replaces the codes there are.
	MakeRecoveryCodes(context.Context, audit.Caller, Browser, AccountProof) (AccountChange, error)
	// OwnCodes reports whether every code is an unused one of the user.
	OwnCodes(context.Context, Browser, []string) (bool, error)
}

// TOTPOffer is a seed as a person moves it into an app.
type TOTPOffer struct {
	User   identity.User
	Factor identity.FactorID
	Secret string // base32 in groups of four
	URI    string // otpauth, for a QR code
}

// ConfirmForm shows that an app took the seed over.
type ConfirmForm struct {
	AccountProof
	Factor identity.FactorID
	Code   string
	Name   string // empty: none was chosen
}

// RenameForm gives a factor another name.
type RenameForm struct {
	AccountProof
	Factor identity.FactorID
	Name   string
}

// RemoveForm removes a factor.
type RemoveForm struct {
	AccountProof
	FactorForm
	Factor identity.FactorID
}

// What the second factor has to say.
var (
	ErrNoChallenge  = errors.New("nobody is asked for a second factor")
	ErrFactorNeeded = errors.New("the session began without the second factor of its user")
	ErrNoFactor     = errors.New("the user has no second factor")
	ErrCodeWrong    = errors.New("the code is wrong")
)
