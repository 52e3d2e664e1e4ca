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
