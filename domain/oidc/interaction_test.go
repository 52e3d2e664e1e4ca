package oidc_test

import (
	"testing"
	"time"

	"latchkey/domain/identity"
	"latchkey/domain/oauth"
	"latchkey/domain/oidc"
)

var start = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)

const none = time.Duration(-1) // no max_age

// situation is one row of the decision: who asks for what, and what is known.
type situation struct {
	prompt oauth.Prompt
	maxAge time.Duration
	acr    []string
	known  oidc.Known
}

// row says what the page flow does, and what prompt=none answers in the same situation.
type row struct {
	name   string
	adjust func(*situation)
	step   oidc.Step
	silent oauth.ErrorCode // empty: the code is issued without asking
}

func TestNextStep(t *testing.T) {
	signedInFor := func(age time.Duration) func(*situation) {
		return func(s *situation) { s.known.Session.AuthTime = start.Add(-age) }
	}
	all := func(changes ...func(*situation)) func(*situation) {
		return func(s *situation) {
			for _, c := range changes {
				c(s)
			}
		}
	}
	var (
		nobody = func(s *situation) {
			s.known.Session, s.known.User, s.known.Grant = identity.Session{}, identity.User{}, oauth.Grant{}
		}
		fresh    = func(s *situation) { s.known.Interaction = oidc.Interaction{ID: "in1"} }
		loggedIn = func(s *situation) {
			fresh(s)
			s.known.Interaction.LoggedIn, s.known.Interaction.Account = true, s.known.Session.User
			s.known.Session.AuthTime = start.Add(-time.Second)
		}
		chosen    = func(s *situation) { s.known.Interaction.Account = s.known.Session.User }
		switching = func(s *situation) { s.known.Interaction.Switch = true }
		decided   = func(s *situation) { s.known.Interaction.Decided, s.known.Interaction.Consented = true, "openid" }
		noGrant   = func(s *situation) { s.known.Grant = oauth.Grant{} }
		partGrant = func(s *situation) { s.known.Grant.Scope = "openid" }
		dead      = func(s *situation) { s.known.Grant.RevokedAt = start.Add(-time.Minute) }
		login     = func(s *situation) { s.prompt.Login = true }
		consent   = func(s *situation) { s.prompt.Consent = true }
		selection = func(s *situation) { s.prompt.SelectAccount = true }
		hintOf    = func(user identity.UserID) func(*situation) {
			return func(s *situation) { s.known.Hint = &oidc.IDTokenHint{Subject: user} }
		}
		mfa      = func(s *situation) { s.acr = []string{"urn:sso:loa:mfa"} }
		factor   = func(s *situation) { s.known.HasFactor = true }
		stronger = func(s *situation) { s.known.Session.ACR = oidc.ACRMultiFactor }
		acr      = func(values ...string) func(*situation) { return func(s *situation) { s.acr = values } }
		maxAge   = func(d time.Duration) func(*situation) { return func(s *situation) { s.maxAge = d } }
	)
	const (
		loginRequired = oauth.LoginRequired
		needConsent   = oauth.ConsentRequired
		needAccount   = oauth.AccountSelection
		needFactor    = oauth.InteractionRequired
	)
	rows := []row{
		{"CN-02 signed in, agreed before", func(*situation) {}, oidc.Respond, ""},
		{"CN-02 agreed to more than is asked for", func(s *situation) { s.known.Grant.Scope = "openid profile email" }, oidc.Respond, ""},
		{"CN-02 agreed to a part", partGrant, oidc.Consent, needConsent},
		{"CN-05 never agreed", noGrant, oidc.Consent, needConsent},
		{"CN-06 agreed, then revoked", dead, oidc.Consent, needConsent},

		{"AZ-06 nobody signed in", nobody, oidc.Login, loginRequired},
		{"AZ-06 nobody signed in comes before consent", all(nobody, consent), oidc.Login, loginRequired},
		{"SS-02 session expired", func(s *situation) { s.known.Session.ExpiresAt = start }, oidc.Login, loginRequired},
		{"SS-02 session idle", func(s *situation) { s.known.Session.LastSeenAt = start.Add(-12 * time.Hour) }, oidc.Login, loginRequired},
		{"SS-03 session ended", func(s *situation) { s.known.Session.EndedAt = start.Add(-time.Second) }, oidc.Login, loginRequired},
		{"SS-04 user disabled", func(s *situation) { s.known.User.DisabledAt = start.Add(-time.Second) }, oidc.Login, loginRequired},
		{"SS-04 user deleted", func(s *situation) { s.known.User = identity.User{} }, oidc.Login, loginRequired},
		{"user disabled, though just signed in and decided", all(loggedIn, decided, func(s *situation) { s.known.User.DisabledAt = start }), oidc.Login, loginRequired},

		{"AZ-08 prompt=login", login, oidc.Login, loginRequired},
		{"AZ-08 prompt=login, the session is seconds old", all(signedInFor(time.Second), login), oidc.Login, loginRequired},
		{"AZ-08 prompt=login, waiting", all(fresh, login), oidc.Login, loginRequired},
		{"AZ-08 prompt=login, signed in for this request", all(loggedIn, login), oidc.Respond, ""},
		{"AZ-08 prompt=login, signed in for this request, no consent", all(loggedIn, login, noGrant), oidc.Consent, needConsent},

		{"AZ-08 max_age reached", all(signedInFor(5*time.Minute), maxAge(5*time.Minute)), oidc.Respond, ""},
		{"AZ-08 max_age exceeded", all(signedInFor(5*time.Minute+time.Millisecond), maxAge(5*time.Minute)), oidc.Login, loginRequired},
		{"AZ-08 max_age=1, signed in five minutes ago", all(signedInFor(5*time.Minute), maxAge(time.Second)), oidc.Login, loginRequired},
		{"AZ-08 max_age=0", all(signedInFor(time.Millisecond), maxAge(0)), oidc.Login, loginRequired},
		{"AZ-08 max_age=0, signed in for this request", all(loggedIn, maxAge(0)), oidc.Respond, ""},
		{"no max_age", all(signedInFor(6*24*time.Hour), maxAge(none)), oidc.Respond, ""},

		{"AZ-09 the hint names who is signed in", hintOf("usr_alice"), oidc.Respond, ""},
		{"AZ-09 the hint names another", hintOf("usr_bob"), oidc.Login, loginRequired},
		{"AZ-09 the hint names another, and alice just signed in", all(loggedIn, hintOf("usr_bob")), oidc.Login, loginRequired},
		{"AZ-09 the hint names another, and alice decided", all(loggedIn, decided, hintOf("usr_bob")), oidc.Login, loginRequired},
		{"AZ-09 the hint names nobody", hintOf(""), oidc.Login, loginRequired},

		{"prompt=select_account", selection, oidc.SelectAccount, needAccount},
		{"prompt=select_account, chosen", all(fresh, selection, chosen), oidc.Respond, ""},
		{"prompt=select_account, another asked for", all(fresh, selection, switching), oidc.Login, loginRequired},
		{"prompt=select_account, another asked for and signed in", all(loggedIn, selection, switching), oidc.Respond, ""},
		{"prompt=select_account, signed in for this request", all(loggedIn, selection), oidc.Respond, ""},
		{"prompt=select_account, nobody signed in", all(nobody, selection), oidc.Login, loginRequired},
		{"prompt=select_account, chosen, no consent", all(fresh, selection, chosen, noGrant), oidc.Consent, needConsent},
		{"another account chosen than is signed in now", all(fresh, selection, func(s *situation) { s.known.Interaction.Account = "usr_bob" }), oidc.Login, loginRequired},
		{"AZ-08 max_age=0, signed in this very instant elsewhere", all(fresh, maxAge(0)), oidc.Login, loginRequired},
		{"choosing an account is no sign-in", all(fresh, login, selection, chosen), oidc.Login, loginRequired},
		{"prompt=login select_account: one sign-in serves both", all(loggedIn, login, selection), oidc.Respond, ""},

		{"CN-05 prompt=consent, though agreed before", consent, oidc.Consent, needConsent},
		{"CN-05 prompt=consent, signed in for this request", all(loggedIn, consent), oidc.Consent, needConsent},
		{"CN-05 prompt=consent, decided", all(fresh, consent, decided), oidc.Respond, ""},
		{"CN-01 decided, nothing on file yet", all(fresh, noGrant, decided), oidc.Respond, ""},
		{"CN-03 decided for a part: the rest is not asked about again", all(fresh, partGrant, decided), oidc.Respond, ""},
		{"deciding is no sign-in", all(fresh, login, decided), oidc.Login, loginRequired},
		{"deciding is no choice of account", all(fresh, selection, decided), oidc.SelectAccount, needAccount},
		{"deciding does not make a session younger", all(fresh, decided, signedInFor(time.Hour), maxAge(time.Minute)), oidc.Login, loginRequired},
		{"MF-06 a second factor is asked for and there", all(mfa, stronger, factor), oidc.Respond, ""},
		{"MF-06 a second factor is asked for, and the user has one", all(mfa, factor), oidc.SecondFactor, needFactor},
		{"MF-06 a second factor is asked for, and the user has none", mfa, oidc.Enrol, needFactor},
		{"MF-06 among unknown classes", all(acr("1", "urn:sso:loa:mfa"), factor), oidc.SecondFactor, needFactor},
		{"MF-06 a password will do as well", all(acr("urn:sso:loa:mfa", "urn:sso:loa:pwd"), factor), oidc.Respond, ""},
		{"MF-06 unknown classes are wishes", acr("1", "2"), oidc.Respond, ""},
		{"MF-06 a password is asked for and more is there", all(acr("urn:sso:loa:pwd"), stronger), oidc.Respond, ""},
		{"MF-06 a factor that nobody asks for", factor, oidc.Respond, ""},
		{"MF-06 signing in comes before", all(nobody, mfa), oidc.Login, loginRequired},
		{"MF-06 prompt=login comes before", all(login, mfa, factor), oidc.Login, loginRequired},
		{"MF-06 prompt=login, signed in for this request without the factor", all(loggedIn, login, mfa, factor), oidc.SecondFactor, needFactor},
		{"MF-06 max_age comes before", all(mfa, factor, maxAge(time.Minute)), oidc.Login, loginRequired},
		{"MF-06 choosing an account comes before", all(selection, mfa, factor), oidc.SelectAccount, needAccount},
		{"MF-06 before consent", all(mfa, factor, noGrant), oidc.SecondFactor, needFactor},
		{"MF-06 deciding is no second factor", all(fresh, mfa, factor, decided), oidc.SecondFactor, needFactor},
		{"MF-06 deciding adds none", all(fresh, mfa, decided), oidc.Enrol, needFactor},
		{"MF-06 shown, then consent", all(mfa, stronger, factor, noGrant), oidc.Consent, needConsent},

		{"every prompt at once begins with the sign-in", all(login, consent, selection), oidc.Login, loginRequired},
		{"every prompt at once, signed in", all(loggedIn, login, consent, selection), oidc.Consent, needConsent},
		{"every prompt at once, signed in and decided", all(loggedIn, login, consent, selection, decided), oidc.Respond, ""},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			s := situation{maxAge: none, known: oidc.Known{
				Session: identity.Session{ID: "sid_1", User: "usr_alice", AuthTime: start.Add(-time.Hour), LastSeenAt: start.Add(-time.Minute), ACR: oidc.ACRPassword,
					Idle: identity.SessionIdle, ExpiresAt: start.Add(time.Hour)},
				User:  identity.User{ID: "usr_alice"},
				Grant: oauth.Grant{ID: "gr1", User: "usr_alice", Client: "web", Scope: "openid profile"},
			}}
			r.adjust(&s)
			request := oauth.AuthorizationRequest{Scope: "openid profile", Prompt: s.prompt, MaxAge: s.maxAge, ACRValues: s.acr}
			step, refusal := oidc.NextStep(request, s.known, start)
			if step != r.step || refusal != nil {
				t.Errorf("step %d, %v; want step %d", step, refusal, r.step)
			}
			request.Prompt.None = true // alone on the wire; here beside what brought the situation about
			step, refusal = oidc.NextStep(request, s.known, start)
			switch {
			case step != oidc.Respond:
				t.Errorf("prompt=none shows step %d", step)
			case r.silent == "" && refusal != nil:
				t.Errorf("prompt=none answers %v; want a code", refusal)
			case r.silent != "" && (refusal == nil || refusal.Code != r.silent):
				t.Errorf("prompt=none answers %v; want %s", refusal, r.silent)
			}
		})
	}
}

func TestInteractionOpen(t *testing.T) {
	mine := [32]byte{1}
	in := oidc.Interaction{ID: "in1", Browser: mine, CreatedAt: start, ExpiresAt: start.Add(oidc.InteractionLifetime)}
	answered := in
	answered.AnsweredAt = start
	for _, c := range []struct {
		name    string
		in      oidc.Interaction
		browser [32]byte
		after   time.Duration
		want    bool
	}{
		{"open", in, mine, 0, true},
		{"last instant", in, mine, oidc.InteractionLifetime - time.Millisecond, true},
		{"expired", in, mine, oidc.InteractionLifetime, false},
		{"OP-05 from the future", in, mine, -time.Minute - time.Millisecond, false},
		{"AZ-14 another browser", in, [32]byte{2}, 0, false},
		{"no browser", in, [32]byte{}, 0, false},
		{"CN-04 answered", answered, mine, time.Second, false},
		{"none on file", oidc.Interaction{}, [32]byte{}, 0, false},
	} {
		if got := c.in.Open(c.browser, start.Add(c.after)); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}
