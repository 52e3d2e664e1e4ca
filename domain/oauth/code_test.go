package oauth_test

import (
	"slices"
	"testing"
	"time"

	"latchkey/domain/oauth"
)

func TestRedeem(t *testing.T) {
	web := client(t, oauth.Strict)
	evil := web
	evil.ID = "evil"
	legacy := client(t, oauth.Legacy2012)
	two := legacy
	two.RedirectURIs = []string{"https://app.test/cb", "https://app.test/other"}
	right := oauth.Exchange{Client: web, RedirectURI: "https://app.test/cb", Verifier: verifier}

	type attempt struct {
		x      oauth.Exchange
		after  time.Duration
		reason string // empty: redeemed
	}
	with := func(change func(*oauth.Exchange)) oauth.Exchange { x := right; change(&x); return x }
	wrongVerifier := with(func(x *oauth.Exchange) { x.Verifier = challenge })

	for _, c := range []struct {
		name      string
		challenge oauth.CodeChallenge
		attempts  []attempt
		replayed  bool
	}{
		{"TK-01 redeemed", "S256:" + challenge, []attempt{{right, time.Second, ""}}, false},
		{"TK-02 a second use is a replay", "S256:" + challenge, []attempt{{right, 0, ""}, {right, time.Second, "replayed"}}, true},
		{"TK-02 so is a third", "S256:" + challenge, []attempt{{right, 0, ""}, {right, time.Second, "replayed"}, {right, 2 * time.Second, "replayed"}}, true},
		{"TK-02 and one long after the code has expired", "S256:" + challenge, []attempt{{right, 0, ""}, {right, time.Hour, "replayed"}}, true},
		{"TK-04 in the last instant", "S256:" + challenge, []attempt{{right, 120*time.Second - time.Millisecond, ""}}, false},
		{"TK-04 expired", "S256:" + challenge, []attempt{{right, 120 * time.Second, "expired"}, {right, 0, ""}}, false},
		{"OP-05 a clock set back before the code was issued", "S256:" + challenge, []attempt{{right, -time.Minute - time.Millisecond, "from the future"}, {right, -time.Minute, ""}}, false},
		{"OP-05 a replay all the same", "S256:" + challenge, []attempt{{right, 0, ""}, {right, -time.Hour, "replayed"}}, true},
		{"TK-05 another client, then the right one", "S256:" + challenge,
			[]attempt{{with(func(x *oauth.Exchange) { x.Client = evil }), 0, "other client"}, {right, time.Second, ""}}, false},
		{"TK-06 no redirect_uri, another, then the right one", "S256:" + challenge, []attempt{
			{with(func(x *oauth.Exchange) { x.RedirectURI = "" }), 0, "-"},
			{with(func(x *oauth.Exchange) { x.RedirectURI = "https://app.test/cb/" }), 0, "-"}, {right, time.Second, ""}}, false},
		{"PK-03 wrong verifier, then the right one", "S256:" + challenge, []attempt{{wrongVerifier, 0, "verifier"}, {right, time.Second, ""}}, false},
		{"PK-04 no verifier", "S256:" + challenge, []attempt{{with(func(x *oauth.Exchange) { x.Verifier = "" }), 0, "verifier"}}, false},
		{"PK-05 a verifier without a challenge", "", []attempt{{right, 0, "verifier"}}, false},
		{"no challenge, no verifier", "", []attempt{{with(func(x *oauth.Exchange) { x.Verifier = "" }), 0, ""}}, false},
		{"TK-12 a replay that proves nothing revokes nothing", "S256:" + challenge, []attempt{{right, 0, ""}, {wrongVerifier, time.Second, "verifier"},
			{with(func(x *oauth.Exchange) { x.Client = evil }), time.Second, "other client"},
			{with(func(x *oauth.Exchange) { x.RedirectURI = "" }), time.Second, "-"}}, false},
		{"redirect_uri may be left out where that is the rule", "S256:" + challenge,
			[]attempt{{with(func(x *oauth.Exchange) { x.Client, x.RedirectURI = legacy, "" }), 0, ""}}, false},
		{"but not a different one", "S256:" + challenge,
			[]attempt{{with(func(x *oauth.Exchange) { x.Client, x.RedirectURI = legacy, "https://app.test/other" }), 0, "-"}}, false},
		{"nor where two are registered", "S256:" + challenge,
			[]attempt{{with(func(x *oauth.Exchange) { x.Client, x.RedirectURI = two, "" }), 0, "-"}}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			code := oauth.AuthorizationCode{Client: "web", RedirectURI: "https://app.test/cb", Challenge: c.challenge,
				CreatedAt: start, ExpiresAt: start.Add(120 * time.Second)}
			for i, a := range c.attempts {
				before := code
				refusal := code.Redeem(a.x, start.Add(a.after))
				if a.reason == "" {
					wantError(t, refusal, "")
					if !code.RedeemedAt.Equal(start.Add(a.after)) {
						t.Errorf("attempt %d: redeemed at %v", i, code.RedeemedAt)
					}
					continue
				}
				wantError(t, refusal, oauth.InvalidGrant)
				if got := refusal.Facts["reason"]; got != a.reason && a.reason != "-" {
					t.Errorf("attempt %d: reason %q; want %q", i, got, a.reason)
				}
				if a.reason != "replayed" && (code.RedeemedAt != before.RedeemedAt || code.ReplayedAt != before.ReplayedAt) {
					t.Errorf("attempt %d changed the code: %+v", i, code)
				}
			}
			if c.replayed == code.ReplayedAt.IsZero() {
				t.Errorf("replayed at %v", code.ReplayedAt)
			}
			if i := slices.IndexFunc(c.attempts, func(a attempt) bool { return a.reason == "replayed" }); i >= 0 && !code.ReplayedAt.Equal(start.Add(c.attempts[i].after)) {
				t.Errorf("replayed at %v: the first replay is the one to remember", code.ReplayedAt)
			}
		})
	}
}
