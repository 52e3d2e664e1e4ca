package page

// Passkeys lists the passkeys of an account and adds one (`name`, and `current` when the sign-in is not recent).
type Passkeys struct {
	Action, CSRF, Username string
	Recent                 bool
	Passkey                *PasskeyButton // nil: browsers make none for this server
	Passkeys               []PasskeyCard
	ProblemSet
}

func (p Passkeys) look() look {
	return look{template: "passkeys", wide: true, failed: p.failed(), scripted: p.Passkey != nil}
}

// AsksPassword tells whether adding one needs the password too.
func (p Passkeys) AsksPassword() bool { return !p.Recent || p.NoteOf("current") != nil }

// PasskeyCard is one passkey of the account.
type PasskeyCard struct {
	FactorCard
	Model            string // AAGUID; empty: it does not say
	Syncable, Synced bool   // it may be copied to other devices, and was
}

// PasskeyButton is a button that the script shows and answers, with the fields it fills in.
type PasskeyButton struct {
	URL      string // gives a challenge
	Create   bool   // a new passkey, not one that is there
	Label    Message
	Main     bool // the one button of its page
	Autofill bool // the list under the name field offers passkeys too
}
