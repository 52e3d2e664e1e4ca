package web

import (
	"net/http"
	"testing"

	"latchkey/adapters/web/page"
	"latchkey/ports"
)

func TestDiscoveryGolden(t *testing.T) {
	wantGolden(t, "discovery", newBench(t).get("/.well-known/openid-configuration"))
}

// RFC 9110 §13.1.2: a client that has the document is told so, with the headers it caches by.
func TestDocumentsByETag(t *testing.T) {
	for path, etag := range map[string]string{"/.well-known/openid-configuration": `"metadata-1"`, "/.well-known/jwks.json": `"keys-1"`} {
		for _, tt := range []struct {
			tags   string
			status int
		}{
			{"", 200}, {`"other"`, 200}, {etag, 304}, {"W/" + etag, 304}, {"*", 304}, {`"other", ` + etag, 304}, {etag[1 : len(etag)-1], 200},
		} {
			for _, method := range []string{"GET", "HEAD"} {
				w := newBench(t).send(method, path, nil, "If-None-Match: "+tt.tags)
				wantStatus(t, w, tt.status)
				wantHeader(t, w, "Etag", etag)
				wantHeader(t, w, "Cache-Control", cachePolicy[0])
				wantHeader(t, w, "Access-Control-Allow-Origin", "*")
				wantHeader(t, w, "Set-Cookie", "")
				if hasBody := w.Body.Len() > 0; hasBody != (method == "GET" && tt.status == 200) {
					t.Errorf("%s %s %q: %d bytes", method, path, tt.tags, w.Body.Len())
				}
				if tt.status == 200 {
					wantHeader(t, w, "Content-Type", "application/json")
				}
			}
		}
	}
}

// While there are no keys nothing is published: a client that starts now would remember it.
func TestDocumentsNotReady(t *testing.T) {
	b := newBench(t)
	b.onMetadata = func() (ports.Document, error) { return ports.Document{}, ports.ErrKeysNotReady }
	w := b.get("/.well-known/openid-configuration", `If-None-Match: "metadata-1"`)
	wantError(t, w, http.StatusServiceUnavailable, "temporarily_unavailable")
	wantHeader(t, w, "Retry-After", "5")
	wantHeader(t, w, "Etag", "")
}

func TestStyleSheet(t *testing.T) {
	b := newBench(t)
	name, css := page.StyleSheet.Path, page.StyleSheet.Content
	w := b.get(name)
	wantHeader(t, w, "Content-Type", "text/css; charset=utf-8")
	if w.Body.String() != string(css) {
		t.Error("another style sheet")
	}
	if w := b.send("HEAD", name, nil); w.Body.Len() != 0 || w.Header().Get("Content-Length") == "" {
		t.Errorf("HEAD: %v, %d bytes", w.Header(), w.Body.Len())
	}
}
