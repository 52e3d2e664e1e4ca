package page

import (
	"slices"
	"time"

	"latchkey/domain/oidc"
)

var sampleApp = App{
	Name: "Kopi Notes", Host: "notes.example",
	LogoURL: "https://notes.example/logo.svg", PolicyURL: "https://notes.example/privacy", TermsURL: "https://notes.example/terms",
}

type samplePage struct {
	name  string
	frame Frame
	body  Body
}

// samplePages is every page in each of the shapes it can take, without a language.
func samplePages() []samplePage {
	const interaction, csrf = "int_7Qk2", "csrf_b1Zx"
	interactionFrame := Frame{Path: "/interaction?id=int_7Qk2", Images: []string{sampleApp.LogoURL}}
	login := Login{App: &sampleApp, Action: "/login", Interaction: interaction, CSRF: csrf}
	failed := login
	failed.Username, failed.Problem = "tio", MsgLoginFailed
	locked := login
	locked.Username, locked.Problem, locked.RetryMinutes = "tio", MsgTooManyAttempts, 12
	again := login
	again.Username, again.SignedInAs, again.WantedAccount, again.Reauth = "sari", "Tio Pratama (tio)", "sari", true

	consent := Consent{
		App: sampleApp, Action: "/consent", Interaction: interaction, CSRF: csrf,
		Account: "Tio Pratama (tio)", SwitchURL: "/login?interaction=int_7Qk2&switch=1",
		Scopes: []Scope{
			{Name: "openid", Required: true},
			{Name: "profile", Values: []string{"Tio Pratama", "tio", "Asia/Jakarta"}},
			{Name: "email", Values: []string{"tio@mail.example"}, AlreadyGranted: true},
			{Name: "groups", Values: []string{"editors", "staff"}},
			{Name: "offline_access"},
			{Name: "notes:write"},
		},
		Offline: true,
	}
	stranger := App{Name: "kopi-dev-7f3", Host: "localhost:5173"}
	unverified := Consent{
		App: stranger, Action: "/consent", Interaction: interaction, CSRF: csrf, Account: "tio",
		Scopes: []Scope{
			{Name: "openid"}, {Name: "address", Values: []string{"Jl. Merdeka 1, Bandung"}}, {Name: "phone", Values: []string{"+62 811 000 111"}},
		},
		Unverified: true,
	}
	shown := func(at string) Moment {
		when, err := time.Parse(time.RFC3339, at)
		if err != nil {
			panic(err)
		}
		return MomentOf(when, "Asia/Jakarta")
	}
	account := Account{
		Name: "Tio Pratama", Username: "tio", Email: "tio@mail.example", EmailVerified: true, Groups: []string{"editors", "staff"},
		PasswordChanged: shown("2026-02-28T17:30:00Z"), SessionsCSRF: csrf, ApplicationsCSRF: csrf, LogoutCSRF: csrf,
		Sessions: []SessionCard{
			{ID: "sid_1", Device: Device{"Firefox", "Linux"}, IP: "203.0.113.7", SignedIn: shown("2026-11-20T01:05:00Z"),
				LastSeen: shown("2026-11-21T02:00:00Z"), Applications: []string{"Kopi Notes", "Meridian"}, Current: true},
			{ID: "sid_2", Device: Device{"Chrome", "Android"}, IP: "2001:db8::7", SignedIn: shown("2026-11-19T23:05:00Z"),
				LastSeen: shown("2026-11-20T12:00:00Z")},
			{ID: "sid_3", SignedIn: shown("2026-11-18T01:05:00Z"), LastSeen: shown("2026-11-18T01:05:00Z")},
		},
		Applications: []ApplicationCard{
			{ID: "g1", URL: "/account/applications?grant=g1", LastUsed: shown("2026-11-21T01:30:00Z"), Name: "Kopi Notes", Host: "notes.example", HomeURL: "https://notes.example/",
				Scopes: []string{"openid", "profile", "offline_access", "notes:write"}, Since: shown("2026-05-01T03:00:00Z")},
			{ID: "g2", URL: "/account/applications?grant=g2", Name: "kopi-dev-7f3", Host: "com.example.kopi:", Scopes: []string{"openid"}, Since: shown("2026-11-01T03:00:00Z")},
		},
	}
	accountNew := Account{Name: "sari", Username: "sari", Done: MsgPasswordChanged, LogoutCSRF: csrf,
		Sessions: []SessionCard{{ID: "sid_1", Device: Device{System: "iPhone"}, IP: "127.0.0.1", SignedIn: shown("2026-11-20T01:05:00Z"), Current: true}}}
	wrong := ProblemSet{Problems: []Message{MsgCurrentWrong, MsgPasswordCommon}}
	locked15 := ProblemSet{Problems: []Message{MsgTooManyAttempts}, RetryMinutes: 15}
	confirm := Confirm{Message: MsgConfirmDisconnect, Action: "/account/applications", CSRF: csrf, Fields: []HiddenField{{"grant", "g1"}}, Username: "tio"}
	confirmLocked := confirm
	confirmLocked.Message, confirmLocked.ProblemSet = MsgConfirmSessions, locked15
	organisation := Frame{Path: "/login", Site: "Kopi Bersama", Support: "mailto:bantuan@kopi.example"}

	return slices.Concat(factorSamples(shown), passkeySamples(shown), activitySamples(), []samplePage{
		{"login", interactionFrame, login},
		{"login_failed", interactionFrame, failed},
		{"login_locked", interactionFrame, locked},
		{"login_again", interactionFrame, again},
		{"login_latchkey", Frame{Path: "/login"}, Login{Action: "/login", CSRF: csrf}},
		{"consent", interactionFrame, consent},
		{"consent_unverified", interactionFrame, unverified},
		{"select_account", interactionFrame, SelectAccount{
			App: sampleApp, Action: "/select-account", Interaction: interaction, CSRF: csrf, Account: "Tio Pratama (tio)",
		}},
		{"error", Frame{RequestID: "req_5f0c9a2e"}, Error{
			Message: MsgRedirectUnregistered, Code: "invalid_request", Ref: "err_01J9ZK3Q",
			Description: "The redirect_uri is not registered for this client.", HomeURL: "https://notes.example/",
		}},
		{"error_not_found", Frame{Path: "/nowhere", RequestID: "req_5f0c9a2f"}, Error{Message: MsgNotFound}},
		{"setup", Frame{Path: "/setup?token=st_9"}, Setup{Action: "/setup", Token: "st_9", CSRF: csrf, Issuer: "http://localhost:8080"}},
		{"setup_problems", Frame{}, Setup{
			Action: "/setup", Token: "st_9", CSRF: csrf, Issuer: "https://id.example", Username: "Tio Pratama", Email: "tio",
			ProblemSet: ProblemSet{Problems: []Message{MsgUsernameInvalid, MsgEmailInvalid, MsgPasswordShort, MsgPasswordMismatch, MsgServerBusy}},
		}},
		{"reset", Frame{Path: "/reset?token=rt_9"}, Reset{Action: "/reset", Token: "rt_9", CSRF: csrf, Username: "tio"}},
		{"reset_problems", Frame{}, Reset{Action: "/reset", Token: "rt_9", CSRF: csrf, Username: "tio",
			ProblemSet: ProblemSet{Problems: []Message{MsgPasswordShort, MsgPasswordMismatch}}}},
		{"done_reset", Frame{}, Done{Message: MsgPasswordReset, LinkURL: "/login", LinkText: MsgLinkSignIn}},
		{"done_administrator", Frame{}, Done{Message: MsgAdministratorCreated, Args: []any{"tio"}, LinkURL: "/login", LinkText: MsgLinkSignIn}},
		{"done_signed_out", Frame{Path: "/signed-out"}, Done{Message: MsgSignedOut}},
		{"login_organisation", organisation, Login{Action: "/login", CSRF: csrf}},
		{"account", Frame{Path: "/account"}, account},
		{"account_new", Frame{Path: "/account?done=password"}, accountNew},
		{"account_password", Frame{Path: "/account/password"}, Password{Action: "/account/password", CSRF: csrf, Username: "tio"}},
		{"account_password_problems", Frame{}, Password{Action: "/account/password", CSRF: csrf, Username: "tio", ProblemSet: wrong}},
		{"account_email", Frame{Path: "/account/email"}, Email{Action: "/account/email", CSRF: csrf, Email: "tio@mail.example"}},
		{"account_email_problem", Frame{}, Email{Action: "/account/email", CSRF: csrf, Email: "tio",
			ProblemSet: ProblemSet{Problems: []Message{MsgEmailInvalid}}}},
		{"account_confirm", Frame{Support: "https://help.example/"}, confirm},
		{"account_confirm_locked", Frame{}, confirmLocked},
		{"logout", Frame{Path: "/connect/logout?client_id=kopi"}, Logout{App: "Kopi Notes", Action: "/connect/logout/confirm", CSRF: csrf,
			Fields: []HiddenField{{"client_id", "kopi"}, {"post_logout_redirect_uri", "https://notes.example/bye"}, {"state", "s"}}, Account: "Tio Pratama (tio)", StayURL: "/"}},
		{"logout_nobody_asks", Frame{Path: "/connect/endsession"}, Logout{Action: "/connect/logout/confirm", CSRF: csrf, Account: "tio", StayURL: "/"}},
		{"signed_out", Frame{Refresh: "https://notes.example/bye?state=s", RefreshSeconds: 3}, SignedOut{ReturnURL: "https://notes.example/bye?state=s", Applications: []SignedOutApp{
			{Name: "Kopi Notes", State: MsgAppAsked, Frame: "https://notes.example/logout?iss=https%3A%2F%2Fid.example&sid=sid_1"},
			{Name: "Kopi Notes Mobile", State: MsgAppSignedOut, Frame: "https://notes.example/other"},
			{Name: "kopi-dev-7f3", State: MsgAppAsked, Frame: "http://localhost:5173/logout"}}}},
		{"signed_out_without_frames", Frame{}, SignedOut{LinkURL: "/", LinkText: MsgLinkHome, Applications: []SignedOutApp{
			{Name: "Kopi Notes", State: MsgAppSignedOut}, {Name: "Meridian", State: MsgAppPending}, {Name: "kopi-dev-7f3", State: MsgAppFailed},
			{Name: "sari", State: MsgAppSilent}}}},
		{"error_logout", Frame{RequestID: "req_5f0c9a2e"}, Error{Message: MsgLogoutReturn, Code: "invalid_request",
			Description: "post_logout_redirect_uri is not registered for this client", HomeURL: "/"}},
		{"error_codes", Frame{Path: "/errors"}, ErrorCodes{}},
		{"error_codes_ref", Frame{Path: "/errors?ref=err_3gdx5ttng2fkygtp"},
			ErrorCodes{Ref: "err_3gdx5ttng2fkygtp", ExplainURL: "/admin/explain?ref=err_3gdx5ttng2fkygtp"}},
		{"admin", Frame{Path: "/admin"}, Admin{Refusals: []RefusalCard{
			{Ref: "err_7w3kq2xnd5gzhc4a", Client: "grafana", Code: "invalid_request", Summary: "The redirect_uri is not one of those registered for the client.",
				URL: "/admin/explain?ref=err_7w3kq2xnd5gzhc4a", When: shown("2026-11-21T02:00:00Z")},
			{Ref: "err_aaaaaaaaaaaaaaaa", Code: "forbidden", Summary: "A form was sent that did not come from a page of this server.",
				URL: "/admin/explain?ref=err_aaaaaaaaaaaaaaaa", When: shown("2026-11-21T01:00:00Z")},
		}}},
		{"admin_logout", Frame{Path: "/admin/logout"}, Deliveries{More: 100, Deliveries: []DeliveryCard{
			{Name: "Kopi Notes", Client: "kopi", URL: "/admin/explain?client_id=kopi", User: "tio", State: oidc.Pending, Attempts: 3, SignedOut: shown("2026-11-21T02:00:00Z"),
				Changed: shown("2026-11-21T02:06:10Z"), Problem: DeliveryProblem{Message: MsgDeliveryStatus, Status: 503}},
			{Name: "Meridian", Client: "meridian", URL: "/admin/explain?client_id=meridian", User: "sari", State: oidc.Delivered, Attempts: 1,
				SignedOut: shown("2026-11-21T01:00:00Z"), Changed: shown("2026-11-21T01:00:01Z")},
			{Name: "Kopi Notes", Client: "kopi", URL: "/admin/explain?client_id=kopi", Subject: "usr_1", State: oidc.Failed, Attempts: 16, SignedOut: shown("2026-11-20T01:00:00Z"),
				Changed: shown("2026-11-21T00:36:10Z"), Problem: DeliveryProblem{Other: "words of another version"}},
			{Name: "Grafana", Client: "grafana", URL: "/admin/explain?client_id=grafana", User: "tio", State: oidc.Pending, SignedOut: shown("2026-11-20T00:00:00Z")},
		}}},
		{"admin_logout_none", Frame{Path: "/admin/logout"}, Deliveries{}},
		{"admin_none", Frame{Path: "/admin"}, Admin{}},
		{"admin_explain", Frame{Path: "/admin/explain?ref=err_7w3kq2xnd5gzhc4a"}, Explain{Action: "/admin/explain", Ref: "err_7w3kq2xnd5gzhc4a", Explanation: sampleExplanation()}},
		{"admin_explain_not_found", Frame{Path: "/admin/explain?ref=x"}, Explain{Action: "/admin/explain", Ref: "x", NotFound: "x is no reference."}},
		{"admin_explain_client", Frame{Path: "/admin/explain?client_id=grafana"}, Explain{Action: "/admin/explain", Client: "grafana", Listed: true,
			Refusals: []RefusalCard{{Ref: "err_7w3kq2xnd5gzhc4a", Client: "grafana", Code: "invalid_request", Summary: "The request has no nonce.",
				URL: "/admin/explain?ref=err_7w3kq2xnd5gzhc4a", When: shown("2026-11-21T02:00:00Z")}}}},
		{"error_administrator", Frame{RequestID: "req_7w3kq2xnd5gzhc4a"}, Error{Message: MsgRedirectUnregistered, Code: "invalid_request", Ref: "err_7w3kq2xnd5gzhc4a",
			Description: "redirect_uri is not registered for this client", ExplainURL: "/admin/explain?ref=err_7w3kq2xnd5gzhc4a", Explanation: sampleExplanation()}},
		{"login_administration", Frame{Path: "/login?next=%2Fadmin"}, Login{Action: "/login?next=%2Fadmin", CSRF: csrf, Administration: true}},
		{"home_administrator", Frame{Path: "/"}, Home{Issuer: "https://id.example", DiscoveryURL: "https://id.example/.well-known/openid-configuration",
			Account: "carol", SignedIn: true, Admin: true, CSRF: csrf}},
		{"home", Frame{Path: "/"}, Home{Issuer: "https://id.example", DiscoveryURL: "https://id.example/.well-known/openid-configuration"}},
		{"home_demo", Frame{Path: "/"}, Home{Issuer: "http://localhost:8080", DiscoveryURL: "http://localhost:8080/.well-known/openid-configuration", Demo: "/demo"}},
		{"home_signed_in", Frame{Path: "/"}, Home{
			Issuer: "https://id.example", DiscoveryURL: "https://id.example/.well-known/openid-configuration",
			Account: "Tio Pratama (tio)", SignedIn: true, CSRF: csrf,
		}},
	})
}

func sampleExplanation() *Explanation {
	return &Explanation{Ref: "err_7w3kq2xnd5gzhc4a", RequestID: "req_7w3kq2xnd5gzhc4a", When: MomentOf(time.Date(2026, 11, 21, 2, 0, 0, 0, time.UTC), ""),
		Summary: "The redirect_uri is not one of those registered for the client.", Client: "grafana", ClientName: "Grafana", Code: "invalid_request",
		Description: "redirect_uri is not registered for this client", IP: "203.0.113.7", Agent: "Mozilla/5.0", Received: "http://grafana.example/login/generic_oauth",
		Expected: []string{"https://grafana.example/login/generic_oauth"}, Nearest: "https://grafana.example/login/generic_oauth",
		Differences: []string{"the scheme is http instead of https"}, Rule: "An answer goes only to a registered address.", Section: "RFC 6749 §3.1.2.3",
		Mistake: "The application makes the address from its own idea of its URL.", Fix: "Correct the URL that the application believes it has.",
		Command: "latchkey client edit grafana --add redirect_uris=URL", Setting: "This looks like Grafana: root_url.", Settled: "This would not be refused any more."}
}
