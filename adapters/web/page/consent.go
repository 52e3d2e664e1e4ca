package page

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

func (Consent) look() look {
	return look{template: "consent", leaves: true}
}

// Scope is one scope with the values it would give away, such as the address for `email`.
type Scope struct {
	Name                     string
	Values                   []string
	Required, AlreadyGranted bool
}

// Fixed tells whether the person cannot leave this scope out. Without openid there is no sign-in to allow.
func (s Scope) Fixed() bool { return s.Required || s.Name == "openid" }

// SelectAccount answers prompt=select_account: `account` is "current" or "other".
type SelectAccount struct {
	App                       App
	Action, Interaction, CSRF string
	Account                   string
}

func (SelectAccount) look() look {
	return look{template: "select_account", leaves: true}
}
