package web

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"net/http"
	"strconv"
)

//go:embed static/checksession.js
var checkSessionScript string

// checkSessionFrame is the page that relying parties keep in a frame to ask whether the sign-in of the browser changed
// (OIDC Session Management 1.0 §3.2). Its policy allows that one script.
type checkSessionFrame struct{ page, policy string }

// newCheckSessionFrame returns the page for a cookie of that name.
func newCheckSessionFrame(cookie string) checkSessionFrame {
	script := "const COOKIE = '" + cookie + "'\n" + checkSessionScript
	sum := sha256.Sum256([]byte(script))
	return checkSessionFrame{
		page:   "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Session</title><script>" + script + "</script></html>\n",
		policy: "default-src 'none'; script-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; base-uri 'none'; form-action 'none'",
	}
}

// checkSession serves the page. It is the only one that others may frame: it shows nothing, and does nothing that a click
// could lead to.
func (s *server) checkSession(w http.ResponseWriter, r *request) error {
	h := w.Header()
	h.Set("Content-Security-Policy", s.frameOfSession.policy)
	h.Set("Content-Type", "text/html; charset=utf-8")
	h["Cache-Control"] = cachePolicy
	h.Set("Content-Length", strconv.Itoa(len(s.frameOfSession.page)))
	w.WriteHeader(http.StatusOK)
	if r.Method != http.MethodHead {
		w.Write([]byte(s.frameOfSession.page))
	}
	return nil
}
