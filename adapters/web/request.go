package web

import (
	"net/http"
	"strings"

	"latchkey/adapters/web/page"
	"latchkey/domain/audit"
)

// request is one HTTP request with what the middleware found out about it.
type request struct {
	*http.Request
	caller audit.Caller
	route  route
	locale page.Locale
	hushed bool // refused like many before it: counted, and neither recorded nor logged
}

// errorRef leads from what a client or person was shown to what was recorded: the record carries the request id.
func errorRef(requestID string) string { return "err_" + strings.TrimPrefix(requestID, "req_") }

// isErrorRef reports whether a text is a reference as errorRef writes them.
func isErrorRef(text string) bool {
	id, ok := strings.CutPrefix(text, "err_")
	return ok && len(id) == 16 && strings.Trim(id, "abcdefghijklmnopqrstuvwxyz234567") == ""
}

// wantsPage reports whether the caller is a browser that shows pages.
func wantsPage(r *http.Request) bool {
	return strings.Contains(r.Header.Get("Accept"), "text/html")
}
