package web

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"latchkey/domain/audit"
	"latchkey/domain/identity"
	"latchkey/domain/oauth"
	"latchkey/ports"
)

// A bar is as high as its day was busy, never above the chart, and one attempt among very many is still to be seen.
func TestSignInChart(t *testing.T) {
	days := make([]ports.SignInDay, 30)
	for i := range days {
		days[i].Start = time.Date(2026, 11, 1+i, 0, 0, 0, 0, time.UTC)
	}
	days[3].OK, days[4].Failed = 1, 1
	days[5] = ports.SignInDay{Start: days[5].Start, OK: 1, Failed: 4999}
	days[6] = ports.SignInDay{Start: days[6].Start, OK: 2500, Failed: 2500}
	c := chartOf(days, "")
	if c.OK != 2502 || c.Failed != 7500 || c.Most != 5000 || c.Width() != 300 || len(c.Used()) != 4 {
		t.Errorf("%+v", c)
	}
	for i, b := range c.Bars {
		if (b.OKHeight > 0) != (days[i].OK > 0) || (b.FailedHeight > 0) != (days[i].Failed > 0) {
			t.Errorf("day %d is not seen: %+v", i, b)
		}
		if b.OKTop+b.OKHeight != chartHeight || b.FailedTop+b.FailedHeight+b.Gap != b.OKTop || b.FailedTop < 0 || b.X+8 > c.Width() {
			t.Errorf("day %d is out of place: %+v", i, b)
		}
	}
	if even := c.Bars[6]; even.OKHeight != even.FailedHeight {
		t.Errorf("as many, but not as high: %+v", even)
	}
	if c := chartOf(make([]ports.SignInDay, 2), ""); c.Most != 1 || len(c.Used()) != 0 {
		t.Errorf("nothing: %+v", c)
	}
}

// The picture tells what happened in the order in which it did.
func TestTokenLine(t *testing.T) {
	at := time.Date(2026, 11, 21, 2, 0, 0, 0, time.UTC)
	line := func(generation int, reason string, events ...audit.Event) ports.TokenLine {
		l := ports.TokenLine{Events: events, Family: oauth.TokenFamily{ID: "grant.family", Refresh: true, Generation: generation, CreatedAt: at, RotatedAt: at.Add(time.Hour), ExpiresAt: at.Add(oauth.RefreshAbsolute)}}
		if reason != "" {
			l.Family.Revoke(reason, at.Add(2*time.Hour))
			l.Ended = l.Family.RevokedAt
		}
		return l
	}
	replay := func(kind audit.Kind, hours int) audit.Event {
		return audit.Event{Kind: kind, At: at.Add(time.Duration(hours) * time.Hour)}
	}
	expired := line(2, "")
	expired.Ended = at.Add(oauth.RefreshIdle)
	for name, test := range map[string]struct {
		line ports.TokenLine
		want string
	}{
		"new":                   {line(1, ""), "code newest goes-on"},
		"short":                 {line(4, ""), "code token token token newest goes-on"},
		"long":                  {line(900, ""), "code token gap token newest goes-on"},
		"replayed":              {line(2, "refresh token replayed", replay(audit.TokenReplayed, 2)), "code token token replay revoked"},
		"of another":            {line(1, "", replay(audit.TokenMismatch, 1)), "code newest goes-on"},
		"signed out":            {line(2, "session ended"), "code token token revoked"},
		"replayed when revoked": {line(1, "session ended", replay(audit.CodeReplayed, 3)), "code token revoked replay"},
		"expired":               {expired, "code token token expired"},
		"made final":            {line(1, "expired"), "code token expired"},
	} {
		got := lineOf(1, test.line, oauth.Client{}, "")
		var kinds []string
		for i, n := range got.Nodes {
			kinds = append(kinds, string(n.Kind))
			if n.X != nodeStep/2+i*nodeStep || n.X > got.Width() || got.Last() < n.X {
				t.Errorf("%s: node %d stands at %d of %d", name, i, n.X, got.Width())
			}
		}
		if strings.Join(kinds, " ") != test.want || got.Replayed() != strings.Contains(test.want, "replay") || got.Works() != strings.Contains(test.want, "goes-on") {
			t.Errorf("%s: %q, want %q; %+v", name, kinds, test.want, got)
		}
	}
	if got := short("abcdefgh.ijklmnop"); got != "abcd…mnop" || short("g.f") != "g.f" {
		t.Errorf("%q, %q", got, short("g.f"))
	}
}

// Every kind that has words is shown with them, and stands out if it may have been somebody else.
func TestEventsHaveWords(t *testing.T) {
	b := newBench(t)
	for kind, words := range eventWords {
		b.onActivity = func(int64) (ports.Activity, error) {
			return ports.Activity{User: alice, Events: []audit.Event{{Kind: kind, Client: "kopi"}}}, nil
		}
		page := b.get("/account/activity", asBrowser, browserOne)
		wantStatus(t, page, http.StatusOK)
		want, err := english.text(words.what, "kopi")
		if err != nil || !strings.Contains(page.Body.String(), want) || strings.Contains(page.Body.String(), `class="alarm"`) != words.alarm {
			t.Errorf("%s: %v, want %q: %s", kind, err, want, page.Body)
		}
	}
}

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
	wantPage(t, b.get("/account/applications?grant=g", asBrowser, browserOne), http.StatusNotFound, msgNotFound)
	b.onApplication = func(oauth.GrantID) (ports.ApplicationHistory, error) {
		return ports.ApplicationHistory{}, ports.ErrSignedOut
	}
	w = b.get("/account/applications?grant=g", asBrowser, browserOne)
	wantStatus(t, w, http.StatusSeeOther)
}
