package web

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"latchkey/adapters/web/page"
	"latchkey/domain/audit"
	"latchkey/domain/identity"
	"latchkey/domain/oauth"
	"latchkey/ports"
)

// WB-07: what a client or a browser calls itself is text on these pages, and a name cannot turn the sentence around it.
func TestActivityIsText(t *testing.T) {
	const hostile = "<b>x</b>\u202e"
	b := newBench(t)
	caller := audit.Caller{IP: "<i>1</i>", UserAgent: "<script>alert(1)</script> Firefox/1 Linux"}
	client := oauth.Client{ID: "kopi", Name: hostile, ClientURI: "javascript:alert(1)"}
	b.onActivity = func(int64) (ports.Activity, error) {
		return ports.Activity{User: alice, Clients: map[oauth.ClientID]oauth.Client{"kopi": client}, Events: []audit.Event{
			{Kind: audit.ConsentGranted, Client: "kopi", Caller: caller, Facts: map[string]string{"reason": hostile}}, {Kind: audit.ConsentDenied, Client: hostile}}}, nil
	}
	b.onApplication = func(oauth.GrantID) (ports.ApplicationHistory, error) {
		f := oauth.TokenFamily{ID: hostile + "12345678", Generation: 1, RevokedAt: time.UnixMilli(1), RevokeReason: hostile}
		return ports.ApplicationHistory{User: alice, AccountApplication: ports.AccountApplication{Client: client, Grant: oauth.Grant{ID: hostile, Scope: hostile}},
			Lines: []ports.TokenLine{{Family: f, Session: identity.Session{ID: "s", UserAgent: caller.UserAgent, IP: caller.IP}}}}, nil
	}
	for path, want := range map[string]string{"/account/activity": "Firefox on Linux", "/account/applications?grant=g": "Firefox on Linux"} {
		page := b.get(path, asBrowser, browserOne).Body.String()
		if strings.Contains(page, "<b>") || strings.Contains(page, "<i>") || strings.Contains(page, "alert(1)") || !strings.Contains(page, want) {
			t.Errorf("%s: %s", path, page)
		}
	}
}

// The address of an application that is not named belongs to the account, and one that is not there is nowhere (AD-05).
func TestApplicationAddress(t *testing.T) {
	b := newBench(t)
	w := b.get("/account/applications", asBrowser, browserOne)
	wantStatus(t, w, http.StatusSeeOther)
	wantHeader(t, w, "Location", "/account")
	wantPage(t, b.get("/account/applications?grant=g", asBrowser, browserOne), http.StatusNotFound, page.MsgNotFound)
	b.onApplication = func(oauth.GrantID) (ports.ApplicationHistory, error) {
		return ports.ApplicationHistory{}, ports.ErrSignedOut
	}
	w = b.get("/account/applications?grant=g", asBrowser, browserOne)
	wantStatus(t, w, http.StatusSeeOther)
}
