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

// The forms with which users guard their account.
var (
	offerForm    = accountForm{name: "totp-offer", path: totpPath + "/new"}
	confirmForm  = accountForm{name: "totp-confirm", path: totpPath}
	removeForm   = accountForm{name: "factor-remove", path: "/account/factors/remove"}
	renameForm   = accountForm{name: "factor-rename", path: "/account/factors", fields: []string{"factor", "name"}}
	recoveryForm = accountForm{name: "recovery-codes", path: "/account/recovery-codes"}
	savedForm    = accountForm{name: "recovery-file", path: "/account/recovery-codes/file"}
)

// goal is where a page that adds a factor leads on to: the application that asked for it, the page of administration, or the
// account.
func (s *server) goal(r *request, done string) string {
	if id := interactionOf(r); id != "" {
		return s.stepURL(oidc.Login, id)
	}
	if next, administration := s.nextPage(r); administration {
		return next
	}
	return s.path("/account") + "?done=" + done
}

// showTOTP shows the seed that waits to be taken over by an app, or offers to make one.
func (s *server) showTOTP(w http.ResponseWriter, r *request) error {
	b, user, err := s.owner(w, r)
	if err != nil {
		return err
	}
	offer, err := s.Factors.OfferedTOTP(r.Context(), b)
	switch {
	case errors.Is(err, ports.ErrNotFound):
		return s.show(w, r, http.StatusOK, s.enrolPage(r, b, user, page.ProblemSet{}))
	case err != nil:
		return err
	}
	return s.renderTOTP(w, r, b, offer, "", page.ProblemSet{})
}

// enrolPage says what a second factor is. Asked for by an application or by administration, it says that too.
func (s *server) enrolPage(r *request, b ports.Browser, user identity.User, problems page.ProblemSet) page.Enrol {
	_, administration := s.nextPage(r)
	return page.Enrol{Action: s.path(offerForm.path) + s.onward(r), CSRF: s.accountToken(b, offerForm, user), Account: account(user),
		Asked: interactionOf(r) != "", Administration: administration, PasskeyURL: s.passkeysURL(r), ProblemSet: problems}
}

func (s *server) renderTOTP(w http.ResponseWriter, r *request, b ports.Browser, offer ports.TOTPOffer, name string, problems page.ProblemSet) error {
	onward := s.onward(r)
	p := page.TOTP{Action: s.path(confirmForm.path) + onward, Again: s.path(offerForm.path) + onward,
		CSRF: s.accountToken(b, confirmForm, offer.User), AgainCSRF: s.accountToken(b, offerForm, offer.User),
		Factor: string(offer.Factor), Account: account(offer.User), Secret: offer.Secret, Name: name, ProblemSet: problems}
	if err := p.Draw(offer.URI); err != nil {
		return err
	}
	f := s.frame(r)
	if f.Path == "" {
		f.Path = s.path(totpPath) + onward
	}
	s.pages.Render(w, http.StatusOK, f, p)
	return nil
}

// offerTOTP makes a new seed.
func (s *server) offerTOTP(w http.ResponseWriter, r *request) error {
	b := s.browser(r)
	f, proof, err := s.readAccountForm(r, b, offerForm)
	if err != nil {
		return err
	}
	change, err := s.Factors.OfferTOTP(r.Context(), r.caller, b, proof)
	return s.guardedChange(w, r, change, err, func() error {
		redirect(w, s.path(totpPath)+s.onward(r))
		return nil
	}, s.confirmFactor(b, r, offerForm, f, page.MsgConfirmFactor))
}

// toTOTP answers the address of the form above when it is opened like a page.
func (s *server) toTOTP(w http.ResponseWriter, r *request) error {
	redirect(w, s.path(totpPath)+s.onward(r))
	return nil
}

// confirmFactor asks for the current password before a form about factors, and keeps where it leads.
func (s *server) confirmFactor(b ports.Browser, r *request, which accountForm, f read.Form, question page.Message) func(identity.User, page.ProblemSet) page.Body {
	return func(user identity.User, problems page.ProblemSet) page.Body {
		p := s.confirmPage(b, which, f, user, question, problems)
		p.Action += s.onward(r)
		return p
	}
}

// confirmTOTP makes the offered factor count.
func (s *server) confirmTOTP(w http.ResponseWriter, r *request) error {
	b := s.browser(r)
	f, proof, err := s.readAccountForm(r, b, confirmForm)
	if err != nil {
		return err
	}
	proof.Current = "" // what has to be typed here is the code
	name := f.Get("name")
	change, err := s.Factors.ConfirmTOTP(r.Context(), r.caller, b,
		ports.ConfirmForm{AccountProof: proof, Factor: identity.FactorID(f.Get("factor")), Code: f.Get("code"), Name: name})
	if err == nil && len(change.Problems) == 1 {
		switch problem := change.Problems[0]; {
		case errors.Is(problem, ports.ErrNotFound), errors.Is(problem, ports.ErrPasswordNeeded): // it waited too long, or was confirmed
			redirect(w, s.path(totpPath)+s.onward(r))
			return nil
		case errors.Is(problem, ports.ErrCodeWrong):
			offer, err := s.Factors.OfferedTOTP(r.Context(), b)
			if err != nil {
				return err
			}
			return s.renderTOTP(w, r, b, offer, name, page.ProblemSet{Problems: []page.Message{page.MsgCodeWrong}})
		}
	}
	return s.guardedChange(w, r, change, err, func() error {
		if len(change.Codes) == 0 {
			redirect(w, s.goal(r, "factor"))
			return nil
		}
		return s.showCodes(w, r, b, change, "factor")
	}, nil)
}

// showCodes shows recovery codes for the one time they are known.
func (s *server) showCodes(w http.ResponseWriter, r *request, b ports.Browser, change ports.AccountChange, done string) error {
	if change.Cookie != "" {
		b.Session = change.Cookie
	}
	_, user, err := s.Sessions.Current(r.Context(), b)
	if err != nil {
		return err
	}
	p := page.RecoveryCodes{Account: account(user), File: s.path(savedForm.path), FileCSRF: s.accountToken(b, savedForm, user), Issuer: s.Issuer}
	for _, c := range change.Codes {
		p.Codes = append(p.Codes, identity.InFours(c.Reveal()))
	}
	goal, query, _ := strings.Cut(s.goal(r, done), "?")
	p.Next = goal
	if values, err := url.ParseQuery(query); err == nil {
		for name := range values {
			p.NextFields = append(p.NextFields, page.HiddenField{Name: name, Value: values.Get(name)})
		}
	}
	return s.show(w, r, http.StatusOK, p)
}

// saveCodes gives recovery codes back as a file to the browser that was just shown them. They are not kept here, so the
// browser sends them; what is not an unused code of its user is no page of ours.
func (s *server) saveCodes(w http.ResponseWriter, r *request) error {
	b := s.browser(r)
	f, _, err := s.readAccountForm(r, b, savedForm)
	if err != nil {
		return err
	}
	codes := f.Values["recovery"]
	own, err := s.Factors.OwnCodes(r.Context(), b, codes)
	if err != nil {
		return err
	}
	if !own {
		return errNotFound
	}
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("Content-Disposition", `attachment; filename="recovery-codes.txt"`)
	w.Write([]byte(s.Issuer + "\n\n" + strings.Join(codes, "\n") + "\n"))
	return nil
}

// makeCodes replaces the recovery codes.
func (s *server) makeCodes(w http.ResponseWriter, r *request) error {
	b := s.browser(r)
	f, proof, err := s.readAccountForm(r, b, recoveryForm)
	if err != nil {
		return err
	}
	change, err := s.Factors.MakeRecoveryCodes(r.Context(), r.caller, b, proof)
	return s.guardedChange(w, r, change, err, func() error { return s.showCodes(w, r, b, change, "recovery") },
		s.confirmFactor(b, r, recoveryForm, f, page.MsgConfirmRecovery))
}

// renameFactor gives a factor another name.
func (s *server) renameFactor(w http.ResponseWriter, r *request) error {
	b := s.browser(r)
	f, proof, err := s.readAccountForm(r, b, renameForm)
	if err != nil {
		return err
	}
	change, err := s.Factors.RenameFactor(r.Context(), r.caller, b,
		ports.RenameForm{AccountProof: proof, Factor: identity.FactorID(f.Get("factor")), Name: f.Get("name")})
	return s.guardedChange(w, r, change, err, s.done(w, "renamed"), s.confirmFactor(b, r, renameForm, f, page.MsgConfirmFactor))
}

// showFactors shows the page of one factor, where it is renamed and removed.
func (s *server) showFactors(w http.ResponseWriter, r *request) error {
	b := s.browser(r)
	a, err := s.Account.Account(r.Context(), b)
	if err != nil {
		return err
	}
	s.giveKey(w, &b)
	f, _ := read.Query(r.URL.RawQuery)
	own, found := s.ownFactorPage(b, a, f.Get("factor"), page.ProblemSet{})
	if !found {
		redirect(w, s.path("/account"))
		return nil
	}
	return s.show(w, r, http.StatusOK, own)
}

func (s *server) ownFactorPage(b ports.Browser, a ports.Account, id string, problems page.ProblemSet) (page.OwnFactor, bool) {
	for _, f := range a.Factors {
		if string(f.ID) == id {
			return page.OwnFactor{Factor: s.factorCard(f, a.User), Recovery: len(a.Recovery.Digests) > 0, Last: len(a.Factors) == 1, Recent: a.Session.Recent(s.Now()),
				RenameAction: s.path(renameForm.path), RenameCSRF: s.accountToken(b, renameForm, a.User), Username: a.User.Username,
				RemoveAction: s.path(removeForm.path), RemoveCSRF: s.accountToken(b, removeForm, a.User), Passkey: s.removalButton(a), ProblemSet: problems}, true
		}
	}
	return page.OwnFactor{}, false
}

// removeFactor removes a factor.
func (s *server) removeFactor(w http.ResponseWriter, r *request) error {
	b := s.browser(r)
	f, proof, err := s.readAccountForm(r, b, removeForm)
	if err != nil {
		return err
	}
	a, err := s.Account.Account(r.Context(), b)
	if err != nil {
		return err
	}
	id, typed := f.Get("factor"), ports.FactorForm{Code: f.Get("code")}
	var refusal *oauth.Error
	if typed.Passkey, refusal = passkeyOf(f, b); refusal != nil {
		return refusal
	}
	typed.Recovery = len(identity.TOTPDigits(typed.Code)) > 6 // one field takes both: they do not look alike
	change, err := s.Factors.RemoveFactor(r.Context(), r.caller, b, ports.RemoveForm{AccountProof: proof, FactorForm: typed, Factor: identity.FactorID(id)})
	return s.guardedChange(w, r, change, err, s.done(w, "removed"), func(_ identity.User, problems page.ProblemSet) page.Body {
		own, _ := s.ownFactorPage(b, a, id, problems)
		return own
	})
}

func (s *server) done(w http.ResponseWriter, word string) func() error {
	return func() error {
		redirect(w, s.path("/account")+"?done="+word)
		return nil
	}
}

// guardedChange answers a form about factors.
func (s *server) guardedChange(w http.ResponseWriter, r *request, change ports.AccountChange, err error, done func() error,
	show func(identity.User, page.ProblemSet) page.Body) error {
	if err != nil || len(change.Problems) > 0 {
		return s.changed(w, r, change, err, "", show)
	}
	s.signedIn(w, ports.Login{Cookie: change.Cookie})
	return done()
}

func (s *server) factorCard(f identity.Factor, user identity.User) page.FactorCard {
	zone := user.Claims.Zoneinfo
	return page.FactorCard{ID: string(f.ID), Kind: string(f.Kind), Name: f.Name, Added: page.MomentOf(f.ConfirmedAt, zone), LastUsed: page.MomentOf(f.LastUsedAt, zone),
		URL: s.path(renameForm.path) + "?factor=" + url.QueryEscape(string(f.ID))}
}
