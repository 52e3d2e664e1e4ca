package web

import (
	"net/http"

	"latchkey/adapters/web/page"
	"latchkey/domain/identity"
	"latchkey/domain/oauth"
	"latchkey/domain/oidc"
	"latchkey/ports"
)

// consent answers the consent page. The 2012 form names its field approved, and its text once misspells it: both are
// read, and neither counts without our own token.
func (s *server) consent(w http.ResponseWriter, r *request) error {
	b := s.browser(r)
	f, user, err := s.readOwnForm(r, b, "consent", "interaction")
	if err != nil {
		return err
	}
	approved := f.Get("approved")
	if approved == "" {
		approved = f.Get("approve")
	}
	next, err := s.Authorization.Consent(r.Context(), r.caller, b, oidc.InteractionID(f.Get("interaction")),
		ports.ConsentForm{User: identity.UserID(user), Approved: approved == "true", Scopes: f.Values["scope"]})
	if err != nil {
		return s.answered(w, r, next, err)
	}
	s.goOn(w, r, next)
	return nil
}

func (s *server) consentPage(b ports.Browser, next ports.Next) page.Consent {
	id := string(next.Interaction.ID)
	p := page.Consent{
		App:         card(next),
		Action:      s.path("/consent"),
		Interaction: id,
		CSRF:        s.csrfToken(b, "consent", id, string(next.User.ID)),
		Account:     account(next.User),
		SwitchURL:   s.stepURL(oidc.Login, next.Interaction.ID) + "&switch=1",
		Offline:     next.Request.Scope.Has(oauth.ScopeOfflineAccess),
	}
	for _, name := range next.Request.Scope.List() {
		p.Scopes = append(p.Scopes, page.Scope{Name: name, Values: oidc.Shown(next.User, name),
			Required: name == oauth.ScopeOpenID, AlreadyGranted: next.Grant.Scope.Has(name)})
	}
	return p
}

// account names a user so that two people of one name are told apart.
func account(u identity.User) string {
	if u.DisplayName() == u.Username {
		return u.Username
	}
	return u.DisplayName() + " (" + u.Username + ")"
}

// selectAccount answers the account page.
func (s *server) selectAccount(w http.ResponseWriter, r *request) error {
	b := s.browser(r)
	f, user, err := s.readOwnForm(r, b, "select-account", "interaction")
	if err != nil {
		return err
	}
	if f.Get("account") != "current" {
		user = ""
	}
	next, err := s.Authorization.SelectAccount(r.Context(), r.caller, b, oidc.InteractionID(f.Get("interaction")), identity.UserID(user))
	if err != nil {
		return s.answered(w, r, next, err)
	}
	s.goOn(w, r, next)
	return nil
}

func (s *server) selectAccountPage(b ports.Browser, next ports.Next) page.SelectAccount {
	id := string(next.Interaction.ID)
	return page.SelectAccount{App: card(next), Action: s.path("/select-account"), Interaction: id,
		CSRF: s.csrfToken(b, "select-account", id, string(next.User.ID)), Account: account(next.User)}
}
