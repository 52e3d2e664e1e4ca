package web

import (
	"maps"

	"latchkey/adapters/web/read"
	"latchkey/domain/audit"
	"latchkey/domain/oauth"
)

// deny records a refusal that no use case saw, with the client the request names, proved or not: its operator looks for
// it there. The refusal itself stays as it is, for some are shared by all requests.
func (s *server) deny(r *request, kind audit.Kind, refusal *oauth.Error) error {
	recorded := *refusal
	recorded.Facts = maps.Clone(refusal.Facts)
	if id := read.ClaimedClient(r.Request); id != "" {
		recorded.With("client_id", id)
	}
	return s.Denials.Deny(r.Context(), r.caller, kind, &recorded)
}

// denyMethod records a method that an endpoint for programs does not answer: a client library that asks for tokens with GET
// is told here what is wrong. What browsers and strangers try elsewhere is not worth a row.
func (s *server) denyMethod(r *request) error {
	if !r.route.machine || r.route.public {
		return nil
	}
	return s.deny(r, audit.RequestDenied, oauth.Refuse(errMethod.refusal.Code, errMethod.refusal.Description).
		With("received", r.Method).With("expected", r.route.allowed()).With("path", r.URL.Path))
}
