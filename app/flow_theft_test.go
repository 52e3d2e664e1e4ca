package app_test

import (
	"encoding/hex"
	"os"
	"strings"
	"testing"

	"latchkey/app/apptest"
	"latchkey/domain/oauth"
)

// SS-08: whoever copies the database finds nothing in it that opens anything, and what is found does not work in the place
// of what it was made from.
func TestStolenDatabase(t *testing.T) {
	t.Parallel()
	p := apptest.New(t)
	b, web := p.Browser(), p.Client("web")
	code := web.Code(b, "alice")
	tokens := web.SignIn(b, "alice")
	cookie := b.Cookies()["latchkey-session"]
	var file string
	for _, name := range []string{p.File(), p.File() + "-wal"} {
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		file += string(content)
	}
	for name, value := range map[string]string{"session cookie": cookie, "browser cookie": b.Cookies()["latchkey-browser"], "code": code,
		"access token": tokens.Get("access_token"), "refresh token": tokens.Get("refresh_token"), "id token": tokens.Get("id_token"),
		"client secret": apptest.Secret, "password": apptest.Password} {
		if value == "" || strings.Contains(file, value) {
			t.Errorf("%s %q is in the database, or there is none", name, value)
		}
		digest := oauth.Secret(value).Digest()
		for _, found := range []string{digest.String(), hex.EncodeToString(digest[:]), string(digest[:])} {
			if r := web.Exchange(found); r.Status == 200 {
				t.Errorf("the digest of the %s redeems", name)
			}
			if r := web.Refresh(found); r.Status == 200 {
				t.Errorf("the digest of the %s refreshes", name)
			}
		}
		for _, found := range []string{digest.String(), hex.EncodeToString(digest[:])} {
			if r := web.UserInfo(found); r.Status == 200 {
				t.Errorf("the digest of the %s opens userinfo", name)
			}
			thief := p.Browser()
			thief.SetCookie("latchkey-session", found)
			if page := web.Authorize(thief); !page.IsLogin() {
				t.Errorf("the digest of the %s is a session: %s", name, page.URL)
			}
		}
	}
	if page := web.Authorize(b); page.Answer().Get("code") == "" {
		t.Errorf("the owner lost the session: %s", page.URL)
	}
}
