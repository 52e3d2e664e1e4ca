package app_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"latchkey/app/apptest"
)

const commandHousehold = `{
 "users": [{"username": "alice", "password": "` + apptest.Password + `", "email": "alice@example.com"}, {"username": "bob", "password": "` + apptest.Password + `"}],
 "clients": [{"client_id": "web", "client_secret": "` + apptest.Secret + `", "redirect_uris": ["https://app.test/cb"]}]}`

// untilSeen waits until what another process did shows, and returns how long that took.
func untilSeen(t *testing.T, what string, is func() bool) time.Duration {
	t.Helper()
	for begun := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		if took := time.Since(begun); is() {
			return took
		} else if took > 20*time.Second {
			t.Fatalf("%s: not after %s", what, took)
		}
	}
}

func command(t *testing.T, p *apptest.Process, stdin string, args ...string) string {
	t.Helper()
	r := p.Command(t.Context(), stdin, args...)
	if r.Code != 0 {
		t.Fatalf("latchkey %v: %+v", args, r)
	}
	return r.Stdout
}

// The administrator's commands beside a running server: it does what they did, within a second.
func TestCommandsBesideAServer(t *testing.T) {
	t.Parallel()
	p := apptest.NewProcess(t, commandHousehold)
	p.Start()
	web := p.Client("web")
	signedIn := func(b *apptest.Browser) bool { return strings.HasPrefix(b.Get("/account").URL.Path, "/account") }
	status := func(token string) int { return web.UserInfo(token).Status }
	const chosen = "an otter sleeps beneath the bridge"

	t.Run("AD-11; RF-08; SS-04: user disable", func(t *testing.T) {
		b, other := p.Browser(), p.Browser()
		tokens, code := web.SignIn(b, "alice"), web.Code(b, "alice")
		web.SignIn(other, "alice")
		link := strings.TrimSpace(command(t, p, "", "user", "reset-link", "alice", "--issuer", p.Issuer))
		if page := p.Browser().Get(link); page.Status != http.StatusOK || !signedIn(b) || !signedIn(other) || status(tokens.Get("access_token")) != http.StatusOK {
			t.Fatalf("before: the link answers %d, signed in %v", page.Status, signedIn(b))
		}
		command(t, p, "", "user", "disable", "alice", "--yes")
		took := untilSeen(t, "the access token is dead", func() bool { return status(tokens.Get("access_token")) == http.StatusUnauthorized })
		t.Logf("a disabled user's access token was refused %s after the command ended", took)
		if signedIn(b) || signedIn(other) {
			t.Error("a session lives")
		}
		if r := web.Exchange(code); r.Status != http.StatusBadRequest || r.Get("error") != "invalid_grant" {
			t.Errorf("the code: %d %s", r.Status, r.Text)
		}
		if r := web.Refresh(tokens.Get("refresh_token")); r.Status != http.StatusBadRequest || r.Get("error") != "invalid_grant" {
			t.Errorf("the refresh token: %d %s", r.Status, r.Text)
		}
		if page := p.Browser().Get(link); page.Status != http.StatusBadRequest {
			t.Errorf("the reset link: %d", page.Status)
		}
		command(t, p, "", "user", "enable", "alice")
	})

	t.Run("LG-12: user reset-link", func(t *testing.T) {
		b := p.Browser()
		tokens := web.SignIn(b, "bob")
		link := strings.TrimSpace(command(t, p, "", "user", "reset-link", "bob", "--issuer", p.Issuer))
		visitor := p.Browser()
		page := visitor.Get(link)
		again := visitor.Submit(page, url.Values{"password": {"short"}, "password_again": {"other"}})
		if again.Status != http.StatusOK || !strings.Contains(again.Body, "too short") || !strings.Contains(again.Body, "not the same") {
			t.Fatalf("a form with mistakes: %d %s", again.Status, again.Body)
		}
		done := visitor.Submit(again, url.Values{"password": {chosen}, "password_again": {chosen}})
		if done.Status != http.StatusOK || !strings.Contains(done.Body, "Your new password is set") || signedIn(visitor) {
			t.Fatalf("%d, signed in %v: %s", done.Status, signedIn(visitor), done.Body)
		}
		if signedIn(b) || status(tokens.Get("access_token")) != http.StatusUnauthorized || web.Refresh(tokens.Get("refresh_token")).Status != http.StatusBadRequest {
			t.Error("what was signed in with the old password lives")
		}
		twice := visitor.Submit(page, url.Values{"password": {chosen + "!"}, "password_again": {chosen + "!"}})
		unknown := p.Browser().Get("/reset?token=never-made")
		if twice.Status != http.StatusBadRequest || unknown.Status != http.StatusBadRequest || p.Browser().Get(link).Status != http.StatusBadRequest {
			t.Errorf("a second use: %d, an unknown link: %d", twice.Status, unknown.Status)
		}
		in := visitor.Login(visitor.Get("/login"), "bob", chosen)
		if in.Status != http.StatusOK || !signedIn(visitor) {
			t.Errorf("the new password: %d %s", in.Status, in.URL)
		}
		if token := strings.Split(link, "token=")[1]; strings.Contains(p.Log.String(), token) {
			t.Error("the log holds the link")
		}
	})

	t.Run("RF-09: user passwd", func(t *testing.T) {
		b := p.Browser()
		tokens := web.SignIn(b, "alice")
		command(t, p, apptest.Password, "user", "passwd", "alice", "--password-stdin") // even to the same one
		untilSeen(t, "the access token is dead", func() bool { return status(tokens.Get("access_token")) == http.StatusUnauthorized })
		if signedIn(b) || web.Refresh(tokens.Get("refresh_token")).Status != http.StatusBadRequest {
			t.Error("what was signed in with the old password lives")
		}
	})

	t.Run("SS-04: session revoke", func(t *testing.T) {
		b, other := p.Browser(), p.Browser()
		tokens := web.SignIn(b, "alice")
		web.SignIn(other, "alice")
		command(t, p, "", "session", "revoke", "--user", "alice", "--yes")
		untilSeen(t, "the sessions have ended", func() bool { return !signedIn(b) && !signedIn(other) })
		if r := web.Refresh(tokens.Get("refresh_token")); r.Status != http.StatusOK {
			t.Errorf("a token for use while the user is away: %d %s", r.Status, r.Text)
		}
	})

	t.Run("OP-02: key revoke", func(t *testing.T) {
		b := p.Browser()
		old := web.SignIn(b, "alice")
		kid := regexp.MustCompile(`(?m)^(\S+) +ES256 +active`).FindStringSubmatch(command(t, p, "", "key", "list"))[1]
		published := func() bool { return strings.Contains(web.Send("GET", "/jwks", "", nil).Text, kid) }
		if !published() || status(old.Get("access_token")) != http.StatusOK {
			t.Fatalf("before: key %s is published %v", kid, published())
		}
		command(t, p, "", "key", "revoke", kid, "--yes")
		untilSeen(t, "the token is refused", func() bool { return status(old.Get("access_token")) == http.StatusUnauthorized })
		untilSeen(t, "the key set is published without it", func() bool { return !published() })
		fresh := web.Refresh(old.Get("refresh_token"))
		if fresh.Status != http.StatusOK || status(fresh.Get("access_token")) != http.StatusOK {
			t.Errorf("after it: %d %s", fresh.Status, fresh.Text)
		}
		hinted := web.Authorize(b, url.Values{"prompt": {"none"}, "id_token_hint": {old.Get("id_token")}})
		if hinted.Answer().Get("code") != "" {
			t.Errorf("an ID token of the revoked key is taken as a hint: %s", hinted.URL)
		}
	})

	t.Run("RF-08: client rotate-secret, client disable", func(t *testing.T) {
		tokens := web.SignIn(p.Browser(), "alice")
		command(t, p, "", "client", "rotate-secret", "web", "--yes")
		untilSeen(t, "the old secret is dead", func() bool { return web.Refresh(tokens.Get("refresh_token")).Status == http.StatusUnauthorized })
		if status(tokens.Get("access_token")) != http.StatusOK {
			t.Error("a new secret ended the tokens")
		}
		command(t, p, "", "client", "disable", "web", "--yes")
		untilSeen(t, "its tokens are dead", func() bool { return status(tokens.Get("access_token")) == http.StatusUnauthorized })
	})

	t.Run("recover-admin", func(t *testing.T) {
		link := strings.TrimSpace(command(t, p, "", "recover-admin", "--issuer", p.Issuer))
		b := p.Browser()
		done := b.Submit(b.Get(link), url.Values{"username": {"rina"}, "email": {"rina@example.com"}, "password": {chosen}, "password_again": {chosen}})
		if done.Status != http.StatusOK || !strings.Contains(command(t, p, "", "user", "list"), "rina") {
			t.Errorf("%d %s", done.Status, done.Body)
		}
	})

	t.Run("AD-15: anchors in the log", func(t *testing.T) {
		p.Terminate()
		if code := p.Wait(); code != 0 {
			t.Fatalf("exit code %d", code)
		}
		anchors := regexp.MustCompile(`msg="audit anchor" seq=\d+ mac=[0-9a-f]{64}`).FindAllString(p.Log.String(), -1)
		head := strings.TrimSpace(strings.TrimPrefix(command(t, p, p.Log.String(), "audit", "verify", "--anchors", "-"), "audit anchor "))
		if len(anchors) < 2 || !strings.Contains(anchors[len(anchors)-1], head) {
			t.Errorf("want an anchor of the start and one of the end: %q, head %s", anchors, head)
		}
	})
}
