package oauth_test

import (
	"testing"
	"time"

	"latchkey/domain/oauth"
)

// IN-04: a token is the business of its client and of whom it is meant for.
func TestConcerns(t *testing.T) {
	token := oauth.AccessToken{Client: "web", Audience: "api", Subject: "alice"}
	for id, want := range map[oauth.ClientID]bool{"web": true, "api": true, "evil": false, "alice": false, "": false} {
		if token.Concerns(id) != want {
			t.Errorf("%q: %v", id, !want)
		}
	}
}

// A refresh token is told to end when the first of its limits does.
func TestFamilyIntrospection(t *testing.T) {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	f := oauth.TokenFamily{CreatedAt: start, ExpiresAt: start.Add(oauth.RefreshAbsolute)}
	for used, want := range map[time.Duration]time.Duration{0: oauth.RefreshIdle, 24 * time.Hour: oauth.RefreshIdle + 24*time.Hour,
		oauth.RefreshAbsolute - time.Hour: oauth.RefreshAbsolute} {
		f.RotatedAt = start.Add(used)
		if i := f.Introspection("https://op.test"); !i.ExpiresAt.Equal(start.Add(want)) || !i.IssuedAt.Equal(f.RotatedAt) || !i.Active || i.Use != oauth.UseRefresh {
			t.Errorf("used after %s: %+v", used, i)
		}
	}
}

// IN-07, IN-08: older tokens of the family name it as the newest does; forged ones, and those of a family without, do not.
func TestIssued(t *testing.T) {
	tag := func(message []byte) (sum [32]byte) { copy(sum[:], message); return sum }
	f := oauth.TokenFamily{ID: "g.f", Refresh: true, Generation: 1}
	old, _ := oauth.ParseRefreshToken(f.RefreshToken(tag))
	f.Generation = 2
	newest, _ := oauth.ParseRefreshToken(f.RefreshToken(tag))
	forged, ahead := newest, f
	forged.Tag[0] ^= 1
	ahead.Generation = 3
	future, _ := oauth.ParseRefreshToken(ahead.RefreshToken(tag))
	for name, c := range map[string]struct {
		token oauth.RefreshToken
		want  bool
	}{"newest": {newest, true}, "old": {old, true}, "forged": {forged, false}, "not issued yet": {future, false}} {
		if f.Issued(c.token, tag) != c.want {
			t.Errorf("%s: %v", name, !c.want)
		}
	}
	f.Refresh = false
	if f.Issued(newest, tag) {
		t.Error("a family without refresh tokens issued one")
	}
}
