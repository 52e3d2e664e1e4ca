package web

import (
	"errors"
	"net/http"

	"latchkey/domain/identity"
	"latchkey/domain/oauth"
	"latchkey/ports"
)

var errSetupLink = &httpError{http.StatusBadRequest, msgSetupLinkInvalid, oauth.Refuse(oauth.InvalidRequest, "this set-up link was used, has expired or never existed")}

// showSetup shows the form that a set-up link leads to.
func (s *server) showSetup(w http.ResponseWriter, r *request) error {
	query, refusal := parseForm(r.URL.RawQuery)
	if refusal != nil {
		return refusal
	}
	link := oauth.Secret(query.get("token"))
	ok, err := s.Setup.Offered(r.Context(), r.caller, link)
	if err != nil {
		return err
	}
	if !ok {
		return errSetupLink
	}
	b := s.browser(r)
	if s.ensureKey(&b) {
		s.keepKey(w, b)
	}
	s.pages.render(w, http.StatusOK, s.frame(r), s.setupPage(b, ports.SetupForm{Link: link}, nil))
	return nil
}

// setup makes an administrator.
func (s *server) setup(w http.ResponseWriter, r *request) error {
	b := s.browser(r)
	f, _, err := s.readOwnForm(r, b, "setup", "token")
	if err != nil {
		return err
	}
	typed := ports.SetupForm{Link: oauth.Secret(f.get("token")), Username: f.get("username"), Email: f.get("email"),
		Password: f.get("password"), Again: f.get("password_again")}
	user, problems, err := s.Setup.Complete(r.Context(), r.caller, typed)
	if errors.Is(err, ports.ErrNotFound) {
		return errSetupLink
	}
	if err != nil {
		return err
	}
	if len(problems) > 0 {
		s.pages.render(w, http.StatusOK, s.frame(r), s.setupPage(b, typed, formMessages(problems)))
		return nil
	}
	s.pages.render(w, http.StatusOK, s.frame(r),
		donePage{Message: msgAdministratorCreated, Args: []any{user.Username}, LinkURL: s.path("/login"), LinkText: msgLinkSignIn})
	return nil
}

func (s *server) setupPage(b ports.Browser, typed ports.SetupForm, problems []messageID) setupPage {
	token := typed.Link.Reveal()
	return setupPage{Action: s.path("/setup"), Token: token, CSRF: s.csrfToken(b, "setup", token, ""),
		Username: typed.Username, Email: typed.Email, Issuer: s.Issuer, problemSet: problemSet{Problems: problems}}
}

// formMessages finds the words for why a form was not accepted.
func formMessages(problems []error) []messageID {
	var ids []messageID
	for _, p := range problems {
		for _, known := range []struct {
			err error
			id  messageID
		}{
			{identity.ErrUsername, msgUsernameInvalid}, {ports.ErrUsernameTaken, msgUsernameTaken}, {identity.ErrEmail, msgEmailInvalid},
			{identity.ErrPasswordShort, msgPasswordShort}, {identity.ErrPasswordLong, msgPasswordLong},
			{ports.ErrPasswordsDiffer, msgPasswordMismatch}, {identity.ErrPasswordNUL, msgPasswordInvalid}, {identity.ErrPasswordCommon, msgPasswordCommon},
			{ports.ErrPasswordNeeded, msgCurrentNeeded}, {ports.ErrPasswordWrong, msgCurrentWrong},
			{ports.ErrLocked, msgTooManyAttempts}, {ports.ErrBusy, msgServerBusy}, {ports.ErrCodeWrong, msgCodeWrong},
			{ports.ErrPasskeyOver, msgPasskeyOver}, {ports.ErrPasskeyRefused, msgPasskeyRefused}, {ports.ErrPasskeyKnown, msgPasskeyKnown},
			{ports.ErrPasskeyMany, msgPasskeyMany},
		} {
			if errors.Is(p, known.err) {
				ids = append(ids, known.id)
			}
		}
	}
	return ids
}
