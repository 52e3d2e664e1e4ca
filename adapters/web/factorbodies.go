package web

import "html/template"

// What the pages of the second factor are about.

// factorPage asks for `code`.
type factorPage struct {
	Action, Interaction, CSRF string
	Account                   string
	OtherURL                  string // signing in as somebody else
	SwapURL                   string // the other kind of code; empty: there is none
	URL                       string // of this page
	Recovery                  bool   // a recovery code is asked for
	Late                      bool   // the clock of the phone may be wrong
	Problem                   messageID
	RetryMinutes              int
	App                       bool           // an app can make a code
	Passkey                   *passkeyButton // nil: the user has none, or browsers make none for this server
}

// Mistyped tells whether the problem is in the field, which is then marked.
func (p factorPage) Mistyped() bool {
	return (p.App || p.Recovery) && (p.Problem == msgCodeWrong || p.Problem == msgRecoveryWrong)
}

func (p factorPage) failed() bool { return p.Problem != "" }

// Minutes to wait, at least one.
func (p factorPage) Minutes() int { return max(1, p.RetryMinutes) }

// enrolPage offers to make a seed.
type enrolPage struct {
	Action, CSRF   string
	Account        string
	Asked          bool   // an application asks for a second factor
	Administration bool   // administration does
	PasskeyURL     string // the page that adds one; empty: browsers make none for this server
	problemSet
}

// totpPage shows a seed and asks for the `code` of an app that has it. Its other form makes a new seed.
type totpPage struct {
	Action, Again, CSRF, AgainCSRF string
	Factor, Account, Name          string
	Picture                        string // data of an SVG path, in a square of Side units
	Side                           int
	Secret                         string
	URI                            template.URL
	problemSet
}

// otpauth is an address of ours that a template may print as it is: html/template knows no scheme but those of the web.
func otpauth(uri string) template.URL { return template.URL(uri) }

// recoveryPage shows recovery codes, once. Its form sends nothing but Fields to where the person was going.
type recoveryPage struct {
	Account, Issuer string
	Codes           []string
	File, FileCSRF  string
	Next            string
	NextFields      []hiddenField
}

// factorCard is one second factor of the account.
type factorCard struct {
	ID, Kind, Name  string
	Added, LastUsed moment
	URL             string // of its own page
}

// ownFactorPage renames a factor (`name`) and removes it (`code`, and `current` when the sign-in is not recent).
type ownFactorPage struct {
	Factor                   factorCard
	Username                 string // for password managers
	Recovery                 bool   // recovery codes are left
	Last                     bool   // without it, the password alone signs in
	Recent                   bool
	RenameAction, RenameCSRF string
	RemoveAction, RemoveCSRF string
	Passkey                  *passkeyButton // nil as above
	problemSet
}

// AsksPassword tells whether removing needs the password too.
func (p ownFactorPage) AsksPassword() bool { return !p.Recent || p.NoteOf("current") != nil }
