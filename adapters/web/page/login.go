package page

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

func (p Login) look() look {
	return look{template: "login", leaves: true, failed: p.Problem != "", scripted: p.Passkey != nil}
}

// Minutes to wait, at least one: "wait 0 minutes" would be read as "now".
func (p Login) Minutes() int { return max(1, p.RetryMinutes) }

// Mistyped tells whether the problem is in the fields, which are then marked.
func (p Login) Mistyped() bool { return p.Problem == MsgLoginFailed }
