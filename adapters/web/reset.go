package web

import (
	"errors"
	"net/http"

	"latchkey/adapters/web/page"
	"latchkey/adapters/web/read"
	"latchkey/domain/identity"
	"latchkey/domain/oauth"
	"latchkey/ports"
)

// errResetLink is one answer for a link that was used, replaced, has expired or never existed.
var errResetLink = &httpError{http.StatusBadRequest, page.MsgResetLinkInvalid,
	oauth.Refuse(oauth.InvalidRequest, "this link was used already, was replaced or has expired")}

// showReset shows the form that a reset link leads to.
func (s *server) showReset(w http.ResponseWriter, r *request) error {
	query, refusal := read.Query(r.URL.RawQuery)
	if refusal != nil {
		return refusal
	}
	link := oauth.Secret(query.Get("token"))
	user, err := s.Reset.ResetOffered(r.Context(), r.caller, link)
	if errors.Is(err, ports.ErrNotFound) {
		return errResetLink
	}
	if err != nil {
		return err
	}
	b := s.browser(r)
	s.giveKey(w, &b)
	return s.show(w, r, http.StatusOK, s.resetPage(b, link, user, nil))
}

// reset sets the new password. Nobody is signed in by it: what opened the page was a link, and whoever goes on proves at
// the login page that they know the new password.
func (s *server) reset(w http.ResponseWriter, r *request) error {
	b := s.browser(r)
	f, _, err := s.readOwnForm(r, b, "reset", "token")
	if err != nil {
		return err
	}
	typed := ports.ResetForm{Link: oauth.Secret(f.Get("token")), Password: f.Get("password"), Again: f.Get("password_again")}
	problems, err := s.Reset.ResetPassword(r.Context(), r.caller, typed)
	var user identity.User
	if err == nil && len(problems) > 0 {
		user, err = s.Reset.ResetOffered(r.Context(), r.caller, typed.Link) // whose form it is
	}
	if errors.Is(err, ports.ErrNotFound) {
		return errResetLink
	}
	if err != nil {
		return err
	}
	if len(problems) > 0 {
		return s.show(w, r, http.StatusOK, s.resetPage(b, typed.Link, user, formMessages(problems)))
	}
	return s.show(w, r, http.StatusOK, page.Done{Message: page.MsgPasswordReset, LinkURL: s.path("/login"), LinkText: page.MsgLinkSignIn})
}

func (s *server) resetPage(b ports.Browser, link oauth.Secret, user identity.User, problems []page.Message) page.Reset {
	token := link.Reveal()
	return page.Reset{Action: s.path("/reset"), Token: token, CSRF: s.csrfToken(b, "reset", token, ""), Username: user.Username,
		ProblemSet: page.ProblemSet{Problems: problems}}
}
