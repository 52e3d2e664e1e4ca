package web

import (
	"context"
	"time"

	"latchkey/adapters/web/qr"
	"latchkey/domain/audit"
	"latchkey/domain/identity"
	"latchkey/domain/oauth"
	"latchkey/domain/oidc"
	"latchkey/ports"
)

// sampleOffer is an address as an app reads it.
const sampleOffer = "otpauth://totp/id.example:tio?secret=gezdgnbvgy3tqojqgezdgnbvgy3tqojq&issuer=id.example&algorithm=sha1&digits=6&period=30"

// accountWithFactor is what a user with an authenticator app sees, in a session that began with it.
var accountWithFactor = ports.Account{User: alice, Session: identity.Session{ID: "sid-1", ACR: oidc.ACRMultiFactor, AuthTime: time.Now()},
	Sessions: []ports.AccountSession{{Session: identity.Session{ID: "sid-1"}}},
	Factors:  []identity.Factor{{ID: "fac-1", User: alice.ID, Kind: identity.TOTPFactor, Name: "Phone", ConfirmedAt: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}},
	Recovery: identity.RecoveryCodes{Digests: [][32]byte{{1}, {2}}}}

// factorSamples are the pages of the second factor, with an authenticator app.
func factorSamples(shown func(string) moment) []samplePage {
	const csrf = "csrf_b1Zx"
	ask := factorPage{Action: "/second-factor", Interaction: "int_7Qk2", CSRF: csrf, Account: "Tio Pratama (tio)", App: true,
		OtherURL: "/login?interaction=int_7Qk2&switch=1", SwapURL: "/second-factor?interaction=int_7Qk2&recovery=1"}
	wrong, late, locked, recovery := ask, ask, ask, ask
	wrong.Problem = msgCodeWrong
	late.Problem, late.Late = msgCodeWrong, true
	locked.Problem, locked.RetryMinutes = msgTooManyAttempts, 14
	recovery.Recovery, recovery.SwapURL = true, "/second-factor?interaction=int_7Qk2"
	recoveryWrong := recovery
	recoveryWrong.Problem = msgRecoveryWrong
	enrol := enrolPage{Action: "/account/totp/new", CSRF: csrf, Account: "Tio Pratama (tio)"}
	asked, administration := enrol, enrol
	asked.Asked, administration.Administration = true, true
	code, err := qr.Encode(sampleOffer)
	if err != nil {
		panic(err)
	}
	totp := totpPage{Action: "/account/totp", Again: "/account/totp/new", CSRF: csrf, AgainCSRF: csrf, Factor: "fac_1", Account: "Tio Pratama (tio)",
		Picture: code.Path(), Side: code.Side(), Secret: "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ", URI: otpauth(sampleOffer)}
	totpWrong := totp
	totpWrong.Name, totpWrong.problemSet = "Phone", problemSet{Problems: []messageID{msgCodeWrong}}
	phone := factorCard{ID: "fac_1", Kind: "totp", Name: "Phone", Added: shown("2026-05-01T03:00:00Z"), LastUsed: shown("2026-11-20T01:05:00Z"), URL: "/account/factors?factor=fac_1"}
	own := ownFactorPage{Factor: phone, Username: "tio", Recovery: true, Last: true, Recent: true,
		RenameAction: "/account/factors", RenameCSRF: csrf, RemoveAction: "/account/factors/remove", RemoveCSRF: csrf}
	ownProblems := own
	ownProblems.Recovery, ownProblems.Last, ownProblems.Recent = false, false, false
	ownProblems.problemSet = problemSet{Problems: []messageID{msgCurrentWrong, msgCodeWrong}}
	account := accountPage{Name: "Tio Pratama", Username: "tio", SessionsCSRF: csrf, LogoutCSRF: csrf, RecoveryCSRF: csrf, RecoveryLeft: 1, Done: msgFactorAdded,
		Factors:  []factorCard{phone, {ID: "fac_2", Kind: "totp", Added: shown("2026-11-20T01:05:00Z"), LastUsed: shown("2026-11-20T01:05:00Z"), URL: "/account/factors?factor=fac_2"}},
		Sessions: []sessionCard{{ID: "sid_1", IP: "127.0.0.1", SignedIn: shown("2026-11-20T01:05:00Z"), Current: true}}}
	codes := recoveryPage{Account: "Tio Pratama (tio)", Issuer: "https://id.example", File: "/account/recovery-codes/file", FileCSRF: csrf,
		Codes: []string{"abcd efgh ijkl mno2", "bcde fghi jklm no23", "cdef ghij klmn o234"}, Next: "/login", NextFields: []hiddenField{{"interaction", "int_7Qk2"}}}
	in := func(path string) frame { return frame{Path: path} }
	return []samplePage{
		{"second_factor", in("/second-factor?interaction=int_7Qk2"), ask},
		{"second_factor_wrong", in("/second-factor?interaction=int_7Qk2"), wrong},
		{"second_factor_late", in("/second-factor?interaction=int_7Qk2"), late},
		{"second_factor_locked", in("/second-factor?interaction=int_7Qk2"), locked},
		{"second_factor_recovery", in("/second-factor?interaction=int_7Qk2&recovery=1"), recovery},
		{"second_factor_recovery_wrong", in("/second-factor?interaction=int_7Qk2&recovery=1"), recoveryWrong},
		{"login_factor_over", in("/login"), loginPage{Action: "/login", CSRF: csrf, Problem: msgFactorOver}},
		{"enrol", in("/account/totp"), enrol},
		{"enrol_asked", in("/account/totp?interaction=int_7Qk2"), asked},
		{"enrol_administration", in("/account/totp?next=%2Fadmin"), administration},
		{"totp", in("/account/totp"), totp},
		{"totp_wrong", in("/account/totp"), totpWrong},
		{"recovery_codes", frame{}, codes},
		{"own_factor", in("/account/factors?factor=fac_1"), own},
		{"own_factor_problems", frame{}, ownProblems},
		{"account_factors", in("/account?done=factor"), account},
		{"account_confirm_factor", frame{}, confirmPage{Message: msgConfirmFactor, Action: "/account/totp/new?interaction=int_7Qk2", CSRF: csrf, Username: "tio"}},
	}
}

// What the stub answers for the second factor: nobody is asked for one, unless the test says so.

func (s *stub) Challenge(_ context.Context, b ports.Browser) (ports.Challenge, error) {
	if s.onChallenge != nil {
		return s.onChallenge(b)
	}
	return ports.Challenge{}, ports.ErrNoChallenge
}

func (s *stub) RaiseSession(_ context.Context, c audit.Caller, _ ports.Browser) (oauth.Secret, error) {
	if s.onRaise != nil {
		return s.onRaise()
	}
	return "", ports.ErrNoChallenge
}

func (s *stub) AnswerChallenge(_ context.Context, c audit.Caller, _ ports.Browser, f ports.FactorForm) (ports.Login, error) {
	s.note("AnswerChallenge", c)
	if s.onFactor != nil {
		next, err := s.onFactor("", f)
		return next.Login, err
	}
	return ports.Login{Cookie: "new-session"}, nil
}

func (s *stub) OfferTOTP(_ context.Context, c audit.Caller, _ ports.Browser, f ports.AccountProof) (ports.AccountChange, error) {
	return s.change("OfferTOTP", c, f)
}

func (s *stub) OfferedTOTP(context.Context, ports.Browser) (ports.TOTPOffer, error) {
	if s.onOffer != nil {
		return s.onOffer()
	}
	return ports.TOTPOffer{User: alice, Factor: "fac-1", Secret: "ABCD EFGH", URI: "otpauth://totp/op.test:alice?secret=ABCDEFGH"}, nil
}

func (s *stub) ConfirmTOTP(_ context.Context, c audit.Caller, _ ports.Browser, f ports.ConfirmForm) (ports.AccountChange, error) {
	return s.change("ConfirmTOTP", c, f)
}

func (s *stub) RenameFactor(_ context.Context, c audit.Caller, _ ports.Browser, f ports.RenameForm) (ports.AccountChange, error) {
	return s.change("RenameFactor", c, f)
}

func (s *stub) RemoveFactor(_ context.Context, c audit.Caller, _ ports.Browser, f ports.RemoveForm) (ports.AccountChange, error) {
	return s.change("RemoveFactor", c, f)
}

func (s *stub) MakeRecoveryCodes(_ context.Context, c audit.Caller, _ ports.Browser, f ports.AccountProof) (ports.AccountChange, error) {
	return s.change("MakeRecoveryCodes", c, f)
}

func (s *stub) OwnCodes(context.Context, ports.Browser, []string) (bool, error) {
	s.note("OwnCodes", audit.Caller{})
	return s.ownCodes, nil
}
