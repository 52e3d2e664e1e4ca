package web

import (
	"net/http"
	"strconv"

	"latchkey/domain/audit"
	"latchkey/domain/oauth"
	"latchkey/ports"
)

// Budgets are how many requests a minute one address may send to each endpoint, all its paths together. An endpoint that
// is not named has no limit: what is answered from memory, and the demonstration that only this machine reaches.
var Budgets = map[ports.Endpoint]int{
	ports.EndpointDiscovery:       60,
	ports.EndpointJWKS:            60,
	ports.EndpointAuthorize:       20,
	ports.EndpointToken:           30, // these three: of clients that do not authenticate
	ports.EndpointRevocation:      30,
	ports.EndpointIntrospection:   30,
	ports.EndpointUserInfo:        60,
	ports.EndpointLogout:          30,
	ports.EndpointFrontChannel:    30,
	ports.EndpointRegisterSession: 30,
	ports.EndpointLogin:           20,
	ports.EndpointConsent:         60,
	ports.EndpointAccount:         30,
	ports.EndpointSetup:           30,
	ports.EndpointAdmin:           60,
	ports.EndpointPage:            60,
}

// charged is whose budget pays for a request. To look at a form costs a page; its own budget is for what is sent, so that
// a sign-in is one request of it and not two.
func (r route) charged(method string) ports.Endpoint {
	switch r.endpoint {
	case ports.EndpointLogin, ports.EndpointAccount, ports.EndpointSetup:
		if method != http.MethodPost {
			return ports.EndpointPage
		}
	}
	return r.endpoint
}

// admit takes the request out of the budget that its address has, or refuses it. Nothing of the request was read by then:
// in particular no redirect_uri, so nobody is sent anywhere.
func (s *server) admit(r *request, e ports.Endpoint) error {
	a := s.Limits.Address(e, r.caller.IP, s.Now())
	if a.RetryAfter == 0 {
		return nil
	}
	refusal := oauth.TooManyRequests(a.RetryAfter)
	if a.Unrecorded > 0 {
		refusal.With("endpoint", string(e)).With("refused", strconv.Itoa(a.Unrecorded))
		if err := s.Denials.Deny(r.Context(), r.caller, audit.RateLimited, refusal); err != nil {
			return err
		}
	}
	return refusal
}
