package page

import (
	"html/template"
	"net/url"
	"strings"
)

// Logout asks whether to sign out; Fields is the request that waits for the answer. Another site may have opened it, so
// nothing happens unless its own form says so.
type Logout struct {
	App          string // the application that asks; empty: none is named
	Action, CSRF string
	Fields       []HiddenField
	Account      string // who is signed in
	StayURL      string
}

func (Logout) look() look {
	return look{template: "logout", leaves: true}
}

// SignedOut says what became of each application of a session that ended. Its frames sign the browser out there.
type SignedOut struct {
	Applications []SignedOutApp
	ReturnURL    string // a registered address that the page goes on to by itself; empty: it stays, with the link
	LinkURL      string
	LinkText     Message // empty: back to the application
}

func (p SignedOut) look() look {
	return look{template: "signed_out", frames: p.frames()}
}

// SignedOutApp is one application: State is what became of it.
type SignedOutApp struct {
	Name  string
	State Message
	Frame string // empty: none
}

// Return is the address for the link. html/template would refuse the private-use schemes of native applications, which have
// a dot in them (RFC 8252 §7.1) as no scheme has that browsers run.
func (p SignedOut) Return() template.URL {
	u, err := url.Parse(p.ReturnURL)
	if WebLink(p.ReturnURL) == "" && (err != nil || !strings.Contains(u.Scheme, ".")) {
		return ""
	}
	return template.URL(p.ReturnURL)
}

// frames are the addresses that the page's frames load.
func (p SignedOut) frames() []string {
	var all []string
	for _, a := range p.Applications {
		if linkOrigin(a.Frame) != "" {
			all = append(all, a.Frame)
		}
	}
	return all
}
