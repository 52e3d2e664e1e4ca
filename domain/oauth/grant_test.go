package oauth_test

import (
	"testing"
	"time"

	"latchkey/domain/oauth"
)

func TestGrant(t *testing.T) {
	later := start.Add(time.Hour)
	g := oauth.Grant{ID: "gr1", Scope: "openid email", CreatedAt: start, UpdatedAt: start}
	for _, c := range []struct {
		name          string
		asked, agreed oauth.Scope
		want          oauth.Scope
		changed       bool
	}{
		{"CN-02 a part of it", "email", "email", "openid email", false},
		{"CN-02 all of it, in another order", "email openid", "email openid", "openid email", false},
		{"CN-02 more", "openid profile", "openid profile", "openid email profile", true},
		{"less than asked, and none of it agreed before", "openid profile", "openid", "email openid", false},
		{"withdrawn by leaving it out", "openid email", "openid", "openid", true},
		{"nothing", "", "", "openid email", false},
	} {
		x := g
		changed := x.Agree(c.asked, c.agreed, later)
		same := x.Scope.Covers(c.want) && c.want.Covers(x.Scope)
		if changed != c.changed || !same || x.UpdatedAt.Equal(later) != c.changed {
			t.Errorf("%s: changed %v to %q at %v", c.name, changed, x.Scope, x.UpdatedAt)
		}
	}
	if !g.Live() || (oauth.Grant{}).Live() {
		t.Error("only a grant on file is live")
	}
	g.Revoke(start)
	g.Revoke(later)
	if g.Live() || !g.RevokedAt.Equal(start) {
		t.Errorf("revoked at %v", g.RevokedAt)
	}
}
