package web

import (
	"cmp"
	"encoding/base64"
	"maps"
	"net/http"
	"strings"

	"latchkey/domain/audit"
	"latchkey/domain/oauth"
)

// deny records a refusal that no use case saw, with the client the request names, proved or not: its operator looks for
// it there. The refusal itself stays as it is, for some are shared by all requests.
func (s *server) deny(r *request, kind audit.Kind, refusal *oauth.Error) error {
	recorded := *refusal
	recorded.Facts = maps.Clone(refusal.Facts)
	if id := claimedClient(r.Request); id != "" {
		recorded.With("client_id", id)
	}
	return s.Denials.Deny(r.Context(), r.caller, kind, &recorded)
}

// claimedClient is who a request says it is from, as far as it was read.
func claimedClient(r *http.Request) string {
	named := ""
	if f, _ := parseForm(r.URL.RawQuery); f.get("client_id") != "" {
		named = f.get("client_id")
	}
	if sent := r.PostForm["client_id"]; len(sent) > 0 {
		named = sent[0]
	}
	scheme, text, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	raw, err := base64.StdEncoding.DecodeString(strings.TrimSpace(text))
	if err != nil || !strings.EqualFold(scheme, "Basic") || !isText(string(raw)) {
		return named
	}
	id, _, found := strings.Cut(string(raw), ":")
	if decoded, err := unescape(id); err == nil {
		id = decoded
	}
	if !found { // it may be a secret
		return named
	}
	return cmp.Or(id, named)
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
