package oauth_test

import (
	"testing"
	"time"

	"latchkey/domain/oauth"
)

func TestAccessTokenValid(t *testing.T) {
	good := oauth.AccessToken{Issuer: issuer, Audience: issuer, IssuedAt: start, ExpiresAt: start.Add(15 * time.Minute)}
	for _, c := range []struct {
		name             string
		issuer, audience string
		after            time.Duration
		want             bool
	}{
		{"fresh", issuer, issuer, 0, true},
		{"last instant", issuer, issuer, 15*time.Minute - time.Millisecond, true},
		{"JW-06 expired", issuer, issuer, 15 * time.Minute, false},
		{"JW-06 a minute early: clocks differ", issuer, issuer, -time.Minute, true},
		{"JW-06 from the future", issuer, issuer, -time.Minute - time.Millisecond, false},
		{"JW-12 another issuer", issuer + "/", issuer, 0, false},
		{"JW-12 another audience", issuer, "https://api.test", 0, false},
	} {
		if got := good.Valid(c.issuer, c.audience, start.Add(c.after)); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

func TestTokenIDFamily(t *testing.T) {
	for id, want := range map[oauth.TokenID]oauth.FamilyID{"gr1.fm1.t1": "gr1.fm1", "fm.t": "fm", "alone": "", "": "", ".t": ""} {
		if got := id.Family(); got != want {
			t.Errorf("%q belongs to %q; want %q", id, got, want)
		}
	}
}
