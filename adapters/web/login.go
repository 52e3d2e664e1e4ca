package web

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"latchkey/adapters/web/page"
	"latchkey/domain/identity"
	"latchkey/domain/oauth"
	"latchkey/domain/oidc"
	"latchkey/ports"
)

// showLogin shows the login page: of an interaction, or to sign in to the provider itself.
func (s *server) showLogin(w http.ResponseWriter, r *request) error {
	if waits, err := s.waitsForFactor(r, s.browser(r)); err != nil {
		return err
	} else if waits {
		redirect(w, s.path(factorPath)+s.onward(r))
		return nil
	}
	if r.URL.Query().Get("interaction") != "" {
		return s.showInteraction(w, r)
	}
	b := s.browser(r)
	session, user, err := s.Sessions.Current(r.Context(), b)
	if err != nil {
		return err
	}
	if next, administration := s.nextPage(r); user.ID != "" && !stepUp(administration, session, user, s.Now) {
		redirect(w, next)
		return nil
	}
	s.giveKey(w, &b)
	s.showStep(w, r, b, ports.Next{Step: oidc.Login})
	return nil
}

// login answers the login page.
func (s *server) login(w http.ResponseWriter, r *request) error {
	b := s.browser(r)
	f, _, err := s.readOwnForm(r, b, "login", "interaction")
	if err != nil {
		return err
	}
	typed := ports.LoginForm{Username: f.Get("username"), Password: f.Get("password")}
	var refusal *oauth.Error
	if typed.Passkey, refusal = passkeyOf(f, b); refusal != nil {
		return refusal
	}
	id := oidc.InteractionID(f.Get("interaction"))
	var next ports.Next
	if id == "" {
		next.Step = oidc.Login
		next.Login, err = s.Sessions.SignIn(r.Context(), r.caller, b, typed)
	} else {
		next, err = s.Authorization.Login(r.Context(), r.caller, b, id, typed)
	}
	if err != nil {
		return s.answered(w, r, next, err)
	}
	s.signedIn(w, next.Login)
	switch {
	case next.Login.Problem != "":
		s.Metrics.Refused(r.route.endpoint, "login_"+oauth.ErrorCode(next.Login.Problem))
		next.Request.LoginHint = typed.Username
		s.showStep(w, r, b, next)
	case next.Login.Challenge != "":
		s.keepChallenge(w, next.Login.Challenge)
		if id == "" {
			redirect(w, s.path(factorPath)+s.afterward(r))
			return nil
		}
		s.goOn(w, r, next)
	case id == "":
		redirect(w, s.afterLogin(r))
	default:
		s.goOn(w, r, next)
	}
	return nil
}

// toAccount, on the login page, leads on to the account page once somebody is signed in. It is one word and not an
// address; see nextPage for the addresses there are.
const toAccount = "?next=account"

// afterLogin is where signing in to the provider itself leads, and afterward what brings that along to the login page.
func (s *server) afterLogin(r *request) string {
	next, _ := s.nextPage(r)
	return next
}

func (s *server) afterward(r *request) string {
	switch next, administration := s.nextPage(r); {
	case administration:
		return "?next=" + url.QueryEscape(next)
	case next == s.path("/account"):
		return toAccount
	}
	return ""
}

// problems says how each outcome of a login form is shown. A failed sign-in is an ordinary page: password managers and
// people go on from it.
var problems = map[ports.LoginProblem]struct {
	status  int
	message page.Message
}{
	"":                {http.StatusOK, ""},
	ports.LoginFailed: {http.StatusOK, page.MsgLoginFailed},
	ports.LoginLocked: {http.StatusTooManyRequests, page.MsgTooManyAttempts},
	ports.LoginBusy:   {http.StatusServiceUnavailable, page.MsgServerBusy},

	ports.PasskeyFailed:     {http.StatusOK, page.MsgPasskeyFailed},
	ports.PasskeyOver:       {http.StatusOK, page.MsgPasskeyOver},
	ports.PasskeyUnverified: {http.StatusOK, page.MsgPasskeyUnverified},

	ports.FactorFailed: {http.StatusOK, page.MsgCodeWrong},
	ports.FactorOver:   {http.StatusOK, page.MsgFactorOver},
}

func (s *server) loginPage(b ports.Browser, next ports.Next) (int, page.Login) {
	id, shown := string(next.Interaction.ID), problems[next.Login.Problem]
	p := page.Login{
		Action:       s.path("/login"),
		Interaction:  id,
		CSRF:         s.csrfToken(b, "login", id, ""),
		Username:     next.Request.LoginHint,
		Problem:      shown.message,
		RetryMinutes: minutes(next.Login.RetryAfter),
		Reauth:       next.User.ID != "" && next.Wanted.ID == "" && !next.Interaction.Switch,
	}
	if p.Passkey = s.passkeyButtonAt("/login/passkey", page.MsgUsePasskey); p.Passkey != nil {
		// One that was just refused is not offered again unasked: a device that needs no touch would send it for ever.
		p.Passkey.Autofill = !strings.HasPrefix(string(next.Login.Problem), "passkey_")
	}
	if len(p.Username) > identity.MaxEmail {
		p.Username = ""
	}
	if id != "" {
		app := card(next)
		p.App = &app
	}
	if next.User.ID != "" && next.Wanted.ID != "" && next.User.ID != next.Wanted.ID {
		p.SignedInAs, p.WantedAccount = next.User.Username, next.Wanted.Username
	}
	if p.Username == "" {
		p.Username = next.Wanted.Username
	}
	return shown.status, p
}

// minutes rounds up, so that nobody comes back too early.
func minutes(d time.Duration) int { return int((d + time.Minute - 1) / time.Minute) }

func setRetryAfter(w http.ResponseWriter, login ports.Login) {
	if login.RetryAfter > 0 {
		w.Header().Set("Retry-After", seconds(login.RetryAfter))
	}
}

// signOut ends the session of the browser.
func (s *server) signOut(w http.ResponseWriter, r *request) error {
	b := s.browser(r)
	if _, _, err := s.readOwnForm(r, b, "logout", ""); err != nil {
		return err
	}
	ended, err := s.Sessions.SignOut(r.Context(), r.caller, b)
	if err != nil {
		return err
	}
	s.setCookie(w, cookieSession, "", 0)
	return s.farewell(w, r, ended, ports.Logout{})
}

// home says what this server is and who is signed in.
func (s *server) home(w http.ResponseWriter, r *request) error {
	b := s.browser(r)
	_, user, err := s.Sessions.Current(r.Context(), b)
	if err != nil {
		return err
	}
	if s.ensureKey(&b) && user.ID != "" {
		s.keepKey(w, b)
	}
	home := page.Home{Issuer: s.Issuer, DiscoveryURL: s.Issuer + "/.well-known/openid-configuration", SignedIn: user.ID != "",
		CSRF: s.csrfToken(b, "logout", "", ""), Demo: s.Demo}
	if home.SignedIn {
		home.Account = account(user)
		home.Admin = user.Admin
	}
	return s.show(w, r, http.StatusOK, home)
}
