package page

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
)

//go:embed static/checksession.js
var checkSessionScript string

// CheckSession is the page that relying parties keep in a frame to ask whether the sign-in of the browser changed
// (OIDC Session Management 1.0 §3.2). Its policy allows that one script.
type CheckSession struct {
	HTML   []byte
	Policy string
}

// NewCheckSession returns the page for a cookie of that name.
func NewCheckSession(cookie string) CheckSession {
	script := "const COOKIE = '" + cookie + "'\n" + checkSessionScript
	sum := sha256.Sum256([]byte(script))
	return CheckSession{
		HTML:   []byte("<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Session</title><script>" + script + "</script></html>\n"),
		Policy: "default-src 'none'; script-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; base-uri 'none'; form-action 'none'",
	}
}
