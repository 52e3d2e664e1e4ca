package app_test

import (
	"testing"

	"latchkey/app/apptest"
)

// The whole of it, once: somebody signs in to an application, which reads who they are and stays signed in.
func TestSignIn(t *testing.T) {
	p := apptest.New(t)
	rp := p.Client("web")
	tokens := rp.SignIn(p.Browser(), "alice")
	if info := rp.UserInfo(tokens.Get("access_token")); info.Get("name") != "Alice Adams" || info.Get("email") != "alice@example.com" {
		t.Errorf("userinfo: %d %s", info.Status, info.Text)
	}
	if again := rp.Refresh(tokens.Get("refresh_token")); again.Status != 200 || again.Get("refresh_token") == tokens.Get("refresh_token") {
		t.Errorf("refresh: %d %s", again.Status, again.Text)
	}
}
