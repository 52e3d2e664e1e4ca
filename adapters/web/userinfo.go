package web

import (
	"errors"
	"net/http"
	"strings"

	"latchkey/adapters/web/read"
	"latchkey/domain/audit"
	"latchkey/domain/oauth"
)

// userInfo answers the UserInfo endpoint (OIDC Core §5.3).
func (s *server) userInfo(w http.ResponseWriter, r *request) error {
	token, refusal := read.Bearer(r.Request)
	if refusal != nil {
		return s.refuseBearer(w, r, refusal)
	}
	if token == "" {
		// RFC 6750 §3: a request without any token is told the scheme, and no error.
		w.Header().Set("WWW-Authenticate", `Bearer realm="latchkey"`)
		return oauth.Refuse(oauth.InvalidToken, "send an access token in the Authorization header")
	}
	claims, err := s.UserInfo.UserInfo(r.Context(), r.caller, token)
	if errors.As(err, &refusal) {
		return s.challenge(w, refusal)
	}
	if err != nil {
		return err
	}
	if strings.HasSuffix(r.URL.Path, "/user_info") {
		claims = legacyClaims(claims)
	}
	return writePrivate(w, claims)
}

// refuseBearer records the refusal of a request whose access token could not be read.
func (s *server) refuseBearer(w http.ResponseWriter, r *request, refusal *oauth.Error) error {
	if err := s.deny(r, audit.BearerDenied, refusal); err != nil {
		return err
	}
	return s.challenge(w, refusal)
}

// challenge puts a refusal into WWW-Authenticate as well (RFC 6750 §3).
func (s *server) challenge(w http.ResponseWriter, e *oauth.Error) error {
	w.Header().Set("WWW-Authenticate", `Bearer realm="latchkey", error="`+string(e.Code)+`", error_description="`+e.Description+`"`)
	return e
}

// legacyClaims is the answer of the 2012 path: the subject under its old name too, and the locale with an underscore.
func legacyClaims(c map[string]any) map[string]any {
	legacy := map[string]any{"user_id": c["sub"]}
	for name, value := range c {
		legacy[name] = value
	}
	if l, ok := legacy["locale"].(string); ok {
		legacy["locale"] = strings.ReplaceAll(l, "-", "_")
	}
	return legacy
}
