package page

import (
	"html/template"

	"latchkey/adapters/web/qr"
)

// Enrol offers to make a seed.
type Enrol struct {
	Action, CSRF   string
	Account        string
	Asked          bool   // an application asks for a second factor
	Administration bool   // administration does
	PasskeyURL     string // the page that adds one; empty: browsers make none for this server
	ProblemSet
}

func (p Enrol) look() look {
	return look{template: "enrol", failed: p.failed()}
}

// TOTP shows a seed and asks for the `code` of an app that has it. Its other form makes a new seed.
type TOTP struct {
	Action, Again, CSRF, AgainCSRF string
	Factor, Account, Name          string
	Picture                        string // data of an SVG path, in a square of Side units
	Side                           int
	Secret                         string
	URI                            template.URL
	ProblemSet
}

func (p TOTP) look() look {
	return look{template: "totp", wide: true, failed: p.failed()}
}

// Draw gives the page an otpauth address, as a picture and as a link. The address is ours, so a template may print it as it
// is: html/template knows no scheme but those of the web.
func (p *TOTP) Draw(uri string) error {
	code, err := qr.Encode(uri)
	if err != nil {
		return err
	}
	p.Picture, p.Side, p.URI = code.Path(), code.Side(), template.URL(uri)
	return nil
}

// RecoveryCodes shows recovery codes, once. Its form sends nothing but Fields to where the person was going.
type RecoveryCodes struct {
	Account, Issuer string
	Codes           []string
	File, FileCSRF  string
	Next            string
	NextFields      []HiddenField
}

func (RecoveryCodes) look() look {
	return look{template: "recovery_codes", leaves: true}
}

// FactorCard is one second factor of the account.
type FactorCard struct {
	ID, Kind, Name  string
	Added, LastUsed Moment
	URL             string // of its own page
}

// OwnFactor renames a factor (`name`) and removes it (`code`, and `current` when the sign-in is not recent).
type OwnFactor struct {
	Factor                   FactorCard
	Username                 string // for password managers
	Recovery                 bool   // recovery codes are left
	Last                     bool   // without it, the password alone signs in
	Recent                   bool
	RenameAction, RenameCSRF string
	RemoveAction, RemoveCSRF string
	Passkey                  *PasskeyButton // nil as above
	ProblemSet
}

func (p OwnFactor) look() look {
	return look{template: "own_factor", failed: p.failed(), scripted: p.Passkey != nil}
}

// AsksPassword tells whether removing needs the password too.
func (p OwnFactor) AsksPassword() bool { return !p.Recent || p.NoteOf("current") != nil }
