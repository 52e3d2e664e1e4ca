package web

import (
	"errors"
	"net/http"
	"net/url"

	"latchkey/adapters/web/page"
	"latchkey/adapters/web/read"
	"latchkey/domain/audit"
	"latchkey/domain/oauth"
	"latchkey/domain/oidc"
	"latchkey/ports"
)

// authorize answers the authorization endpoint (RFC 6749 §3.1).
func (s *server) authorize(w http.ResponseWriter, r *request) error {
	b := s.browser(r)
	f, refusal := read.Query(r.URL.RawQuery)
	if r.Method == http.MethodPost {
		f, refusal = read.Body(r.Request)
	}
	if refusal != nil {
		if err := s.deny(r, audit.RequestDenied, refusal); err != nil {
			return err
		}
		return refusal
	}
	// A form of another site arrives without our Lax cookies, and the user would look signed out. Sent on as a GET, it
	// brings them. The longest request that fits a header line goes this way; a longer one is answered as it is.
	if r.Method == http.MethodPost && b.Session == "" {
		if query := url.Values(f.Values).Encode(); len(query) < 8<<10 {
			redirect(w, s.path(Paths.Authorization)+"?"+query)
			return nil
		}
	}
	made := s.ensureKey(&b)
	next, err := s.Authorization.Authorize(r.Context(), r.caller, b, f.Parameters())
	if err != nil {
		return err
	}
	if next.Response == nil && made {
		s.keepKey(w, b)
	}
	s.goOnAs(w, r, b.Session, next)
	return nil
}

// goOn sends the browser to the answer or to the page of the next step.
func (s *server) goOn(w http.ResponseWriter, r *request, next ports.Next) {
	s.goOnAs(w, r, s.browser(r).Session, next)
}

// goOnAs is goOn for whoever has read the session cookie.
func (s *server) goOnAs(w http.ResponseWriter, r *request, session oauth.Secret, next ports.Next) {
	if next.Response != nil {
		// A session from before there was such a cookie, or whose cookie is lost, would look changed for ever.
		if next.Login.Cookie == "" && session != "" && s.cookie(r.Request, cookieState) != oidc.BrowserState(session) {
			s.setState(w, session)
		}
		s.respond(w, r, *next.Response)
		return
	}
	redirect(w, s.stepURL(next.Step, next.Interaction.ID))
}

var stepPaths = map[oidc.Step]string{oidc.Login: "/login", oidc.SelectAccount: "/select-account", oidc.Consent: "/consent",
	oidc.SecondFactor: factorPath, oidc.Enrol: totpPath}

func (s *server) stepURL(step oidc.Step, id oidc.InteractionID) string {
	return s.path(stepPaths[step]) + "?interaction=" + url.QueryEscape(string(id))
}

// showInteraction shows the page an open interaction waits at, or sends the browser to the right one.
func (s *server) showInteraction(w http.ResponseWriter, r *request) error {
	b := s.browser(r)
	query, refusal := read.Query(r.URL.RawQuery)
	if refusal != nil {
		return refusal
	}
	next, err := s.Authorization.Resume(r.Context(), r.caller, b, oidc.InteractionID(query.Get("interaction")))
	if err != nil {
		return s.answered(w, r, next, err)
	}
	if next.Response == nil && query.Get("switch") != "" && r.URL.Path == s.path("/login") {
		next.Step, next.Interaction.Switch = oidc.Login, true
	}
	if next.Response != nil || s.path(stepPaths[next.Step]) != r.URL.Path {
		s.goOn(w, r, next)
		return nil
	}
	s.showStep(w, r, b, next)
	return nil
}

// answered leads on whoever sent a form twice, as a double click does: the browser has given up the first answer, which
// held the way back to the application. Nothing is issued until the person goes on.
func (s *server) answered(w http.ResponseWriter, r *request, next ports.Next, err error) error {
	if !errors.Is(err, ports.ErrInteractionOver) || next.Interaction.ID == "" || !wantsPage(r.Request) {
		return err
	}
	again := url.Values{}
	for name, value := range next.Interaction.Parameters {
		again.Set(name, value)
	}
	return s.show(w, r, http.StatusBadRequest,
		page.Done{Message: page.MsgAnswered, LinkURL: s.path(Paths.Authorization) + "?" + again.Encode(), LinkText: page.MsgLinkGoOn})
}

// showStep renders the page of a step.
func (s *server) showStep(w http.ResponseWriter, r *request, b ports.Browser, next ports.Next) {
	code := http.StatusOK
	var body page.Body
	f := s.frame(r)
	if f.Path == "" { // the answer to a form: the language links lead to its page
		f.Path = s.path(stepPaths[next.Step]) + s.afterward(r)
		if next.Interaction.ID != "" {
			f.Path = s.stepURL(next.Step, next.Interaction.ID)
		}
	}
	if next.Client.LogoURI != "" {
		f.Images = []string{next.Client.LogoURI}
	}
	switch next.Step {
	case oidc.Login:
		login := page.Login{}
		if code, login = s.loginPage(b, next); login.App == nil {
			_, login.Administration = s.nextPage(r)
			login.Action += s.afterward(r)
		}
		body = login
	case oidc.SelectAccount:
		body = s.selectAccountPage(b, next)
	case oidc.Consent:
		body = s.consentPage(b, next)
	}
	setRetryAfter(w, next.Login)
	s.pages.Render(w, code, f, body)
}

// card shows a client as people should see it; its host is that of the validated redirect URI.
func card(next ports.Next) page.App {
	c := next.Client
	app := page.App{Name: c.DisplayName(), LogoURL: c.LogoURI, PolicyURL: c.PolicyURI, TermsURL: c.TOSURI, HomeURL: c.ClientURI}
	app.Host = hostOf(next.Request.URI())
	return app
}

// hostOf is what people should see of a redirect URI: its host, or the scheme of a native application.
func hostOf(uri string) string {
	u, err := url.Parse(uri)
	switch {
	case err != nil:
		return ""
	case u.Host == "":
		return u.Scheme + ":"
	}
	return u.Host
}
