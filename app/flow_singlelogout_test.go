package app_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey/app"
	"latchkey/app/apptest"
	"latchkey/domain/audit"
	"latchkey/domain/oidc"
	"latchkey/ports"
)

// hearer is an application's back channel: it keeps what it was told and answers with a status.
type hearer struct {
	*httptest.Server
	mu     sync.Mutex
	forms  []url.Values
	status int
	hold   chan struct{} // nil, or what answers wait for
}

func newHearer(t *testing.T) *hearer {
	h := &hearer{status: http.StatusOK}
	h.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		form, err := url.ParseQuery(string(body))
		h.mu.Lock()
		if h.forms = append(h.forms, form); err != nil || r.Method != "POST" || r.URL.RawQuery != "" {
			t.Errorf("%s %s %q: %v", r.Method, r.URL, body, err)
		}
		status, hold := h.status, h.hold
		h.mu.Unlock()
		if hold != nil {
			<-hold
		}
		w.WriteHeader(status)
	}))
	t.Cleanup(h.Close)
	return h
}

func (h *hearer) answer(status int, hold chan struct{}) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.status, h.hold = status, hold
}

// told returns what it was told since the last time.
func (h *hearer) told() []url.Values {
	h.mu.Lock()
	defer h.mu.Unlock()
	forms := h.forms
	h.forms = nil
	return forms
}

// channels declares four applications of one session: web hears by the back channel, front by the front channel, both by
// each, and evil by none; all keep tokens for use while the user is away.
func channels(h *hearer) string {
	return clients("web", `"redirect_uris": ["https://app.test/cb"], "client_name": "Web application", "backchannel_logout_uri": "`+h.URL+`/bc", "backchannel_logout_session_required": true,
		"post_logout_redirect_uris": ["`+byePage+`"]`,
		"front", `"frontchannel_logout_uri": "https://front.test/out?x=1", "frontchannel_logout_session_required": true`,
		"both", `"id_token_signed_response_alg": "RS256", "backchannel_logout_uri": "`+h.URL+`/both", "frontchannel_logout_uri": "https://both.test/out"`,
		"m2m", machine)
}

// central sends S1's request to end a session.
func central(rp *apptest.RP, token, body string) apptest.Reply {
	header := http.Header{"Authorization": {"Bearer " + token}}
	if body != "" {
		header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return rp.Send("POST", apptest.Alias("/logout"), body, header)
}

func notices(t *testing.T, p *apptest.Provider) (all []oidc.LogoutNotice) {
	t.Helper()
	err := p.Store.View(t.Context(), func(r ports.Reader) (err error) {
		all, err = r.LogoutNotices(1000)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// LO-05, LO-09 and S1's rows of centralised logout.
func TestCentralLogout(t *testing.T) {
	t.Parallel()
	h := newHearer(t)
	p := apptest.New(t, channels(h))
	web, front, both, evil, m2m := p.Client("web"), p.Client("front"), p.Client("both"), p.Client("evil"), p.Client("m2m")

	t.Run("LO-05, LO-09; S1 POST /connect/logout: success", func(t *testing.T) {
		b, elsewhere := p.Browser(), p.Browser()
		var tokens []apptest.Reply
		for _, rp := range []*apptest.RP{web, front, both, evil} {
			tokens = append(tokens, rp.SignIn(b, "alice"))
		}
		web.SignIn(b, "alice") // a second time in one session: one notice
		other, bob := web.SignIn(elsewhere, "alice"), web.SignIn(p.Browser(), "bob")
		sid := verify(t, p, tokens[0].Get("id_token")).claims["sid"].(string)
		sub := verify(t, p, tokens[0].Get("id_token")).claims["sub"].(string)
		others := verify(t, p, bob.Get("id_token")).claims["sid"].(string)

		r := central(front, tokens[1].Get("access_token"), set("sid", others, "sub", "bob", "client_id", "evil").Encode())
		want := map[string]any{"signed_out": true, "sid": sid, "sids": []any{sid}, "frontchannel_logout_url": p.Issuer + "/connect/logout/frontchannel",
			"notifications": []any{
				map[string]any{"client_id": "web", "channel": "backchannel", "status": "delivered"},
				map[string]any{"client_id": "both", "channel": "backchannel", "status": "delivered"},
				map[string]any{"client_id": "both", "channel": "frontchannel", "status": "pending"},
				map[string]any{"client_id": "front", "channel": "frontchannel", "status": "pending"},
			}}
		if diff := cmp.Diff(want, r.JSON); diff != "" || r.Status != 200 || r.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%d %s", r.Status, diff)
		}

		heard := map[string]jwt{}
		for _, form := range h.told() {
			j := verify(t, p, form.Get("logout_token")) // by a published key
			heard[j.claims["aud"].(string)] = j
			if len(form) != 1 {
				t.Errorf("parameters %v", form)
			}
			// The token-type matrix: a logout token is good for nothing else.
			dead(t, web, form.Get("logout_token"))
			wantError(t, central(web, form.Get("logout_token"), ""), 401, "invalid_token")
			wantAsked(t, logout(elsewhere, set("id_token_hint", form.Get("logout_token"))))
			if r := introspect(web, form.Get("logout_token")); r.JSON["active"] != false {
				t.Errorf("introspection: %s", r.Text)
			}
		}
		if len(heard) != 2 {
			t.Fatalf("%d applications heard of it, want one POST each for web and both", len(heard))
		}
		for client, alg := range map[string]string{"web": "ES256", "both": "RS256"} {
			j := heard[client]
			if j.header["typ"] != "logout+jwt" || j.header["alg"] != alg {
				t.Errorf("%s: header %v", client, j.header)
			}
			now := float64(p.Now().Unix())
			jti, _ := j.claims["jti"].(string)
			wanted := map[string]any{"iss": p.Issuer, "aud": client, "sub": sub, "sid": sid, "iat": now, "exp": now + 120, "jti": jti,
				"events": map[string]any{"http://schemas.openid.net/event/backchannel-logout": map[string]any{}}}
			if diff := cmp.Diff(wanted, j.claims); diff != "" || len(jti) < 16 {
				t.Errorf("%s: %s", client, diff)
			}
		}
		for i, rp := range []*apptest.RP{web, front, both, evil} {
			wantError(t, rp.Refresh(tokens[i].Get("refresh_token")), 400, "invalid_grant")
			dead(t, rp, tokens[i].Get("access_token"))
		}
		if stillIn(web, b) || !stillIn(web, elsewhere) {
			t.Error("the wrong session ended")
		}
		alive(t, web, other.Get("access_token"))
		alive(t, web, bob.Get("access_token"))
		wantTokens(t, web.Refresh(bob.Get("refresh_token")))
		e := p.Events(audit.LogoutCentral)
		if len(e) != 1 || e[0].Client != "front" || e[0].Session != sid || e[0].User != sub || len(p.Events(audit.LogoutDelivered)) != 2 {
			t.Errorf("events %+v", e)
		}
		p.Deliver()
		if again := h.told(); len(again) > 0 {
			t.Errorf("told twice: %v", again)
		}
		wantError(t, central(front, tokens[1].Get("access_token"), ""), 401, "invalid_token") // it was ended with the rest
	})
	t.Run("S1 POST /connect/logout: nobody needs an iframe, nobody hears", func(t *testing.T) {
		for rp, want := range map[*apptest.RP]int{web: 1, evil: 0} {
			one := rp.SignIn(p.Browser(), "alice")
			r := central(rp, one.Get("access_token"), "")
			if list, ok := r.JSON["notifications"].([]any); !ok || len(list) != want || r.JSON["frontchannel_logout_url"] != nil {
				t.Errorf("%s: %s", rp.ID, r.Text)
			}
		}
	})
	t.Run("LO-09: tokens that speak for nobody who is signed in", func(t *testing.T) {
		one := web.SignIn(p.Browser(), "alice")
		own := m2m.Post("/token", set("grant_type", "client_credentials"), nil)
		unchanged(t, p, func() {
			recorded(t, p, func() { wantError(t, central(m2m, own.Get("access_token"), ""), 403, "insufficient_scope") }, audit.BearerDenied)
			for name, token := range map[string]string{"garbage": "x", "an ID token": one.Get("id_token"), "a refresh token": one.Get("refresh_token"),
				"JW-01 unsigned": noneOf(one.Get("access_token")), "JW-02 another key": resigned(one.Get("access_token"))} {
				recorded(t, p, func() { wantError(t, central(web, token, ""), 401, "invalid_token") }, audit.BearerDenied)
				if t.Failed() {
					t.Fatal(name)
				}
			}
			recorded(t, p, func() {
				r := web.Send("POST", "/connect/logout?access_token=x", "", http.Header{"Authorization": {"Bearer x"}})
				wantError(t, r, 400, "invalid_request")
			}, audit.BearerDenied)
		})
		alive(t, web, one.Get("access_token"))
		p.Advance(16 * time.Minute)
		unchanged(t, p, func() { wantError(t, central(web, one.Get("access_token"), ""), 401, "invalid_token") })
	})
	t.Run("a line of tokens that outlived its session", func(t *testing.T) {
		b := p.Browser()
		one := web.SignIn(b, "alice")
		p.Advance(8 * 24 * time.Hour) // the session expired, the user allowed offline_access
		two := web.Refresh(one.Get("refresh_token"))
		if verify(t, p, two.Get("access_token")).claims["sid"] != nil {
			t.Fatal("the session lives")
		}
		r := central(web, two.Get("access_token"), "")
		if r.Status != 200 || r.JSON["signed_out"] != true || len(r.JSON["sids"].([]any)) != 0 {
			t.Errorf("%d %s", r.Status, r.Text)
		}
		dead(t, web, two.Get("access_token"))
		wantError(t, web.Refresh(two.Get("refresh_token")), 400, "invalid_grant")
	})
	t.Run("a browser application on its own origin", func(t *testing.T) {
		preflight := p.Client("spa").Send("OPTIONS", "/connect/logout", "", http.Header{"Origin": {"https://spa.test"}, "Access-Control-Request-Method": {"POST"},
			"Access-Control-Request-Headers": {"authorization"}})
		if preflight.Status != 204 || preflight.Header.Get("Access-Control-Allow-Origin") != "https://spa.test" || preflight.Header.Get("Access-Control-Allow-Credentials") != "" {
			t.Errorf("%d %v", preflight.Status, preflight.Header)
		}
	})
}

// LO-06: whoever signs out is answered whatever applications do; what was not delivered is sent again.
func TestBackChannelRetries(t *testing.T) {
	t.Parallel()
	h := newHearer(t)
	p := apptest.New(t, channels(h))
	web := p.Client("web")
	last := func() oidc.LogoutNotice { t.Helper(); return notices(t, p)[0] }
	status := func(r apptest.Reply) any {
		t.Helper()
		list, _ := r.JSON["notifications"].([]any)
		if r.Status != 200 || len(list) != 1 {
			t.Fatalf("%d %s", r.Status, r.Text)
		}
		return list[0].(map[string]any)["status"]
	}

	t.Run("LO-06: slow", func(t *testing.T) {
		hold := make(chan struct{})
		h.answer(200, hold)
		one := web.SignIn(p.Browser(), "alice")
		if got := status(central(web, one.Get("access_token"), "")); got != "pending" { // answered while the application still thinks
			t.Errorf("status %v", got)
		}
		if err := p.Deliveries.Due(t.Context()); err != nil {
			t.Fatal(err)
		}
		close(hold)
		p.Deliver()
		if n := last(); n.State() != oidc.Delivered || n.Attempts != 1 || len(h.told()) != 1 {
			t.Errorf("%+v", n)
		}
	})
	t.Run("LO-06: one application that hangs keeps no other waiting", func(t *testing.T) {
		hold := make(chan struct{})
		h.answer(200, hold)
		quick := newHearer(t)
		p.Apply(clients("quick", `"backchannel_logout_uri": "`+quick.URL+`/bc"`))
		var hung []apptest.Reply
		for range 20 {
			hung = append(hung, web.SignIn(p.Browser(), "bob"))
		}
		endAll(t, p, "bob")
		if err := p.Deliveries.Due(t.Context()); err != nil {
			t.Fatal(err)
		}
		r := central(p.Client("quick"), p.Client("quick").SignIn(p.Browser(), "alice").Get("access_token"), "")
		if got := status(r); got != "delivered" || len(quick.told()) != 1 {
			t.Errorf("status %v behind %d others", got, len(hung))
		}
		close(hold)
		p.Deliver()
		if n := len(h.told()); n != 20 {
			t.Errorf("%d of 20 were told", n)
		}
	})
	t.Run("LO-06: 500, down, then there again, across a restart", func(t *testing.T) {
		h.answer(500, nil)
		one := web.SignIn(p.Browser(), "alice")
		if got := status(central(web, one.Get("access_token"), "")); got != "pending" {
			t.Errorf("status %v", got)
		}
		if n := last(); n.Attempts != 1 || !strings.Contains(n.LastError, "500") {
			t.Errorf("%+v", n)
		}
		p.Deliver()
		if n := len(h.told()); n != 1 {
			t.Errorf("%d attempts before the next is due", n)
		}
		p.Advance(10 * time.Second)
		p.Deliver()
		p.Restart()
		h.answer(204, nil)
		p.Deliver()
		p.Advance(time.Minute)
		p.Deliver()
		told := h.told()
		if n := last(); n.State() != oidc.Delivered || n.Attempts != 3 || len(told) != 2 || n.LastError != "" {
			t.Errorf("%+v, %d requests", n, len(told))
		}
		if a, b := verify(t, p, told[0].Get("logout_token")), verify(t, p, told[1].Get("logout_token")); a.claims["jti"] == b.claims["jti"] ||
			b.claims["iat"] != float64(p.Now().Unix()) {
			t.Errorf("the token was not made anew: %v, %v", a.claims, b.claims)
		}
		fails := p.Events(audit.LogoutUndelivered)
		if len(fails) != 2 || fails[0].Facts["attempt"] != "1" || fails[0].Client != "web" || fails[0].Facts["next"] == "given up" {
			t.Errorf("events %+v", fails)
		}
	})
	t.Run("LO-06: 400 is an answer, and a day is enough", func(t *testing.T) {
		h.answer(400, nil)
		if got := status(central(web, web.SignIn(p.Browser(), "alice").Get("access_token"), "")); got != "failed" {
			t.Errorf("status %v", got)
		}
		h.answer(503, nil)
		central(web, web.SignIn(p.Browser(), "alice").Get("access_token"), "")
		for range 20 {
			p.Advance(2 * time.Hour)
			p.Deliver()
		}
		if n := last(); n.State() != oidc.Failed || n.Attempts < 12 || n.Attempts > 20 {
			t.Errorf("%+v", n)
		}
		h.told()
	})
	t.Run("two processes send once", func(t *testing.T) {
		h.answer(200, nil)
		for range 20 {
			b := p.Browser()
			web.SignIn(b, "alice")
			b.Submit(b.Get("/account"), nil)
			b.Submit(b.Get("/"), nil)
		}
		h.told()
		for range 12 {
			web.SignIn(p.Browser(), "bob")
		}
		if _, err := p.Admin.EndSessions(t.Context(), audit.Caller{}, "bob", false); err != nil {
			t.Fatal(err)
		}
		second, err := app.New(t.Context(), p.Config())
		if err != nil {
			t.Fatal(err)
		}
		defer second.Close()
		for range 8 {
			var both sync.WaitGroup
			for _, d := range []interface{ Due() error }{due{t, p.App}, due{t, second}} {
				both.Go(func() {
					if err := d.Due(); err != nil {
						t.Error(err)
					}
				})
			}
			both.Wait()
			p.Deliveries.Wait()
			second.Deliveries.Wait()
		}
		if n := len(h.told()); n != 12 {
			t.Errorf("12 notices made %d requests", n)
		}
	})
	t.Run("RG-06: an address that the server may not reach", func(t *testing.T) {
		p.Restart(func(c *app.Config) { c.EgressAllow = nil })
		if got := status(central(web, web.SignIn(p.Browser(), "alice").Get("access_token"), "")); got != "pending" {
			t.Errorf("status %v", got)
		}
		if e := p.Events(audit.OutboundBlocked); len(e) != 1 || e[0].Client != "web" || len(h.told()) > 0 {
			t.Errorf("events %+v", e)
		}
		p.Restart(func(c *app.Config) { c.EgressAllow = app.Loopback }) // the operator allows it: nothing was lost
		p.Advance(10 * time.Second)
		if p.Deliver(); len(h.told()) != 1 {
			t.Error("not told after all")
		}
	})
	t.Run("the client is gone or has no channel any more", func(t *testing.T) {
		h.answer(500, nil)
		central(web, web.SignIn(p.Browser(), "alice").Get("access_token"), "")
		h.told()
		p.Apply(clients("web", `"redirect_uris": ["https://app.test/cb"]`))
		p.Advance(time.Minute)
		p.Deliver()
		if n := last(); n.State() != oidc.Failed || len(h.told()) > 0 {
			t.Errorf("%+v", n)
		}
	})
}

// due runs one round of deliveries of a process.
type due struct {
	t *testing.T
	a *app.App
}

func (d due) Due() error { return d.a.Deliveries.Due(d.t.Context()) }
