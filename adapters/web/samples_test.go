package web

import "time"

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
			{ID: "g1", Name: "Kopi Notes", Host: "notes.example", HomeURL: "https://notes.example/",
				Scopes: []string{"openid", "profile", "offline_access", "notes:write"}, Since: shown("2026-05-01T03:00:00Z")},
			{ID: "g2", Name: "kopi-dev-7f3", Host: "com.example.kopi:", Scopes: []string{"openid"}, Since: shown("2026-11-01T03:00:00Z")},
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

	return []samplePage{
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
		{"error_codes", frame{Path: "/errors"}, errorCodesPage{Codes: explainedCodes}},
		{"home", frame{Path: "/"}, homePage{Issuer: "https://id.example", DiscoveryURL: "https://id.example/.well-known/openid-configuration"}},
		{"home_signed_in", frame{Path: "/"}, homePage{
			Issuer: "https://id.example", DiscoveryURL: "https://id.example/.well-known/openid-configuration",
			Account: "Tio Pratama (tio)", SignedIn: true, CSRF: csrf,
		}},
	}
}
