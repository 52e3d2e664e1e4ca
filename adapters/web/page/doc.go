// Package page owns how pages look and read: every document and file that a browser is shown, the words in each language,
// and the policy under which each may load and do things (Content-Security-Policy).
//
// A page is a body, which says what it is about, and a template of its own. Bodies are plain values: which page an answer
// is, what addresses and CSRF tokens are on it and what a form may do is left to package web, and nothing here can ask
// anybody. Escaping is left to html/template, which knows the place a value stands in.
//
//	page.go      rendering; policy.go what a page may load; asset.go the style sheet and the script
//	messages*.go the words, each family in both languages; locale.go which language; moment.go and useragent.go times and browsers
//	templates/   one for each body, and beside each the Go file of the same noun
package page
