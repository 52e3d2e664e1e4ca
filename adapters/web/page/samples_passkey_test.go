package page

// passkeySamples are the pages with a passkey in each of the shapes they can take.
func passkeySamples(shown func(string) Moment) []samplePage {
	const csrf = "csrf_b1Zx"
	site := func(path string) Frame { return Frame{Path: path} }
	get := func(url string, label Message) *PasskeyButton { return &PasskeyButton{URL: url, Label: label} }
	login := get("/login/passkey", MsgUsePasskey)
	login.Autofill = true
	add := &PasskeyButton{URL: "/account/passkeys/challenge", Create: true, Label: MsgAddPasskey, Main: true}
	alone := get("/second-factor/passkey", MsgUsePasskey)
	alone.Main = true
	factor := Factor{Action: "/second-factor", CSRF: csrf, Account: "Tio Pratama (tio)", OtherURL: "/login?switch=1"}
	both, only, failed := factor, factor, factor
	both.App, both.Passkey, both.SwapURL = true, get("/second-factor/passkey", MsgUsePasskey), "/second-factor?recovery=1"
	only.Passkey, only.SwapURL = alone, "/second-factor?recovery=1"
	failed.Passkey, failed.Problem = alone, MsgPasskeyFailed
	card := func(id, name string) FactorCard {
		return FactorCard{ID: id, Kind: "passkey", Name: name, Added: shown("2026-05-01T03:00:00Z"), URL: "/account/factors?factor=" + id}
	}
	used := card("fac_1", "Work laptop")
	used.LastUsed = shown("2026-11-20T01:05:00Z")
	passkeys := Passkeys{Action: "/account/passkeys", CSRF: csrf, Username: "tio", Recent: true, Passkey: add, Passkeys: []PasskeyCard{
		{FactorCard: used, Model: "08987058-cadc-4b81-b6e1-30de50dcbe96"},
		{FactorCard: card("fac_2", "Phone"), Syncable: true, Synced: true}, {FactorCard: card("fac_3", ""), Syncable: true}}}
	return []samplePage{
		{"login_passkey", site("/login"), Login{Action: "/login", CSRF: csrf, Passkey: login}},
		{"login_passkey_unverified", site("/login"), Login{Action: "/login", CSRF: csrf, Passkey: login, Problem: MsgPasskeyUnverified}},
		{"second_factor_both", site("/second-factor"), both},
		{"second_factor_passkey", site("/second-factor"), only},
		{"second_factor_passkey_failed", site("/second-factor"), failed},
		{"passkeys", site("/account/passkeys"), passkeys},
		{"passkeys_problem", site("/account/passkeys"), Passkeys{Action: "/account/passkeys", CSRF: csrf, Username: "tio", Passkey: add,
			ProblemSet: ProblemSet{Problems: []Message{MsgCurrentNeeded, MsgPasskeyKnown}}}},
		{"passkeys_address", site("/account/passkeys"), Passkeys{Action: "/account/passkeys", CSRF: csrf, Username: "tio", Recent: true}},
		{"own_factor_passkey", site("/account/factors?factor=fac_1"), OwnFactor{Factor: used, Username: "tio", Recovery: true, Recent: true,
			RenameAction: "/account/factors", RenameCSRF: csrf, RemoveAction: "/account/factors/remove", RemoveCSRF: csrf,
			Passkey: get("/account/factors/remove/passkey", MsgConfirmPasskey)}},
		{"enrol_passkey", site("/account/totp"), Enrol{Action: "/account/totp/new", CSRF: csrf, Account: "Tio Pratama (tio)", PasskeyURL: "/account/passkeys"}},
	}
}
