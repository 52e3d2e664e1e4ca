package web

import (
	"context"
	"time"

	"latchkey/domain/audit"
	"latchkey/domain/identity"
	"latchkey/ports"
)

// sampleKey is a passkey of alice.
var sampleKey = identity.Factor{ID: "fac-key", User: "u-alice", Kind: identity.PasskeyFactor, Name: "phone", CredentialID: []byte("credential-of-alice"),
	Transports: []string{"internal"}, ConfirmedAt: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}

func (s *stub) OffersPasskeys() bool { return !s.withoutPasskeys }

func (s *stub) ask(call string, request ports.PasskeyRequest) (ports.PasskeyRequest, error) {
	s.note(call, audit.Caller{})
	request.Site = ports.PasskeySite{ID: "op.test", Algorithms: []int64{-7, -257}}
	request.Challenge = []byte("thirty-two bytes of a challenge.")
	return request, s.askError
}

func (s *stub) SignInPasskey(context.Context, ports.Browser) (ports.PasskeyRequest, error) {
	return s.ask("SignInPasskey", ports.PasskeyRequest{Verify: true})
}

func (s *stub) FactorPasskey(context.Context, ports.Browser) (ports.PasskeyRequest, error) {
	return s.ask("FactorPasskey", ports.PasskeyRequest{Known: []identity.Factor{sampleKey}})
}

func (s *stub) NewPasskey(context.Context, ports.Browser) (ports.PasskeyRequest, error) {
	return s.ask("NewPasskey", ports.PasskeyRequest{User: alice, Known: []identity.Factor{sampleKey}})
}

func (s *stub) EnrolPasskey(_ context.Context, c audit.Caller, _ ports.Browser, f ports.EnrolForm) (ports.AccountChange, error) {
	return s.change("EnrolPasskey", c, f)
}

// passkeySamples are the pages with a passkey in each of the shapes they can take.
func passkeySamples(shown func(string) moment) []samplePage {
	const csrf = "csrf_b1Zx"
	site := func(path string) frame { return frame{Path: path} }
	get := func(url string, label messageID) *passkeyButton { return &passkeyButton{URL: url, Label: label} }
	login := get("/login/passkey", msgUsePasskey)
	login.Autofill = true
	add := &passkeyButton{URL: "/account/passkeys/challenge", Create: true, Label: msgAddPasskey, Main: true}
	alone := get("/second-factor/passkey", msgUsePasskey)
	alone.Main = true
	factor := factorPage{Action: "/second-factor", CSRF: csrf, Account: "Tio Pratama (tio)", OtherURL: "/login?switch=1"}
	both, only, failed := factor, factor, factor
	both.App, both.Passkey, both.SwapURL = true, get("/second-factor/passkey", msgUsePasskey), "/second-factor?recovery=1"
	only.Passkey, only.SwapURL = alone, "/second-factor?recovery=1"
	failed.Passkey, failed.Problem = alone, msgPasskeyFailed
	card := func(id, name string) factorCard {
		return factorCard{ID: id, Kind: "passkey", Name: name, Added: shown("2026-05-01T03:00:00Z"), URL: "/account/factors?factor=" + id}
	}
	used := card("fac_1", "Work laptop")
	used.LastUsed = shown("2026-11-20T01:05:00Z")
	passkeys := passkeysPage{Action: "/account/passkeys", CSRF: csrf, Username: "tio", Recent: true, Passkey: add, Passkeys: []passkeyCard{
		{factorCard: used, Model: "08987058-cadc-4b81-b6e1-30de50dcbe96"},
		{factorCard: card("fac_2", "Phone"), Syncable: true, Synced: true}, {factorCard: card("fac_3", ""), Syncable: true}}}
	return []samplePage{
		{"login_passkey", site("/login"), loginPage{Action: "/login", CSRF: csrf, Passkey: login}},
		{"login_passkey_unverified", site("/login"), loginPage{Action: "/login", CSRF: csrf, Passkey: login, Problem: msgPasskeyUnverified}},
		{"second_factor_both", site("/second-factor"), both},
		{"second_factor_passkey", site("/second-factor"), only},
		{"second_factor_passkey_failed", site("/second-factor"), failed},
		{"passkeys", site("/account/passkeys"), passkeys},
		{"passkeys_problem", site("/account/passkeys"), passkeysPage{Action: "/account/passkeys", CSRF: csrf, Username: "tio", Passkey: add,
			problemSet: problemSet{Problems: []messageID{msgCurrentNeeded, msgPasskeyKnown}}}},
		{"passkeys_address", site("/account/passkeys"), passkeysPage{Action: "/account/passkeys", CSRF: csrf, Username: "tio", Recent: true}},
		{"own_factor_passkey", site("/account/factors?factor=fac_1"), ownFactorPage{Factor: used, Username: "tio", Recovery: true, Recent: true,
			RenameAction: "/account/factors", RenameCSRF: csrf, RemoveAction: "/account/factors/remove", RemoveCSRF: csrf,
			Passkey: get("/account/factors/remove/passkey", msgConfirmPasskey)}},
		{"enrol_passkey", site("/account/totp"), enrolPage{Action: "/account/totp/new", CSRF: csrf, Account: "Tio Pratama (tio)", PasskeyURL: "/account/passkeys"}},
	}
}
