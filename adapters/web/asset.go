package web

import (
	"net/http"

	"latchkey/adapters/web/page"
)

// serve answers with a file that pages load, for ever: its path changes with its content.
func (s *server) serve(a page.Asset) handler {
	return func(w http.ResponseWriter, r *request) error {
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
		writeDocument(w, r.Request, []string{a.ContentType}, a.Content)
		return nil
	}
}
