package app_test

import (
	"fmt"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"latchkey/app/apptest"
	"latchkey/domain/audit"
	"latchkey/domain/identity"
	"latchkey/ports/passkeytest"
)

// MF-06: an application that asks for a second factor is satisfied by a passkey that is made on the way, and adding an app
// to a session that began without a password makes no password of it.
func TestPasskeyMadeOnTheWay(t *testing.T) {
	t.Parallel()
	p := named(t)
	web := p.Client("web")
	amr := func(b *apptest.Browser, page apptest.Page) string {
		t.Helper()
		if page.IsConsent() {
			page = b.Allow(page)
		}
		claims := verify(t, p, wantTokens(t, web.Exchange(page.Answer().Get("code"))).Get("id_token")).claims
		return fmt.Sprint(claims["acr"], claims["amr"])
	}
	b, a := p.Browser(), newKey(t, p, passkeytest.ES256)
	page := b.Login(web.Authorize(b, set("acr_values", "urn:sso:loa:mfa")), "bob", apptest.Password)
	link := regexp.MustCompile(`id="enrol-passkey" href="([^"]*)"`).FindStringSubmatch(page.Body)
	if link == nil {
		t.Fatalf("no way to add a passkey: %d %s %s", page.Status, page.URL, page.Body)
	}
	page = beginKey(t, b, b.Get(html.UnescapeString(link[1]))).create(a)
	if len(apptest.RecoveryCodes(page)) == 0 {
		t.Fatalf("not enrolled: %d %s", page.Status, page.Body)
	}
	next := regexp.MustCompile(`(?s)<form[^>]*method="get".*?</form>`).FindString(page.Body)
	part := page
	part.Body = next
	action, fields := b.Form(part)
	if got := amr(b, b.Get(action+"?"+fields.Encode())); got != "urn:sso:loa:mfa[pwd hwk user mfa]" {
		t.Error(got)
	}

	alone := p.Browser()
	wantAccount(t, beginKey(t, alone, alone.Get("/account")).show(a))
	p.Enrol(alone)
	if got := amr(alone, web.Authorize(alone)); got != "urn:sso:loa:mfa[hwk user mfa]" {
		t.Errorf("a session without a password says %s", got)
	}
}

// MF-04 and AD-05: passkeys are added and removed by their owner, who has the factor, alone.
func TestPasskeysAreGuarded(t *testing.T) {
	t.Parallel()
	t.Run("MF-04 adding asks for the password after a while", func(t *testing.T) {
		p := named(t)
		b, a := p.Browser(), newKey(t, p, passkeytest.ES256)
		signedIn(t, b, "bob", apptest.Password)
		p.Advance(identity.RecentSignIn + time.Millisecond)
		page := b.Get("/account/passkeys")
		if !strings.Contains(page.Body, `name="current"`) {
			t.Fatal("the password is not asked for")
		}
		for _, typed := range []string{"", "not the password of bob"} {
			if page := beginKey(t, b, page).create(a, set("current", typed)); !strings.Contains(page.Body, `role="alert"`) || strings.Contains(page.Body, "Laptop") {
				t.Errorf("%q: %d %s", typed, page.Status, page.Body)
			}
		}
		beginKey(t, b, page).create(a, set("current", apptest.Password))
		if list := b.Get("/account/passkeys"); !strings.Contains(list.Body, "Laptop") {
			t.Errorf("%d %s", list.Status, list.Body)
		}
	})
	t.Run("MF-04 a second one needs the first", func(t *testing.T) {
		p, _, a := withKey(t, passkeytest.ES256)
		b := p.Browser()
		half := tryLogin(b, "bob", apptest.Password) // MF-03
		if page := b.Get("/account/passkeys"); strings.Contains(page.Body, "<h1>Passkeys</h1>") {
			t.Errorf("somebody with the password alone sees %s", page.URL)
		}
		beginKey(t, b, half).show(a)
		enrol(t, b, newKey(t, p, passkeytest.EdDSA))
	})
	t.Run("MF-04 a session from before there was one", func(t *testing.T) {
		p := named(t)
		here, there := p.Browser(), p.Browser()
		signedIn(t, here, "bob", apptest.Password)
		signedIn(t, there, "bob", apptest.Password)
		begun, stolen := beginKey(t, there, there.Get("/account/passkeys")), newKey(t, p, passkeytest.ES256)
		enrol(t, here, newKey(t, p, passkeytest.ES256))
		unchanged := len(p.Events(audit.FactorEnrolled))
		if page := begun.create(stolen); page.URL.Path != "/second-factor" || len(p.Events(audit.FactorEnrolled)) != unchanged {
			t.Errorf("%d %s", page.Status, page.URL)
		}
	})
	t.Run("a challenge is for its user, its purpose and one answer", func(t *testing.T) {
		p := named(t)
		bob, alice := p.Browser(), p.Browser()
		signedIn(t, bob, "bob", apptest.Password)
		signedIn(t, alice, "alice", apptest.Password)
		login := p.Browser()
		for name, foreign := range map[string]*ceremony{"of alice": beginKey(t, alice, alice.Get("/account/passkeys")), "for signing in": beginKey(t, login, login.Get("/login"))} {
			c := beginKey(t, bob, bob.Get("/account/passkeys"))
			c.options["challenge"] = foreign.options["challenge"]
			if page := c.create(newKey(t, p, passkeytest.ES256)); !strings.Contains(page.Body, "The request for a passkey is over") {
				t.Errorf("%s: %d %s", name, page.Status, page.Body)
			}
		}
		// In one browser, by two people: whoever drew the challenge is whom it is for.
		shared := p.Browser()
		signedIn(t, shared, "alice", apptest.Password)
		before := beginKey(t, shared, shared.Get("/account/passkeys"))
		shared.Submit(shared.Get("/"), nil)
		signedIn(t, shared, "bob", apptest.Password)
		after := beginKey(t, shared, shared.Get("/account/passkeys"))
		after.options["challenge"] = before.options["challenge"]
		if page := after.create(newKey(t, p, passkeytest.ES256)); !strings.Contains(page.Body, "The request for a passkey is over") {
			t.Errorf("of who was there before: %d %s", page.Status, page.Body)
		}
		c, a := beginKey(t, bob, bob.Get("/account/passkeys")), newKey(t, p, passkeytest.ES256)
		a.Type = "webauthn.get"
		if page := c.create(a); !strings.Contains(page.Body, "did not arrive as it should") {
			t.Errorf("%d %s", page.Status, page.Body)
		}
		a.Type = ""
		if page := c.create(a); !strings.Contains(page.Body, "The request for a passkey is over") {
			t.Errorf("answered twice: %d %s", page.Status, page.Body)
		}
		enrol(t, bob, a)
		if page := beginKey(t, alice, alice.Get("/account/passkeys")).create(a); !strings.Contains(page.Body, "registered already") {
			t.Errorf("the passkey of another: %d %s", page.Status, page.Body)
		}
	})
	t.Run("MF-04 removing asks for a factor", func(t *testing.T) {
		p, b, a := withKey(t, passkeytest.ES256)
		link := factorLink.FindStringSubmatch(b.Get("/account").Body)
		page := b.Get(html.UnescapeString(link[1]))
		c := beginKey(t, b, page)
		for name, fields := range map[string]url.Values{"nothing": {}, "the password": set("current", apptest.Password), "a guess": set("code", "123456")} {
			part := page
			part.Body = `<form action="` + html.EscapeString(c.action) + `"></form>`
			form := url.Values{"csrf": c.fields["csrf"], "factor": c.fields["factor"]}
			for k, v := range fields {
				form[k] = v
			}
			if b.Submit(part, form); !strings.Contains(b.Get("/account/passkeys").Body, "Laptop") {
				t.Fatalf("%s removes it", name)
			}
		}
		eve, alice := newKey(t, p, passkeytest.ES256), p.Browser()
		signedIn(t, alice, "alice", apptest.Password)
		enrol(t, alice, eve)
		if beginKey(t, b, page).show(eve); !strings.Contains(b.Get("/account/passkeys").Body, "Laptop") {
			t.Fatal("the passkey of another removes it")
		}
		events := recorded(t, p, func() { beginKey(t, b, page).show(a) }, audit.FactorRemoved)
		if len(events) == 1 && events[0].Facts["factor"] == "" {
			t.Errorf("%+v", events[0])
		}
		gone := p.Browser()
		if page := beginKey(t, gone, gone.Get("/login")).show(a); !strings.Contains(page.Body, "This passkey cannot be used here") || isSignedIn(gone) {
			t.Errorf("removed, and yet: %d %s", page.Status, page.Body)
		}
		if page := tryLogin(p.Browser(), "bob", apptest.Password); strings.Contains(page.Body, `id="passkey"`) && page.IsFactor() {
			t.Error("the password alone does not sign in again")
		}
	})
}

// RL-07: JSON from strangers, in the one field that holds some. Nothing of it is read but what the challenge allows.
func TestHostileClientData(t *testing.T) {
	t.Parallel()
	p, _, a := withKey(t, passkeytest.ES256)
	b := p.Browser()
	page := b.Get("/login")
	for name, text := range map[string]string{
		"depth": strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000), "keys": "{" + strings.Repeat(`"a":1,`, 1_000_000) + `"b":1}`,
		"number": strings.Repeat("1", 1<<20), "UTF-8": "{\"type\":\"\xff\"}", "twice": `{"type":"webauthn.get","type":"webauthn.get","challenge":"","origin":""}`,
	} {
		c := beginKey(t, b, page)
		x := a.Get(t, c.challenge())
		x.ClientData = []byte(text)
		answer := c.answer(x)
		if small := len(text) < 2500; answer.Status != http.StatusBadRequest && answer.Status != http.StatusRequestEntityTooLarge && !small ||
			small && !strings.Contains(answer.Body, "This passkey cannot be used here") || isSignedIn(b) {
			t.Errorf("%s: %d %.300s", name, answer.Status, answer.Body)
		}
	}
	for _, field := range []string{"challenge", "credential", "client_data", "authenticator_data", "signature", "user_handle"} {
		for _, value := range []string{"=", "AA==", "AB", "A A", "A\nA", "A+/A"} {
			c := beginKey(t, b, page)
			c.fields.Set("credential", "AAAA")
			if answer := c.send(nil, set(field, value)); answer.Status != http.StatusBadRequest {
				t.Errorf("%s=%q: %d", field, value, answer.Status)
			}
		}
	}
}

// Without a name there are no passkeys, and no page speaks of them; with one, password managers find the page.
func TestWherePasskeysAre(t *testing.T) {
	t.Parallel()
	at, of := apptest.New(t), named(t)
	for _, path := range []string{"/login", "/account/totp"} {
		b := at.Browser()
		signedIn(t, b, "bob", apptest.Password)
		if page := b.Get(path); strings.Contains(page.Body, "<script") || strings.Contains(page.Body, "passkey") {
			t.Errorf("%s of an issuer at an address: %s", path, page.Body)
		}
	}
	if page := at.Browser().Get("/.well-known/passkey-endpoints"); page.Status != http.StatusNotFound {
		t.Errorf("%d", page.Status)
	}
	found := of.JSON(of.Browser().Get("/.well-known/passkey-endpoints").Body)
	if want := of.Issuer + "/account/passkeys"; found["enroll"] != want || found["manage"] != want {
		t.Errorf("%v", found)
	}
}
