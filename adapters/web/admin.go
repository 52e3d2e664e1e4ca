package web

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"latchkey/adapters/web/page"
	"latchkey/adapters/web/read"
	"latchkey/domain/identity"
	"latchkey/domain/oauth"
	"latchkey/domain/oidc"
	"latchkey/ports"
)

// adminPath is where administration begins. Whatever lies below it is closed to everybody else, see guarded: the table of
// routes applies it, so that a new page cannot be forgotten (AD-03).
const adminPath = "/admin"

// underAdmin reports whether a path of ours belongs to administration.
func underAdmin(path string) bool { return path == adminPath || strings.HasPrefix(path, adminPath+"/") }

// guarded lets only administrators who signed in lately, and with a second factor, reach the handlers of a route.
func (s *server) guarded(r route) route {
	handlers := make(map[string]handler, len(r.methods))
	for method, h := range r.methods {
		handlers[method] = s.administer(h)
	}
	r.methods = handlers
	return r
}

func (s *server) administer(h handler) handler {
	return func(w http.ResponseWriter, r *request) error {
		_, err := s.Administrators.Administrator(r.Context(), r.caller, s.browser(r))
		var refusal *oauth.Error
		switch {
		case errors.Is(err, ports.ErrSignedOut), errors.Is(err, ports.ErrStepUp):
			redirect(w, s.path("/login")+"?next="+url.QueryEscape(r.URL.RequestURI()))
			return nil
		case errors.Is(err, ports.ErrFactorNeeded):
			redirect(w, s.path(factorPath)+"?next="+url.QueryEscape(r.URL.RequestURI()))
			return nil
		case errors.Is(err, ports.ErrNoFactor):
			redirect(w, s.path(totpPath)+"?next="+url.QueryEscape(r.URL.RequestURI()))
			return nil
		case errors.As(err, &refusal) && refusal.Code == oauth.Forbidden:
			return &httpError{http.StatusForbidden, page.MsgAdminOnly, refusal}
		case err != nil:
			return err
		}
		return h(w, r)
	}
}

// nextPage is where signing in leads, from the parameter next of the login page: the word account, or a page of
// administration. An address is looked up in the table of routes and its query is written anew, so that whatever somebody
// puts into a link, it never leads off this server.
func (s *server) nextPage(r *request) (to string, administration bool) {
	f, refusal := read.Query(r.URL.RawQuery)
	if refusal != nil {
		return s.path("/"), false
	}
	next := f.Get("next")
	if next == "account" {
		return s.path("/account"), false
	}
	path, query, asked := strings.Cut(next, "?")
	local, found := strings.CutPrefix(path, s.base)
	if _, ok := s.routes[path]; !found || !ok || !underAdmin(local) {
		return s.path("/"), false
	}
	if q, refusal := read.Query(query); asked && refusal == nil && len(q.Values) > 0 {
		path += "?" + url.Values(q.Values).Encode()
	}
	return path, true
}

// stepUp reports whether who is signed in has to sign in again for the page they are on their way to.
func stepUp(administration bool, session identity.Session, user identity.User, now ports.Clock) bool {
	return administration && user.Admin && !session.Administers(now())
}

// showAdmin is the first page of administration.
func (s *server) showAdmin(w http.ResponseWriter, r *request) error {
	refusals, err := s.Explainer.Refusals(r.Context(), "", 25, string(r.locale))
	if err != nil {
		return err
	}
	return s.show(w, r, http.StatusOK, page.Admin{Refusals: s.refusalCards(refusals)})
}

// refusalCards are refusals as pages show them.
func (s *server) refusalCards(refusals []ports.Refusal) []page.RefusalCard {
	cards := make([]page.RefusalCard, len(refusals))
	for i, x := range refusals {
		cards[i] = page.RefusalCard{Ref: x.Ref, When: page.MomentOf(x.When, ""), Client: x.Client, Code: x.Code, Summary: x.Summary, URL: s.explainURL(x.Ref)}
	}
	return cards
}

func (s *server) refusalsURL(client string) string {
	return s.path(adminPath+"/explain") + "?client_id=" + url.QueryEscape(client)
}

func (s *server) explainURL(ref string) string {
	return s.path(adminPath+"/explain") + "?ref=" + url.QueryEscape(ref)
}

// whoAdministers returns whether an administrator looks at an error page, and whether they signed in lately enough to be
// shown more than a link. The page of an error must not fail for it.
func (s *server) whoAdministers(r *request) (admin, lately bool) {
	b := s.browser(r)
	if b.Session == "" {
		return false, false
	}
	session, user, err := s.Sessions.Current(r.Context(), b)
	admin = err == nil && user.Admin
	return admin, admin && session.ACR == oidc.ACRMultiFactor && session.Administers(s.Now())
}

// unrecorded are the messages of errors that are not on record: faults are in the log, and of the others the page itself says
// all there is.
var unrecorded = []page.Message{page.MsgServerFault, page.MsgUnavailable, page.MsgServerBusy, page.MsgNotFound, page.MsgMethodNotAllowed,
	page.MsgExpired, page.MsgWrongAccount}
