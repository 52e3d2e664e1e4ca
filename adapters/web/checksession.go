package web

import (
	"net/http"
	"strconv"
)

// checkSession serves the page. It is the only one that others may frame: it shows nothing, and does nothing that a click
// could lead to.
func (s *server) checkSession(w http.ResponseWriter, r *request) error {
	h := w.Header()
	h.Set("Content-Security-Policy", s.frameOfSession.Policy)
	h.Set("Content-Type", "text/html; charset=utf-8")
	h["Cache-Control"] = cachePolicy
	h.Set("Content-Length", strconv.Itoa(len(s.frameOfSession.HTML)))
	w.WriteHeader(http.StatusOK)
	if r.Method != http.MethodHead {
		w.Write([]byte(s.frameOfSession.HTML))
	}
	return nil
}
