package app_test

import (
	"math/rand/v2"
	"net/http"
	"testing"
	"time"

	"latchkey/app/apptest"
	"latchkey/domain/audit"
)

// promise is something limited in time, and how long it has lived.
type promise struct {
	kind  string
	limit time.Duration // of its life; a clock set back adds as much as it was set back by
	lived time.Duration
	over  bool
	once  bool // to look at it is to spend it
	alive func() bool
}

// OP-05: the clock of the machine jumps back and forth, by minutes, hours, to 1970 and by ten years. What has ended never
// lives again, nothing outlives its limit by more than the clock was set back, and whoever signs in can, whatever the date.
func TestFaultClock(t *testing.T) {
	t.Parallel()
	jumps := size(t, "JUMPS", 14)
	p := apptest.New(t)
	web := p.Client("web")
	r := rand.New(rand.NewPCG(5, uint64(jumps)))
	var promises []*promise
	checks, revived, immortal, negative := 0, 0, 0, 0
	check := func(passed, setBack time.Duration) {
		for _, a := range promises {
			a.lived += passed
			a.limit += setBack
			if (a.over || a.once) && r.IntN(4) > 0 {
				continue
			}
			checks++
			alive := a.alive()
			switch {
			case alive && a.over:
				revived++
				t.Errorf("a %s that was over lives again after %v", a.kind, a.lived)
			case alive && a.lived > a.limit+10*time.Minute: // in which this clock stands still until the machine has caught up
				immortal++
				t.Errorf("a %s of at most %v lives for %v", a.kind, a.limit, a.lived)
			}
			a.over = a.over || a.once || !alive
		}
	}
	make := func() {
		b := p.Browser()
		page := web.Authorize(b)
		answer := b.Login(page, "alice", apptest.Password)
		if answer.IsConsent() {
			answer = b.Allow(answer)
		}
		tokens := wantTokens(t, web.Exchange(answer.Answer().Get("code")))
		if n, _ := tokens.JSON["expires_in"].(float64); n <= 0 {
			negative++
			t.Errorf("expires_in %v", tokens.JSON["expires_in"])
		}
		code, head := web.Code(b, "alice"), tokens.Get("refresh_token")
		promises = append(promises,
			&promise{kind: "session", limit: 7 * 24 * time.Hour, alive: func() bool { return !b.Get("/account").IsLogin() }},
			&promise{kind: "access token", limit: 15 * time.Minute, alive: func() bool { return web.UserInfo(tokens.Get("access_token")).Status == http.StatusOK }},
			&promise{kind: "refresh token", limit: 90 * 24 * time.Hour, alive: func() bool {
				next := web.Refresh(head)
				if next.Status == http.StatusOK {
					head = next.Get("refresh_token")
				}
				return next.Status == http.StatusOK
			}},
			&promise{kind: "code", limit: 2 * time.Minute, alive: func() bool { return web.Exchange(code).Status == http.StatusOK }, once: true})
	}
	home := p.Now()
	for jump := range jumps {
		make()
		check(0, 0)
		var setBack time.Duration
		if jump%2 == 0 {
			to := []time.Duration{5 * time.Minute, -5 * time.Minute, time.Hour, -time.Hour, 10 * 365 * 24 * time.Hour, time.Unix(1000, 0).Sub(p.Now()), 40 * 24 * time.Hour}[jump/2%7]
			setBack = max(0, -to)
			p.Advance(to)
		} else { // right again
			back := home.Sub(p.Now())
			setBack = max(0, -back)
			p.Advance(back)
		}
		if r.IntN(3) == 0 {
			p.Restart()
		}
		if _, err := p.Admin.RotateKeys(t.Context()); err != nil {
			t.Fatal(err)
		}
		check(0, setBack)
		make()
		for _, d := range []time.Duration{time.Second, time.Minute, 3 * time.Minute, 20 * time.Minute, 2 * time.Hour} {
			p.Advance(d)
			home = home.Add(d)
			check(d, 0)
		}
	}
	settled := len(p.Events(audit.ClockSetBack))
	if settled == 0 {
		t.Error("no clock was ever set back")
	}
	t.Logf("%d jumps, %d of them back; %d promises looked at %d times: %d revived, %d immortal, %d times a negative expires_in",
		jumps, settled, len(promises), checks, revived, immortal, negative)
}
