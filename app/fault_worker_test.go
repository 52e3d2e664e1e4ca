package app_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"testing"

	"latchkey/app/apptest"
)

// worker is one application with its user, and what both know.
type worker struct {
	crew    *crew
	t       *testing.T
	p       *apptest.Process
	total   *tally
	number  int
	browser *apptest.Browser
	web     *apptest.RP
	lines   []*line

	// The application that the user agrees to and disconnects in turn.
	app       *apptest.RP
	name      string // of app, as the account page shows it
	agreed    bool
	unknown   bool // whether the answer was lost
	agreement *line

	visits            []*visit
	guessed, guessing int // attempts that were answered, and that were sent
}

// visit is a sign-in to the provider itself, and perhaps the sign-out.
type visit struct {
	browser        *apptest.Browser
	ended, unknown bool
}

// work asks for one thing after another until an answer is lost. Two of the crew begin with a password, which is slow.
func (w *worker) work() {
	switch size := len(w.crew.workers); {
	case w.number == w.crew.cycle%size && !w.guess(), w.number == (w.crew.cycle+size/2)%size && !w.visit():
		return
	}
	for !w.crew.stopped.Load() {
		var l *line // one that lives and has tokens
		for range 5 {
			if len(w.lines) == 0 {
				break
			}
			if l = w.lines[rand.N(len(w.lines))]; l.head != "" && !l.revoked {
				break
			}
			l = nil
		}
		answered := false
		switch n := rand.N(20); {
		case n < 2:
			answered = w.toggle()
		case n < 8 || l == nil:
			answered = w.signIn()
		case n < 15:
			answered = w.refresh(l)
		case n < 17:
			answered = w.revoke(l, http.StatusOK, func() apptest.Reply { return l.rp.Post("/revocation", url.Values{"token": {l.head}}, nil) })
		case n < 18 || l.old == "":
			answered = w.revoke(l, http.StatusBadRequest, func() apptest.Reply { return l.rp.Exchange(l.code) })
		default:
			answered = w.revoke(l, http.StatusBadRequest, func() apptest.Reply { return l.rp.Refresh(l.old) })
		}
		if !answered {
			return
		}
	}
}

// unanswered reports whether nobody said what became of a request.
func (w *worker) unanswered(err error, status int) bool {
	return err != nil || w.crew.faulty && status == http.StatusServiceUnavailable
}

// expect reports whether an answer arrived; one with another status is a failure.
func (w *worker) expect(what string, r apptest.Reply, status int) bool {
	if w.unanswered(r.Err, r.Status) {
		return false
	}
	if r.Status != status {
		w.t.Errorf("%s: %d %.200s", what, r.Status, r.Text)
		return false
	}
	w.total.acknowledged.Add(1)
	return true
}

// signIn is the code flow of somebody who is signed in. Some codes are kept for after the kill.
func (w *worker) signIn() bool {
	page := w.web.Authorize(w.browser)
	if w.unanswered(page.Err, page.Status) {
		return false
	}
	code := page.Answer().Get("code")
	if code == "" {
		w.t.Errorf("no code: %d %.300s", page.Status, page.Body)
		return false
	}
	w.total.acknowledged.Add(1)
	l := &line{rp: w.web, code: code}
	w.lines = append(w.lines, l)
	return rand.N(6) == 0 || w.redeem(l)
}

func (w *worker) redeem(l *line) bool {
	l.doubt, l.spent = inRedemption, true
	r := l.rp.Exchange(l.code)
	if !w.expect("code", r, http.StatusOK) {
		return false
	}
	l.doubt = ""
	l.got(r)
	return true
}

func (w *worker) refresh(l *line) bool {
	l.doubt = inRefresh
	r := l.rp.Refresh(l.head)
	if !w.expect("refresh", r, http.StatusOK) {
		return false
	}
	l.doubt = ""
	l.got(r)
	return true
}

// revoke ends a line, because its application asks for it or because something is used a second time.
func (w *worker) revoke(l *line, status int, end func() apptest.Reply) bool {
	l.doubt = inRevocation
	if !w.expect("revocation", end(), status) {
		return false
	}
	l.doubt, l.revoked = "", true
	return true
}

// nobody is a name that has no user, another one in each cycle.
func (w *worker) nobody() string { return fmt.Sprintf("nobody%d-%d", w.number, w.crew.cycle) }

// guess tries a wrong password.
func (w *worker) guess() bool {
	b := w.p.Browser()
	page := b.Get("/login")
	if w.unanswered(page.Err, page.Status) {
		return false
	}
	action, fields := b.Form(page)
	fields.Set("username", w.nobody())
	fields.Set("password", "a wrong password")
	w.guessing++
	page = b.Do("POST", action, fields, nil)
	switch {
	case w.unanswered(page.Err, page.Status):
		return false
	case !page.IsLogin():
		w.t.Errorf("a wrong password: %d %.300s", page.Status, page.Body)
		return false
	}
	w.guessed++
	w.total.acknowledged.Add(1)
	return true
}

// visit signs in to the provider, and half of the time out again.
func (w *worker) visit() bool {
	v := &visit{browser: w.p.Browser(), ended: true, unknown: true}
	w.visits = append(w.visits, v)
	page := v.browser.Get("/login")
	if w.unanswered(page.Err, page.Status) {
		return false
	}
	action, fields := v.browser.Form(page)
	fields.Set("username", "alice")
	fields.Set("password", apptest.Password)
	page = v.browser.Do("POST", action, fields, nil)
	switch {
	case w.unanswered(page.Err, page.Status):
		return false
	case page.Location != "/":
		w.t.Errorf("sign-in: %d %s %.300s", page.Status, page.Location, page.Body)
		return false
	}
	v.ended, v.unknown = false, false
	w.total.acknowledged.Add(1)
	if w.crew.cycle%2 == 0 {
		return true
	}
	page = v.browser.Get("/account")
	if w.unanswered(page.Err, page.Status) {
		return false
	}
	fields = formOn(w.t, page, "/logout", "")
	v.unknown = true
	if page = v.browser.Do("POST", "/logout", fields, nil); w.unanswered(page.Err, page.Status) {
		return false
	}
	if page.Status != http.StatusOK {
		w.t.Errorf("sign-out: %d %.300s", page.Status, page.Body)
		return false
	}
	v.ended, v.unknown = true, false
	w.total.acknowledged.Add(1)
	return true
}

// toggle agrees to the application, or disconnects it.
func (w *worker) toggle() bool {
	if w.agreed {
		page := w.browser.Get("/account")
		if w.unanswered(page.Err, page.Status) {
			return false
		}
		fields := formOn(w.t, page, "/account/applications", w.name)
		w.unknown = true
		if page = w.browser.Do("POST", "/account/applications", fields, nil); w.unanswered(page.Err, page.Status) {
			return false
		}
		if page.Location != "/account?done=application" {
			w.t.Errorf("disconnect: %d %s %.300s", page.Status, page.Location, page.Body)
			return false
		}
		w.agreed, w.unknown = false, false
		w.total.acknowledged.Add(1)
		return true
	}
	page := w.app.Authorize(w.browser)
	if w.unanswered(page.Err, page.Status) {
		return false
	}
	if !page.IsConsent() {
		w.t.Errorf("no consent page: %d %s %.300s", page.Status, page.URL, page.Body)
		return false
	}
	w.unknown, w.agreement = true, nil
	if page = w.browser.Allow(page); w.unanswered(page.Err, page.Status) {
		return false
	}
	l := &line{rp: w.app, code: page.Answer().Get("code")}
	if l.code == "" {
		w.t.Errorf("consent: %d %.300s", page.Status, page.Body)
		return false
	}
	w.agreed, w.unknown, w.agreement = true, false, l
	w.total.acknowledged.Add(1)
	return w.redeem(l)
}

// check compares what the server knows with what was acknowledged.
func (w *worker) check() {
	for _, l := range w.lines {
		w.checkLine(l)
	}
	for _, v := range w.visits {
		page := v.browser.Get("/account")
		if in := !page.IsLogin() && page.Status == http.StatusOK; in == v.ended && !v.unknown {
			w.lost("signed out: %v, but the account page answers %d %.200s", v.ended, page.Status, page.Body)
		}
	}
	w.checkAgreement()
}

func (w *worker) lost(format string, args ...any) {
	w.t.Errorf(format, args...)
	w.total.lost.Add(1)
}

// twice redeems the same thing in parallel. It is gone afterwards, with what came of it.
func (w *worker) twice(l *line, use func() apptest.Reply) (redeemed int) {
	for _, r := range parallel(2, use) {
		switch r.Status {
		case http.StatusOK:
			redeemed++
			l.got(r)
		case http.StatusBadRequest:
		default:
			w.t.Errorf("after the restart: %d %.200s %v", r.Status, r.Text, r.Err)
		}
	}
	if redeemed > 1 {
		w.total.double.Add(1)
		w.t.Errorf("redeemed %d times", redeemed)
	}
	return redeemed
}

func (w *worker) checkLine(l *line) {
	exchange := func() apptest.Reply { return l.rp.Exchange(l.code) }
	if l.doubt != "" {
		w.total.undecided.Add(1)
	}
	switch {
	case l.revoked:
	case !l.spent:
		if w.twice(l, exchange) != 1 {
			w.lost("a code that was issued is lost")
		}
	case l.doubt == inRedemption:
		if w.twice(l, exchange) == 0 {
			w.total.kept.Add(1)
		}
	case l.doubt == inRefresh:
		if w.twice(l, func() apptest.Reply { return l.rp.Refresh(l.head) }) == 0 {
			w.total.kept.Add(1)
		}
	default: // it lives, unless a revocation is in doubt, which was kept whole or not at all
		userinfo, refresh := l.usable()
		alive := userinfo == http.StatusOK && refresh.Status == http.StatusOK
		gone := userinfo == http.StatusUnauthorized && refresh.Status == http.StatusBadRequest
		switch {
		case alive:
			l.got(refresh)
		case gone && l.doubt == inRevocation:
			w.total.kept.Add(1)
		default:
			w.lost("in doubt %q: userinfo %d, refresh %d %.200s", l.doubt, userinfo, refresh.Status, refresh.Text)
		}
		// The redemption was acknowledged: a second one is refused, and ends the line.
		if r := exchange(); r.Status == http.StatusOK {
			w.total.double.Add(1)
			w.t.Error("a code was redeemed again")
		} else if r.Status != http.StatusBadRequest {
			w.t.Errorf("replay: %d %.200s", r.Status, r.Text)
		}
	}
	if works := l.dead(); works != "" {
		w.lost("in doubt %q, revoked %v: %s after the line has ended", l.doubt, l.revoked, works)
	}
}

// checkAgreement finds out whether the user agrees to the application, which its tokens have to go by.
func (w *worker) checkAgreement() {
	page := w.app.Authorize(w.browser)
	agreed := page.Answer().Get("code") != ""
	switch {
	case !agreed && !page.IsConsent():
		w.t.Errorf("neither agreed nor asked: %d %.300s", page.Status, page.Body)
	case w.unknown:
		w.total.undecided.Add(1)
		if agreed != w.agreed {
			w.total.kept.Add(1)
		}
	case agreed != w.agreed:
		w.lost("the user agreed: %v, the server says %v", w.agreed, agreed)
	}
	if l := w.agreement; l != nil {
		if l.doubt == inRedemption && agreed {
			w.checkLine(l)
			w.agreement = nil
		} else if len(l.access) > 0 {
			want := map[bool]int{true: http.StatusOK, false: http.StatusUnauthorized}[agreed]
			if r := l.rp.UserInfo(l.access[0]); r.Status != want {
				w.lost("agreed %v, but userinfo answers %d", agreed, r.Status)
			}
		}
	}
	w.agreed, w.unknown = agreed, false
}
