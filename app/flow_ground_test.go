package app_test

import (
	"errors"
	"testing"

	"latchkey/app/apptest"
	"latchkey/domain/identity"
	"latchkey/domain/oauth"
	"latchkey/ports"
)

// What takes a user, a session, a consent or a client away revokes what hangs on it in the same unit of work. Here it does
// not: whatever is presented looks for its ground by itself, so that one forgotten revocation opens nothing.
func TestEverythingLooksForItsGround(t *testing.T) {
	t.Parallel()
	p := apptest.New(t, clients("online", `"refresh_without_offline_access": true`))
	for _, c := range []struct {
		name string
		take func(tx ports.Tx, code oauth.AuthorizationCode) error
	}{
		{"RF-08 AD-11 the user is disabled", func(tx ports.Tx, code oauth.AuthorizationCode) error {
			u, err := tx.User(code.User)
			u.DisabledAt = p.Now()
			return errors.Join(err, tx.SaveUser(u))
		}},
		{"LO-08 the session has ended", func(tx ports.Tx, code oauth.AuthorizationCode) error {
			s, err := tx.Session(code.Session)
			s.End(p.Now())
			return errors.Join(err, tx.SaveSession(s))
		}},
		{"CN-06 the consent was withdrawn", func(tx ports.Tx, code oauth.AuthorizationCode) error {
			g, err := tx.Grant(code.Grant)
			g.Revoke(p.Now())
			return errors.Join(err, tx.SaveGrant(g))
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			rp, b, scope := p.Client("online"), p.Browser(), set("scope", "openid profile") // an application that is nothing without its user
			tokens := rp.SignIn(b, "alice", scope)
			text := rp.Code(b, "alice", scope)
			if introspect(rp, tokens.Get("refresh_token")).JSON["active"] != true || introspect(rp, tokens.Get("access_token")).JSON["active"] != true {
				t.Fatal("the tokens do not work")
			}
			alive(t, rp, tokens.Get("access_token"))
			var user identity.User
			err := p.Store.Update(t.Context(), func(tx ports.Tx) error {
				code, err := tx.Code(oauth.Secret(text).Digest())
				if err != nil {
					return err
				}
				if user, err = tx.User(code.User); err != nil {
					return err
				}
				return c.take(tx, code)
			})
			if err != nil {
				t.Fatal(err)
			}
			for _, name := range []string{"refresh_token", "access_token"} {
				if r := introspect(rp, tokens.Get(name)); r.JSON["active"] != false || len(r.JSON) != 1 {
					t.Errorf("introspection of the %s: %s", name, r.Text)
				}
			}
			dead(t, rp, tokens.Get("access_token"))
			wantError(t, rp.Refresh(tokens.Get("refresh_token")), 400, "invalid_grant")
			wantError(t, rp.Exchange(text), 400, "invalid_grant")
			if err := p.Store.Update(t.Context(), func(tx ports.Tx) error { return tx.SaveUser(user) }); err != nil {
				t.Fatal(err)
			}
			dead(t, rp, tokens.Get("access_token")) // the line that was refused has ended for good
			wantError(t, rp.Refresh(tokens.Get("refresh_token")), 400, "invalid_grant")
		})
	}
	t.Run("SS-04 AD-11 the session of a disabled user", func(t *testing.T) {
		b := p.Browser()
		b.Login(b.Get("/login"), "bob", apptest.Password)
		err := p.Store.Update(t.Context(), func(tx ports.Tx) error {
			u, err := tx.UserByLogin("bob")
			u.DisabledAt = p.Now()
			return errors.Join(err, tx.SaveUser(u))
		})
		if page := b.Get("/account"); err != nil || !page.IsLogin() {
			t.Errorf("%v, %d %.200s", err, page.Status, page.Body)
		}
	})
}

// AZ-09: an ID token names its user to the application it was issued to. One that another application came by names nobody,
// and says so before it is seen who is signed in.
func TestHintOfAnotherClient(t *testing.T) {
	t.Parallel()
	p := apptest.New(t)
	b := p.Browser()
	hint := set("id_token_hint", p.Client("web").SignIn(b, "alice").Get("id_token"))
	p.Client("evil").Code(b, "alice") // who has agreed to both
	for name, change := range map[string]string{"with a page": "", "silent": "none"} {
		hint.Set("prompt", change)
		if answer := p.Client("evil").Authorize(b, hint).Answer(); answer.Get("error") != "invalid_request" || answer.Get("code") != "" {
			t.Errorf("%s: %v", name, answer)
		}
		if answer := p.Client("web").Authorize(b, hint).Answer(); answer.Get("code") == "" {
			t.Errorf("%s, its own: %v", name, answer)
		}
	}
}

// MF-03: a browser in which somebody is signed in, whoever that is, is asked for the second factor like any other.
func TestOldSessionIsNoSecondFactor(t *testing.T) {
	t.Parallel()
	p, _ := enrolled(t)
	b := p.Browser()
	signedIn(t, b, "alice", apptest.Password)
	login := p.Client("web").Authorize(b, set("prompt", "login"))
	if page := b.Login(login, "bob", apptest.Password); !page.IsFactor() {
		t.Errorf("not asked for the second factor: %d %s %.300s", page.Status, page.URL, page.Body)
	}
}
