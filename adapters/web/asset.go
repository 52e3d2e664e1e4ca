package web

import (
	"net/http"
	"strconv"

	"latchkey/adapters/web/page"
)

// serve answers with a file that pages load, for ever: its path changes with its content.
func (s *server) serve(a page.Asset) handler {
	return func(w http.ResponseWriter, r *request) error {
		h := w.Header()
		h.Set("Content-Type", a.ContentType)
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
		h.Set("Content-Length", strconv.Itoa(len(a.Content)))
		w.WriteHeader(http.StatusOK)
		if r.Method != http.MethodHead {
			w.Write(a.Content)
		}
		return nil
	}
}
