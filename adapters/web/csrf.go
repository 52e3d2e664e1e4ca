package web

import (
	"crypto/subtle"
	"encoding/base64"
	"net/http"
	"strings"

	"latchkey/adapters/web/page"
	"latchkey/adapters/web/read"
	"latchkey/domain/audit"
	"latchkey/domain/oauth"
	"latchkey/ports"
)

// csrfToken binds a form to the browser it was shown in, to its purpose, to what it is about and to a fact the page
// relied on, which travels in the token. It needs no storage: another browser has another key.
func (s *server) csrfToken(b ports.Browser, purpose, about, relied string) string {
	mac := s.Keychain.MAC(ports.PurposeCSRF, []byte(strings.Join([]string{purpose, about, relied, b.Key.Reveal()}, "\x00")))
	return base64.RawURLEncoding.EncodeToString(mac[:24]) + "." + relied
}

// readOwnForm reads a form that must come from a page of ours, and the fact its page relied on. about names the field
// that says what the form is about, if any. Three independent walls: the token, the Origin of the page, and what the
// browser says about where the request was made.
func (s *server) readOwnForm(r *request, b ports.Browser, purpose, about string) (f read.Form, relied string, err error) {
	f, refusal := read.Body(r.Request)
	if refusal != nil {
		return f, "", refusal
	}
	token := f.Get("csrf")
	_, relied, _ = strings.Cut(token, ".")
	reason := foreign(r.Request, s.origin)
	switch want := s.csrfToken(b, purpose, f.Get(about), relied); {
	case reason != "":
	case b.Key == "":
		reason = "no browser cookie"
	case subtle.ConstantTimeCompare([]byte(want), []byte(token)) != 1:
		reason = "wrong token"
	default:
		return f, relied, nil
	}
	denied := oauth.Refuse(oauth.Forbidden, "the form did not come from a page of this server").With("reason", reason).With("form", purpose)
	if err := s.Denials.Deny(r.Context(), r.caller, audit.CSRFDenied, denied); err != nil {
		return f, "", err
	}
	if reason == "no browser cookie" {
		return f, "", &httpError{http.StatusForbidden, page.MsgCookiesMissing, denied}
	}
	return f, "", denied
}

// foreign says why a request was not made by a page of the origin, as far as the browser tells; empty: nothing speaks
// against it.
func foreign(r *http.Request, own string) string {
	origins := r.Header.Values("Origin")
	if len(origins) > 1 || len(origins) == 1 && origins[0] != own {
		return "other origin"
	}
	switch r.Header.Get("Sec-Fetch-Site") {
	case "", "same-origin", "none":
		return ""
	}
	return "other site"
}
