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
		name  string
		scope oauth.Scope
		want  oauth.Scope
		grew  bool
	}{
		{"CN-02 a part of it", "email", "openid email", false},
		{"CN-02 all of it, in another order", "email openid", "openid email", false},
		{"CN-02 more", "openid profile", "openid email profile", true},
		{"nothing", "", "openid email", false},
	} {
		x := g
		if grew := x.Extend(c.scope, later); grew != c.grew || x.Scope != c.want || x.UpdatedAt.Equal(later) != c.grew {
			t.Errorf("%s: grew %v to %q at %v", c.name, grew, x.Scope, x.UpdatedAt)
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
