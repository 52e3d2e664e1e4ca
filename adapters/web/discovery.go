package web

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"latchkey/domain/oidc"
	"latchkey/ports"
)

func (s *server) metadata(w http.ResponseWriter, r *request) error {
	return s.publish(w, r, s.Publications.Metadata)
}

func (s *server) keySet(w http.ResponseWriter, r *request) error {
	return s.publish(w, r, s.Publications.KeySet)
}

var (
	cachePolicy     = []string{"public, max-age=" + strconv.Itoa(int(oidc.KeySetMaxAge/time.Second))}
	applicationJSON = []string{"application/json"}
)

// publish serves a document that clients may cache and ask about by its ETag (RFC 9110 §8.8.3).
func (s *server) publish(w http.ResponseWriter, r *request, get func(context.Context) (ports.Document, error)) error {
	d, err := get(r.Context())
	if err != nil {
		return err
	}
	h := w.Header()
	h["Cache-Control"] = cachePolicy
	h["Etag"] = []string{d.ETag}
	if tags := r.Header.Get("If-None-Match"); tags != "" && (tags == "*" || strings.Contains(tags, d.ETag)) {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	writeDocument(w, r.Request, applicationJSON, d.Body)
	return nil
}
