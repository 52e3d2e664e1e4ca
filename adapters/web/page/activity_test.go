package page

import (
	"strings"
	"testing"
	"time"

	"latchkey/domain/audit"
	"latchkey/domain/oauth"
)

// A bar is as high as its day was busy, never above the chart, and one attempt among very many is still to be seen.
func TestSignInChart(t *testing.T) {
	days := make([]SignInBar, 30)
	for i := range days {
		days[i].Day = MomentOf(time.Date(2026, 11, 1+i, 0, 0, 0, 0, time.UTC), "")
	}
	days[3].OK, days[4].Failed = 1, 1
	days[5].OK, days[5].Failed = 1, 4999
	days[6].OK, days[6].Failed = 2500, 2500
	c := ChartOf(days)
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
	if c := ChartOf(make([]SignInBar, 2)); c.Most != 1 || len(c.Used()) != 0 {
		t.Errorf("nothing: %+v", c)
	}
}

// The picture tells what happened in the order in which it did.
func TestTokenLine(t *testing.T) {
	at := time.Date(2026, 11, 21, 2, 0, 0, 0, time.UTC)
	line := func(generation int, reason string, events ...audit.Event) TokenLine {
		f := oauth.TokenFamily{ID: "grant.family", Refresh: true, Generation: generation, CreatedAt: at, RotatedAt: at.Add(time.Hour), ExpiresAt: at.Add(oauth.RefreshAbsolute)}
		if reason != "" {
			f.Revoke(reason, at.Add(2*time.Hour))
		}
		return LineOf(1, f, f.RevokedAt, events, oauth.Client{}, "")
	}
	replay := func(kind audit.Kind, hours int) audit.Event {
		return audit.Event{Kind: kind, At: at.Add(time.Duration(hours) * time.Hour)}
	}
	expired := LineOf(1, oauth.TokenFamily{ID: "grant.family", Refresh: true, Generation: 2}, at.Add(oauth.RefreshIdle), nil, oauth.Client{}, "")
	for name, test := range map[string]struct {
		line TokenLine
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
		got := test.line
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
	pages := parsedPages(t)
	for kind, words := range eventWords {
		var p Activity
		p.Add(Happened(audit.Event{Kind: kind, Client: "kopi"}, oauth.Client{}, ""))
		shown := rendered(pages, English, Frame{}, p).Body.String()
		want, err := English.Text(words.what, "kopi")
		if err != nil || !strings.Contains(shown, want) || strings.Contains(shown, `class="alarm"`) != words.alarm {
			t.Errorf("%s: %v, want %q: %s", kind, err, want, shown)
		}
	}
}
