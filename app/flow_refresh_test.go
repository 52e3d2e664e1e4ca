package app_test

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"latchkey/app/apptest"
	"latchkey/domain/audit"
	"latchkey/domain/oauth"
	"latchkey/ports"
)

func TestRefresh(t *testing.T) {
	t.Parallel()
	p := apptest.New(t, clients("patient", `"refresh_token_grace": 10`, "fixed", `"rotate_refresh_tokens": false`, "online", `"refresh_without_offline_access": true`))
	web, evil := p.Client("web"), p.Client("evil")
	b := p.Browser()
	for _, id := range []string{"web", "evil", "patient", "fixed", "online", "spa"} {
		p.Client(id).Code(b, "alice")
	}
	start := func(rp *apptest.RP, change ...url.Values) apptest.Reply { return rp.SignIn(b, "alice", change...) }

	t.Run("RF-01; T8", func(t *testing.T) {
		for _, rp := range []*apptest.RP{web, p.Client("spa")} {
			one := start(rp)
			p.Advance(2 * time.Second)
			var two apptest.Reply
			events := recorded(t, p, func() { two = wantTokens(t, rp.Refresh(one.Get("refresh_token"))) }, audit.TokenRefreshed)
			if events[0].Family == "" || events[0].Client != rp.ID || events[0].User == "" || events[0].Session == "" {
				t.Errorf("event %+v", events[0])
			}
			if two.Get("refresh_token") == one.Get("refresh_token") || two.Get("access_token") == one.Get("access_token") ||
				two.Get("scope") != one.Get("scope") || two.Get("token_type") != "Bearer" || two.JSON["expires_in"] != 900.0 {
				t.Errorf("%s", two.Text)
			}
			before, after := verify(t, p, one.Get("id_token")).claims, verify(t, p, two.Get("id_token")).claims
			for _, name := range []string{"iss", "sub", "aud", "auth_time", "azp", "nonce", "sid", "acr"} {
				if fmt.Sprint(before[name]) != fmt.Sprint(after[name]) {
					t.Errorf("%s: %v became %v", name, before[name], after[name])
				}
			}
			if before["iat"] == after["iat"] || after["at_hash"] != halfHash(two.Get("access_token")) {
				t.Errorf("iat or at_hash: %v", after)
			}
			alive(t, rp, one.Get("access_token"))
			alive(t, rp, two.Get("access_token"))
			wantError(t, rp.Refresh(one.Get("refresh_token")), 400, "invalid_grant")
		}
	})
	t.Run("RF-02 RF-03", func(t *testing.T) {
		for back := 1; back <= 4; back++ {
			chain := []apptest.Reply{start(web)}
			for len(chain) < 5 {
				chain = append(chain, wantTokens(t, web.Refresh(chain[len(chain)-1].Get("refresh_token"))))
			}
			replay := chain[4-back].Get("refresh_token")
			events := recorded(t, p, func() { wantError(t, web.Refresh(replay), 400, "invalid_grant") }, audit.TokenReplayed)
			if events[0].Family == "" || events[0].Client != "web" {
				t.Errorf("event %+v", events[0])
			}
			for _, r := range chain {
				dead(t, web, r.Get("access_token"))
			}
			wantError(t, web.Refresh(chain[4].Get("refresh_token")), 400, "invalid_grant")
			alive(t, web, start(web).Get("access_token")) // the next sign-in is untouched
		}
	})
	t.Run("RF-04", func(t *testing.T) {
		for range 20 {
			one := start(web)
			replies := parallel(20, func() apptest.Reply { return web.Refresh(one.Get("refresh_token")) })
			var winner apptest.Reply
			for _, r := range replies {
				if r.Status == http.StatusOK {
					if winner.Status != 0 {
						t.Fatal("two refreshes succeeded")
					}
					winner = r
				} else {
					wantError(t, r, 400, "invalid_grant")
				}
			}
			if winner.Status == 0 {
				t.Fatal("no refresh succeeded")
			}
			dead(t, web, winner.Get("access_token"))
			wantError(t, web.Refresh(winner.Get("refresh_token")), 400, "invalid_grant")
		}
	})
	t.Run("RF-05", func(t *testing.T) {
		one := start(web)
		unchanged(t, p, func() {
			events := recorded(t, p, func() {
				wantError(t, evil.Refresh(one.Get("refresh_token")), 400, "invalid_grant")
				wantError(t, p.Client("spa").Refresh(one.Get("refresh_token")), 400, "invalid_grant")
			}, audit.TokenMismatch, audit.TokenMismatch)
			if events[0].Client != "evil" {
				t.Errorf("event %+v", events[0])
			}
		})
		wantTokens(t, web.Refresh(one.Get("refresh_token")))
		recorded(t, p, func() { wantError(t, evil.Refresh(one.Get("refresh_token")), 400, "invalid_grant") }, audit.TokenMismatch)
		alive(t, web, one.Get("access_token")) // an old token in another client's hands revokes nothing
	})
	t.Run("forged", func(t *testing.T) {
		one := start(web).Get("refresh_token")
		head, tag := one[:strings.LastIndex(one, ".")], one[strings.LastIndex(one, ".")+1:]
		next := head[:strings.LastIndex(head, ".")] + ".2." + tag
		for _, token := range []string{one + "A", one[:len(one)-1], next, strings.Replace(one, "rt_", "", 1), one + "=", " " + one, "rt_..", "rt_a.1.b", head + "." + strings.Repeat("A", 43),
			strings.Repeat("r", 4096), one[:len(one)-1] + "\n"} {
			unchanged(t, p, func() {
				recorded(t, p, func() { wantError(t, web.Refresh(token), 400, "invalid_grant") }, audit.TokenDenied)
			})
		}
		wantTokens(t, web.Refresh(one))
	})
	t.Run("RF-06; T8", func(t *testing.T) {
		one := start(web, set("scope", "openid email offline_access"))
		two := wantTokens(t, web.Refresh(one.Get("refresh_token"), "openid"))
		if two.Get("scope") != "openid" || web.UserInfo(two.Get("access_token")).Get("email") != "" {
			t.Errorf("not narrowed: %s", two.Text)
		}
		three := wantTokens(t, web.Refresh(two.Get("refresh_token"), "email openid offline_access"))
		if web.UserInfo(three.Get("access_token")).Get("email") == "" {
			t.Errorf("narrowed for good: %s", three.Text)
		}
		unchanged(t, p, func() {
			recorded(t, p, func() {
				wantError(t, web.Refresh(three.Get("refresh_token"), "openid email profile"), 400, "invalid_scope")
				wantError(t, web.Refresh(three.Get("refresh_token"), `openid "`), 400, "invalid_scope")
			}, audit.TokenDenied, audit.TokenDenied)
		})
		four := wantTokens(t, web.Refresh(three.Get("refresh_token"), "email"))
		if _, ok := four.JSON["id_token"]; ok {
			t.Errorf("an ID token without openid: %s", four.Text)
		}
		if info := web.UserInfo(four.Get("access_token")); info.Status != 403 || info.Get("error") != "insufficient_scope" {
			t.Errorf("UI-03: %d %s", info.Status, info.Text)
		}
	})
	t.Run("strict: scope no longer allowed", func(t *testing.T) {
		p.Apply(clients("shrunk", ""))
		rp := p.Client("shrunk")
		one := start(rp)
		p.Apply(clients("shrunk", `"scope": "openid offline_access"`))
		unchanged(t, p, func() { wantError(t, rp.Refresh(one.Get("refresh_token")), 400, "invalid_scope") })
		wantTokens(t, rp.Refresh(one.Get("refresh_token"), "openid"))
	})
	t.Run("RF-11", func(t *testing.T) {
		rp := p.Client("patient")
		one := start(rp)
		two := wantTokens(t, rp.Refresh(one.Get("refresh_token")))
		p.Advance(9999 * time.Millisecond)
		unchanged(t, p, func() {
			again := wantTokens(t, rp.Refresh(one.Get("refresh_token")))
			if again.Get("refresh_token") != two.Get("refresh_token") {
				t.Error("a second branch")
			}
			alive(t, rp, again.Get("access_token"))
		})
		p.Advance(time.Millisecond)
		recorded(t, p, func() { wantError(t, rp.Refresh(one.Get("refresh_token")), 400, "invalid_grant") }, audit.TokenReplayed)
		wantError(t, rp.Refresh(two.Get("refresh_token")), 400, "invalid_grant")
		// Within the window, too, only the token before the newest is forgiven.
		one = start(rp)
		two = rp.Refresh(one.Get("refresh_token"))
		rp.Refresh(two.Get("refresh_token"))
		recorded(t, p, func() { wantError(t, rp.Refresh(one.Get("refresh_token")), 400, "invalid_grant") }, audit.TokenReplayed)
		// In parallel there is one successor.
		one = start(rp)
		seen := map[string]bool{}
		for _, r := range parallel(20, func() apptest.Reply { return rp.Refresh(one.Get("refresh_token")) }) {
			seen[wantTokens(t, r).Get("refresh_token")] = true
		}
		if len(seen) != 1 {
			t.Errorf("%d successors", len(seen))
		}
	})
	t.Run("no rotation", func(t *testing.T) {
		rp := p.Client("fixed")
		one := start(rp)
		for range 3 {
			if r := wantTokens(t, rp.Refresh(one.Get("refresh_token"))); r.Get("refresh_token") != one.Get("refresh_token") {
				t.Error("it rotates")
			}
		}
	})
	t.Run("RF-08 RF-09 IN-06", func(t *testing.T) {
		user := func(name, members string) string {
			return `{"users": [{"username": "` + name + `"` + members + `}]}`
		}
		for name, c := range map[string]struct {
			revoke  func(user string)
			code    string
			applied bool // by a document, which puts it on record
		}{
			"user disabled":    {func(u string) { p.Apply(user(u, `, "disabled": true`)) }, "invalid_grant", true},
			"password changed": {func(u string) { p.Apply(user(u, `, "password": "another password than before"`)) }, "invalid_grant", true},
			"user deleted": {func(u string) {
				update(t, p, func(tx ports.Tx) error {
					user, err := tx.UserByLogin(u)
					if err != nil {
						return err
					}
					return tx.DeleteUser(user.ID)
				})
			}, "invalid_grant", false},
			"consent withdrawn": {func(u string) {
				update(t, p, func(tx ports.Tx) error {
					user, err := tx.UserByLogin(u)
					if err != nil {
						return err
					}
					grants, err := tx.GrantsOfUser(user.ID)
					for _, g := range grants {
						g.Revoke(p.Now())
						err = tx.SaveGrant(g)
					}
					return err
				})
			}, "invalid_grant", false},
			"grant type removed": {func(string) { p.Apply(clients("lost", `"grant_types": ["authorization_code"]`)) }, "unauthorized_client", true},
		} {
			t.Run(name, func(t *testing.T) {
				person := strings.ReplaceAll(name, " ", "-")
				p.Apply(user(person, `, "password": "`+apptest.Password+`"`))
				p.Apply(clients("lost", ""))
				rp, b := p.Client("lost"), p.Browser()
				one, code := rp.SignIn(b, person), rp.Code(b, person)
				alive(t, rp, one.Get("access_token"))
				revoked := len(p.Events(audit.GrantRevoked))
				c.revoke(person)
				ofFamily := func(e audit.Event) bool { return e.Family != "" }
				if made := p.Events(audit.GrantRevoked)[revoked:]; c.applied && !slices.ContainsFunc(made, ofFamily) {
					t.Errorf("the end of the family is not on record: %+v", made)
				}
				dead(t, rp, one.Get("access_token"))
				wantError(t, rp.Refresh(one.Get("refresh_token")), 400, c.code)
				if name == "grant type removed" { // which takes refresh tokens away, and nothing from codes
					p.Apply(clients("lost", ""))
				} else {
					wantError(t, rp.Exchange(code), 400, "invalid_grant")
				}
				if name == "user disabled" {
					p.Apply(user(person, ""))
				}
				recorded(t, p, func() { wantError(t, rp.Refresh(one.Get("refresh_token")), 400, "invalid_grant") }, audit.TokenDenied)
				dead(t, rp, one.Get("access_token"))
			})
		}
	})
	t.Run("LO-08: signed out", func(t *testing.T) {
		b := p.Browser()
		short, long := web.SignIn(b, "bob", set("scope", "openid email")), web.SignIn(b, "bob")
		b.Submit(b.Get("/"), nil)
		dead(t, web, short.Get("access_token"))
		dead(t, web, long.Get("access_token"))
		p.Advance(2 * time.Second)
		again := wantTokens(t, web.Refresh(long.Get("refresh_token")))
		alive(t, web, again.Get("access_token")) // the application may act while its user is away
		// Without offline_access it may not, whatever else lets it have refresh tokens.
		online := p.Client("online")
		one := online.SignIn(b, "bob", set("scope", "openid email"))
		wantTokens(t, online.Refresh(one.Get("refresh_token")))
		two := online.SignIn(b, "bob", set("scope", "openid email"))
		b.Submit(b.Get("/"), nil)
		wantError(t, online.Refresh(two.Get("refresh_token")), 400, "invalid_grant")
		dead(t, online, two.Get("access_token"))
	})
	t.Run("A: another user in the same browser", func(t *testing.T) {
		b := p.Browser()
		one := web.SignIn(b, "alice", set("scope", "openid"))
		code := web.Code(b, "alice")
		if page := web.Authorize(b, set("prompt", "login")); page.IsLogin() {
			b.Login(page, "bob", apptest.Password)
		}
		dead(t, web, one.Get("access_token"))
		wantError(t, web.Exchange(code), 400, "invalid_grant")
	})
	t.Run("RF-15", func(t *testing.T) {
		const families = 200
		old := make([]string, families)
		ids := map[oauth.FamilyID]bool{}
		for i := range families {
			one := start(web)
			old[i] = one.Get("refresh_token")
			token, _ := oauth.ParseRefreshToken(oauth.Secret(old[i]))
			ids[token.Family] = true
			wantTokens(t, web.Refresh(old[i]))
		}
		// All of them hang up while somebody else holds the store, so that none is done before its sender is gone.
		update(t, p, func(ports.Tx) error {
			for _, token := range old {
				abort(t, p, "/token", set("grant_type", "refresh_token", "refresh_token", token, "client_id", "web", "client_secret", apptest.Secret))
			}
			return nil
		})
		alive := families
		for deadline := time.Now().Add(20 * time.Second); alive > 0 && time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
			alive = 0
			err := p.Store.View(t.Context(), func(r ports.Reader) error {
				for id := range ids {
					f, err := r.TokenFamily(id)
					if err != nil {
						return err
					}
					if f.RevokedAt.IsZero() {
						alive++
					}
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		if alive != 0 {
			t.Errorf("%d of %d families live on after a replay whose sender hung up", alive, families)
		}
	})
	// From here on the clock leaves the others behind.
	t.Run("RF-07", func(t *testing.T) {
		b := p.Browser()
		idle, used := web.SignIn(b, "alice"), web.SignIn(b, "alice")
		token := used.Get("refresh_token")
		p.Advance(oauth.RefreshIdle + time.Second)
		recorded(t, p, func() { wantError(t, web.Refresh(idle.Get("refresh_token")), 400, "invalid_grant") }, audit.TokenDenied)
		one := web.SignIn(b, "alice")
		token = one.Get("refresh_token")
		for spent := time.Duration(0); spent+20*24*time.Hour < oauth.RefreshAbsolute; spent += 20 * 24 * time.Hour {
			p.Advance(20 * 24 * time.Hour)
			sweep(t, p)
			r := wantTokens(t, web.Refresh(token))
			alive(t, web, r.Get("access_token"))
			token = r.Get("refresh_token")
		}
		p.Advance(10*24*time.Hour + time.Second)
		recorded(t, p, func() { wantError(t, web.Refresh(token), 400, "invalid_grant") }, audit.TokenDenied)
	})
	t.Run("RF-17", func(t *testing.T) {
		one := web.SignIn(p.Browser(), "alice")
		head := one.Get("refresh_token")
		for range 3 {
			p.Advance(20 * 24 * time.Hour)
			head = wantTokens(t, web.Refresh(head)).Get("refresh_token")
			sweep(t, p)
		}
		recorded(t, p, func() { wantError(t, web.Refresh(one.Get("refresh_token")), 400, "invalid_grant") }, audit.TokenReplayed)
		wantError(t, web.Refresh(head), 400, "invalid_grant")
	})
}

// update changes the store behind the provider's back, where no surface does it yet.
func update(t *testing.T, p *apptest.Provider, fn func(ports.Tx) error) {
	t.Helper()
	if err := p.Store.Update(t.Context(), fn); err != nil {
		t.Fatal(err)
	}
}

// sweep deletes everything that has ceased to matter.
func sweep(t *testing.T, p *apptest.Provider) {
	t.Helper()
	update(t, p, func(tx ports.Tx) error {
		_, err := tx.Sweep(p.Now(), 1<<20)
		return err
	})
}

// abort sends a form and resets the connection without waiting for the answer.
func abort(t *testing.T, p *apptest.Provider, path string, form url.Values) {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(p.Issuer, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	body := form.Encode()
	w := bufio.NewWriter(conn)
	fmt.Fprintf(w, "POST %s HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n%s", path, len(body), body)
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	conn.(*net.TCPConn).SetLinger(0)
	conn.Close()
}
