package web

import (
	"errors"
	"net/http"
	"net/url"

	"latchkey/adapters/web/page"
	"latchkey/adapters/web/read"
	"latchkey/domain/identity"
	"latchkey/domain/oauth"
	"latchkey/ports"
)

// own is a handler that needs somebody signed in: nobody is sent to sign in and then to their account.
func (s *server) own(h handler) handler {
	return func(w http.ResponseWriter, r *request) error {
		err := h(w, r)
		if errors.Is(err, ports.ErrSignedOut) {
			to := s.onward(r)
			if to == "" {
				to = toAccount
			}
			redirect(w, s.path("/login")+to)
			return nil
		}
		return err
	}
}

// backToAccount answers the address of a form that is opened like a page.
func (s *server) backToAccount(w http.ResponseWriter, r *request) error {
	redirect(w, s.path("/account"))
	return nil
}

// toPassword is where password managers send people (W3C, A Well-Known URL for Changing Passwords).
func (s *server) toPassword(w http.ResponseWriter, r *request) error {
	redirect(w, s.path("/account/password"))
	return nil
}

// accountForm is one of the forms of the account.
type accountForm struct {
	name   string   // in its CSRF token
	path   string   // where it goes
	fields []string // what a confirmation has to bring again
}

var (
	passwordForm   = accountForm{name: "password", path: "/account/password"}
	emailForm      = accountForm{name: "email", path: "/account/email", fields: []string{"email"}}
	sessionForm    = accountForm{name: "end-session", path: "/account/sessions", fields: []string{"session", "others"}}
	disconnectForm = accountForm{name: "disconnect", path: "/account/applications", fields: []string{"grant"}}
)

// accountDone is what the account page says after a form, by the word in its address.
var accountDone = map[string]page.Message{"password": page.MsgPasswordChanged, "email": page.MsgEmailChanged, "session": page.MsgSessionEnded,
	"sessions": page.MsgSessionsEnded, "application": page.MsgDisconnected,
	"passkey": page.MsgPasskeyAdded, "factor": page.MsgFactorAdded, "recovery": page.MsgRecoveryMade, "renamed": page.MsgFactorRenamed, "removed": page.MsgFactorRemoved}

// accountToken is the CSRF token of a form, which relies on who it was shown to. It is not about a session or a grant: one
// that belongs to somebody else is for the use case to refuse and to record.
func (s *server) accountToken(b ports.Browser, which accountForm, user identity.User) string {
	return s.csrfToken(b, which.name, "", string(user.ID))
}

// showAccount shows users their account.
func (s *server) showAccount(w http.ResponseWriter, r *request) error {
	b := s.browser(r)
	a, err := s.Account.Account(r.Context(), b)
	if err != nil {
		return err
	}
	s.giveKey(w, &b)
	return s.show(w, r, http.StatusOK, s.accountPage(b, a, accountDone[r.URL.Query().Get("done")]))
}

func (s *server) accountPage(b ports.Browser, a ports.Account, done page.Message) page.Account {
	user, zone := a.User, a.User.Claims.Zoneinfo
	p := page.Account{Passkeys: s.Passkeys.OffersPasskeys(), Name: user.DisplayName(), Username: user.Username,
		Email: user.Email, EmailVerified: user.EmailVerified, Groups: user.Groups,
		PasswordChanged: page.MomentOf(user.PasswordChangedAt, zone), Done: done,
		SessionsCSRF:     s.accountToken(b, sessionForm, user),
		ApplicationsCSRF: s.accountToken(b, disconnectForm, user), LogoutCSRF: s.csrfToken(b, "logout", "", "")}
	p.RecoveryLeft, p.RecoveryCSRF = len(a.Recovery.Digests), s.accountToken(b, recoveryForm, user)
	for _, f := range a.Factors {
		p.Factors = append(p.Factors, s.factorCard(f, user))
	}
	for _, x := range a.Sessions {
		c := page.SessionCard{ID: string(x.Session.ID), Device: page.DeviceOf(x.Session.UserAgent), IP: x.Session.IP,
			SignedIn: page.MomentOf(x.Session.AuthTime, zone), LastSeen: page.MomentOf(x.Session.LastSeenAt, zone), Current: x.Session.ID == a.Session.ID}
		if x.Session.CreatedAt.Before(x.Session.AuthTime) {
			c.FirstSeen = page.MomentOf(x.Session.CreatedAt, zone)
		}
		for _, client := range x.Clients {
			c.Applications = append(c.Applications, client.DisplayName())
		}
		p.Sessions = append(p.Sessions, c)
	}
	for _, x := range a.Applications {
		p.Applications = append(p.Applications, s.applicationCard(x, user))
	}
	return p
}

// showPassword shows the form for a new password.
func (s *server) showPassword(w http.ResponseWriter, r *request) error {
	b, user, err := s.owner(w, r)
	if err != nil {
		return err
	}
	return s.show(w, r, http.StatusOK, s.passwordPage(b, user, page.ProblemSet{}))
}

func (s *server) passwordPage(b ports.Browser, user identity.User, problems page.ProblemSet) page.Password {
	return page.Password{Action: s.path(passwordForm.path), CSRF: s.accountToken(b, passwordForm, user), Username: user.Username,
		ProblemSet: problems}
}

// changePassword answers the form for a new password.
func (s *server) changePassword(w http.ResponseWriter, r *request) error {
	b := s.browser(r)
	f, proof, err := s.readAccountForm(r, b, passwordForm)
	if err != nil {
		return err
	}
	show := func(user identity.User, problems page.ProblemSet) page.Body { return s.passwordPage(b, user, problems) }
	change, err := s.Account.ChangePassword(r.Context(), r.caller, b, ports.PasswordForm{AccountProof: proof, New: f.Get("password"), Again: f.Get("password_again")})
	return s.changed(w, r, change, err, "password", show)
}

// showEmail shows the form for another e-mail address.
func (s *server) showEmail(w http.ResponseWriter, r *request) error {
	b, user, err := s.owner(w, r)
	if err != nil {
		return err
	}
	return s.show(w, r, http.StatusOK, s.emailPage(b, user, user.Email, page.ProblemSet{}))
}

func (s *server) emailPage(b ports.Browser, user identity.User, email string, problems page.ProblemSet) page.Email {
	return page.Email{Action: s.path(emailForm.path), CSRF: s.accountToken(b, emailForm, user), Email: email, ProblemSet: problems}
}

// changeEmail answers the form for another e-mail address. Whatever else was sent with it is ignored (UI-06, AD-06).
func (s *server) changeEmail(w http.ResponseWriter, r *request) error {
	b := s.browser(r)
	f, proof, err := s.readAccountForm(r, b, emailForm)
	if err != nil {
		return err
	}
	email := f.Get("email")
	change, err := s.Account.ChangeEmail(r.Context(), r.caller, b, ports.EmailForm{AccountProof: proof, Email: email})
	return s.changed(w, r, change, err, "email", func(user identity.User, problems page.ProblemSet) page.Body {
		if problems.NoteOf("email") != nil {
			return s.emailPage(b, user, email, problems)
		}
		return s.confirmPage(b, emailForm, f, user, page.MsgConfirmEmail, problems)
	})
}

// endSession signs out one other browser, or all others.
func (s *server) endSession(w http.ResponseWriter, r *request) error {
	b := s.browser(r)
	f, proof, err := s.readAccountForm(r, b, sessionForm)
	if err != nil {
		return err
	}
	form := ports.SessionForm{AccountProof: proof, Session: identity.SessionID(f.Get("session")), Others: f.Get("others") == "true"}
	done, question := "session", page.MsgConfirmSession
	if form.Others {
		done, question = "sessions", page.MsgConfirmSessions
	}
	change, err := s.Account.EndSession(r.Context(), r.caller, b, form)
	return s.changed(w, r, change, err, done, func(user identity.User, problems page.ProblemSet) page.Body {
		return s.confirmPage(b, sessionForm, f, user, question, problems)
	})
}

// disconnect takes back what an application was allowed.
func (s *server) disconnect(w http.ResponseWriter, r *request) error {
	b := s.browser(r)
	f, proof, err := s.readAccountForm(r, b, disconnectForm)
	if err != nil {
		return err
	}
	change, err := s.Account.Disconnect(r.Context(), r.caller, b, ports.DisconnectForm{AccountProof: proof, Grant: oauth.GrantID(f.Get("grant"))})
	return s.changed(w, r, change, err, "application", func(user identity.User, problems page.ProblemSet) page.Body {
		return s.confirmPage(b, disconnectForm, f, user, page.MsgConfirmDisconnect, problems)
	})
}

// readAccountForm reads a form of the account, and from its token who it was shown to.
func (s *server) readAccountForm(r *request, b ports.Browser, which accountForm) (read.Form, ports.AccountProof, error) {
	f, user, err := s.readOwnForm(r, b, which.name, "")
	return f, ports.AccountProof{User: identity.UserID(user), Current: f.Get("current")}, err
}

// owner is who is signed in, for a page that is about them.
func (s *server) owner(w http.ResponseWriter, r *request) (ports.Browser, identity.User, error) {
	b := s.browser(r)
	_, user, err := s.Sessions.Current(r.Context(), b)
	if err == nil && user.ID == "" {
		err = ports.ErrSignedOut
	}
	if err == nil && s.ensureKey(&b) {
		s.keepKey(w, b)
	}
	return b, user, err
}

var errOtherUser = &httpError{http.StatusConflict, page.MsgWrongAccount, oauth.Refuse(oauth.InvalidRequest, "another user is signed in than the form was made for")}

// changed answers a form of the account: with the account page when it was done, with the page that show returns when
// there is something to say. A form sent twice meets the same answer, or the login page when its cookie was replaced.
func (s *server) changed(w http.ResponseWriter, r *request, change ports.AccountChange, err error, done string,
	show func(identity.User, page.ProblemSet) page.Body) error {
	if err != nil {
		return err
	}
	s.signedIn(w, ports.Login{Cookie: change.Cookie})
	code := http.StatusOK
	for _, p := range change.Problems {
		switch {
		case errors.Is(p, ports.ErrNotFound):
			return errNotFound
		case errors.Is(p, ports.ErrOtherUser):
			return errOtherUser
		case errors.Is(p, ports.ErrFactorNeeded): // the session is raised first
			redirect(w, s.path(factorPath)+toAccount)
			return nil
		case errors.Is(p, ports.ErrLocked):
			code = http.StatusTooManyRequests
		case errors.Is(p, ports.ErrBusy):
			code = http.StatusServiceUnavailable
		}
	}
	if len(change.Problems) == 0 {
		redirect(w, s.path("/account")+"?done="+url.QueryEscape(done))
		return nil
	}
	setRetryAfter(w, ports.Login{RetryAfter: change.RetryAfter})
	return s.again(w, r, code, page.ProblemSet{Problems: formMessages(change.Problems), RetryMinutes: minutes(change.RetryAfter)}, show)
}

// again shows a page with what was wrong with its form.
func (s *server) again(w http.ResponseWriter, r *request, code int, problems page.ProblemSet, show func(identity.User, page.ProblemSet) page.Body) error {
	_, user, err := s.owner(w, r)
	if err != nil {
		return err
	}
	return s.show(w, r, code, show(user, problems))
}

// confirmPage asks for the current password before a form is carried out. The first time nothing is wrong: the person
// was only not asked yet.
func (s *server) confirmPage(b ports.Browser, which accountForm, f read.Form, user identity.User, question page.Message, problems page.ProblemSet) page.Confirm {
	if len(f.Values["current"]) == 0 {
		problems = page.ProblemSet{}
	}
	p := page.Confirm{Message: question, Action: s.path(which.path), CSRF: s.accountToken(b, which, user),
		Username: user.Username, ProblemSet: problems}
	for _, name := range which.fields {
		if value := f.Get(name); value != "" {
			p.Fields = append(p.Fields, page.HiddenField{Name: name, Value: value})
		}
	}
	return p
}
