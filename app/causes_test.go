package app_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"

	"latchkey/adapters/chance"
	"latchkey/app/apptest"
	"latchkey/app/authorize"
	"latchkey/app/session"
	"latchkey/domain/audit"
	"latchkey/domain/oauth"
	"latchkey/domain/oidc"
	"latchkey/ports"
)

// passwords answers as a test says, with whatever happens meanwhile.
type passwords func(ctx context.Context) (match bool, err error)

func (passwords) Hash(context.Context, string) (string, error) { return "", nil }

func (p passwords) Verify(ctx context.Context, _, _ string, _ ports.Beside) (match, outdated bool, err error) {
	match, err = p(ctx)
	return match, false, err
}

// While bob's password is hashed, an administrator disables him. His sign-in fails, and a sign-in that failed may not
// become an answer about alice, who happens to be signed in in the same browser.
func TestSignInThatFailsInTheEndAnswersNothing(t *testing.T) {
	t.Parallel()
	p := apptest.New(t)
	meanwhile := func() {}
	auth := &session.Authenticator{Store: p.Store, Secrets: chance.Source{}, Now: p.Now, Scale: 1,
		Passwords: passwords(func(context.Context) (bool, error) { meanwhile(); return true, nil })}
	e := &authorize.Endpoint{Issuer: p.Issuer, Store: p.Store, Secrets: chance.Source{}, Now: p.Now, Auth: auth}
	request := oauth.Parameters{Values: map[string]string{}}
	for name, values := range p.Client("web").Request() {
		request.Values[name] = values[0]
	}
	must := func(next ports.Next, err error) ports.Next {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return next
	}
	caller, browser := audit.Caller{RequestID: "req_test", IP: "192.0.2.1"}, ports.Browser{Key: "key of the browser"}

	waiting := must(e.Authorize(t.Context(), caller, browser, request)) // a tab that shows the login page
	first := must(e.Authorize(t.Context(), caller, browser, request))   // another one, in which alice signs in and agrees
	in := must(e.Login(t.Context(), caller, browser, first.Interaction.ID, ports.LoginForm{Username: "alice", Password: "any"}))
	browser.Session = in.Login.Cookie
	given := must(e.Consent(t.Context(), caller, browser, in.Interaction.ID,
		ports.ConsentForm{User: in.User.ID, Approved: true, Scopes: in.Request.Scope.List()}))
	if given.Response == nil {
		t.Fatalf("alice got no code: %+v", given)
	}

	meanwhile = func() {
		p.Apply(`{"users": [{"username": "bob", "email": "bob@example.com", "disabled": true}]}`)
	}
	codes := len(p.Events(audit.CodeIssued))
	failed := must(e.Login(t.Context(), caller, browser, waiting.Interaction.ID, ports.LoginForm{Username: "bob", Password: "any"}))
	if failed.Login.Problem != ports.LoginFailed || failed.Response != nil || failed.Step != oidc.Login {
		t.Errorf("problem %q, step %d, answered %v; want the login page again", failed.Login.Problem, failed.Step, failed.Response != nil)
	}
	if n := len(p.Events(audit.CodeIssued)) - codes; n != 0 {
		t.Errorf("%d codes were issued by a sign-in that failed", n)
	}
	if _, err := e.Resume(t.Context(), caller, browser, waiting.Interaction.ID); err != nil {
		t.Errorf("the interaction is over: %v", err)
	}
}

// A token seen between the erasure of its key and the signer's taking over the new ring must not be accepted from memory
// ever after.
func TestErasedKeyIsNotRemembered(t *testing.T) {
	t.Parallel()
	p := apptest.New(t)
	web := p.Client("web")
	token := web.SignIn(p.Browser(), "alice").Get("access_token")
	if r := web.UserInfo(token); r.Status != http.StatusOK {
		t.Fatalf("userinfo: %d %s", r.Status, r.Text)
	}
	fresh, err := p.Admin.Keys.NewKey(oidc.KeyOrder{Algorithm: oauth.ES256, ActiveAt: p.Now()}, p.Now())
	if err != nil {
		t.Fatal(err)
	}
	update(t, p, func(tx ports.Tx) error {
		ring, err := tx.SigningKeys()
		for _, key := range ring {
			if err == nil && key.Algorithm == oauth.ES256 {
				err = tx.DeleteSigningKey(key.ID)
			}
		}
		return errors.Join(err, tx.SaveSigningKey(fresh))
	})
	web.UserInfo(token) // whatever the answer: the signer has the old ring still
	if _, err := p.Admin.RotateKeys(t.Context()); err != nil {
		t.Fatal(err)
	}
	if r := web.UserInfo(token); r.Status != http.StatusUnauthorized {
		t.Errorf("OP-02: a token of an erased key is accepted: %d %s", r.Status, r.Text)
	}
}

// Applications misplace secrets. What the authorization endpoint has no use for it must not keep, least of all in the clear.
func TestMisplacedSecretsAreNotKept(t *testing.T) {
	t.Parallel()
	p := apptest.New(t)
	secrets := url.Values{"client_secret": {"misplaced-client-secret"}, "code_verifier": {"misplaced-code-verifier"}, "password": {"misplaced-password"}}
	tryLogin(p.Browser(), "misplaced-in-the-field-of-the-name", wrong)
	page := p.Client("web").Authorize(p.Browser(), secrets)
	if !page.IsLogin() {
		t.Fatalf("no login page: %d %s", page.Status, page.URL)
	}
	secrets.Set("the name typed", "misplaced-in-the-field-of-the-name")
	for _, file := range []string{p.File(), p.File() + "-wal"} {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for name, values := range secrets {
			if strings.Contains(string(content), values[0]) {
				t.Errorf("OP-08: %s is in the database", name)
			}
		}
	}
}

// Whoever guesses and hangs up before the answer has guessed all the same.
func TestGuessIsRecordedThoughTheCallerLeft(t *testing.T) {
	t.Parallel()
	p := apptest.New(t)
	ctx, leave := context.WithCancel(t.Context())
	auth := &session.Authenticator{Store: p.Store, Secrets: chance.Source{}, Now: p.Now, Scale: 1,
		Passwords: passwords(func(context.Context) (bool, error) { leave(); return false, nil })}
	auth.Verify(ctx, audit.Caller{RequestID: "req_test", IP: "192.0.2.1"}, ports.LoginForm{Username: "alice", Password: "a wrong guess"})
	if n := len(p.Events(audit.LoginFailed)); n != 1 {
		t.Errorf("LG-01: %d events for a guess that was compared, want 1", n)
	}
}
