package web

import (
	"fmt"
	"net/url"

	"latchkey/domain/oauth"
)

// What each page is about. The handlers fill these in; the templates of the same names show them.

// appCard is the relying party as people see it. URLs that are not https (or http on a loopback host) are not shown.
type appCard struct {
	Name, Host                            string // Host is that of the redirect URI: the one thing here the application cannot make up
	LogoURL, PolicyURL, TermsURL, HomeURL string
}

// loginPage asks for `username` and `password`. A nil App means signing in to Latchkey itself.
type loginPage struct {
	App                       *appCard
	Action, Interaction, CSRF string
	Username                  string // from login_hint or the previous attempt
	Problem                   messageID
	RetryMinutes              int    // for msgTooManyAttempts; below 1 counts as 1
	SignedInAs, WantedAccount string // when the application asks for another account than the one signed in
	Reauth                    bool   // the application asked to confirm who is there (prompt=login, max_age)
}

// consentPage asks whether App may have Scopes. Its answer is `approved` (true or false) and, for true, one `scope` for
// each scope that is kept; those that cannot be refused are always sent.
type consentPage struct {
	App                       appCard
	Action, Interaction, CSRF string
	Account                   string // display name and username of who is signed in
	SwitchURL                 string // signing in as somebody else
	Scopes                    []consentScope
	Offline                   bool // access goes on without the person (offline_access)
	Unverified                bool // the application registered itself
}

// consentScope is one scope with the values it would give away, such as the address for `email`.
type consentScope struct {
	Name                     string
	Values                   []string
	Required, AlreadyGranted bool
}

// selectAccountPage answers prompt=select_account: `account` is "current" or "other".
type selectAccountPage struct {
	App                       appCard
	Action, Interaction, CSRF string
	Account                   string
}

// errorPage is the end of a request that has no redirect URI to go to, or no application at all.
type errorPage struct {
	Message                messageID
	Args                   []any  // for the message and for what to do next
	Code, Description, Ref string // error, error_description and error_ref
	HomeURL                string // a way out: a path here or the application's address; empty means the start page
}

// setupPage makes the first administrator. Its fields are `token`, `csrf`, `username`, `email`, `password` and
// `password_again`; passwords are never sent back to the page.
type setupPage struct {
	Action, Token, CSRF string
	Username, Email     string
	Issuer              string
	problemSet
}

// problemSet is what is wrong with a form.
type problemSet struct {
	Problems     []messageID
	RetryMinutes int // for msgTooManyAttempts; below 1 counts as 1
}

func (p problemSet) failed() bool { return len(p.Problems) > 0 }

// fieldNote is one problem with a form.
type fieldNote struct {
	Message messageID
	Field   string // empty when the problem is not in a field
	Minutes int
}

// Notes are the problems with the name of their field, for the summary.
func (p problemSet) Notes() []fieldNote {
	notes := make([]fieldNote, len(p.Problems))
	for i, problem := range p.Problems {
		notes[i] = fieldNote{Message: problem, Field: problem.field(), Minutes: max(1, p.RetryMinutes)}
	}
	return notes
}

// NoteOf is the first problem with a field of the form, or nil.
func (p problemSet) NoteOf(field string) *fieldNote {
	for _, note := range p.Notes() {
		if note.Field == field {
			return &note
		}
	}
	return nil
}

// donePage says that something happened, and where to go from there.
type donePage struct {
	Message  messageID
	Args     []any
	LinkURL  string    // a path here or an application's address; anything else shows no link
	LinkText messageID // empty: back to the application
}

// homePage says what this server is, and who is signed in. Signing out posts `csrf` to /logout.
type homePage struct {
	Issuer, DiscoveryURL string
	Account, CSRF        string
	SignedIn             bool
}

// accountPage is the signed-in user's own account. Its forms send `session` or `others`, and `grant`.
type accountPage struct {
	Name, Username, Email                      string
	EmailVerified                              bool
	Groups                                     []string
	PasswordChanged                            moment
	Sessions                                   []sessionCard
	Applications                               []applicationCard
	Done                                       messageID // what a form just did; empty: nothing
	SessionsCSRF, ApplicationsCSRF, LogoutCSRF string
}

// sessionCard is one browser that is signed in.
type sessionCard struct {
	ID                 string
	Device             device
	IP                 string
	SignedIn, LastSeen moment
	Applications       []string
	Current            bool
}

// applicationCard is one application the user allowed something.
type applicationCard struct {
	ID, Name, Host, HomeURL string
	Scopes                  []string
	Since                   moment
}

// passwordPage asks for `current`, `password` and `password_again`. Passwords are never sent back to the page.
type passwordPage struct {
	Action, CSRF string
	Username     string // for password managers
	problemSet
}

// emailPage asks for `email`.
type emailPage struct {
	Action, CSRF string
	Email        string
	problemSet
}

// confirmPage asks for the `current` password before Message is done; Fields is the form that waits for it.
type confirmPage struct {
	Message      messageID
	Action, CSRF string
	Fields       []hiddenField
	Username     string
	problemSet
}

// Others tells whether other browsers are signed in.
func (p accountPage) Others() bool { return len(p.Sessions) > 1 }

type hiddenField struct{ Name, Value string }

// errorCodesPage explains the error codes that applications meet.
type errorCodesPage struct {
	Codes []oauth.ErrorCode
}

// pageOf tells the template of a body, and whether the page's form may be answered by a redirect to an application.
func pageOf(body any) (name string, leaves bool, err error) {
	switch body.(type) {
	case loginPage:
		return "login", true, nil
	case consentPage:
		return "consent", true, nil
	case selectAccountPage:
		return "select_account", true, nil
	case errorPage:
		return "error", false, nil
	case setupPage:
		return "setup", false, nil
	case donePage:
		return "done", false, nil
	case homePage:
		return "home", false, nil
	case accountPage:
		return "account", false, nil
	case passwordPage:
		return "account_password", false, nil
	case emailPage:
		return "account_email", false, nil
	case confirmPage:
		return "account_confirm", false, nil
	case errorCodesPage:
		return "error_codes", false, nil
	}
	return "", false, fmt.Errorf("no page for %T", body)
}

var pageNames = []string{"login", "consent", "select_account", "error", "setup", "done", "home",
	"account", "account_password", "account_email", "account_confirm", "error_codes"}

// Minutes to wait, at least one: "wait 0 minutes" would be read as "now".
func (p loginPage) Minutes() int { return max(1, p.RetryMinutes) }

// Mistyped tells whether the problem is in the fields, which are then marked.
func (p loginPage) Mistyped() bool { return p.Problem == msgLoginFailed }

// Fixed tells whether the person cannot leave this scope out. Without openid there is no sign-in to allow.
func (s consentScope) Fixed() bool { return s.Required || s.Name == "openid" }

// Home is the way out of an error: the start page of the server below base, unless another is given.
func (p errorPage) Home(base string) string {
	if home := pageLink(p.HomeURL); home != "" {
		return home
	}
	return base + "/"
}

// HomeHost is the host of the way out when it is not this server.
func (p errorPage) HomeHost() string {
	u, err := url.Parse(webLink(p.HomeURL))
	if err != nil {
		return ""
	}
	return u.Host
}
