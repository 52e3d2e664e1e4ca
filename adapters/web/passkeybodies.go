package web

import (
	"latchkey/domain/oidc"
	"latchkey/ports"
)

// passkeysPage lists the passkeys of an account and adds one (`name`, and `current` when the sign-in is not recent).
type passkeysPage struct {
	Action, CSRF, Username string
	Recent                 bool
	Passkey                *passkeyButton // nil: browsers make none for this server
	Passkeys               []passkeyCard
	problemSet
}

// AsksPassword tells whether adding one needs the password too.
func (p passkeysPage) AsksPassword() bool { return !p.Recent || p.NoteOf("current") != nil }

// passkeyCard is one passkey of the account.
type passkeyCard struct {
	factorCard
	Model            string // AAGUID; empty: it does not say
	Syncable, Synced bool   // it may be copied to other devices, and was
}

// needsFactor reports whether the session lacks the second factor that its user has.
func needsFactor(a ports.Account) bool {
	return len(a.Factors) > 0 && a.Session.ACR != oidc.ACRMultiFactor
}

// scripted reports whether a page loads the script: those on which somebody holds a key.
func scripted(body any) bool {
	switch p := body.(type) {
	case loginPage:
		return p.Passkey != nil
	case factorPage:
		return p.Passkey != nil
	case passkeysPage:
		return p.Passkey != nil
	case ownFactorPage:
		return p.Passkey != nil
	}
	return false
}
