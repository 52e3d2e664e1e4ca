package page

// sampleOffer is an address as an app reads it.
const sampleOffer = "otpauth://totp/id.example:tio?secret=gezdgnbvgy3tqojqgezdgnbvgy3tqojq&issuer=id.example&algorithm=sha1&digits=6&period=30"

// factorSamples are the pages of the second factor, with an authenticator app.
func factorSamples(shown func(string) Moment) []samplePage {
	const csrf = "csrf_b1Zx"
	ask := Factor{Action: "/second-factor", Interaction: "int_7Qk2", CSRF: csrf, Account: "Tio Pratama (tio)", App: true,
		OtherURL: "/login?interaction=int_7Qk2&switch=1", SwapURL: "/second-factor?interaction=int_7Qk2&recovery=1"}
	wrong, late, locked, recovery := ask, ask, ask, ask
	wrong.Problem = MsgCodeWrong
	late.Problem, late.Late = MsgCodeWrong, true
	locked.Problem, locked.RetryMinutes = MsgTooManyAttempts, 14
	recovery.Recovery, recovery.SwapURL = true, "/second-factor?interaction=int_7Qk2"
	recoveryWrong := recovery
	recoveryWrong.Problem = MsgRecoveryWrong
	enrol := Enrol{Action: "/account/totp/new", CSRF: csrf, Account: "Tio Pratama (tio)"}
	asked, administration := enrol, enrol
	asked.Asked, administration.Administration = true, true
	totp := TOTP{Action: "/account/totp", Again: "/account/totp/new", CSRF: csrf, AgainCSRF: csrf, Factor: "fac_1", Account: "Tio Pratama (tio)",
		Secret: "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ"}
	if err := totp.Draw(sampleOffer); err != nil {
		panic(err)
	}
	totpWrong := totp
	totpWrong.Name, totpWrong.ProblemSet = "Phone", ProblemSet{Problems: []Message{MsgCodeWrong}}
	phone := FactorCard{ID: "fac_1", Kind: "totp", Name: "Phone", Added: shown("2026-05-01T03:00:00Z"), LastUsed: shown("2026-11-20T01:05:00Z"), URL: "/account/factors?factor=fac_1"}
	own := OwnFactor{Factor: phone, Username: "tio", Recovery: true, Last: true, Recent: true,
		RenameAction: "/account/factors", RenameCSRF: csrf, RemoveAction: "/account/factors/remove", RemoveCSRF: csrf}
	ownProblems := own
	ownProblems.Recovery, ownProblems.Last, ownProblems.Recent = false, false, false
	ownProblems.ProblemSet = ProblemSet{Problems: []Message{MsgCurrentWrong, MsgCodeWrong}}
	account := Account{Name: "Tio Pratama", Username: "tio", SessionsCSRF: csrf, LogoutCSRF: csrf, RecoveryCSRF: csrf, RecoveryLeft: 1, Done: MsgFactorAdded,
		Factors:  []FactorCard{phone, {ID: "fac_2", Kind: "totp", Added: shown("2026-11-20T01:05:00Z"), LastUsed: shown("2026-11-20T01:05:00Z"), URL: "/account/factors?factor=fac_2"}},
		Sessions: []SessionCard{{ID: "sid_1", IP: "127.0.0.1", SignedIn: shown("2026-11-20T01:05:00Z"), Current: true}}}
	codes := RecoveryCodes{Account: "Tio Pratama (tio)", Issuer: "https://id.example", File: "/account/recovery-codes/file", FileCSRF: csrf,
		Codes: []string{"abcd efgh ijkl mno2", "bcde fghi jklm no23", "cdef ghij klmn o234"}, Next: "/login", NextFields: []HiddenField{{"interaction", "int_7Qk2"}}}
	in := func(path string) Frame { return Frame{Path: path} }
	return []samplePage{
		{"second_factor", in("/second-factor?interaction=int_7Qk2"), ask},
		{"second_factor_wrong", in("/second-factor?interaction=int_7Qk2"), wrong},
		{"second_factor_late", in("/second-factor?interaction=int_7Qk2"), late},
		{"second_factor_locked", in("/second-factor?interaction=int_7Qk2"), locked},
		{"second_factor_recovery", in("/second-factor?interaction=int_7Qk2&recovery=1"), recovery},
		{"second_factor_recovery_wrong", in("/second-factor?interaction=int_7Qk2&recovery=1"), recoveryWrong},
		{"login_factor_over", in("/login"), Login{Action: "/login", CSRF: csrf, Problem: MsgFactorOver}},
		{"enrol", in("/account/totp"), enrol},
		{"enrol_asked", in("/account/totp?interaction=int_7Qk2"), asked},
		{"enrol_administration", in("/account/totp?next=%2Fadmin"), administration},
		{"totp", in("/account/totp"), totp},
		{"totp_wrong", in("/account/totp"), totpWrong},
		{"recovery_codes", Frame{}, codes},
		{"own_factor", in("/account/factors?factor=fac_1"), own},
		{"own_factor_problems", Frame{}, ownProblems},
		{"account_factors", in("/account?done=factor"), account},
		{"account_confirm_factor", Frame{}, Confirm{Message: MsgConfirmFactor, Action: "/account/totp/new?interaction=int_7Qk2", CSRF: csrf, Username: "tio"}},
	}
}
