package web

import (
	"errors"
	"net/http"
	"net/url"

	"latchkey/adapters/web/page"
	"latchkey/adapters/web/read"
	"latchkey/domain/identity"
	"latchkey/domain/oauth"
	"latchkey/domain/oidc"
	"latchkey/ports"
)

const (
	factorPath = "/second-factor"
	totpPath   = "/account/totp"
)

// onward is the query that brings along where a page of the second factor leads: an interaction, or a page of ours.
func (s *server) onward(r *request) string {
	if id := interactionOf(r); id != "" {
		return "?interaction=" + url.QueryEscape(string(id))
	}
	return s.afterward(r)
}

func interactionOf(r *request) oidc.InteractionID {
	f, refusal := read.Query(r.URL.RawQuery)
	if refusal != nil {
		return ""
	}
	return oidc.InteractionID(f.Get("interaction"))
}

// showFactor shows the page of the second factor. Without a challenge it is one that raises a session: whoever is signed in
// and has a factor gets a challenge for it, anybody else is led where they belong.
func (s *server) showFactor(w http.ResponseWriter, r *request) error {
	b := s.browser(r)
	c, err := s.Challenges.Challenge(r.Context(), b)
	if errors.Is(err, ports.ErrNoChallenge) {
		if c, err = s.raise(w, r, &b); errors.Is(err, ports.ErrNoChallenge) {
			return s.withoutChallenge(w, r)
		}
	}
	if err != nil {
		return err
	}
	s.giveKey(w, &b)
	f, _ := read.Query(r.URL.RawQuery)
	return s.show(w, r, http.StatusOK, s.factorPage(r, b, c, interactionOf(r), f.Get("recovery") != ""))
}

// raise begins a challenge for the session of the browser. On the way through an interaction it has to be what that waits
// for.
func (s *server) raise(w http.ResponseWriter, r *request, b *ports.Browser) (ports.Challenge, error) {
	if id := interactionOf(r); id != "" {
		next, err := s.Authorization.Resume(r.Context(), r.caller, *b, id)
		if err != nil || next.Response != nil || next.Step != oidc.SecondFactor {
			return ports.Challenge{}, ports.ErrNoChallenge
		}
	}
	secret, err := s.Challenges.RaiseSession(r.Context(), r.caller, *b)
	if err != nil {
		return ports.Challenge{}, err
	}
	b.Challenge = secret
	s.keepChallenge(w, secret)
	return s.Challenges.Challenge(r.Context(), *b)
}

// withoutChallenge leads on whoever has nothing to answer: to what the interaction waits for, or through the login page to
// where they were going.
func (s *server) withoutChallenge(w http.ResponseWriter, r *request) error {
	if interactionOf(r) != "" {
		return s.showInteraction(w, r)
	}
	redirect(w, s.path("/login")+s.afterward(r))
	return nil
}

func (s *server) factorPage(r *request, b ports.Browser, c ports.Challenge, id oidc.InteractionID, recovery bool) page.Factor {
	onward := s.afterward(r)
	if id != "" {
		onward = "?interaction=" + url.QueryEscape(string(id))
	}
	more := "?"
	if onward != "" {
		more = onward + "&"
	}
	p := page.Factor{Action: s.path(factorPath) + s.afterward(r), Interaction: string(id), CSRF: s.csrfToken(b, "second-factor", string(id), string(c.User.ID)),
		Account: account(c.User), OtherURL: s.path("/login") + more + "switch=1", Recovery: recovery, Late: c.Tries >= 2, URL: s.path(factorPath) + onward, App: c.App}
	if c.Passkey && !recovery {
		if p.Passkey = s.passkeyButtonAt(factorPath+"/passkey", page.MsgUsePasskey); p.Passkey != nil {
			p.Passkey.Main = !c.App
		}
	}
	switch {
	case recovery:
		p.SwapURL, p.URL = p.URL, s.path(factorPath)+more+"recovery=1"
	case c.Recovery:
		p.SwapURL = s.path(factorPath) + more + "recovery=1"
	}
	return p
}

// answerFactor answers the page of the second factor.
func (s *server) answerFactor(w http.ResponseWriter, r *request) error {
	b := s.browser(r)
	f, shown, err := s.readOwnForm(r, b, "second-factor", "interaction")
	if err != nil {
		return err
	}
	typed := ports.FactorForm{Code: f.Get("code"), Recovery: f.Get("recovery") != ""}
	var refusal *oauth.Error
	if typed.Passkey, refusal = passkeyOf(f, b); refusal != nil {
		return refusal
	}
	id := oidc.InteractionID(f.Get("interaction"))
	c, err := s.Challenges.Challenge(r.Context(), b)
	if err != nil && !errors.Is(err, ports.ErrNoChallenge) {
		return err
	}
	if err == nil && c.User.ID != identity.UserID(shown) {
		return errOtherUser // another tab began a sign-in since
	}
	var next ports.Next
	if id == "" {
		next.Step = oidc.SecondFactor
		next.Login, err = s.Challenges.AnswerChallenge(r.Context(), r.caller, b, typed)
	} else {
		next, err = s.Authorization.SecondFactor(r.Context(), r.caller, b, id, typed)
	}
	if err != nil {
		return s.answered(w, r, next, err)
	}
	problem := next.Login.Problem
	if problem != "" {
		s.Metrics.Refused(r.route.endpoint, "login_"+oauth.ErrorCode(problem))
	}
	switch {
	case problem == ports.FactorOver:
		s.dropChallenge(w, r)
		next.Step = oidc.Login
		s.showStep(w, r, b, next)
	case problem != "":
		c.Tries = max(c.Tries, next.Login.Tries)
		p := s.factorPage(r, b, c, id, typed.Recovery)
		p.Problem, p.RetryMinutes = problems[problem].message, minutes(next.Login.RetryAfter)
		if problem == ports.FactorFailed && p.Recovery {
			p.Problem = page.MsgRecoveryWrong
		}
		setRetryAfter(w, next.Login)
		frame := s.frame(r)
		frame.Path = p.URL
		s.pages.Render(w, problems[problem].status, frame, p)
	default:
		s.signedIn(w, next.Login)
		s.dropChallenge(w, r)
		if id == "" {
			redirect(w, s.afterLogin(r))
			return nil
		}
		s.goOn(w, r, next)
	}
	return nil
}

// keepChallenge gives the browser the cookie of its challenge, which ends with it.
func (s *server) keepChallenge(w http.ResponseWriter, secret oauth.Secret) {
	s.setCookie(w, cookieChallenge, secret.Reveal(), identity.ChallengeLifetime)
}

// dropChallenge takes the cookie of a challenge out of a browser that has one.
func (s *server) dropChallenge(w http.ResponseWriter, r *request) {
	if s.browser(r).Challenge != "" {
		s.setCookie(w, cookieChallenge, "", 0)
	}
}

// waitsForFactor reports whether the login page would ask again for a password that was right a moment ago, for the same
// purpose: a page that was reloaded, or opened in the middle of a sign-in, leads on to the second factor (MF-03).
func (s *server) waitsForFactor(r *request, b ports.Browser) (bool, error) {
	f, refusal := read.Query(r.URL.RawQuery)
	if b.Challenge == "" || refusal != nil || f.Get("switch") != "" {
		return false, nil
	}
	c, err := s.Challenges.Challenge(r.Context(), b)
	if errors.Is(err, ports.ErrNoChallenge) {
		return false, nil
	}
	return err == nil && c.Interaction == interactionOf(r), err
}
