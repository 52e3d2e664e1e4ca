package web

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
)

// What pages of the same process beside ours, such as the demonstration application's, have in common with ours.

// Language returns how a page finds its language by the rule of our pages, and remembers one that was asked for. secure
// says whether the issuer is https.
func Language(secure bool) func(http.ResponseWriter, *http.Request) string {
	s := &server{secure: secure}
	return func(w http.ResponseWriter, r *http.Request) string { return string(s.locale(w, r)) }
}

// StyleSheet is the path below the issuer of the one style sheet.
func StyleSheet() (string, error) {
	name, _, err := styleSheet()
	return name, err
}

// styleSheet returns the style sheet. Its name changes with its content, so that it may be cached for ever.
func styleSheet() (name string, css []byte, err error) {
	if css, err = pageFiles.ReadFile("static/style.css"); err != nil {
		return "", nil, err
	}
	sum := sha256.Sum256(css)
	return "/static/style-" + hex.EncodeToString(sum[:4]) + ".css", css, nil
}
