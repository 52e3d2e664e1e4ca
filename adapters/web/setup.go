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

var errSetupLink = &httpError{http.StatusBadRequest, page.MsgSetupLinkInvalid,
	oauth.Refuse(oauth.InvalidRequest, "this set-up link was used, has expired or never existed")}

// showSetup shows the form that a set-up link leads to.
func (s *server) showSetup(w http.ResponseWriter, r *request) error {
	query, refusal := read.Query(r.URL.RawQuery)
	if refusal != nil {
		return refusal
	}
	link := oauth.Secret(query.Get("token"))
	ok, err := s.Setup.Offered(r.Context(), r.caller, link)
	if err != nil {
		return err
	}
	if !ok {
		return errSetupLink
	}
	b := s.browser(r)
	s.giveKey(w, &b)
	return s.show(w, r, http.StatusOK, s.setupPage(b, ports.SetupForm{Link: link}, nil))
}

// setup makes an administrator.
func (s *server) setup(w http.ResponseWriter, r *request) error {
	b := s.browser(r)
	f, _, err := s.readOwnForm(r, b, "setup", "token")
	if err != nil {
		return err
	}
	typed := ports.SetupForm{Link: oauth.Secret(f.Get("token")), Username: f.Get("username"), Email: f.Get("email"),
		Password: f.Get("password"), Again: f.Get("password_again")}
	user, problems, err := s.Setup.Complete(r.Context(), r.caller, typed)
	if errors.Is(err, ports.ErrNotFound) {
		return errSetupLink
	}
	if err != nil {
		return err
	}
	if len(problems) > 0 {
		return s.show(w, r, http.StatusOK, s.setupPage(b, typed, formMessages(problems)))
	}
	return s.show(w, r, http.StatusOK,
		page.Done{Message: page.MsgAdministratorCreated, Args: []any{user.Username}, LinkURL: s.path("/login"), LinkText: page.MsgLinkSignIn})
}

func (s *server) setupPage(b ports.Browser, typed ports.SetupForm, problems []page.Message) page.Setup {
	token := typed.Link.Reveal()
	return page.Setup{Action: s.path("/setup"), Token: token, CSRF: s.csrfToken(b, "setup", token, ""),
		Username: typed.Username, Email: typed.Email, Issuer: s.Issuer, ProblemSet: page.ProblemSet{Problems: problems}}
}

// formMessages finds the words for why a form was not accepted.
func formMessages(problems []error) []page.Message {
	var ids []page.Message
	for _, p := range problems {
		for _, known := range []struct {
			err error
			id  page.Message
		}{
			{identity.ErrUsername, page.MsgUsernameInvalid}, {ports.ErrUsernameTaken, page.MsgUsernameTaken}, {identity.ErrEmail, page.MsgEmailInvalid},
			{identity.ErrPasswordShort, page.MsgPasswordShort}, {identity.ErrPasswordLong, page.MsgPasswordLong},
			{ports.ErrPasswordsDiffer, page.MsgPasswordMismatch}, {identity.ErrPasswordNUL, page.MsgPasswordInvalid}, {identity.ErrPasswordCommon, page.MsgPasswordCommon},
			{ports.ErrPasswordNeeded, page.MsgCurrentNeeded}, {ports.ErrPasswordWrong, page.MsgCurrentWrong},
			{ports.ErrLocked, page.MsgTooManyAttempts}, {ports.ErrBusy, page.MsgServerBusy}, {ports.ErrCodeWrong, page.MsgCodeWrong},
			{ports.ErrPasskeyOver, page.MsgPasskeyOver}, {ports.ErrPasskeyRefused, page.MsgPasskeyRefused}, {ports.ErrPasskeyKnown, page.MsgPasskeyKnown},
			{ports.ErrPasskeyMany, page.MsgPasskeyMany},
		} {
			if errors.Is(p, known.err) {
				ids = append(ids, known.id)
			}
		}
	}
	return ids
}
