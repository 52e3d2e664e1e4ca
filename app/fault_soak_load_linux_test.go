package app_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"latchkey/app/apptest"
	"latchkey/domain/identity"
)

const (
	soakWorkers = 6
	soakPace    = 100 * time.Millisecond // of one worker, from one deed to the next
	soakHurry   = 5 * time.Millisecond   // the same in passing
	soakSlow    = 60                     // slow clients in a wave
)

// soak is the load of a busy day, again and again: what people, applications and operators do, and in waves what hostile,
// slow and impatient clients do.
type soak struct {
	*crew
	heard    *hearer
	inner    *http.Transport
	fickle   *fickle
	metrics  string
	hostile  generator
	admin    *apptest.Browser
	seed     []byte // of the administrator's authenticator app
	begun    time.Time
	pace     time.Duration
	round    int
	commands int // that ran beside the server
	backups  int
}

// crowded reports another address with every request, as a proxy in front of many people does.
type crowded struct{ inner http.RoundTripper }

func (c crowded) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("X-Forwarded-For", fmt.Sprintf("10.%d.%d.%d", rand.N(250), rand.N(250), rand.N(250)))
	return c.inner.RoundTrip(r)
}

func newSoak(t *testing.T) *soak {
	t.Helper()
	s := &soak{heard: newHearer(t), pace: soakPace}
	p := apptest.NewProcess(t, faultDocument(soakWorkers), channels(s.heard),
		`{"users": [{"username": "bob", "password": "`+apptest.Password+`"}, {"username": "carol", "password": "`+apptest.Password+`", "admin": true}]}`)
	l, err := net.Listen("tcp", "127.0.0.2:0") // where no outgoing connection takes the port meanwhile
	if err != nil {
		t.Fatal(err)
	}
	s.metrics = l.Addr().String()
	l.Close()
	// With limits, so that what is remembered of callers is part of what may grow.
	p.Flags = []string{"--metrics", s.metrics, "--egress-allow", "127.0.0.0/8", "--trusted-proxies", "127.0.0.1/32", "--client-rate-limit", "1000000"}
	s.inner = p.Transport.(*http.Transport)
	s.fickle = &fickle{inner: s.inner.Clone()}
	p.Transport = crowded{s.inner}
	s.begun = time.Now()
	p.Start()
	s.crew = newCrew(t, p, soakWorkers)
	s.hostile = hostile(t, &apptest.Provider{Site: p.Site})
	for range 1000 {
		s.hostile.almost["X-Forwarded-For"] = append(s.hostile.almost["X-Forwarded-For"], fmt.Sprintf("172.16.%d.%d", rand.N(250), rand.N(250)))
	}
	s.admin = p.Browser()
	s.admin.Login(s.admin.Get("/login"), "carol", apptest.Password)
	page := s.admin.Get("/account/totp")
	if !strings.Contains(page.Body, `id="secret"`) {
		page = s.admin.Submit(page, nil)
	}
	s.seed = (&apptest.Provider{Site: p.Site}).Scan(page).Seed
	s.admin.Submit(page, url.Values{"code": {s.code()}, "name": {"Phone"}})
	s.administer()
	return s
}

func (s *soak) code() string { return identity.TOTPCode(s.seed, identity.TOTPStep(time.Now())) }

// load runs one round: what is steady all the time, and each of the waves for its last two thirds.
func (s *soak) load(lasting time.Duration, waves ...func(context.Context)) {
	s.t.Helper()
	if time.Since(s.signedIn) > 5*time.Minute { // to disconnect an application asks for a recent sign-in
		s.browser, s.signedIn = s.p.Browser(), time.Now()
		enter(s.t, s.p, s.browser)
	}
	s.cycle++
	s.stopped.Store(false)
	ctx, cancel := context.WithCancel(s.t.Context())
	var running sync.WaitGroup
	for _, w := range s.workers {
		w.browser, w.lines, w.guessed, w.guessing = sameSession(s.p, s.browser), nil, 0, 0
		running.Go(func() { s.work(w) })
	}
	running.Go(func() { s.operate(ctx) })
	time.Sleep(lasting / 3)
	for _, wave := range waves {
		running.Go(func() { wave(ctx) })
	}
	time.Sleep(lasting - lasting/3)
	s.stopped.Store(true)
	cancel()
	running.Wait()
}

// work does one thing after another, at its pace. Nothing fails here, so every answer has to arrive.
func (s *soak) work(w *worker) {
	for !s.stopped.Load() && !s.t.Failed() {
		if next := time.Now().Add(rand.N(2 * s.pace)); !s.deed(w) {
			s.t.Errorf("no answer; the log ends:\n%s", s.p.Log.Tail())
		} else {
			time.Sleep(time.Until(next))
		}
	}
}

func (s *soak) deed(w *worker) bool {
	var l *line // one that lives and has tokens
	for _, i := range rand.Perm(len(w.lines)) {
		if w.lines[i].head != "" && !w.lines[i].revoked {
			l = w.lines[i]
			break
		}
	}
	switch n := rand.N(100); {
	case n < 15 || l == nil:
		return w.signIn()
	case n < 35:
		return w.refresh(l)
	case n < 50:
		return w.expect("userinfo", l.rp.UserInfo(l.access[len(l.access)-1]), http.StatusOK)
	case n < 65:
		return w.expect("introspection", introspect(l.rp, l.head), http.StatusOK)
	case n < 70:
		return w.revoke(l, http.StatusOK, func() apptest.Reply { return revoke(l.rp, l.head) })
	case n < 73:
		return w.revoke(l, http.StatusBadRequest, func() apptest.Reply { return l.rp.Exchange(l.code) })
	case n < 80:
		return w.toggle()
	case n < 86:
		return s.shown(w, w.browser, []string{"/account", "/account/activity", "/account/password", "/account/email", "/account/passkeys", "/"})
	case n < 90:
		return s.shown(w, s.admin, []string{"/admin", "/admin/explain", "/admin/logout"})
	case n < 96:
		return s.shown(w, w.browser, []string{"/.well-known/openid-configuration", apptest.Alias("/jwks"), "/readyz", "/errors", "/login"})
	case n < 98:
		return s.visit(w, rand.N(3))
	default:
		return w.guess()
	}
}

func (s *soak) shown(w *worker, b *apptest.Browser, paths []string) bool {
	path := paths[rand.N(len(paths))]
	page := b.Get(path)
	if page.Status != http.StatusOK && page.Err == nil {
		w.t.Errorf("%s: %d %.300s", path, page.Status, page.Body)
	}
	w.total.acknowledged.Add(1)
	return page.Err == nil
}

// visit signs in with a password, to two applications, and out again, each time in another way.
func (s *soak) visit(w *worker, way int) bool {
	b, front := s.p.Browser(), s.p.Client("front")
	r := w.web.SignIn(b, "alice")
	front.SignIn(b, "alice")
	switch way {
	case 0:
		if page := logout(b, set("id_token_hint", r.Get("id_token"))); page.Status != http.StatusOK || !strings.Contains(page.Body, "<iframe") {
			w.t.Errorf("sign-out of the application: %d %.600s", page.Status, page.Body)
		}
	case 1:
		if !w.expect("central sign-out", central(w.web, r.Get("access_token"), ""), http.StatusOK) {
			return false
		}
		if page := b.Get("/connect/logout/frontchannel"); page.Status != http.StatusOK {
			w.t.Errorf("front channel: %d %.300s", page.Status, page.Body)
		}
	default:
		if page := b.Do("POST", "/logout", formOn(w.t, b.Get("/account"), "/logout", ""), nil); page.Status != http.StatusOK {
			w.t.Errorf("sign-out: %d %.300s", page.Status, page.Body)
		}
	}
	w.total.acknowledged.Add(1)
	return w.expect("a token of the session that ended", w.web.UserInfo(r.Get("access_token")), http.StatusUnauthorized)
}

// administer looks at the pages of an administrator, who signs in again when that was long ago.
func (s *soak) administer() {
	s.t.Helper()
	page := s.admin.Get("/admin")
	if page.IsLogin() {
		page = s.admin.Login(page, "carol", apptest.Password)
	}
	if page.IsFactor() {
		page = s.admin.Factor(page, s.code())
	}
	if page.Status != http.StatusOK || page.URL.Path != "/admin" {
		s.t.Fatalf("no administration: %d %s %.600s", page.Status, page.URL, page.Body)
	}
}

// operate is the command line beside the server: one command after another, with a pause between them.
func (s *soak) operate(ctx context.Context) {
	file := filepath.Join(s.p.Dir, "soak.backup")
	for ctx.Err() == nil {
		var all = [][]string{
			{"apply", "-"}, {"user", "show", "alice"}, {"session", "list", "--user", "alice"}, {"client", "list"}, {"backup", file}, {"backup", "verify", file},
			{"audit", "query", "--limit", "50"}, {"key", "rotate"}, {"key", "list"}, {"logout", "list"}, {"audit", "verify"},
		}
		args := all[s.commands%len(all)]
		stdin := ""
		switch {
		case args[0] == "apply":
			stdin = clients(fmt.Sprint("made", s.round%10), "")
		case len(args) == 2 && args[0] == "backup":
			os.Remove(file)
			s.backups++
		}
		if out := s.p.Command(s.t.Context(), stdin, args...); out.Code != 0 {
			s.t.Errorf("%v beside the server: %+v", args, out)
		}
		s.commands++
		select {
		case <-ctx.Done():
		case <-time.After(300 * time.Millisecond):
		}
	}
}

// hostility sends what achieves nothing.
func (s *soak) hostility(ctx context.Context) {
	var running sync.WaitGroup
	for range 2 {
		running.Go(func() {
			g := s.hostile
			g.r = rand.New(rand.NewPCG(rand.Uint64(), 0))
			for ctx.Err() == nil && !s.t.Failed() {
				g.raw(s.t)
				time.Sleep(5 * time.Millisecond)
			}
		})
	}
	running.Wait()
}

// slowness are clients that send a byte now and then, until they are sent away or the wave is over.
func (s *soak) slowness(ctx context.Context) {
	var running sync.WaitGroup
	for n := range soakSlow {
		c, err := net.Dial("tcp", s.hostile.host)
		if err != nil {
			s.t.Error(err)
			return
		}
		running.Go(func() {
			defer c.Close()
			if n%2 == 0 {
				fmt.Fprintf(c, "GET /login HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
			} else {
				fmt.Fprintf(c, "POST /token HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 10000\r\n\r\n")
			}
			var err error
			for ctx.Err() == nil && err == nil {
				time.Sleep(200 * time.Millisecond)
				_, err = io.WriteString(c, "a")
			}
		})
	}
	running.Wait()
}

// impatience is a crowd of which three requests in ten are given up.
func (s *soak) impatience(ctx context.Context) {
	p := *s.p
	p.Transport = crowded{s.fickle}
	var running sync.WaitGroup
	for range 2 {
		running.Go(func() {
			statuses := map[int]int{}
			crowd(ctx, s.t, &p, sameSession(&p, s.browser), statuses)
			for status := range maps.Keys(statuses) {
				if status >= http.StatusInternalServerError {
					s.t.Errorf("%d answers with %d", statuses[status], status)
				}
			}
		})
	}
	running.Wait()
}

// age lets a month pass for what is left of the rounds before, so that as much ends as begins: what is swept then, and what
// stays for good, is the rest of the growth.
func (s *soak) age() {
	s.t.Helper()
	db, err := sql.Open("sqlite3", "file:"+s.p.File()+"?_busy_timeout=5000")
	if err != nil {
		s.t.Fatal(err)
	}
	_, err = db.Exec(strings.ReplaceAll(`BEGIN IMMEDIATE;
		UPDATE token_family SET expires_at = PAST;
		UPDATE code SET expires_at = PAST;
		UPDATE session SET ended_at = PAST WHERE ended_at <> 0;
		UPDATE logout_notice SET created_at = PAST WHERE next_at = 0;
		UPDATE grant SET revoked_at = PAST WHERE revoked_at <> 0;
		UPDATE attempts SET since = PAST;
		COMMIT`, "PAST", fmt.Sprint(time.Now().AddDate(0, 0, -40).UnixMilli())))
	if err := errors.Join(err, db.Close()); err != nil {
		s.t.Fatal(err)
	}
}

// replaceKeys takes the keys that sign away, so that others take over, and waits until the server knows.
func (s *soak) replaceKeys() {
	s.t.Helper()
	out := s.p.Command(s.t.Context(), "", "key", "list")
	revoked := 0
	for line := range strings.Lines(out.Stdout) {
		if f := strings.Fields(line); len(f) > 2 && f[2] == "active" {
			if out := s.p.Command(s.t.Context(), "", "key", "revoke", f[0], "--yes"); out.Code != 0 {
				s.t.Fatalf("%+v", out)
			}
			revoked++
		}
	}
	if revoked == 0 {
		s.t.Fatalf("no key signs: %+v", out)
	}
	time.Sleep(time.Second)
}
