package page

import (
	"fmt"
	"html/template"
	"net/url"
	"strings"

	"latchkey/domain/oauth"
	"latchkey/domain/oidc"
)

// What each page is about. The handlers fill these in; the templates of the same names show them.

// App is the relying party as people see it. URLs that are not https (or http on a loopback host) are not shown.
type App struct {
	Name, Host                            string // Host is that of the redirect URI: the one thing here the application cannot make up
	LogoURL, PolicyURL, TermsURL, HomeURL string
}

// Login asks for `username` and `password`. A nil App means signing in to Latchkey itself.
type Login struct {
	App                       *App
	Action, Interaction, CSRF string
	Username                  string // from login_hint or the previous attempt
	Problem                   Message
	RetryMinutes              int            // for MsgTooManyAttempts; below 1 counts as 1
	SignedInAs, WantedAccount string         // when the application asks for another account than the one signed in
	Reauth                    bool           // the application asked to confirm who is there (prompt=login, max_age)
	Administration            bool           // the way leads on to administration, which asks for a recent sign-in
	Passkey                   *PasskeyButton // nil: browsers make none for this server
}

// Consent asks whether App may have Scopes. Its answer is `approved` (true or false) and, for true, one `scope` for
// each scope that is kept; those that cannot be refused are always sent.
type Consent struct {
	App                       App
	Action, Interaction, CSRF string
	Account                   string // display name and username of who is signed in
	SwitchURL                 string // signing in as somebody else
	Scopes                    []Scope
	Offline                   bool // access goes on without the person (offline_access)
	Unverified                bool // the application registered itself
}

// Scope is one scope with the values it would give away, such as the address for `email`.
type Scope struct {
	Name                     string
	Values                   []string
	Required, AlreadyGranted bool
}

// SelectAccount answers prompt=select_account: `account` is "current" or "other".
type SelectAccount struct {
	App                       App
	Action, Interaction, CSRF string
	Account                   string
}

// Error is the end of a request that has no redirect URI to go to, or no application at all.
type Error struct {
	Message                Message
	Args                   []any  // for the message and for what to do next
	Code, Description, Ref string // error, error_description and error_ref
	HomeURL                string // a way out: a path here or the application's address; empty means the start page

	// For administrators alone.
	ExplainURL  string
	Explanation *Explanation
}

// Setup makes an administrator. Its fields are `token`, `csrf`, `username`, `email`, `password` and
// `password_again`; passwords are never sent back to the page.
type Setup struct {
	Action, Token, CSRF string
	Username, Email     string
	Issuer              string
	ProblemSet
}

// Reset sets a new password from a link. Its fields are `token`, `csrf`, `password` and `password_again`; passwords
// are never sent back to the page.
type Reset struct {
	Action, Token, CSRF string
	Username            string
	ProblemSet
}

// ProblemSet is what is wrong with a form.
type ProblemSet struct {
	Problems     []Message
	RetryMinutes int // for MsgTooManyAttempts; below 1 counts as 1
}

func (p ProblemSet) failed() bool { return len(p.Problems) > 0 }

// fieldNote is one problem with a form.
type fieldNote struct {
	Message Message
	Field   string // empty when the problem is not in a field
	Minutes int
}

// Notes are the problems with the name of their field, for the summary.
func (p ProblemSet) Notes() []fieldNote {
	notes := make([]fieldNote, len(p.Problems))
	for i, problem := range p.Problems {
		notes[i] = fieldNote{Message: problem, Field: problem.field(), Minutes: max(1, p.RetryMinutes)}
	}
	return notes
}

// NoteOf is the first problem with a field of the form, or nil.
func (p ProblemSet) NoteOf(field string) *fieldNote {
	for _, note := range p.Notes() {
		if note.Field == field {
			return &note
		}
	}
	return nil
}

// Done says that something happened, and where to go from there.
type Done struct {
	Message  Message
	Args     []any
	LinkURL  string  // a path here or an application's address; anything else shows no link
	LinkText Message // empty: back to the application
}

// SignedOut says what became of each application of a session that ended. Its frames sign the browser out there.
type SignedOut struct {
	Applications []SignedOutApp
	ReturnURL    string // a registered address that the page goes on to by itself; empty: it stays, with the link
	LinkURL      string
	LinkText     Message // empty: back to the application
}

// SignedOutApp is one application: State is what became of it.
type SignedOutApp struct {
	Name  string
	State Message
	Frame string // empty: none
}

// Return is the address for the link. html/template would refuse the private-use schemes of native applications, which have
// a dot in them (RFC 8252 §7.1) as no scheme has that browsers run.
func (p SignedOut) Return() template.URL {
	u, err := url.Parse(p.ReturnURL)
	if WebLink(p.ReturnURL) == "" && (err != nil || !strings.Contains(u.Scheme, ".")) {
		return ""
	}
	return template.URL(p.ReturnURL)
}

// frames are the addresses that the page's frames load.
func (p SignedOut) frames() []string {
	var all []string
	for _, a := range p.Applications {
		if linkOrigin(a.Frame) != "" {
			all = append(all, a.Frame)
		}
	}
	return all
}

// Home says what this server is, and who is signed in. Signing out posts `csrf` to /logout.
type Home struct {
	Issuer, DiscoveryURL string
	Account, CSRF        string
	SignedIn, Admin      bool
	Demo                 string // path of the demonstration application; empty: there is none
}

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

// ApplicationCard is one application the user allowed something.
type ApplicationCard struct {
	ID, URL, Name, Host, HomeURL string // URL is that of its own page
	Scopes                       []string
	Since, LastUsed              Moment
}

// Password asks for `current`, `password` and `password_again`. Passwords are never sent back to the page.
type Password struct {
	Action, CSRF string
	Username     string // for password managers
	ProblemSet
}

// Email asks for `email`.
type Email struct {
	Action, CSRF string
	Email        string
	ProblemSet
}

// Confirm asks for the `current` password before Message is done; Fields is the form that waits for it.
type Confirm struct {
	Message      Message
	Action, CSRF string
	Fields       []HiddenField
	Username     string
	ProblemSet
}

// Others tells whether other browsers are signed in.
func (p Account) Others() bool { return len(p.Sessions) > 1 }

// Logout asks whether to sign out; Fields is the request that waits for the answer. Another site may have opened it, so
// nothing happens unless its own form says so.
type Logout struct {
	App          string // the application that asks; empty: none is named
	Action, CSRF string
	Fields       []HiddenField
	Account      string // who is signed in
	StayURL      string
}

type HiddenField struct{ Name, Value string }

// ErrorCodes explains the error codes that applications meet.
type ErrorCodes struct{}

// Codes are those of the page, which error_uri leads to.
func (p ErrorCodes) Codes() []oauth.ErrorCode { return explainedCodes }

// explainedCodes are the codes that are explained, in the order an application meets them.
var explainedCodes = []oauth.ErrorCode{
	oauth.InvalidRequest, oauth.InvalidClient, oauth.InvalidGrant, oauth.InvalidScope, oauth.UnauthorizedClient, oauth.UnsupportedGrantType,
	oauth.UnsupportedResponseType, oauth.AccessDenied, oauth.LoginRequired, oauth.ConsentRequired, oauth.InteractionRequired,
	oauth.AccountSelection, oauth.RequestNotSupported, oauth.RequestURINotSupported, oauth.RegistrationUnsupported, oauth.InvalidToken,
	oauth.InsufficientScope, oauth.TooManyAttempts, oauth.Forbidden, oauth.TemporarilyUnavailable, oauth.ServerError,
}

// Admin is the first page of administration.
type Admin struct {
	Refusals []RefusalCard
}

// RefusalCard is one refusal in a list.
type RefusalCard struct {
	Ref, Client, Code, Summary string
	URL                        string // of its explanation
	When                       Moment
}

// Explain asks for `ref` or `client_id` and shows what they lead to.
type Explain struct {
	Action      string
	Ref, Client string // what was asked for
	NotFound    string // why there is nothing to show
	Explanation *Explanation
	Refusals    []RefusalCard
	Listed      bool // the refusals of Client were asked for
}

func (p Explain) failed() bool { return p.NotFound != "" }

// Explanation is an explanation as pages show it: every text may hold what strangers sent.
type Explanation struct {
	Ref, RequestID                          string
	When                                    Moment
	Summary                                 string
	Client, ClientName                      string
	Code, Description                       string
	IP, Agent                               string
	Received, Nearest                       string
	Expected, Differences                   []string
	Rule, Section                           string
	Mistake, Fix, Command, Setting, Settled string
}

// Deliveries lists what applications were told of sign-outs, newest first.
type Deliveries struct {
	Deliveries []DeliveryCard
	More       int // how many are shown of a list that may go on; 0: these are all
}

// DeliveryCard is one application that was told, or is still to be told, that one session ended.
type DeliveryCard struct {
	Name, Client, URL string // URL lists the refusals of the client
	User, Subject     string // User is empty when nobody has the subject any more
	State             oidc.DeliveryState
	Attempts          int
	SignedOut         Moment
	Changed           Moment // when it arrived, was given up, or is tried again
	Problem           DeliveryProblem
}

// DeliveryProblem is why the last attempt failed.
type DeliveryProblem struct {
	Message Message
	Status  int    // of the answer, in Message
	Other   string // the record's own words, where there is no message
}

// pageOf tells the template of a body, and whether the page's form may be answered by a redirect to an application.
func pageOf(body any) (name string, leaves bool, err error) {
	switch body.(type) {
	case Login:
		return "login", true, nil
	case Consent:
		return "consent", true, nil
	case SelectAccount:
		return "select_account", true, nil
	case Error:
		return "error", false, nil
	case Setup:
		return "setup", false, nil
	case Reset:
		return "reset", false, nil
	case Done:
		return "done", false, nil
	case Home:
		return "home", false, nil
	case Account:
		return "account", false, nil
	case Passkeys:
		return "passkeys", false, nil
	case Password:
		return "account_password", false, nil
	case Email:
		return "account_email", false, nil
	case Confirm:
		return "account_confirm", false, nil
	case Activity:
		return "account_activity", false, nil
	case Application:
		return "account_application", false, nil
	case Logout:
		return "logout", true, nil
	case SignedOut:
		return "signed_out", false, nil
	case ErrorCodes:
		return "error_codes", false, nil
	case Factor:
		return "second_factor", true, nil
	case Enrol:
		return "enrol", false, nil
	case TOTP:
		return "totp", false, nil
	case RecoveryCodes:
		return "recovery_codes", true, nil
	case OwnFactor:
		return "own_factor", false, nil
	case Admin:
		return "admin", false, nil
	case Explain:
		return "admin_explain", false, nil
	case Deliveries:
		return "admin_logout", false, nil
	}
	return "", false, fmt.Errorf("no page for %T", body)
}

var pageNames = []string{"login", "consent", "select_account", "error", "setup", "reset", "done", "home",
	"account", "account_password", "account_email", "account_confirm", "account_activity", "account_application", "logout", "signed_out", "error_codes", "admin", "admin_explain", "admin_logout",
	"second_factor", "enrol", "totp", "recovery_codes", "own_factor", "passkeys"}

// Minutes to wait, at least one: "wait 0 minutes" would be read as "now".
func (p Login) Minutes() int { return max(1, p.RetryMinutes) }

// Mistyped tells whether the problem is in the fields, which are then marked.
func (p Login) Mistyped() bool { return p.Problem == MsgLoginFailed }

// Fixed tells whether the person cannot leave this scope out. Without openid there is no sign-in to allow.
func (s Scope) Fixed() bool { return s.Required || s.Name == "openid" }

// Home is the way out of an error: the start page of the server below base, unless another is given.
func (p Error) Home(base string) string {
	if home := pageLink(p.HomeURL); home != "" {
		return home
	}
	return base + "/"
}

// HomeHost is the host of the way out when it is not this server.
func (p Error) HomeHost() string {
	u, err := url.Parse(WebLink(p.HomeURL))
	if err != nil {
		return ""
	}
	return u.Host
}
