package app_test

import (
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"latchkey/adapters/chance"
	"latchkey/app"
	"latchkey/app/apptest"
	"latchkey/domain/audit"
	"latchkey/ports"
)

// race is a thing that works once.
type race struct {
	name string
	// group lets so many requests run for one of them, and returns how many had it. What has to be true afterwards it checks.
	group func(t *testing.T, n int) (won int)
}

// kindsOfRaces share the groups.
const kindsOfRaces = 12

// track is where races are run: a provider, and what its answers were.
type track struct {
	*apptest.Provider
	mu       sync.Mutex
	statuses map[int]int
}

// rush sends the requests at once.
func (r *track) rush(t *testing.T, all []func() *httptest.ResponseRecorder) []*httptest.ResponseRecorder {
	t.Helper()
	answers, start := make([]*httptest.ResponseRecorder, len(all)), make(chan struct{})
	var running sync.WaitGroup
	for i, send := range all {
		running.Go(func() {
			<-start
			answers[i] = send()
		})
	}
	close(start)
	running.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, w := range answers {
		if r.statuses[w.Code]++; w.Code >= 500 {
			t.Errorf("%d %s", w.Code, w.Body)
		}
	}
	return answers
}

// submit returns what sends the form of a page, as the browser would that shows it.
func (r *track) submit(b *apptest.Browser, page apptest.Page, fields url.Values) func() *httptest.ResponseRecorder {
	action, form := b.Form(page)
	for name, values := range fields {
		form[name] = values
	}
	return r.post(b, action, form)
}

func (r *track) post(b *apptest.Browser, action string, form url.Values) func() *httptest.ResponseRecorder {
	header := http.Header{"Cookie": {cookies(b)}, "Origin": {r.Issuer}, "Sec-Fetch-Site": {"same-origin"}, "Accept": {"text/html"}}
	return func() *httptest.ResponseRecorder { return knock(r.Provider, "POST", action, form, header) }
}

// token returns what sends a token request of a client.
func (r *track) token(client string, form url.Values) func() *httptest.ResponseRecorder {
	return func() *httptest.ResponseRecorder {
		return knock(r.Provider, "POST", apptest.Alias("/token"), form, asClient(client))
	}
}

// last is the number of the newest event; since counts those after it.
func (r *track) last(t *testing.T) int64 {
	t.Helper()
	for _, e := range r.read(t, audit.Query{Newest: true, Limit: 1}) {
		return e.Seq
	}
	return 0
}

func (r *track) since(t *testing.T, seq int64) map[audit.Kind]int {
	t.Helper()
	counted := map[audit.Kind]int{}
	for _, e := range r.read(t, audit.Query{After: seq, Limit: 1000}) {
		counted[e.Kind]++
	}
	return counted
}

func (r *track) read(t *testing.T, q audit.Query) (events []audit.Event) {
	t.Helper()
	err := r.Store.View(t.Context(), func(tx ports.Reader) (err error) {
		events, err = tx.Events(q)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return events
}

// times returns the same request so many times.
func times(n int, send func() *httptest.ResponseRecorder) (all []func() *httptest.ResponseRecorder) {
	for range n {
		all = append(all, send)
	}
	return all
}

// wantCounts checks how often each kind was recorded.
func wantCounts(t *testing.T, got map[audit.Kind]int, want map[audit.Kind]int) {
	t.Helper()
	for kind, n := range want {
		if got[kind] != n {
			t.Errorf("%s was recorded %d times, want %d; of all: %v", kind, got[kind], n, got)
		}
	}
}

// The numbers of "races": of 8 to 50 requests at once for one thing that works once, one has it, none gets a 5xx, and the
// state afterwards is that of one. LATCHKEY_GROUPS says how many groups there are of all kinds together.
func TestRaces(t *testing.T) {
	t.Parallel()
	all := size(t, "GROUPS", 2*kindsOfRaces)
	most := 50
	if all < 1000 {
		most = 12
	}
	on := func(provider func(*testing.T) *apptest.Provider, kinds ...func(*testing.T, *track) race) func(*testing.T) {
		return func(t *testing.T) {
			t.Parallel()
			p := provider(t)
			p.Restart(func(c *app.Config) { c.RateLimitScale = 1000 }) // otherwise the lock of the account would decide
			r := &track{Provider: p, statuses: map[int]int{}}
			for _, prepare := range kinds {
				one := prepare(t, r)
				clear(r.statuses)
				groups, requests := (all+kindsOfRaces-1)/kindsOfRaces, 0
				for range groups {
					p.Advance(time.Minute) // attempts are counted over fifteen
					n := 8 + rand.IntN(most-7)
					requests += n
					if won := one.group(t, n); won != 1 {
						t.Errorf("%s: %d of %d had it", one.name, won, n)
					}
					if t.Failed() {
						t.Fatalf("%s: the group of %d above", one.name, n)
					}
				}
				t.Logf("%s: %d groups, %d requests, one winner each; answers %v", one.name, groups, requests, r.statuses)
			}
		}
	}
	plain := func(t *testing.T) *apptest.Provider {
		return apptest.New(t, clients("patient", `"refresh_token_grace": 10`))
	}
	t.Run("tokens", on(plain, raceCodes, raceRefresh, raceGrace))
	t.Run("pages", on(plain, raceConsent, raceInteraction, raceReset, raceSetup))
	t.Run("factors", on(plain, raceConfirmation, raceTOTP, raceRecovery))
	t.Run("passkeys", on(named, racePasskeyAdded, racePasskey))
}

// TK-02, TK-03: one redemption, and the replay of a code ends what came of it.
func raceCodes(t *testing.T, r *track) race {
	web, b := r.Client("web"), r.Browser()
	return race{"codes", func(t *testing.T, n int) (won int) {
		code, before := web.Code(b, "alice"), r.last(t)
		form := set("grant_type", "authorization_code", "code", code, "redirect_uri", web.RedirectURI, "code_verifier", apptest.Verifier)
		for _, w := range r.rush(t, times(n, r.token("web", form))) {
			if w.Code == http.StatusOK {
				won++
				dead(t, web, r.JSON(w.Body.String())["access_token"].(string))
				wantError(t, web.Refresh(r.JSON(w.Body.String())["refresh_token"].(string)), 400, "invalid_grant")
			} else if w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), `"invalid_grant"`) {
				t.Errorf("%d %s", w.Code, w.Body)
			}
		}
		counted := r.since(t, before)
		wantCounts(t, counted, map[audit.Kind]int{audit.CodeRedeemed: 1, audit.CodeReplayed: n - 1})
		return won
	}}
}

// RF-04: one successor, and the replay ends the family.
func raceRefresh(t *testing.T, r *track) race {
	web, b := r.Client("web"), r.Browser()
	return race{"refresh tokens, strict", func(t *testing.T, n int) (won int) {
		one, before := web.SignIn(b, "alice"), r.last(t)
		for _, w := range r.rush(t, times(n, r.token("web", set("grant_type", "refresh_token", "refresh_token", one.Get("refresh_token"))))) {
			if w.Code == http.StatusOK {
				won++
				dead(t, web, r.JSON(w.Body.String())["access_token"].(string))
				wantError(t, web.Refresh(r.JSON(w.Body.String())["refresh_token"].(string)), 400, "invalid_grant")
			} else if w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), `"invalid_grant"`) {
				t.Errorf("%d %s", w.Code, w.Body)
			}
		}
		dead(t, web, one.Get("access_token"))
		if counted := r.since(t, before); counted[audit.TokenRefreshed] != 1 || counted[audit.TokenReplayed] == 0 {
			t.Errorf("recorded: %v", counted)
		}
		return won
	}}
}

// RF-11: all are answered, with one and the same successor, and the family lives.
func raceGrace(t *testing.T, r *track) race {
	rp, b := r.Client("patient"), r.Browser()
	head := rp.SignIn(b, "alice").Get("refresh_token")
	return race{"refresh tokens, within the grace", func(t *testing.T, n int) int {
		successors, before := map[string]bool{}, r.last(t)
		for _, w := range r.rush(t, times(n, r.token("patient", set("grant_type", "refresh_token", "refresh_token", head)))) {
			if w.Code != http.StatusOK {
				t.Errorf("%d %s", w.Code, w.Body)
				continue
			}
			successors[r.JSON(w.Body.String())["refresh_token"].(string)] = true
			alive(t, rp, r.JSON(w.Body.String())["access_token"].(string))
		}
		for head = range successors {
		}
		wantCounts(t, r.since(t, before), map[audit.Kind]int{audit.TokenReplayed: 0})
		head = wantTokens(t, rp.Refresh(head)).Get("refresh_token")
		return len(successors)
	}}
}

// CN-04: one consent, one code.
func raceConsent(t *testing.T, r *track) race {
	spa, b := r.Client("spa"), r.Browser()
	spa.Code(b, "alice")
	return race{"consent", func(t *testing.T, n int) int {
		page, before, codes := spa.Authorize(b, set("prompt", "consent")), r.last(t), map[string]bool{}
		for _, w := range r.rush(t, times(n, r.submit(b, page, set("approved", "true")))) {
			if at, err := url.Parse(w.Header().Get("Location")); err == nil && w.Code == http.StatusSeeOther {
				codes[at.Query().Get("code")] = true
			} else if w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), "This was answered already") {
				t.Errorf("%d %s", w.Code, w.Body)
			}
		}
		wantCounts(t, r.since(t, before), map[audit.Kind]int{audit.CodeIssued: 1, audit.ConsentGranted: 1})
		return len(codes)
	}}
}

// One interaction is answered once, however often its login form is sent.
func raceInteraction(t *testing.T, r *track) race {
	web := r.Client("web")
	web.Code(r.Browser(), "alice") // who has agreed
	return race{"interactions", func(t *testing.T, n int) int {
		b := r.Browser()
		page, before, codes := web.Authorize(b), r.last(t), map[string]bool{}
		for _, w := range r.rush(t, times(n, r.submit(b, page, set("username", "alice", "password", apptest.Password)))) {
			if at, err := url.Parse(w.Header().Get("Location")); err == nil && at.Query().Has("code") {
				codes[at.Query().Get("code")] = true
			}
		}
		wantCounts(t, r.since(t, before), map[audit.Kind]int{audit.CodeIssued: 1, audit.LoginSucceeded: 1})
		return len(codes)
	}}
}

// LG-12: one password is set, and it is the one that works.
func raceReset(t *testing.T, r *track) race {
	return race{"reset links", func(t *testing.T, n int) (won int) {
		link, err := r.Admin.OfferReset(t.Context(), audit.Caller{}, "bob")
		if err != nil {
			t.Fatal(err)
		}
		b, before := r.Browser(), r.last(t)
		page, all, passwords := b.Get("/reset?token="+link.Secret.Reveal()), []func() *httptest.ResponseRecorder{}, []string{}
		for i := range n {
			password := "an otter sleeps under bridge " + string(rune('A'+i))
			passwords = append(passwords, password)
			all = append(all, r.submit(b, page, set("password", password, "password_again", password)))
		}
		for i, w := range r.rush(t, all) {
			works := w.Code == http.StatusOK
			if works {
				won++
			} else if w.Code != http.StatusBadRequest {
				t.Errorf("%d %s", w.Code, w.Body)
			}
			if other := r.Browser(); works || i == 0 {
				if tryLogin(other, "bob", passwords[i]); isSignedIn(other) != works {
					t.Errorf("the password %d of %d signs in: %v; its form won: %v", i, n, !works, works)
				}
			}
		}
		wantCounts(t, r.since(t, before), map[audit.Kind]int{audit.PasswordChanged: 1, audit.ResetDenied: n - 1})
		return won
	}}
}

// AD-02: one administrator is made.
func raceSetup(t *testing.T, r *track) race {
	return race{"set-up links", func(t *testing.T, n int) (won int) {
		link, err := r.Admin.OfferRecovery(t.Context(), audit.Caller{})
		if err != nil {
			t.Fatal(err)
		}
		b, before, all := r.Browser(), r.last(t), []func() *httptest.ResponseRecorder{}
		page := b.Get("/setup?token=" + link.Secret.Reveal())
		for range n {
			all = append(all, r.submit(b, page, set("username", string(chance.Source{}.ID()), "email", "new@example.com", "password", apptest.Password, "password_again", apptest.Password)))
		}
		for _, w := range r.rush(t, all) {
			if w.Code == http.StatusOK {
				won++
			} else if w.Code != http.StatusBadRequest {
				t.Errorf("%d %s", w.Code, w.Body)
			}
		}
		wantCounts(t, r.since(t, before), map[audit.Kind]int{audit.UserCreated: 1, audit.SetupUsed: 1, audit.SetupDenied: n - 1})
		return won
	}}
}
