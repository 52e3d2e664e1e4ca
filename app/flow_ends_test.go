package app_test

import (
	"slices"
	"testing"

	"latchkey/app/apptest"
	"latchkey/domain/audit"
	"latchkey/domain/oidc"
)

// Every way in which a session ends saves what its applications have to be told; what merely ends tokens does not.
func TestEveryEndIsTold(t *testing.T) {
	t.Parallel()
	h := newHearer(t)
	p := apptest.New(t, channels(h))
	web := p.Client("web")
	declare := func(text string) { p.Apply(`{"users": [{"username": "bob", ` + text + `}]}`) }
	for name, c := range map[string]struct {
		end  func(b *apptest.Browser, tokens apptest.Reply)
		told bool
	}{
		"the application asks":  {func(b *apptest.Browser, r apptest.Reply) { logout(b, set("id_token_hint", r.Get("id_token"))) }, true},
		"the start page":        {func(b *apptest.Browser, _ apptest.Reply) { b.Submit(b.Get("/"), nil) }, true},
		"the command line":      {func(_ *apptest.Browser, r apptest.Reply) { endAll(t, p, "bob") }, true},
		"the account is closed": {func(*apptest.Browser, apptest.Reply) { declare(`"disabled": true`); declare(`"disabled": false`) }, true},
		"another password": {func(*apptest.Browser, apptest.Reply) {
			declare(`"password": "` + apptest.Password + ` too"`)
			declare(`"password": "` + apptest.Password + `"`)
		}, true},
		"another administrator": {func(*apptest.Browser, apptest.Reply) { declare(`"admin": true`); declare(`"admin": false`) }, true},
		"somebody else signs in": {func(b *apptest.Browser, _ apptest.Reply) {
			page := web.Authorize(b, set("prompt", "login"))
			b.Login(page, "alice", apptest.Password)
		}, true},
		"the account page, in another browser": {func(*apptest.Browser, apptest.Reply) {
			other := p.Browser()
			other.Login(other.Get("/login"), "bob", apptest.Password)
			send(other, "/account/sessions", formOn(t, other.Get("/account"), "/account/sessions", ""))
		}, true},
		"the account page, with another password": {func(b *apptest.Browser, _ apptest.Reply) {
			changePassword(b, apptest.Password, newPassword)
			declare(`"password": "` + apptest.Password + `"`)
		}, true},
		"revocation": {func(_ *apptest.Browser, r apptest.Reply) { revoke(web, r.Get("refresh_token")) }, false},
		"a replay": {func(_ *apptest.Browser, r apptest.Reply) {
			web.Refresh(r.Get("refresh_token"))
			web.Refresh(r.Get("refresh_token"))
		}, false},
	} {
		b := p.Browser()
		tokens := web.SignIn(b, "bob")
		sid := verify(t, p, tokens.Get("id_token")).claims["sid"]
		before := len(notices(t, p))
		c.end(b, tokens)
		fresh := notices(t, p)[:len(notices(t, p))-before]
		about := slices.ContainsFunc(fresh, func(n oidc.LogoutNotice) bool { return string(n.Session) == sid && n.Client == "web" })
		if about != c.told || len(fresh) > 1 {
			t.Errorf("%s: notices %+v, want one: %v", name, fresh, c.told)
		}
		endAll(t, p, "bob")
		endAll(t, p, "alice")
	}
	// Deleted, a user is still signed in elsewhere.
	web.SignIn(p.Browser(), "bob")
	before := len(notices(t, p))
	if _, err := p.Admin.DeleteUser(t.Context(), audit.Caller{}, "bob", false); err != nil {
		t.Fatal(err)
	}
	if len(notices(t, p)) != before+1 {
		t.Error("the end of a deleted user was not told")
	}
}

func endAll(t *testing.T, p *apptest.Provider, user string) {
	t.Helper()
	if _, err := p.Admin.EndSessions(t.Context(), audit.Caller{}, user, false); err != nil {
		t.Fatal(err)
	}
}
