package web

import (
	"time"

	"latchkey/domain/audit"
	"latchkey/domain/identity"
	"latchkey/domain/oauth"
	"latchkey/ports"
)

// activitySamples are the pages on what happened to an account, made by the handlers from a record.
func activitySamples() []samplePage {
	var s server
	user := identity.User{ID: "user-1", Username: "tio", Claims: identity.Claims{Zoneinfo: "Asia/Jakarta"}}
	kopi := oauth.Client{ID: "kopi", Name: "Kopi Notes", ClientURI: "https://notes.example/", RedirectURIs: []string{"https://notes.example/cb"}}
	at := func(days, minutes int) time.Time {
		return time.Date(2026, 11, 21, 2, 0, 0, 0, time.UTC).AddDate(0, 0, -days).Add(time.Duration(-minutes) * time.Minute)
	}
	firefox := audit.Caller{IP: "203.0.113.7", UserAgent: "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"}
	stranger := audit.Caller{IP: "2001:db8::bad", UserAgent: "curl/8.14.1"}
	program := audit.Caller{IP: "192.0.2.20", UserAgent: "node"}
	because := func(reason string) map[string]string { return map[string]string{"reason": reason} }

	activity := ports.Activity{User: user, Older: 41, Clients: map[oauth.ClientID]oauth.Client{"kopi": kopi}, Grants: map[oauth.GrantID]bool{"g1": true}}
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
		activity.Events = append(activity.Events, e)
	}
	for i := range 30 {
		day := ports.SignInDay{Start: at(29-i, 9*60)}
		switch {
		case i == 22:
			day.Failed = 2
		case i == 29:
			day.OK, day.Failed = 2, 3
		case i%4 == 1:
			day.OK = 1 + i%3
		}
		activity.SignIns = append(activity.SignIns, day)
	}

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
	history := ports.ApplicationHistory{User: user, More: true,
		AccountApplication: ports.AccountApplication{Client: kopi, LastUsed: at(0, 30),
			Grant: oauth.Grant{ID: "g1", User: user.ID, Client: "kopi", Scope: "openid profile offline_access notes:write", CreatedAt: at(200, 0)}},
		Lines: []ports.TokenLine{
			{Family: line("aaaabbbbcccc", 5, 128), Session: identity.Session{ID: "sid_1", UserAgent: firefox.UserAgent, IP: firefox.IP}},
			{Family: stolen, Ended: stolen.RevokedAt, Session: identity.Session{ID: "sid_2", IP: "2001:db8::7"},
				Events: []audit.Event{{Kind: audit.TokenMismatch, At: at(1, 0), Caller: stranger, Client: "kopi"}, {Kind: audit.TokenReplayed, At: at(0, 20), Caller: stranger, Client: "kopi"}}},
			{Family: ended(line("ddddeeeeffff", 8, 5), "session ended", at(7, 0)), Ended: at(7, 0),
				Events: []audit.Event{{Kind: audit.CodeReplayed, At: at(6, 0), Caller: stranger, Client: "kopi"}}},
			{Family: short, Ended: short.ExpiresAt},
		}}
	gone := ports.ApplicationHistory{User: user, AccountApplication: ports.AccountApplication{Client: oauth.Client{ID: "kopi-dev-7f3"},
		Grant: oauth.Grant{ID: "g2", Scope: "openid", CreatedAt: at(40, 0), RevokedAt: at(1, 0)}}}

	page := func(h ports.ApplicationHistory) applicationPage {
		p := s.applicationPage(h)
		p.CSRF = "csrf_b1Zx"
		return p
	}
	return []samplePage{
		{"account_activity", frame{Path: activityPath}, s.activityPage(activity, 0)},
		{"account_activity_older", frame{Path: activityPath + "?before=41"}, s.activityPage(ports.Activity{User: user}, 41)},
		{"account_application", frame{Path: "/account/applications?grant=g1"}, page(history)},
		{"account_application_gone", frame{Path: "/account/applications?grant=g2"}, page(gone)},
	}
}
