package app_test

import (
	"encoding/base64"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"latchkey/adapters/chance"
	"latchkey/app/apptest"
	"latchkey/domain/audit"
	"latchkey/domain/identity"
	"latchkey/ports"
	"latchkey/ports/passkeytest"
)

// withoutFactors removes the factors of a user, so that the next group adds the first again. It returns how many there were.
func withoutFactors(t *testing.T, r *track, username string) (n int) {
	t.Helper()
	update(t, r.Provider, func(tx ports.Tx) error {
		user, err := tx.UserByLogin(username)
		if err != nil {
			return err
		}
		factors, err := tx.Factors(user.ID)
		n = len(factors)
		if n > 0 {
			err = errors.Join(err, tx.SaveRecoveryCodes(identity.RecoveryCodes{User: user.ID}))
		}
		for _, f := range factors {
			err = errors.Join(err, tx.DeleteFactor(f.ID))
		}
		return err
	})
	return n
}

// MF-04, MF-05: one factor is added, and recovery codes are shown once.
func raceConfirmation(t *testing.T, r *track) race {
	return race{"confirmations of a factor", func(t *testing.T, n int) (won int) {
		b := r.Browser()
		signedIn(t, b, "alice", apptest.Password)
		page := b.Submit(b.Get("/account/totp"), nil)
		phone, before := r.Scan(page), r.last(t)
		for _, w := range r.rush(t, times(n, r.submit(b, page, set("code", phone.Code(), "name", "Phone")))) {
			if len(apptest.RecoveryCodes(apptest.Page{Body: w.Body.String()})) > 0 {
				won++
			}
		}
		wantCounts(t, r.since(t, before), map[audit.Kind]int{audit.FactorEnrolled: 1, audit.RecoveryMade: 1})
		if n := withoutFactors(t, r, "alice"); n != 1 {
			t.Errorf("%d factors", n)
		}
		return won
	}}
}

// waiting lets three sign-ins of a user wait for the second factor at a path, and sends each a share of the answers.
func waiting(t *testing.T, r *track, username, path string, n int, fields url.Values) (won int, recorded map[audit.Kind]int) {
	t.Helper()
	var browsers []*apptest.Browser
	var all []func() *httptest.ResponseRecorder
	for range 3 {
		b := r.Browser()
		if page := tryLogin(b, username, apptest.Password); !page.IsFactor() {
			t.Fatalf("not asked for the second factor: %d %s", page.Status, page.URL)
		}
		browsers = append(browsers, b)
		all = append(all, times(n/3, r.submit(b, b.Get(path), fields))...)
	}
	all = append(all, times(n-len(all), all[0])...)
	before := r.last(t)
	for _, w := range r.rush(t, all) {
		for _, c := range w.Result().Cookies() {
			if c.Name == "latchkey-session" && c.Value != "" {
				won++
				b := r.Browser()
				if b.SetCookie(c.Name, c.Value); !isSignedIn(b) {
					t.Error("the cookie of the winner opens nothing")
				}
			}
		}
	}
	for _, b := range browsers {
		if isSignedIn(b) {
			t.Error("a sign-in that was not answered is signed in")
		}
	}
	recorded = r.since(t, before)
	wantCounts(t, recorded, map[audit.Kind]int{audit.LoginSucceeded: 1})
	return won, recorded
}

// MF-01: of three sign-ins that wait, one gets in with a code, and the code is known to have come again.
func raceTOTP(t *testing.T, r *track) race {
	owner := r.Browser()
	signedIn(t, owner, "bob", apptest.Password)
	phone := r.Enrol(owner)
	return race{"codes of an app", func(t *testing.T, n int) int {
		won, recorded := waiting(t, r, "bob", "/second-factor", n, set("code", phone.Code()))
		if recorded[audit.FactorReplayed] == 0 {
			t.Errorf("no replay was recorded: %v", recorded)
		}
		return won
	}}
}

// MF-05: of three sign-ins that wait, one gets in with a recovery code, and the code is gone.
func raceRecovery(t *testing.T, r *track) race {
	owner := r.Browser()
	signedIn(t, owner, "carol", apptest.Password)
	r.Enrol(owner)
	return race{"recovery codes", func(t *testing.T, n int) int {
		code := chance.Source{}.ID()
		var carol identity.User
		update(t, r.Provider, func(tx ports.Tx) (err error) {
			if carol, err = tx.UserByLogin("carol"); err != nil {
				return err
			}
			digest, _ := identity.RecoveryDigest(carol.ID, code)
			return tx.SaveRecoveryCodes(identity.RecoveryCodes{User: carol.ID, Digests: [][32]byte{digest}})
		})
		won, recorded := waiting(t, r, "carol", "/second-factor?recovery=1", n, set("code", code))
		wantCounts(t, recorded, map[audit.Kind]int{audit.RecoveryUsed: 1})
		err := r.Store.View(t.Context(), func(tx ports.Reader) error {
			left, err := tx.RecoveryCodes(carol.ID)
			if len(left.Digests) > 0 {
				t.Errorf("%d codes are left", len(left.Digests))
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
		return won
	}}
}

// The challenge of a passkey that is added counts once.
func racePasskeyAdded(t *testing.T, r *track) race {
	return race{"new passkeys", func(t *testing.T, n int) int {
		b := r.Browser()
		signedIn(t, b, "alice", apptest.Password)
		c := beginKey(t, b, b.Get("/account/passkeys"))
		key := newKey(t, r.Provider, passkeytest.ES256)
		handle, _ := c.options["user"].(map[string]any)["id"].(string)
		key.UserHandle, _ = base64.RawURLEncoding.DecodeString(handle)
		x := key.Create(t, c.challenge())
		for name, value := range map[string][]byte{"challenge": c.challenge(), "credential": x.CredentialID, "client_data": x.ClientData, "attestation": x.Attestation} {
			c.fields.Set(name, base64.RawURLEncoding.EncodeToString(value))
		}
		c.fields.Set("name", "Laptop")
		before := r.last(t)
		r.rush(t, times(n, r.post(b, c.action, c.fields)))
		wantCounts(t, r.since(t, before), map[audit.Kind]int{audit.FactorEnrolled: 1})
		return withoutFactors(t, r, "alice")
	}}
}

// The challenge of a passkey counts for one sign-in.
func racePasskey(t *testing.T, r *track) race {
	owner, key := r.Browser(), newKey(t, r.Provider, passkeytest.ES256)
	signedIn(t, owner, "bob", apptest.Password)
	enrol(t, owner, key)
	return race{"challenges of passkeys", func(t *testing.T, n int) (won int) {
		b := r.Browser()
		c := beginKey(t, b, b.Get("/login"))
		x := key.Get(t, c.challenge())
		for name, value := range map[string][]byte{"challenge": c.challenge(), "credential": x.CredentialID, "user_handle": x.UserHandle, "client_data": x.ClientData,
			"authenticator_data": x.AuthenticatorData, "signature": x.Signature} {
			c.fields.Set(name, base64.RawURLEncoding.EncodeToString(value))
		}
		before := r.last(t)
		for _, w := range r.rush(t, times(n, r.post(b, c.action, c.fields))) {
			if w.Code == http.StatusSeeOther {
				won++
			}
		}
		wantCounts(t, r.since(t, before), map[audit.Kind]int{audit.LoginSucceeded: 1, audit.LoginFailed: n - 1})
		return won
	}}
}
