package web

import (
	"time"

	"latchkey/domain/oidc"
)

var sampleApp = appCard{
	Name: "Kopi Notes", Host: "notes.example",
	LogoURL: "https://notes.example/logo.svg", PolicyURL: "https://notes.example/privacy", TermsURL: "https://notes.example/terms",
}

type samplePage struct {
	name  string
	frame frame
	body  any
}

// samplePages is every page in each of the shapes it can take, without a language.
func samplePages() []samplePage {
	const interaction, csrf = "int_7Qk2", "csrf_b1Zx"
	interactionFrame := frame{Path: "/interaction?id=int_7Qk2", Images: []string{sampleApp.LogoURL}}
	login := loginPage{App: &sampleApp, Action: "/login", Interaction: interaction, CSRF: csrf}
	failed := login
	failed.Username, failed.Problem = "tio", msgLoginFailed
	locked := login
	locked.Username, locked.Problem, locked.RetryMinutes = "tio", msgTooManyAttempts, 12
	again := login
	again.Username, again.SignedInAs, again.WantedAccount, again.Reauth = "sari", "Tio Pratama (tio)", "sari", true

	consent := consentPage{
		App: sampleApp, Action: "/consent", Interaction: interaction, CSRF: csrf,
		Account: "Tio Pratama (tio)", SwitchURL: "/login?interaction=int_7Qk2&switch=1",
		Scopes: []consentScope{
			{Name: "openid", Required: true},
			{Name: "profile", Values: []string{"Tio Pratama", "tio", "Asia/Jakarta"}},
			{Name: "email", Values: []string{"tio@mail.example"}, AlreadyGranted: true},
			{Name: "groups", Values: []string{"editors", "staff"}},
			{Name: "offline_access"},
			{Name: "notes:write"},
		},
		Offline: true,
	}
	stranger := appCard{Name: "kopi-dev-7f3", Host: "localhost:5173"}
	unverified := consentPage{
		App: stranger, Action: "/consent", Interaction: interaction, CSRF: csrf, Account: "tio",
		Scopes: []consentScope{
			{Name: "openid"}, {Name: "address", Values: []string{"Jl. Merdeka 1, Bandung"}}, {Name: "phone", Values: []string{"+62 811 000 111"}},
		},
		Unverified: true,
	}
	shown := func(at string) moment {
		when, err := time.Parse(time.RFC3339, at)
		if err != nil {
			panic(err)
		}
		return momentOf(when, "Asia/Jakarta")
	}
	account := accountPage{
		Name: "Tio Pratama", Username: "tio", Email: "tio@mail.example", EmailVerified: true, Groups: []string{"editors", "staff"},
		PasswordChanged: shown("2026-02-28T17:30:00Z"), SessionsCSRF: csrf, ApplicationsCSRF: csrf, LogoutCSRF: csrf,
		Sessions: []sessionCard{
			{ID: "sid_1", Device: device{"Firefox", "Linux"}, IP: "203.0.113.7", SignedIn: shown("2026-11-20T01:05:00Z"),
				LastSeen: shown("2026-11-21T02:00:00Z"), Applications: []string{"Kopi Notes", "Meridian"}, Current: true},
			{ID: "sid_2", Device: device{"Chrome", "Android"}, IP: "2001:db8::7", SignedIn: shown("2026-11-19T23:05:00Z"),
				LastSeen: shown("2026-11-20T12:00:00Z")},
			{ID: "sid_3", SignedIn: shown("2026-11-18T01:05:00Z"), LastSeen: shown("2026-11-18T01:05:00Z")},
		},
		Applications: []applicationCard{
			{ID: "g1", URL: "/account/applications?grant=g1", LastUsed: shown("2026-11-21T01:30:00Z"), Name: "Kopi Notes", Host: "notes.example", HomeURL: "https://notes.example/",
				Scopes: []string{"openid", "profile", "offline_access", "notes:write"}, Since: shown("2026-05-01T03:00:00Z")},
			{ID: "g2", URL: "/account/applications?grant=g2", Name: "kopi-dev-7f3", Host: "com.example.kopi:", Scopes: []string{"openid"}, Since: shown("2026-11-01T03:00:00Z")},
		},
	}
	accountNew := accountPage{Name: "sari", Username: "sari", Done: msgPasswordChanged, LogoutCSRF: csrf,
		Sessions: []sessionCard{{ID: "sid_1", Device: device{System: "iPhone"}, IP: "127.0.0.1", SignedIn: shown("2026-11-20T01:05:00Z"), Current: true}}}
	wrong := problemSet{Problems: []messageID{msgCurrentWrong, msgPasswordCommon}}
	locked15 := problemSet{Problems: []messageID{msgTooManyAttempts}, RetryMinutes: 15}
	confirm := confirmPage{Message: msgConfirmDisconnect, Action: "/account/applications", CSRF: csrf, Fields: []hiddenField{{"grant", "g1"}}, Username: "tio"}
	confirmLocked := confirm
	confirmLocked.Message, confirmLocked.problemSet = msgConfirmSessions, locked15
	organisation := frame{Path: "/login", Site: "Kopi Bersama", Support: "mailto:bantuan@kopi.example"}

	return append(append(passkeySamples(shown), activitySamples()...), []samplePage{
		{"login", interactionFrame, login},
		{"login_failed", interactionFrame, failed},
		{"login_locked", interactionFrame, locked},
		{"login_again", interactionFrame, again},
		{"login_latchkey", frame{Path: "/login"}, loginPage{Action: "/login", CSRF: csrf}},
		{"consent", interactionFrame, consent},
		{"consent_unverified", interactionFrame, unverified},
		{"select_account", interactionFrame, selectAccountPage{
			App: sampleApp, Action: "/select-account", Interaction: interaction, CSRF: csrf, Account: "Tio Pratama (tio)",
		}},
		{"error", frame{RequestID: "req_5f0c9a2e"}, errorPage{
			Message: msgRedirectUnregistered, Code: "invalid_request", Ref: "err_01J9ZK3Q",
			Description: "The redirect_uri is not registered for this client.", HomeURL: "https://notes.example/",
		}},
		{"error_not_found", frame{Path: "/nowhere", RequestID: "req_5f0c9a2f"}, errorPage{Message: msgNotFound}},
		{"setup", frame{Path: "/setup?token=st_9"}, setupPage{Action: "/setup", Token: "st_9", CSRF: csrf, Issuer: "http://localhost:8080"}},
		{"setup_problems", frame{}, setupPage{
			Action: "/setup", Token: "st_9", CSRF: csrf, Issuer: "https://id.example", Username: "Tio Pratama", Email: "tio",
			problemSet: problemSet{Problems: []messageID{msgUsernameInvalid, msgEmailInvalid, msgPasswordShort, msgPasswordMismatch, msgServerBusy}},
		}},
		{"reset", frame{Path: "/reset?token=rt_9"}, resetPage{Action: "/reset", Token: "rt_9", CSRF: csrf, Username: "tio"}},
		{"reset_problems", frame{}, resetPage{Action: "/reset", Token: "rt_9", CSRF: csrf, Username: "tio",
			problemSet: problemSet{Problems: []messageID{msgPasswordShort, msgPasswordMismatch}}}},
		{"done_reset", frame{}, donePage{Message: msgPasswordReset, LinkURL: "/login", LinkText: msgLinkSignIn}},
		{"done_administrator", frame{}, donePage{Message: msgAdministratorCreated, Args: []any{"tio"}, LinkURL: "/login", LinkText: msgLinkSignIn}},
		{"done_signed_out", frame{Path: "/signed-out"}, donePage{Message: msgSignedOut}},
		{"login_organisation", organisation, loginPage{Action: "/login", CSRF: csrf}},
		{"account", frame{Path: "/account"}, account},
		{"account_new", frame{Path: "/account?done=password"}, accountNew},
		{"account_password", frame{Path: "/account/password"}, passwordPage{Action: "/account/password", CSRF: csrf, Username: "tio"}},
		{"account_password_problems", frame{}, passwordPage{Action: "/account/password", CSRF: csrf, Username: "tio", problemSet: wrong}},
		{"account_email", frame{Path: "/account/email"}, emailPage{Action: "/account/email", CSRF: csrf, Email: "tio@mail.example"}},
		{"account_email_problem", frame{}, emailPage{Action: "/account/email", CSRF: csrf, Email: "tio",
			problemSet: problemSet{Problems: []messageID{msgEmailInvalid}}}},
		{"account_confirm", frame{Support: "https://help.example/"}, confirm},
		{"account_confirm_locked", frame{}, confirmLocked},
		{"logout", frame{Path: "/connect/logout?client_id=kopi"}, logoutPage{App: "Kopi Notes", Action: "/connect/logout/confirm", CSRF: csrf,
			Fields: []hiddenField{{"client_id", "kopi"}, {"post_logout_redirect_uri", "https://notes.example/bye"}, {"state", "s"}}, Account: "Tio Pratama (tio)", StayURL: "/"}},
		{"logout_nobody_asks", frame{Path: "/connect/endsession"}, logoutPage{Action: "/connect/logout/confirm", CSRF: csrf, Account: "tio", StayURL: "/"}},
		{"signed_out", frame{Refresh: "https://notes.example/bye?state=s", RefreshSeconds: 3}, signedOutPage{ReturnURL: "https://notes.example/bye?state=s", Applications: []signedOutApp{
			{Name: "Kopi Notes", State: msgAppAsked, Frame: "https://notes.example/logout?iss=https%3A%2F%2Fid.example&sid=sid_1"},
			{Name: "Kopi Notes Mobile", State: msgAppSignedOut, Frame: "https://notes.example/other"},
			{Name: "kopi-dev-7f3", State: msgAppAsked, Frame: "http://localhost:5173/logout"}}}},
		{"signed_out_without_frames", frame{}, signedOutPage{LinkURL: "/", LinkText: msgLinkHome, Applications: []signedOutApp{
			{Name: "Kopi Notes", State: msgAppSignedOut}, {Name: "Meridian", State: msgAppPending}, {Name: "kopi-dev-7f3", State: msgAppFailed},
			{Name: "sari", State: msgAppSilent}}}},
		{"error_logout", frame{RequestID: "req_5f0c9a2e"}, errorPage{Message: msgLogoutReturn, Code: "invalid_request",
			Description: "post_logout_redirect_uri is not registered for this client", HomeURL: "/"}},
		{"error_codes", frame{Path: "/errors"}, errorCodesPage{Codes: explainedCodes}},
		{"admin", frame{Path: "/admin"}, adminPage{Refusals: []refusalCard{
			{Ref: "err_7w3kq2xnd5gzhc4a", Client: "grafana", Code: "invalid_request", Summary: "The redirect_uri is not one of those registered for the client.",
				URL: "/admin/explain?ref=err_7w3kq2xnd5gzhc4a", When: shown("2026-11-21T02:00:00Z")},
			{Ref: "err_aaaaaaaaaaaaaaaa", Code: "forbidden", Summary: "A form was sent that did not come from a page of this server.",
				URL: "/admin/explain?ref=err_aaaaaaaaaaaaaaaa", When: shown("2026-11-21T01:00:00Z")},
		}}},
		{"admin_logout", frame{Path: "/admin/logout"}, deliveriesPage{More: 100, Deliveries: []deliveryCard{
			{Name: "Kopi Notes", Client: "kopi", URL: "/admin/explain?client_id=kopi", User: "tio", State: oidc.Pending, Attempts: 3, SignedOut: shown("2026-11-21T02:00:00Z"),
				Changed: shown("2026-11-21T02:06:10Z"), Problem: problemWords{Message: msgDeliveryStatus, Status: 503}},
			{Name: "Meridian", Client: "meridian", URL: "/admin/explain?client_id=meridian", User: "sari", State: oidc.Delivered, Attempts: 1,
				SignedOut: shown("2026-11-21T01:00:00Z"), Changed: shown("2026-11-21T01:00:01Z")},
			{Name: "Kopi Notes", Client: "kopi", URL: "/admin/explain?client_id=kopi", Subject: "usr_1", State: oidc.Failed, Attempts: 16, SignedOut: shown("2026-11-20T01:00:00Z"),
				Changed: shown("2026-11-21T00:36:10Z"), Problem: problemWords{Other: "words of another version"}},
			{Name: "Grafana", Client: "grafana", URL: "/admin/explain?client_id=grafana", User: "tio", State: oidc.Pending, SignedOut: shown("2026-11-20T00:00:00Z")},
		}}},
		{"admin_logout_none", frame{Path: "/admin/logout"}, deliveriesPage{}},
		{"admin_none", frame{Path: "/admin"}, adminPage{}},
		{"admin_explain", frame{Path: "/admin/explain?ref=err_7w3kq2xnd5gzhc4a"}, explainPage{Action: "/admin/explain", Ref: "err_7w3kq2xnd5gzhc4a", Explanation: sampleExplanation()}},
		{"admin_explain_not_found", frame{Path: "/admin/explain?ref=x"}, explainPage{Action: "/admin/explain", Ref: "x", NotFound: "x is no reference."}},
		{"admin_explain_client", frame{Path: "/admin/explain?client_id=grafana"}, explainPage{Action: "/admin/explain", Client: "grafana", Listed: true,
			Refusals: []refusalCard{{Ref: "err_7w3kq2xnd5gzhc4a", Client: "grafana", Code: "invalid_request", Summary: "The request has no nonce.",
				URL: "/admin/explain?ref=err_7w3kq2xnd5gzhc4a", When: shown("2026-11-21T02:00:00Z")}}}},
		{"error_administrator", frame{RequestID: "req_7w3kq2xnd5gzhc4a"}, errorPage{Message: msgRedirectUnregistered, Code: "invalid_request", Ref: "err_7w3kq2xnd5gzhc4a",
			Description: "redirect_uri is not registered for this client", ExplainURL: "/admin/explain?ref=err_7w3kq2xnd5gzhc4a", Explanation: sampleExplanation()}},
		{"login_administration", frame{Path: "/login?next=%2Fadmin"}, loginPage{Action: "/login?next=%2Fadmin", CSRF: csrf, Administration: true}},
		{"home_administrator", frame{Path: "/"}, homePage{Issuer: "https://id.example", DiscoveryURL: "https://id.example/.well-known/openid-configuration",
			Account: "carol", SignedIn: true, Admin: true, CSRF: csrf}},
		{"home", frame{Path: "/"}, homePage{Issuer: "https://id.example", DiscoveryURL: "https://id.example/.well-known/openid-configuration"}},
		{"home_demo", frame{Path: "/"}, homePage{Issuer: "http://localhost:8080", DiscoveryURL: "http://localhost:8080/.well-known/openid-configuration", Demo: "/demo"}},
		{"home_signed_in", frame{Path: "/"}, homePage{
			Issuer: "https://id.example", DiscoveryURL: "https://id.example/.well-known/openid-configuration",
			Account: "Tio Pratama (tio)", SignedIn: true, CSRF: csrf,
		}},
	}...)
}

func sampleExplanation() *explanationView {
	return &explanationView{Ref: "err_7w3kq2xnd5gzhc4a", RequestID: "req_7w3kq2xnd5gzhc4a", When: momentOf(time.Date(2026, 11, 21, 2, 0, 0, 0, time.UTC), ""),
		Summary: "The redirect_uri is not one of those registered for the client.", Client: "grafana", ClientName: "Grafana", Code: "invalid_request",
		Description: "redirect_uri is not registered for this client", IP: "203.0.113.7", Agent: "Mozilla/5.0", Received: "http://grafana.example/login/generic_oauth",
		Expected: []string{"https://grafana.example/login/generic_oauth"}, Nearest: "https://grafana.example/login/generic_oauth",
		Differences: []string{"the scheme is http instead of https"}, Rule: "An answer goes only to a registered address.", Section: "RFC 6749 §3.1.2.3",
		Mistake: "The application makes the address from its own idea of its URL.", Fix: "Correct the URL that the application believes it has.",
		Command: "latchkey apply FILE", Setting: "This looks like Grafana: root_url.", Settled: "This would not be refused any more."}
}
