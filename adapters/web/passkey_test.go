package web

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"latchkey/adapters/web/page"
	"latchkey/domain/identity"
	"latchkey/domain/oidc"
	"latchkey/ports"

	"github.com/google/go-cmp/cmp"
)

// pressed are the buttons for a passkey: where each asks, with the form that it stands in, and what the stub's answer looks
// like to the script.
var pressed = []struct {
	action string
	form   ownForm
	call   string
	want   string
}{
	{"/login/passkey", ownForm{"/login", "/login", oidc.Login, url.Values{}, nil}, "SignInPasskey",
		`{"challenge":"dGhpcnR5LXR3byBieXRlcyBvZiBhIGNoYWxsZW5nZS4","timeout":300000,"rpId":"op.test","userVerification":"required"}`},
	{"/login/passkey", ownForm{"/login", "/login?interaction=int-1", oidc.Login, url.Values{"interaction": {"int-1"}}, nil}, "SignInPasskey",
		`{"challenge":"dGhpcnR5LXR3byBieXRlcyBvZiBhIGNoYWxsZW5nZS4","timeout":300000,"rpId":"op.test","userVerification":"required"}`},
	{"/second-factor/passkey", ownForm{"/second-factor", "/second-factor", oidc.Login, url.Values{}, nil}, "FactorPasskey",
		`{"challenge":"dGhpcnR5LXR3byBieXRlcyBvZiBhIGNoYWxsZW5nZS4","timeout":300000,"rpId":"op.test","userVerification":"preferred",` +
			`"allowCredentials":[{"type":"public-key","id":"Y3JlZGVudGlhbC1vZi1hbGljZQ","transports":["internal"]}]}`},
	{"/account/factors/remove/passkey", ownForm{"/account/factors/remove", "/account/factors?factor=fac-1", oidc.Login, url.Values{}, nil}, "FactorPasskey",
		`{"challenge":"dGhpcnR5LXR3byBieXRlcyBvZiBhIGNoYWxsZW5nZS4","timeout":300000,"rpId":"op.test","userVerification":"preferred",` +
			`"allowCredentials":[{"type":"public-key","id":"Y3JlZGVudGlhbC1vZi1hbGljZQ","transports":["internal"]}]}`},
	{"/account/passkeys/challenge", ownForm{"/account/passkeys", "/account/passkeys", oidc.Login, url.Values{}, nil}, "NewPasskey",
		`{"challenge":"dGhpcnR5LXR3byBieXRlcyBvZiBhIGNoYWxsZW5nZS4","timeout":300000,"rp":{"id":"op.test","name":"op.test"},` +
			`"user":{"id":"` + base64.RawURLEncoding.EncodeToString([]byte(alice.ID)) + `","name":"alice","displayName":"` + alice.DisplayName() + `"},` +
			`"pubKeyCredParams":[{"type":"public-key","alg":-7},{"type":"public-key","alg":-257}],` +
			`"excludeCredentials":[{"type":"public-key","id":"Y3JlZGVudGlhbC1vZi1hbGljZQ","transports":["internal"]}],` +
			`"authenticatorSelection":{"residentKey":"preferred","userVerification":"preferred"},"attestation":"none"}`},
}

// A button asks with the token of its form: what the authenticator is asked for, and WB-01 to WB-03 for everybody else.
func TestPasskeyRequests(t *testing.T) {
	for _, p := range pressed {
		b := newBench(t)
		fields := p.form.open(b, browserOne)
		w := b.post(p.action, fields.Encode(), "Accept: application/json", "Origin: https://op.test", browserOne)
		wantStatus(t, w, http.StatusOK)
		wantHeader(t, w, "Cache-Control", "no-store")
		wantHeader(t, w, "Content-Type", "application/json")
		if d := cmp.Diff(p.want, w.Body.String()); d != "" {
			t.Errorf("%s (-want +got):\n%s", p.action, d)
		}
		b.wantCalls(p.call)
		for name, forgery := range map[string]struct {
			token   string
			headers []string
		}{
			"WB-01: no token":      {"", []string{browserOne}},
			"WB-01: other token":   {"x" + fields.Get("csrf")[1:], []string{browserOne}},
			"WB-01: other browser": {fields.Get("csrf"), []string{browserTwo}},
			"WB-01: no browser":    {fields.Get("csrf"), nil},
			"WB-02: other site":    {fields.Get("csrf"), []string{browserOne, "Sec-Fetch-Site: cross-site"}},
			"WB-03: other origin":  {fields.Get("csrf"), []string{browserOne, "Origin: http://op.test"}},
		} {
			b := newBench(t)
			wantStatus(t, b.post(p.action, url.Values{"csrf": {forgery.token}, "interaction": fields["interaction"]}.Encode(), forgery.headers...), http.StatusForbidden)
			b.wantCalls("Deny csrf.denied")
			if t.Failed() {
				t.Fatalf("%s, %s", p.action, name)
			}
		}
		for err, want := range map[error]int{ports.ErrNotFound: 404, ports.ErrNoFactor: 409, ports.ErrFactorNeeded: 409} {
			b := newBench(t)
			fields := p.form.open(b, browserOne)
			b.askError = err
			wantStatus(t, b.post(p.action, fields.Encode(), browserOne), want)
		}
	}
}

// What the script sends is what the use case gets, and no more.
func TestPasskeyForms(t *testing.T) {
	shown := url.Values{"challenge": {"Yw"}, "credential": {"aWQ"}, "user_handle": {"dXNlcg"}, "client_data": {"e30"}, "authenticator_data": {"ZGF0YQ"}, "signature": {"c2ln"},
		"username": {"alice"}, "password": {"p"}, "code": {"123456"}}
	want := &ports.PasskeyForm{Browser: "key-1", Challenge: []byte("c"), PasskeyAssertion: ports.PasskeyAssertion{CredentialID: []byte("id"), UserHandle: []byte("user"),
		ClientData: []byte("{}"), AuthenticatorData: []byte("data"), Signature: []byte("sig")}}
	var got *ports.PasskeyForm
	b := newBench(t)
	b.onSignIn = func(f ports.LoginForm) (ports.Login, error) {
		got = f.Passkey
		return ports.Login{Problem: ports.PasskeyUnverified}, nil
	}
	b.onFactor = func(_ oidc.InteractionID, f ports.FactorForm) (ports.Next, error) {
		got = f.Passkey
		return ports.Next{Login: ports.Login{Problem: ports.PasskeyFailed, Tries: 1}}, nil
	}
	for form, message := range map[*ownForm]page.Message{
		{"/login", "/login", oidc.Login, shown, nil}:                 page.MsgPasskeyUnverified,
		{"/second-factor", "/second-factor", oidc.Login, shown, nil}: page.MsgPasskeyFailed,
	} {
		got = nil
		wantPage(t, b.post(form.action, form.open(b, browserOne).Encode(), asBrowser, browserOne), http.StatusOK, message)
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", form.action, d)
		}
		for name := range shown {
			if name == "username" || name == "password" || name == "code" {
				continue
			}
			for _, value := range []string{"=", "YQ==", "YR", "Y Q", "Y\nQ=", "+///"} {
				fields := form.open(b, browserOne)
				fields.Set(name, value)
				if w := b.post(form.action, fields.Encode(), asBrowser, browserOne); w.Code != http.StatusBadRequest {
					t.Errorf("%s: %s=%q: %d", form.action, name, value, w.Code)
				}
			}
		}
	}
	enrol := ownForm{"/account/passkeys", "/account/passkeys", oidc.Login, url.Values{"challenge": {"Yw"}, "credential": {"aWQ"}, "client_data": {"e30"}, "attestation": {"b2Jq"},
		"name": {"Phone"}, "transports": {"usb nfc"}, "current": {"p"}, "user": {"u-2"}}, nil}
	b.onChange = func(form any) (ports.AccountChange, error) {
		made := ports.EnrolForm{AccountProof: ports.AccountProof{User: alice.ID, Current: "p"}, Challenge: []byte("c"), Name: "Phone", Transports: []string{"usb", "nfc"},
			PasskeyRegistration: ports.PasskeyRegistration{CredentialID: []byte("id"), ClientData: []byte("{}"), Attestation: []byte("obj")}}
		if d := cmp.Diff(any(made), form); d != "" {
			t.Errorf("(-want +got):\n%s", d)
		}
		return ports.AccountChange{Problems: []error{ports.ErrPasskeyKnown}}, nil
	}
	wantPage(t, b.post(enrol.action, enrol.open(b, browserOne).Encode(), asBrowser, browserOne), http.StatusOK, page.MsgPasskeyKnown)
}

// WB-04: the script is served as what its hash says, loaded where somebody holds a key, and nowhere else.
func TestPasskeyScript(t *testing.T) {
	b := newBench(t)
	w := b.get(page.PasskeyScript.Path)
	wantStatus(t, w, http.StatusOK)
	wantHeader(t, w, "Content-Type", "text/javascript; charset=utf-8")
	wantHeader(t, w, "Cache-Control", "public, max-age=31536000, immutable")
	if w.Body.String() != string(page.PasskeyScript.Content) || strings.Contains(w.Body.String(), "eval") || strings.Contains(w.Body.String(), "innerHTML") {
		t.Error("not the script")
	}
	login := b.get("/login", asBrowser)
	want := "; script-src '" + page.PasskeyScript.Integrity + "' https://op.test" + page.PasskeyScript.Path + "; connect-src 'self'"
	if policy := login.Header().Get("Content-Security-Policy"); !strings.HasSuffix(policy, want) {
		t.Errorf("policy %q", policy)
	}
	for _, path := range []string{"/", "/account", "/errors", "/account/password"} {
		b.onCurrent = func(ports.Browser) (identity.Session, identity.User, error) { return identity.Session{}, alice, nil }
		if w := b.get(path, asBrowser, browserOne); strings.Contains(w.Body.String(), "<script") || strings.Contains(w.Header().Get("Content-Security-Policy"), "script-src") {
			t.Errorf("%s loads a script", path)
		}
	}
	without := newBench(t)
	without.withoutPasskeys = true
	if w := without.get("/login", asBrowser); strings.Contains(w.Body.String(), "<script") || strings.Contains(w.Body.String(), "webauthn") {
		t.Error("the login page of a server without passkeys loads the script")
	}
	wantStatus(t, without.get("/.well-known/passkey-endpoints"), http.StatusNotFound)
}
