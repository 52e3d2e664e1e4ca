package app_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"latchkey/app"
	"latchkey/app/apptest"
	"latchkey/domain/audit"
	"latchkey/domain/identity"
	"latchkey/ports"
	"latchkey/ports/passkeytest"
)

// named is a provider with a name for a host, for which browsers make passkeys.
func named(t *testing.T) *apptest.Provider {
	t.Helper()
	p := apptest.New(t)
	p.Issuer = strings.Replace(p.Issuer, "127.0.0.1", "localhost", 1)
	p.Restart(func(c *app.Config) { c.Issuer = p.Issuer })
	return p
}

func newKey(t *testing.T, p *apptest.Provider, algorithm int) *passkeytest.Authenticator {
	t.Helper()
	return passkeytest.New(t, p.Issuer, "localhost", algorithm)
}

var challengeURL = regexp.MustCompile(`data-challenge="([^"]*)"`)

// ceremony is a form with a passkey's button, as the script finds it.
type ceremony struct {
	t       *testing.T
	b       *apptest.Browser
	page    apptest.Page
	action  string
	fields  url.Values
	options map[string]any
}

// beginKey does what the script does when the button is pressed, up to the authenticator.
func beginKey(t *testing.T, b *apptest.Browser, page apptest.Page) *ceremony {
	t.Helper()
	at := challengeURL.FindStringSubmatch(page.Body)
	if at == nil {
		t.Fatalf("no passkey on the page: %d %s %.900s", page.Status, page.URL, page.Body)
	}
	c := &ceremony{t: t, b: b, page: page}
	for _, form := range forms.FindAllStringSubmatch(page.Body, -1) {
		if strings.Contains(form[0], at[0]) {
			part := page
			part.Body = form[0]
			c.action, c.fields = b.Form(part)
		}
	}
	answer := b.Do("POST", html.UnescapeString(at[1]), url.Values{"csrf": c.fields["csrf"], "interaction": {c.fields.Get("interaction")}}, http.Header{"Accept": {"application/json"}})
	if answer.Status != http.StatusOK || json.Unmarshal([]byte(answer.Body), &c.options) != nil {
		t.Fatalf("no challenge: %d %s", answer.Status, answer.Body)
	}
	return c
}

var forms = regexp.MustCompile(`(?s)<form.*?</form>`)

func (c *ceremony) challenge() []byte {
	text, _ := c.options["challenge"].(string)
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(raw) != ports.ChallengeSize {
		c.t.Fatalf("not a challenge: %v", c.options)
	}
	return raw
}

func (c *ceremony) send(fields map[string][]byte, more ...url.Values) apptest.Page {
	c.t.Helper()
	for name, value := range fields {
		c.fields.Set(name, base64.RawURLEncoding.EncodeToString(value))
	}
	for _, m := range more {
		for name, values := range m {
			c.fields[name] = values
		}
	}
	part := c.page
	part.Body = `<form action="` + html.EscapeString(c.action) + `"></form>`
	return c.b.Submit(part, c.fields)
}

// show answers with a passkey that is there.
func (c *ceremony) show(a *passkeytest.Authenticator) apptest.Page {
	c.t.Helper()
	return c.answer(a.Get(c.t, c.challenge()))
}

func (c *ceremony) answer(x ports.PasskeyAssertion) apptest.Page {
	c.t.Helper()
	return c.send(map[string][]byte{"challenge": c.challenge(), "credential": x.CredentialID, "user_handle": x.UserHandle, "client_data": x.ClientData,
		"authenticator_data": x.AuthenticatorData, "signature": x.Signature})
}

// create answers with a new passkey.
func (c *ceremony) create(a *passkeytest.Authenticator, more ...url.Values) apptest.Page {
	c.t.Helper()
	user, _ := c.options["user"].(map[string]any)
	a.UserHandle, _ = base64.RawURLEncoding.DecodeString(fmt.Sprint(user["id"]))
	x := a.Create(c.t, c.challenge())
	return c.send(map[string][]byte{"challenge": c.challenge(), "credential": x.CredentialID, "client_data": x.ClientData, "attestation": x.Attestation},
		append([]url.Values{{"name": {"Laptop"}, "transports": {"internal hybrid nonsense"}}}, more...)...)
}

// enrol adds a passkey to the account that the browser is signed in to.
func enrol(t *testing.T, b *apptest.Browser, a *passkeytest.Authenticator) apptest.Page {
	t.Helper()
	page := beginKey(t, b, b.Get("/account/passkeys")).create(a)
	if list := b.Get("/account/passkeys"); page.Status != http.StatusOK || !strings.Contains(list.Body, "Laptop") {
		t.Fatalf("not enrolled: %d %s %.900s", page.Status, page.URL, page.Body)
	}
	return page
}

// withKey is a provider on which bob has a passkey that counts, and the browser in which he made it.
func withKey(t *testing.T, algorithm int) (*apptest.Provider, *apptest.Browser, *passkeytest.Authenticator) {
	t.Helper()
	p := named(t)
	b, a := p.Browser(), newKey(t, p, algorithm)
	a.Count = 1
	signedIn(t, b, "bob", apptest.Password)
	enrol(t, b, a)
	return p, b, a
}

// MF-06: what a session began with is what its tokens say. A passkey that recognised its person is two factors.
func TestPasskeySignIn(t *testing.T) {
	t.Parallel()
	for algorithm, eligible := range map[int]bool{passkeytest.ES256: false, passkeytest.EdDSA: true, passkeytest.RS256: true} {
		p := named(t)
		web := p.Client("web")
		says := func(page apptest.Page, b *apptest.Browser, acr, amr string) {
			t.Helper()
			if page.IsConsent() {
				page = b.Allow(page)
			}
			claims := verify(t, p, wantTokens(t, web.Exchange(page.Answer().Get("code"))).Get("id_token")).claims
			if claims["acr"] != acr || fmt.Sprint(claims["amr"]) != "["+amr+"]" {
				t.Errorf("%d: acr %v, amr %v; want %s, %v", algorithm, claims["acr"], claims["amr"], acr, amr)
			}
		}
		b, a, key := p.Browser(), newKey(t, p, algorithm), "hwk"
		if eligible {
			a.Flags |= passkeytest.BackupEligible
			key = "swk"
		}
		signedIn(t, b, "bob", apptest.Password)
		says(web.Authorize(b), b, "urn:sso:loa:pwd", "pwd")
		old := b.Cookies()["latchkey-session"]
		var page apptest.Page
		events := recorded(t, p, func() { page = enrol(t, b, a) }, audit.FactorEnrolled, audit.LoginSucceeded, audit.RecoveryMade)
		if events[0].Facts["kind"] != "passkey" || len(apptest.RecoveryCodes(page)) != identity.RecoveryCodeCount {
			t.Errorf("%+v, %d codes", events[0], len(apptest.RecoveryCodes(page)))
		}
		if b.Cookies()["latchkey-session"] == old {
			t.Error("SS-05: the session was raised under its old cookie")
		}
		says(web.Authorize(b), b, "urn:sso:loa:mfa", "pwd "+key+" user mfa")

		t.Run("alone", func(t *testing.T) {
			b := p.Browser()
			page := web.Authorize(b, set("acr_values", "urn:sso:loa:mfa"))
			if !strings.Contains(page.Body, `autocomplete="username webauthn"`) {
				t.Error("the name field does not offer passkeys")
			}
			c := beginKey(t, b, page)
			if c.options["userVerification"] != "required" || c.options["rpId"] != "localhost" || c.options["allowCredentials"] != nil {
				t.Errorf("asked for %v", c.options)
			}
			says(c.show(a), b, "urn:sso:loa:mfa", key+" user mfa")
		})
		t.Run("on the provider's own page", func(t *testing.T) {
			b := p.Browser()
			wantAccount(t, beginKey(t, b, b.Get("/account")).show(a))
		})
		t.Run("after a password", func(t *testing.T) {
			b := p.Browser()
			page := b.Login(web.Authorize(b), "bob", apptest.Password)
			c := beginKey(t, b, page)
			if allowed, _ := c.options["allowCredentials"].([]any); len(allowed) != 1 || isSignedIn(b) {
				t.Fatalf("asked for %v", c.options)
			}
			a.Flags &^= passkeytest.Verified // a security key without a PIN: the password is the other factor
			defer func() { a.Flags |= passkeytest.Verified }()
			says(c.show(a), b, "urn:sso:loa:mfa", "pwd "+key+" user mfa")
		})
		if !strings.Contains(b.Get("/account/passkeys").Body, "Last used") {
			t.Error("the page does not say when the passkey was used")
		}
	}
}

// What is refused, at the one door and at the other, and leaves nobody signed in.
func TestPasskeysRefused(t *testing.T) {
	t.Parallel()
	p, _, a := withKey(t, passkeytest.ES256)
	const failed, over, unverified = "This passkey cannot be used here", "The request for a passkey is over", "Your device did not check that it is you"
	carol, eve := p.Browser(), newKey(t, p, passkeytest.ES256)
	signedIn(t, carol, "alice", apptest.Password)
	enrol(t, carol, eve)
	copied := *a // before it counts on

	for _, c := range []struct {
		name, want, reason string
		present            func(b *apptest.Browser, c *ceremony) apptest.Page
	}{
		{"another origin", failed, "the page was of another origin", func(_ *apptest.Browser, c *ceremony) apptest.Page {
			x := *a
			x.Origin = "http://localhost.evil.test"
			return c.show(&x)
		}},
		{"a key that nobody has", failed, "nobody has the passkey", func(_ *apptest.Browser, c *ceremony) apptest.Page {
			return c.show(newKey(t, p, passkeytest.ES256))
		}},
		{"no key at all", failed, "nobody has the passkey", func(_ *apptest.Browser, c *ceremony) apptest.Page {
			return c.send(map[string][]byte{"challenge": c.challenge(), "credential": {1}})
		}},
		{"signed by another key", failed, "the signature was not made with the key", func(_ *apptest.Browser, c *ceremony) apptest.Page {
			x := *a
			x.Key = eve.Key
			return c.show(&x)
		}},
		{"the handle of another user", failed, "the authenticator named another user than the passkey belongs to", func(_ *apptest.Browser, c *ceremony) apptest.Page {
			x := *a
			x.UserHandle, x.Count = eve.UserHandle, 1000
			return c.show(&x)
		}},
		{"a challenge of another browser", over, ports.ErrPasskeyOver.Error(), func(_ *apptest.Browser, c *ceremony) apptest.Page {
			other := p.Browser()
			c.options = beginKey(t, other, other.Get("/login")).options
			return c.show(a)
		}},
		{"a challenge nobody drew", over, ports.ErrPasskeyOver.Error(), func(_ *apptest.Browser, c *ceremony) apptest.Page {
			c.options["challenge"] = strings.Repeat("A", 43)
			return c.show(a)
		}},
		{"a challenge of five minutes ago", over, ports.ErrPasskeyOver.Error(), func(_ *apptest.Browser, c *ceremony) apptest.Page {
			p.Advance(5 * time.Minute)
			return c.show(a)
		}},
		{"an answer sent twice", over, ports.ErrPasskeyOver.Error(), func(_ *apptest.Browser, c *ceremony) apptest.Page {
			x := *a
			x.Key, x.Count = eve.Key, 1000
			c.show(&x)
			return c.show(a)
		}},
	} {
		for _, door := range []string{"alone", "second factor"} {
			t.Run(c.name+", "+door, func(t *testing.T) {
				b, kind := p.Browser(), audit.LoginFailed
				page := b.Get("/login")
				if door == "second factor" {
					kind = audit.FactorFailed
					page = tryLogin(b, "bob", apptest.Password)
				}
				begun := beginKey(t, b, page)
				before := len(p.Events(kind))
				page = c.present(b, begun)
				events := p.Events(kind)
				if !strings.Contains(page.Body, c.want) || isSignedIn(b) {
					t.Errorf("%d %s %.1500s", page.Status, page.URL, page.Body)
				}
				if last := events[len(events)-1]; len(events) == before || last.Facts["reason"] != c.reason || last.Facts["method"] != "passkey" {
					t.Errorf("recorded %+v, want %q", last, c.reason)
				}
			})
		}
	}
	p.Advance(identity.AttemptWindow) // what was refused was counted
	t.Run("the passkey of another user as second factor", func(t *testing.T) {
		b := p.Browser()
		page := beginKey(t, b, tryLogin(b, "bob", apptest.Password)).show(eve)
		if !strings.Contains(page.Body, failed) || isSignedIn(b) {
			t.Errorf("%d %s", page.Status, page.Body)
		}
	})
	t.Run("nobody recognised", func(t *testing.T) {
		b, x := p.Browser(), *a
		x.Flags, x.Count = passkeytest.Present, 1000
		if page := beginKey(t, b, b.Get("/login")).show(&x); !strings.Contains(page.Body, unverified) || isSignedIn(b) {
			t.Errorf("%d %s", page.Status, page.Body)
		}
	})
	t.Run("a challenge of the second factor signs nobody in alone", func(t *testing.T) {
		b := p.Browser()
		login := b.Get("/login")
		alone := beginKey(t, b, login)
		alone.options = beginKey(t, b, b.Login(login, "bob", apptest.Password)).options
		if page := alone.show(a); !strings.Contains(page.Body, over) || isSignedIn(b) {
			t.Errorf("%d %s", page.Status, page.Body)
		}
	})
	t.Run("a copy is found out by its counter", func(t *testing.T) {
		b := p.Browser()
		wantAccount(t, beginKey(t, b, b.Get("/account")).show(a))
		for range 2 { // the count that was used, and once more
			thief := p.Browser()
			copied.Count = a.Count - 1
			if page := beginKey(t, thief, thief.Get("/login")).show(&copied); !strings.Contains(page.Body, failed) || isSignedIn(thief) {
				t.Fatalf("%d %s", page.Status, page.Body)
			}
		}
		events := p.Events(audit.LoginFailed)
		if last := events[len(events)-1]; last.Facts["reason"] != identity.ErrPasskeyCounter.Error() || last.User == "" {
			t.Errorf("%+v", last)
		}
	})
	t.Run("LG-07 a disabled user", func(t *testing.T) {
		b := p.Browser()
		begun := beginKey(t, b, b.Get("/login"))
		p.Apply(`{"users": [{"username": "bob", "disabled": true}]}`)
		if page := begun.show(a); !strings.Contains(page.Body, failed) || isSignedIn(b) || len(p.Events(audit.LoginDisabled)) != 1 {
			t.Errorf("%d %s", page.Status, page.Body)
		}
	})
}

// LG-13: what a browser is asked for before anybody said who they are is the same whoever there is.
func TestPasskeyChallengeTellsNothing(t *testing.T) {
	t.Parallel()
	p, _, _ := withKey(t, passkeytest.ES256)
	ask := func(name string) (map[string]any, string) {
		b := p.Browser()
		action := "/login/passkey"
		_, fields := b.Form(b.Get("/login"))
		fields.Set("username", name)
		answer := b.Do("POST", action, fields, nil)
		var options map[string]any
		if err := json.Unmarshal([]byte(answer.Body), &options); err != nil {
			t.Fatalf("%d %s", answer.Status, answer.Body)
		}
		challenge := fmt.Sprint(options["challenge"])
		delete(options, "challenge")
		return options, challenge
	}
	known, first := ask("bob")
	drawn := map[string]bool{first: true}
	for _, name := range []string{"bob", "alice", "dave", "nobody", ""} {
		options, challenge := ask(name)
		if fmt.Sprint(options) != fmt.Sprint(known) {
			t.Errorf("%q is asked for %v, bob for %v", name, options, known)
		}
		if drawn[challenge] {
			t.Errorf("%q gets a challenge that was drawn before", name)
		}
		drawn[challenge] = true
	}
}

// Of one answer sent many times at once, one counts.
func TestPasskeyAnsweredAtOnce(t *testing.T) {
	t.Parallel()
	p, _, a := withKey(t, passkeytest.ES256)
	b := p.Browser()
	c := beginKey(t, b, b.Get("/login"))
	x := a.Get(t, c.challenge())
	for name, value := range map[string][]byte{"challenge": c.challenge(), "credential": x.CredentialID, "user_handle": x.UserHandle, "client_data": x.ClientData,
		"authenticator_data": x.AuthenticatorData, "signature": x.Signature} {
		c.fields.Set(name, base64.RawURLEncoding.EncodeToString(value))
	}
	before := len(p.Events(audit.LoginSucceeded))
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() { b.Do("POST", c.action, c.fields, nil) })
	}
	all.Wait()
	if n := len(p.Events(audit.LoginSucceeded)) - before; n != 1 || len(p.Events(audit.LoginFailed)) != 15 {
		t.Errorf("%d of 16 signed in, %d were refused", n, len(p.Events(audit.LoginFailed)))
	}
}
