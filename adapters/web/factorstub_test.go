package web

import (
	"context"
	"time"

	"latchkey/domain/audit"
	"latchkey/domain/identity"
	"latchkey/domain/oauth"
	"latchkey/domain/oidc"
	"latchkey/ports"
)

// accountWithFactor is what a user with an authenticator app sees, in a session that began with it.
var accountWithFactor = ports.Account{User: alice, Session: identity.Session{ID: "sid-1", ACR: oidc.ACRMultiFactor, AuthTime: time.Now()},
	Sessions: []ports.AccountSession{{Session: identity.Session{ID: "sid-1"}}},
	Factors:  []identity.Factor{{ID: "fac-1", User: alice.ID, Kind: identity.TOTPFactor, Name: "Phone", ConfirmedAt: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}},
	Recovery: identity.RecoveryCodes{Digests: [][32]byte{{1}, {2}}}}

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
