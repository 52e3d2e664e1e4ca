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

// errorCodes explains the error codes to people who connect applications.
func (s *server) errorCodes(w http.ResponseWriter, r *request) error {
	return s.show(w, r, http.StatusOK, page.ErrorCodes{})
}
