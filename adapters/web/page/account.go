package page

// Account is the signed-in user's own account. Its forms send `session` or `others`, and `grant`.
type Account struct {
	Passkeys                                   bool // browsers make them for this server
	Name, Username, Email                      string
	EmailVerified                              bool
	Groups                                     []string
	PasswordChanged                            Moment
	Sessions                                   []SessionCard
	Applications                               []ApplicationCard
	Done                                       Message // what a form just did; empty: nothing
	SessionsCSRF, ApplicationsCSRF, LogoutCSRF string

	Factors      []FactorCard
	RecoveryLeft int
	RecoveryCSRF string
}

func (Account) look() look {
	return look{template: "account", wide: true}
}

// Others tells whether other browsers are signed in.
func (p Account) Others() bool { return len(p.Sessions) > 1 }

// SessionCard is one browser that is signed in.
type SessionCard struct {
	ID                 string
	Device             Device
	IP                 string
	FirstSeen          Moment // when it signed in for the first time, if it did so again since
	SignedIn, LastSeen Moment
	Applications       []string
	Current            bool
}

// Password asks for `current`, `password` and `password_again`. Passwords are never sent back to the page.
type Password struct {
	Action, CSRF string
	Username     string // for password managers
	ProblemSet
}

func (p Password) look() look {
	return look{template: "account_password", failed: p.failed()}
}

// Email asks for `email`.
type Email struct {
	Action, CSRF string
	Email        string
	ProblemSet
}

func (p Email) look() look {
	return look{template: "account_email", failed: p.failed()}
}

// Confirm asks for the `current` password before Message is done; Fields is the form that waits for it.
type Confirm struct {
	Message      Message
	Action, CSRF string
	Fields       []HiddenField
	Username     string
	ProblemSet
}

func (p Confirm) look() look {
	return look{template: "account_confirm", failed: p.failed()}
}
