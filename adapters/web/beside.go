package web

import "net/http"

// What pages of the same process beside ours, such as the demonstration application's, have in common with ours.

// Language returns how a page finds its language by the rule of our pages, and remembers one that was asked for. secure
// says whether the issuer is https.
func Language(secure bool) func(http.ResponseWriter, *http.Request) string {
	s := &server{secure: secure}
	return func(w http.ResponseWriter, r *http.Request) string { return string(s.locale(w, r)) }
}
