package web

import (
	"net/http"

	"latchkey/adapters/web/page"
	"latchkey/domain/oauth"
)

// showError shows an error on a page of ours.
func (s *server) showError(w http.ResponseWriter, r *request, code int, message page.Message, refusal *oauth.Error) {
	p := page.Error{Message: message, Code: string(refusal.Code), Description: refusal.Description, Ref: errorRef(r.caller.RequestID), HomeURL: s.path("/")}
	if received := refusal.Facts["received"]; message == page.MsgUnknownClient && received != "" {
		// On a page, which escapes it, people may see which client_id was sent; in JSON it stays out (RFC 6749 §5.2).
		p.Description += ": " + page.PlainText(received)
	}
	s.explainTo(r, &p)
	s.pages.Render(w, code, s.frame(r), p)
}

// errorCodes explains the error codes to people who connect applications, and tells what to do with the reference that
// error_uri brought along.
func (s *server) errorCodes(w http.ResponseWriter, r *request) error {
	p := page.ErrorCodes{}
	// Only what looks like a reference of ours is shown: anybody can write a link to this page.
	if ref := r.URL.Query().Get("ref"); isErrorRef(ref) {
		p.Ref = ref
		if admin, _ := s.whoAdministers(r); admin {
			p.ExplainURL = s.explainURL(ref)
		}
	}
	return s.show(w, r, http.StatusOK, p)
}
