package ports

import (
	"context"
	"errors"

	"latchkey/domain/audit"
	"latchkey/domain/identity"
	"latchkey/domain/oauth"
)

// Passkeys checks what authenticators answer (Web Authentication Level 3, §7). It takes values and returns facts:
// challenges are drawn, remembered and used up by its caller, and whose passkey it is, whether its counter may stand
// where it stands, and whether the person had to be recognised, are rules of package identity.
//
// Every error says why the answer counts for nothing, without quoting any of it.
type Passkeys interface {
	// Site is what browsers are asked to make passkeys for.
	Site() PasskeySite
	// Register checks a new passkey (§7.1).
	Register(challenge []byte, answer PasskeyRegistration) (identity.NewPasskey, error)
	// Authenticate checks the use of a passkey against its public key (§7.2).
	Authenticate(challenge, publicKey []byte, answer PasskeyAssertion) (identity.PasskeyUse, error)
}

// PasskeySite is the relying party: what the passkeys are for.
type PasskeySite struct {
	// ID is the RP ID, the host of the issuer. It is empty when that is an IP address, for which browsers make none.
	ID         string
	Algorithms []int64 // COSE algorithms of the keys that are read, the preferred one first
}

// ChallengeSize is the size of a challenge in bytes (§13.4.3 asks for 16 or more).
const ChallengeSize = 32

// PasskeyRegistration is what navigator.credentials.create() gave (§5.2.1).
type PasskeyRegistration struct {
	CredentialID []byte
	ClientData   []byte // JSON, as it was hashed
	Attestation  []byte // CBOR
}

// PasskeyAssertion is what navigator.credentials.get() gave (§5.2.2).
type PasskeyAssertion struct {
	CredentialID      []byte
	UserHandle        []byte // who the authenticator says it is; empty: it does not say
	ClientData        []byte // JSON, as it was hashed
	AuthenticatorData []byte
	Signature         []byte
}

// PasskeyEndpoint begins ceremonies with an authenticator, and adds passkeys to accounts. Each request is answered once, by
// the browser it was made for; signing in is answered with a LoginForm, and the second factor with a FactorForm. Every call
// is ErrNotFound when browsers make no passkeys for the issuer.
type PasskeyEndpoint interface {
	// OffersPasskeys reports whether browsers make passkeys for the issuer.
	OffersPasskeys() bool
	// SignInPasskey asks for a passkey that signs in whoever it belongs to. It is the same request for everybody.
	SignInPasskey(context.Context, Browser) (PasskeyRequest, error)
	// FactorPasskey asks for a passkey of who is asked for a second factor, or else of who is signed in; ErrSignedOut when
	// there is neither, and ErrNoFactor when they have none.
	FactorPasskey(context.Context, Browser) (PasskeyRequest, error)
	// NewPasskey asks for a passkey that is not there yet. It is ErrSignedOut or ErrFactorNeeded as for every factor.
	NewPasskey(context.Context, Browser) (PasskeyRequest, error)
	// EnrolPasskey adds it to the account. The first factor brings recovery codes along.
	EnrolPasskey(context.Context, audit.Caller, Browser, EnrolForm) (AccountChange, error)
}

// PasskeyRequest is what a browser is asked to do with an authenticator.
type PasskeyRequest struct {
	Site      PasskeySite
	Challenge []byte
	// Known are passkeys of the user: any but these for a new one, one of these for a second factor.
	Known []identity.Factor
	// Verify says that the authenticator has to recognise the person.
	Verify bool
	User   identity.User // whose the new passkey will be
}

// PasskeyForm is the answer to a request for a passkey that is there.
type PasskeyForm struct {
	Browser   oauth.Secret // the Key of the browser that answers
	Challenge []byte
	PasskeyAssertion
}

// EnrolForm is the answer to a request for a new passkey.
type EnrolForm struct {
	AccountProof
	Challenge  []byte
	Name       string // empty: none was chosen
	Transports []string
	PasskeyRegistration
}

// Outcomes of a passkey that somebody showed.
const (
	PasskeyFailed     LoginProblem = "passkey_failed"     // it is not known here, or was not used rightly
	PasskeyOver       LoginProblem = "passkey_over"       // the request it answers is over, or was another browser's
	PasskeyUnverified LoginProblem = "passkey_unverified" // it signs nobody in alone without recognising them
)

// What the form for a new passkey has to say.
var (
	ErrPasskeyOver    = errors.New("the request for a passkey is over, or was another browser's")
	ErrPasskeyRefused = errors.New("the new passkey was not made rightly")
	ErrPasskeyKnown   = errors.New("the passkey is registered already")
	ErrPasskeyMany    = errors.New("the user has as many passkeys as anybody may have")
)
