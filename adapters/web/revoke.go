package web

import (
	"errors"
	"net/http"

	"latchkey/adapters/web/read"
	"latchkey/domain/oauth"
)

// revoke answers the revocation endpoint (RFC 7009 §2).
func (s *server) revoke(w http.ResponseWriter, r *request) error {
	req, refusal := read.PresentedToken(r.Request)
	if refusal != nil {
		return s.malformed(r, refusal)
	}
	if err := s.Revocation.Revoke(r.Context(), r.caller, req); err != nil {
		return err
	}
	return revoked(w)
}

// revokeSilently answers the paths that one documented provider answers with 200 whatever was sent. Nothing is revoked then,
// and the refusal is on record. A fault is answered as one: whoever reads 200 may rely on it.
func (s *server) revokeSilently(w http.ResponseWriter, r *request) error {
	err := s.revoke(w, r)
	var refusal *oauth.Error
	if errors.As(err, &refusal) && (refusal.Code == oauth.InvalidRequest || refusal.Code == oauth.InvalidClient) {
		return revoked(w)
	}
	return err
}

// revoked is the one answer of a revocation, so that nobody learns which tokens exist.
func revoked(w http.ResponseWriter) error { return writePrivate(w, struct{}{}) }
