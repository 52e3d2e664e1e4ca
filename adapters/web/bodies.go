package web

import (
	"fmt"
	"html/template"
	"net/url"
	"strings"

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
	RetryMinutes              int            // for msgTooManyAttempts; below 1 counts as 1
	SignedInAs, WantedAccount string         // when the application asks for another account than the one signed in
	Reauth                    bool           // the application asked to confirm who is there (prompt=login, max_age)
	Administration            bool           // the way leads on to administration, which asks for a recent sign-in
	Passkey                   *passkeyButton // nil: browsers make none for this server
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

	// For administrators alone.
	ExplainURL  string
	Explanation *explanationView
}

// setupPage makes an administrator. Its fields are `token`, `csrf`, `username`, `email`, `password` and
// `password_again`; passwords are never sent back to the page.
type setupPage struct {
	Action, Token, CSRF string
	Username, Email     string
	Issuer              string
	problemSet
}

// resetPage sets a new password from a link. Its fields are `token`, `csrf`, `password` and `password_again`; passwords
// are never sent back to the page.
type resetPage struct {
	Action, Token, CSRF string
	Username            string
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

// signedOutPage says what became of each application of a session that ended. Its frames sign the browser out there.
type signedOutPage struct {
	Applications []signedOutApp
	ReturnURL    string // a registered address that the page goes on to by itself; empty: it stays, with the link
	LinkURL      string
	LinkText     messageID // empty: back to the application
}

// signedOutApp is one application: State is what became of it.
type signedOutApp struct {
	Name  string
	State messageID
	Frame string // empty: none
}

// Return is the address for the link. html/template would refuse the private-use schemes of native applications, which have
// a dot in them (RFC 8252 §7.1) as no scheme has that browsers run.
func (p signedOutPage) Return() template.URL {
	u, err := url.Parse(p.ReturnURL)
	if webLink(p.ReturnURL) == "" && (err != nil || !strings.Contains(u.Scheme, ".")) {
		return ""
	}
	return template.URL(p.ReturnURL)
}

// frames are the addresses that the page's frames load.
func (p signedOutPage) frames() []string {
	var all []string
	for _, a := range p.Applications {
		if linkOrigin(a.Frame) != "" {
			all = append(all, a.Frame)
		}
	}
	return all
}

// homePage says what this server is, and who is signed in. Signing out posts `csrf` to /logout.
type homePage struct {
	Issuer, DiscoveryURL string
	Account, CSRF        string
	SignedIn, Admin      bool
	Demo                 string // path of the demonstration application; empty: there is none
}

// accountPage is the signed-in user's own account. Its forms send `session` or `others`, and `grant`.
type accountPage struct {
	Passkeys                                   bool // browsers make them for this server
	Name, Username, Email                      string
	EmailVerified                              bool
	Groups                                     []string
	PasswordChanged                            moment
	Sessions                                   []sessionCard
	Applications                               []applicationCard
	Done                                       messageID // what a form just did; empty: nothing
	SessionsCSRF, ApplicationsCSRF, LogoutCSRF string

	Factors      []factorCard
	RecoveryLeft int
	RecoveryCSRF string
}

// sessionCard is one browser that is signed in.
type sessionCard struct {
	ID                 string
	Device             device
	IP                 string
	FirstSeen          moment // when it signed in for the first time, if it did so again since
	SignedIn, LastSeen moment
	Applications       []string
	Current            bool
}

// applicationCard is one application the user allowed something.
type applicationCard struct {
	ID, URL, Name, Host, HomeURL string // URL is that of its own page
	Scopes                       []string
	Since, LastUsed              moment
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

// logoutPage asks whether to sign out; Fields is the request that waits for the answer. Another site may have opened it, so
// nothing happens unless its own form says so.
type logoutPage struct {
	App          string // the application that asks; empty: none is named
	Action, CSRF string
	Fields       []hiddenField
	Account      string // who is signed in
	StayURL      string
}

type hiddenField struct{ Name, Value string }

// errorCodesPage explains the error codes that applications meet.
type errorCodesPage struct {
	Codes []oauth.ErrorCode
}

// adminPage is the first page of administration.
type adminPage struct {
	Refusals []refusalCard
}

// refusalCard is one refusal in a list.
type refusalCard struct {
	Ref, Client, Code, Summary string
	URL                        string // of its explanation
	When                       moment
}

// explainPage asks for `ref` or `client_id` and shows what they lead to.
type explainPage struct {
	Action      string
	Ref, Client string // what was asked for
	NotFound    string // why there is nothing to show
	Explanation *explanationView
	Refusals    []refusalCard
	Listed      bool // the refusals of Client were asked for
}

func (p explainPage) failed() bool { return p.NotFound != "" }

// explanationView is an explanation as pages show it: every text may hold what strangers sent.
type explanationView struct {
	Ref, RequestID                          string
	When                                    moment
	Summary                                 string
	Client, ClientName                      string
	Code, Description                       string
	IP, Agent                               string
	Received, Nearest                       string
	Expected, Differences                   []string
	Rule, Section                           string
	Mistake, Fix, Command, Setting, Settled string
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
	case resetPage:
		return "reset", false, nil
	case donePage:
		return "done", false, nil
	case homePage:
		return "home", false, nil
	case accountPage:
		return "account", false, nil
	case passkeysPage:
		return "passkeys", false, nil
	case passwordPage:
		return "account_password", false, nil
	case emailPage:
		return "account_email", false, nil
	case confirmPage:
		return "account_confirm", false, nil
	case activityPage:
		return "account_activity", false, nil
	case applicationPage:
		return "account_application", false, nil
	case logoutPage:
		return "logout", true, nil
	case signedOutPage:
		return "signed_out", false, nil
	case errorCodesPage:
		return "error_codes", false, nil
	case factorPage:
		return "second_factor", true, nil
	case enrolPage:
		return "enrol", false, nil
	case totpPage:
		return "totp", false, nil
	case recoveryPage:
		return "recovery_codes", true, nil
	case ownFactorPage:
		return "own_factor", false, nil
	case adminPage:
		return "admin", false, nil
	case explainPage:
		return "admin_explain", false, nil
	case deliveriesPage:
		return "admin_logout", false, nil
	}
	return "", false, fmt.Errorf("no page for %T", body)
}

var pageNames = []string{"login", "consent", "select_account", "error", "setup", "reset", "done", "home",
	"account", "account_password", "account_email", "account_confirm", "account_activity", "account_application", "logout", "signed_out", "error_codes", "admin", "admin_explain", "admin_logout",
	"second_factor", "enrol", "totp", "recovery_codes", "own_factor", "passkeys"}

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
