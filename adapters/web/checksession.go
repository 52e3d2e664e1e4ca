package web

import "net/http"

// checkSession serves the page. It is the only one that others may frame: it shows nothing, and does nothing that a click
// could lead to.
func (s *server) checkSession(w http.ResponseWriter, r *request) error {
	h := w.Header()
	h.Set("Content-Security-Policy", s.frameOfSession.Policy)
	h["Cache-Control"] = cachePolicy
	writeDocument(w, r.Request, []string{"text/html; charset=utf-8"}, s.frameOfSession.HTML)
	return nil
}
