package web

import (
	"net/http"
	"net/url"
	"strings"

	"latchkey/adapters/web/page"
	"latchkey/adapters/web/read"
	"latchkey/domain/audit"
	"latchkey/domain/identity"
	"latchkey/domain/oauth"
	"latchkey/domain/oidc"
	"latchkey/ports"
)

// confirmLogoutPath is where the confirmation page goes: an address of its own, so that without its token it is a forgery and
// no request of an application.
const confirmLogoutPath = "/connect/logout/confirm"

// logout answers the end session endpoint (OIDC RP-Initiated Logout 1.0 §2).
func (s *server) logout(w http.ResponseWriter, r *request) error {
	if r.Method == http.MethodPost && read.CarriesBearer(r.Request) {
		return s.logoutByToken(w, r)
	}
	b := s.browser(r)
	f, refusal := s.readLogout(r)
	var q oidc.LogoutRequest
	if refusal == nil {
		q, refusal = oidc.ParseLogoutRequest(f.Parameters())
	}
	if refusal != nil {
		return s.denyLogout(r, refusal)
	}
	if wanted := f.Get("ui_locales"); wanted != "" { // in a form; those of a query are read for every page
		r.locale = page.ChooseLocale(wanted, s.cookie(r.Request, cookieLocale), r.Header.Get("Accept-Language"))
	}
	// As at the authorization endpoint: a form of another site brings no Lax cookie, and whoever sent it would look signed out.
	// Here it would sign them out, because the answer takes the cookie away: what does not fit a header line is refused.
	if r.Method == http.MethodPost && b.Session == "" && wantsPage(r.Request) {
		query := url.Values(f.Values).Encode()
		if len(query) >= 8<<10 {
			return s.denyLogout(r, oauth.Refuse(oauth.InvalidRequest, "the request is larger than 8 KiB: send the browser of the user here with less"))
		}
		redirect(w, r.URL.Path+"?"+query)
		return nil
	}
	answer, err := s.Logout.Logout(r.Context(), r.caller, b, q)
	if err != nil {
		return err
	}
	return s.loggedOut(w, r, b, q, answer)
}

// readLogout reads the parameters. A POST with another Authorization header than Bearer speaks for a client and not for a
// browser; told that it signed somebody out, its sender would believe something that did not happen.
func (s *server) readLogout(r *request) (read.Form, *oauth.Error) {
	switch {
	case r.Method == http.MethodGet:
		return read.Query(r.URL.RawQuery)
	case r.Header.Get("Authorization") != "":
		return read.Form{}, oauth.Refuse(oauth.InvalidRequest, "send the browser of the user here, or an access token of theirs as Bearer")
	}
	return read.Body(r.Request)
}

// confirmLogout answers the confirmation page.
func (s *server) confirmLogout(w http.ResponseWriter, r *request) error {
	b := s.browser(r)
	f, user, err := s.readOwnForm(r, b, "logout-confirm", "client_id")
	if err != nil {
		return err
	}
	q, refusal := oidc.ParseLogoutRequest(f.Parameters())
	if refusal != nil {
		return s.denyLogout(r, refusal)
	}
	answer, err := s.Logout.ConfirmLogout(r.Context(), r.caller, b, q, identity.UserID(user))
	if err != nil {
		return err
	}
	return s.loggedOut(w, r, b, q, answer)
}

// denyLogout records a refusal that no use case saw.
func (s *server) denyLogout(r *request, refusal *oauth.Error) error {
	if err := s.deny(r, audit.LogoutDenied, refusal); err != nil {
		return err
	}
	return refusal
}

// loggedOut sends what follows: the question, the way back to the application, or that it is done.
func (s *server) loggedOut(w http.ResponseWriter, r *request, b ports.Browser, q oidc.LogoutRequest, a ports.Logout) error {
	asksPage := asksForPage(r)
	if a.Ask && !asksPage {
		return s.denyLogout(r, oauth.Refuse(oauth.InteractionRequired,
			"the user has to confirm this in a browser: send their id_token_hint, or send their browser here"))
	}
	if a.Ask {
		s.giveKey(w, &b)
		return s.show(w, r, http.StatusOK, s.logoutPage(b, q, a))
	}
	// Without the cookie there is nothing to take away, and whoever asked may be an image on another site: its answer could
	// not touch a Lax cookie, but it could the state that applications watch, and tell them of a sign-out that was none.
	if len(r.CookiesNamed(s.cookieName(cookieSession))) > 0 {
		s.setCookie(w, cookieSession, "", 0)
	}
	if !asksPage && a.Return == "" {
		return writePrivate(w, signedOutBody{SignedOut: true})
	}
	return s.farewell(w, r, a.Ended, a)
}

// farewell leads on once nobody is signed in: straight to the application, unless frames of a page have to sign the browser
// out of others first or there is none to go to. Only who is shown what became of each application waits for it.
func (s *server) farewell(w http.ResponseWriter, r *request, ended identity.SessionID, a ports.Logout) error {
	out, err := s.SingleLogout.Applications(r.Context(), ended)
	if err != nil {
		return err
	}
	if a.Return != "" && (!out.Frames() || !wantsPage(r.Request)) {
		redirect(w, a.Return)
		return nil
	}
	if len(out.Applications) > 0 {
		if out, err = s.SingleLogout.Tell(r.Context(), ended); err != nil {
			return err
		}
	}
	return s.showSignedOut(w, r, out, a)
}

type signedOutBody struct {
	SignedOut bool `json:"signed_out"`
}

// asksForPage reports whether the caller is answered with a page. The two documented providers differ for callers that do not
// say: at one path they read JSON, at the other a page.
func asksForPage(r *request) bool {
	if strings.HasSuffix(r.URL.Path, "/endsession") && !strings.Contains(r.Header.Get("Accept"), "application/json") {
		return true
	}
	return wantsPage(r.Request)
}

func (s *server) logoutPage(b ports.Browser, q oidc.LogoutRequest, a ports.Logout) page.Logout {
	client := string(a.Client.ID)
	p := page.Logout{Action: s.path(confirmLogoutPath), CSRF: s.csrfToken(b, "logout-confirm", client, string(a.User.ID)), Account: account(a.User),
		StayURL: s.path("/")}
	if client != "" {
		p.App = a.Client.DisplayName()
		p.Fields = append(p.Fields, page.HiddenField{Name: "client_id", Value: client})
	}
	if a.Return != "" {
		p.Fields = append(p.Fields, page.HiddenField{Name: "post_logout_redirect_uri", Value: q.RedirectURI})
		if q.State != "" {
			p.Fields = append(p.Fields, page.HiddenField{Name: "state", Value: q.State})
		}
	}
	return p
}
