package identity

import (
	"bytes"
	"errors"
	"slices"
	"time"
)

// MaxPasskeys is how many passkeys a user may have: more than anybody has devices.
const MaxPasskeys = 20

// PasskeyChallengeLifetime is how long a browser has for one ceremony with an authenticator.
const PasskeyChallengeLifetime = 5 * time.Minute

// What the challenge of a ceremony is for. One for one purpose serves no other.
const (
	PasskeyEnrolTicket  TicketPurpose = "passkey-enrol"   // adds a passkey to the account of its user
	PasskeySignInTicket TicketPurpose = "passkey-sign-in" // signs in whoever the passkey says, whom nobody knows yet
	PasskeyFactorTicket TicketPurpose = "passkey-factor"  // is the second factor of its user
)

// NewPasskey is a public key that a person has shown to hold.
type NewPasskey struct {
	CredentialID []byte   // 16 to 1023 bytes
	PublicKey    []byte   // COSE_Key in canonical CBOR
	AAGUID       [16]byte // the model of the authenticator, by its own account
	PasskeyUse
}

// PasskeyUse is what one use of a passkey showed. The person was present, always.
type PasskeyUse struct {
	SignCount      uint32 // 0: the authenticator does not count
	UserVerified   bool   // it recognised the person, by a PIN or the like
	BackupEligible bool   // the key may be copied to other devices; this never changes
	BackedUp       bool   // it has been
}

// Factor returns the passkey as a factor of the user. It needs no confirmation: making it was one.
func (n NewPasskey) Factor(id FactorID, user UserID, name string, transports []string, now time.Time) Factor {
	return Factor{ID: id, User: user, Kind: PasskeyFactor, Name: FactorName(name), CredentialID: n.CredentialID, PublicKey: n.PublicKey,
		SignCount: n.SignCount, AAGUID: n.AAGUID, BackupEligible: n.BackupEligible, BackedUp: n.BackedUp, Transports: transports,
		CreatedAt: now, ConfirmedAt: now}
}

// Reasons to refuse a passkey whose signature is right.
var (
	ErrPasskeyOfOther    = errors.New("the passkey belongs to another user")
	ErrPasskeyHandle     = errors.New("the authenticator named another user than the passkey belongs to")
	ErrPasskeyUnverified = errors.New("the authenticator did not recognise the person")
	ErrPasskeyCounter    = errors.New("the counter of the passkey did not go forward: there may be a copy of it")
	ErrPasskeyEligible   = errors.New("the passkey says otherwise than before whether it can be backed up")
)

// UserHandle is what authenticators keep with a passkey to say whose it is: at most 64 bytes, and nothing about the
// person (Web Authentication §14.6.1).
func UserHandle(id UserID) []byte { return []byte(id) }

// PasskeyOf reports why a passkey does not speak for a user, or nil. An empty user is anybody: then the authenticator has
// to say whose passkey it is (§7.2, step 6). handle is what it said, and may be empty otherwise.
func (f Factor) PasskeyOf(user UserID, handle []byte) error {
	switch {
	case f.Kind != PasskeyFactor || !f.Confirmed() || user != "" && f.User != user:
		return ErrPasskeyOfOther
	case len(handle) > 0 && !bytes.Equal(handle, UserHandle(f.User)), user == "" && len(handle) == 0:
		return ErrPasskeyHandle
	}
	return nil
}

// UsePasskey notes a use of the passkey, or says why it counts for nothing. A counter that stands still or goes back has
// been copied, unless the authenticator never counts (§6.1.1). With alone nothing else was proved, so the authenticator
// has to have recognised the person: a key that somebody found is one factor and not two.
func (f *Factor) UsePasskey(use PasskeyUse, alone bool, now time.Time) error {
	switch {
	case alone && !use.UserVerified:
		return ErrPasskeyUnverified
	case use.BackupEligible != f.BackupEligible:
		return ErrPasskeyEligible
	case (use.SignCount != 0 || f.SignCount != 0) && use.SignCount <= f.SignCount:
		return ErrPasskeyCounter
	}
	f.SignCount, f.BackedUp, f.LastUsedAt = use.SignCount, use.BackedUp, now
	return nil
}

// PasskeyTransports keeps those ways to reach an authenticator that browsers know (§5.8.4). They are hints for the next
// time, and come from a page.
func PasskeyTransports(told []string) []string {
	var kept []string
	for _, known := range []string{"ble", "hybrid", "internal", "nfc", "smart-card", "usb"} {
		if slices.Contains(told, known) {
			kept = append(kept, known)
		}
	}
	return kept
}
