package page

import (
	"time"

	"latchkey/domain/audit"
	"latchkey/domain/oauth"
)

// activitySamples are the pages on what happened to an account, made from a record.
func activitySamples() []samplePage {
	const zone, csrf = "Asia/Jakarta", "csrf_b1Zx"
	kopi := oauth.Client{ID: "kopi", Name: "Kopi Notes", ClientURI: "https://notes.example/", RedirectURIs: []string{"https://notes.example/cb"}}
	at := func(days, minutes int) time.Time {
		return time.Date(2026, 11, 21, 2, 0, 0, 0, time.UTC).AddDate(0, 0, -days).Add(time.Duration(-minutes) * time.Minute)
	}
	firefox := audit.Caller{IP: "203.0.113.7", UserAgent: "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"}
	stranger := audit.Caller{IP: "2001:db8::bad", UserAgent: "curl/8.14.1"}
	program := audit.Caller{IP: "192.0.2.20", UserAgent: "node"}
	because := func(reason string) map[string]string { return map[string]string{"reason": reason} }

	activity := Activity{Older: "/account/activity?before=41"}
	for _, e := range []audit.Event{
		{Kind: audit.LoginSucceeded, At: at(0, 0), Caller: firefox, Facts: map[string]string{"amr": "pwd otp mfa"}},
		{Kind: audit.LoginLocked, At: at(0, 9), Caller: stranger},
		{Kind: audit.LoginFailed, At: at(0, 10), Caller: stranger},
		{Kind: audit.TokenReplayed, At: at(0, 90), Caller: program, Client: "kopi", Grant: "g1", Family: "f"},
		{Kind: audit.GrantRevoked, At: at(1, 0), Caller: firefox, Client: "kopi", Family: "f", Facts: because("session ended")},
		{Kind: audit.SessionEnded, At: at(1, 0), Caller: firefox},
		{Kind: audit.PasswordChanged, At: at(1, 600), Facts: map[string]string{"how": "an administrator set it"}},
		{Kind: audit.GrantRevoked, At: at(2, 0), Caller: firefox, Client: "gone", Facts: because("disconnected")},
		{Kind: audit.ConsentGranted, At: at(2, 5), Caller: firefox, Client: "kopi"},
	} {
		client := oauth.Client{}
		if e.Client == "kopi" {
			client = kopi
		}
		shown := Happened(e, client, zone)
		if e.Grant != "" {
			shown.URL = "/account/applications?grant=" + e.Grant
		}
		activity.Add(shown)
	}
	bars := make([]SignInBar, 30)
	for i := range bars {
		bar := &bars[i]
		bar.Day = MomentOf(at(29-i, 9*60), zone)
		switch {
		case i == 22:
			bar.Failed = 2
		case i == 29:
			bar.OK, bar.Failed = 2, 3
		case i%4 == 1:
			bar.OK = 1 + i%3
		}
	}
	activity.Chart = ChartOf(bars)

	line := func(id string, days, generation int) oauth.TokenFamily {
		return oauth.TokenFamily{ID: oauth.FamilyID("8fj2k." + id), Refresh: true, Generation: generation, CreatedAt: at(days, 0),
			RotatedAt: at(0, 30), ExpiresAt: at(days-90, 0)}
	}
	ended := func(f oauth.TokenFamily, reason string, when time.Time) oauth.TokenFamily {
		f.Revoke(reason, when)
		return f
	}
	stolen := ended(line("q7x1mabcdefgh", 3, 4), "refresh token replayed", at(0, 20))
	short := oauth.TokenFamily{ID: "8fj2k.1", Generation: 1, CreatedAt: at(9, 0), RotatedAt: at(9, 0), ExpiresAt: at(9, -15)}
	known := LineOf(1, line("aaaabbbbcccc", 5, 128), time.Time{}, nil, kopi, zone)
	known.Known, known.Device, known.IP = true, DeviceOf(firefox.UserAgent), firefox.IP
	replayed := LineOf(2, stolen, stolen.RevokedAt, []audit.Event{{Kind: audit.TokenMismatch, At: at(1, 0), Caller: stranger, Client: "kopi"},
		{Kind: audit.TokenReplayed, At: at(0, 20), Caller: stranger, Client: "kopi"}}, kopi, zone)
	replayed.Known, replayed.IP = true, "2001:db8::7"
	late := LineOf(3, ended(line("ddddeeeeffff", 8, 5), "session ended", at(7, 0)), at(7, 0),
		[]audit.Event{{Kind: audit.CodeReplayed, At: at(6, 0), Caller: stranger, Client: "kopi"}}, kopi, zone)
	history := Application{CSRF: csrf, Connected: true, More: true, Lines: []TokenLine{known, replayed, late, LineOf(4, short, short.ExpiresAt, nil, kopi, zone)},
		ApplicationCard: ApplicationCard{ID: "g1", URL: "/account/applications?grant=g1", Name: "Kopi Notes", Host: "notes.example", HomeURL: "https://notes.example/",
			Scopes: []string{"openid", "profile", "offline_access", "notes:write"}, Since: MomentOf(at(200, 0), zone), LastUsed: MomentOf(at(0, 30), zone)}}
	gone := Application{CSRF: csrf, ApplicationCard: ApplicationCard{ID: "g2", URL: "/account/applications?grant=g2", Name: "kopi-dev-7f3",
		Scopes: []string{"openid"}, Since: MomentOf(at(40, 0), zone)}}

	return []samplePage{
		{"account_activity", Frame{Path: "/account/activity"}, activity},
		{"account_activity_older", Frame{Path: "/account/activity?before=41"}, Activity{Newest: "/account/activity"}},
		{"account_application", Frame{Path: "/account/applications?grant=g1"}, history},
		{"account_application_gone", Frame{Path: "/account/applications?grant=g2"}, gone},
	}
}
