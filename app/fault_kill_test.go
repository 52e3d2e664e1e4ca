package app_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"latchkey/app/apptest"
)

const killWorkers = 8

// kills is how often the server is killed: LATCHKEY_KILLS, for a campaign, or a few times.
func kills(t *testing.T) int {
	t.Helper()
	text := os.Getenv("LATCHKEY_KILLS")
	if text == "" {
		return 5
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("LATCHKEY_KILLS=%s is not a number of kills", text)
	}
	return n
}

// ST-01, ST-02, OP-09: killed at any instant of mixed load, the server is back with every write it acknowledged, and what
// was in doubt works at most once.
func TestFaultKill(t *testing.T) {
	t.Parallel()
	cycles := kills(t)
	p := apptest.NewProcess(t, faultDocument(killWorkers))
	slowest := p.Start()
	var total tally
	var browser *apptest.Browser
	var signedIn time.Time
	var workers [killWorkers]*worker
	declared := 0
	for cycle := range cycles {
		if time.Since(signedIn) > 5*time.Minute { // to disconnect an application asks for a recent sign-in
			browser, signedIn = p.Browser(), time.Now()
			enter(t, p, browser)
		}
		var running sync.WaitGroup
		for w := range workers {
			if workers[w] == nil {
				workers[w] = &worker{t: t, p: p, total: &total, web: p.Client("web"), app: p.Client(fmt.Sprintf("app%d", w)), name: fmt.Sprintf("Application %d.", w)}
			}
			workers[w].browser, workers[w].lines = sameSession(p, browser), nil
			running.Go(workers[w].work)
		}
		ctx, kill := context.WithCancel(t.Context())
		var made []string
		running.Go(func() { made = declare(ctx, t, p, &declared, &total) })
		time.Sleep(time.Duration(100+rand.N(500)) * time.Millisecond)
		p.Kill()
		kill()
		running.Wait()
		sound(t, left(t, p.File()))

		slowest = max(slowest, p.Start())
		for _, w := range workers {
			running.Go(w.check)
		}
		running.Go(func() {
			for _, id := range made {
				if page := p.Client(id).Authorize(sameSession(p, browser)); !page.IsConsent() {
					t.Errorf("client %s was declared and is lost: %d %.200s", id, page.Status, page.Body)
					total.lost.Add(1)
				}
			}
		})
		running.Wait()
		if t.Failed() {
			t.Fatalf("cycle %d; the log ends:\n%s", cycle, p.Log.Tail())
		}
	}
	p.Terminate()
	if code := p.Wait(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	sound(t, left(t, p.File()))
	t.Logf("%d kills, %d acknowledged writes, %d lost, %d double; %d undecided, of which %d had been kept; ready after at most %v",
		cycles, total.acknowledged.Load(), total.lost.Load(), total.double.Load(), total.undecided.Load(), total.kept.Load(), slowest.Round(time.Millisecond))
	if total.acknowledged.Load() < int64(cycles) || total.lost.Load() != 0 || total.double.Load() != 0 {
		t.Error("the figures say that it does not hold")
	}
}

// declare adds clients with the command line beside the server, until it is killed too.
func declare(ctx context.Context, t *testing.T, p *apptest.Process, n *int, total *tally) (made []string) {
	for ctx.Err() == nil {
		*n++
		id := fmt.Sprintf("made%d", *n)
		switch out := p.Command(ctx, clients(id, ""), "apply", "-"); {
		case out.Code == 0:
			total.acknowledged.Add(1)
			made = append(made, id)
		case ctx.Err() == nil:
			t.Errorf("apply beside the server: %+v", out)
		}
	}
	return made
}

// worker is one application with its user, and what both know.
type worker struct {
	t       *testing.T
	p       *apptest.Process
	total   *tally
	browser *apptest.Browser
	web     *apptest.RP
	lines   []*line

	// The application that the user agrees to and disconnects in turn.
	app       *apptest.RP
	name      string // of app, as the account page shows it
	agreed    bool
	unknown   bool // whether the answer was lost
	agreement *line
}

// work asks for one thing after another until an answer is lost.
func (w *worker) work() {
	for {
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
		case n < 18 || l.old == "":
			answered = w.revoke(l, func() apptest.Reply { return l.rp.Exchange(l.code) })
		default:
			answered = w.revoke(l, func() apptest.Reply { return l.rp.Refresh(l.old) })
		}
		if !answered {
			return
		}
	}
}

// expect reports whether an answer arrived; one with another status is a failure.
func (w *worker) expect(what string, r apptest.Reply, status int) bool {
	if r.Err != nil {
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
	if page.Err != nil {
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

// revoke revokes a line by using something a second time.
func (w *worker) revoke(l *line, replay func() apptest.Reply) bool {
	l.doubt = inRevocation
	if !w.expect("replay", replay(), http.StatusBadRequest) {
		return false
	}
	l.doubt, l.revoked = "", true
	return true
}

// toggle agrees to the application, or disconnects it.
func (w *worker) toggle() bool {
	if w.agreed {
		page := w.browser.Get("/account")
		if page.Err != nil {
			return false
		}
		fields := formOn(w.t, page, "/account/applications", w.name)
		w.unknown = true
		if page = w.browser.Do("POST", "/account/applications", fields, nil); page.Err != nil {
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
	if page.Err != nil {
		return false
	}
	if !page.IsConsent() {
		w.t.Errorf("no consent page: %d %s %.300s", page.Status, page.URL, page.Body)
		return false
	}
	w.unknown, w.agreement = true, nil
	if page = w.browser.Allow(page); page.Err != nil {
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

// check compares what the server knows after its restart with what it acknowledged before.
func (w *worker) check() {
	for _, l := range w.lines {
		w.checkLine(l)
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
