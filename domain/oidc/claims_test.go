package oidc_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey/domain/identity"
	"latchkey/domain/oauth"
	"latchkey/domain/oidc"
)

// everybody has a value for every claim.
func everybody() identity.User {
	return identity.User{ID: "usr_1", Username: "alice", Email: "alice@app.test", EmailVerified: true, Groups: []string{"staff", "wheel"},
		UpdatedAt: time.Unix(1_700_000_000, 0), Admin: true, Password: "$pbkdf2$",
		Claims: identity.Claims{Name: "Alice Adams", GivenName: "Alice", FamilyName: "Adams", MiddleName: "B.", Nickname: "Al",
			PreferredUsername: "al", Profile: "https://p.test", Picture: "https://i.test", Website: "https://w.test", Gender: "female",
			Birthdate: "1990-01-02", Zoneinfo: "Asia/Jakarta", Locale: "id", PhoneNumber: "+62 1", PhoneNumberVerified: true,
			Address: &identity.Address{Locality: "Bandung", Country: "ID"}}}
}

func TestClaimsFor(t *testing.T) {
	full := everybody()
	bare := identity.User{ID: "usr_2", Username: "bob", UpdatedAt: time.Unix(1_700_000_000, 0)}
	unverified := full
	unverified.EmailVerified, unverified.Claims.PhoneNumberVerified = false, false
	for _, c := range []struct {
		name  string
		user  identity.User
		scope oauth.Scope
		want  oidc.Claims
	}{
		{"UI-02 openid alone", full, "openid", oidc.Claims{"sub": "usr_1"}},
		{"UI-02 no scope at all", full, "", oidc.Claims{"sub": "usr_1"}},
		{"UI-02 openid email", full, "openid email", oidc.Claims{"sub": "usr_1", "email": "alice@app.test", "email_verified": true}},
		{"profile", full, "openid profile", oidc.Claims{"sub": "usr_1", "name": "Alice Adams", "given_name": "Alice", "family_name": "Adams",
			"middle_name": "B.", "nickname": "Al", "preferred_username": "al", "profile": "https://p.test", "picture": "https://i.test",
			"website": "https://w.test", "gender": "female", "birthdate": "1990-01-02", "zoneinfo": "Asia/Jakarta", "locale": "id",
			"updated_at": int64(1_700_000_000)}},
		{"address", full, "address", oidc.Claims{"sub": "usr_1", "address": full.Claims.Address}},
		{"phone", full, "phone", oidc.Claims{"sub": "usr_1", "phone_number": "+62 1", "phone_number_verified": true}},
		{"groups", full, "groups", oidc.Claims{"sub": "usr_1", "groups": []string{"staff", "wheel"}}},
		{"unverified is said, not left out", unverified, "email phone", oidc.Claims{"sub": "usr_1", "email": "alice@app.test", "email_verified": false,
			"phone_number": "+62 1", "phone_number_verified": false}},
		{"what has no value is left out, never null", bare, "openid profile email address phone groups offline_access",
			oidc.Claims{"sub": "usr_2", "preferred_username": "bob", "updated_at": int64(1_700_000_000), "groups": []string{}}},
		{"a scope is a whole word", full, "emails openid2 profile2", oidc.Claims{"sub": "usr_1"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, oidc.ClaimsFor(c.user, c.scope)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// What metadata promises and what UserInfo gives are the same names.
func TestClaimsAreListed(t *testing.T) {
	listed := map[string]bool{}
	for _, name := range oidc.MetadataFor("https://login.test", oidc.Endpoints{}, false).Claims {
		if listed[name] {
			t.Errorf("%s is listed twice", name)
		}
		listed[name] = true
	}
	var every oauth.Scope
	for _, s := range oauth.StandardScopes {
		every = every.Plus(oauth.Scope(s))
	}
	given := oidc.ClaimsFor(everybody(), every)
	for name := range given {
		if !listed[name] {
			t.Errorf("%s is given, but not listed", name)
		}
	}
	for _, ofTheToken := range []string{"iss", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "sid", "at_hash"} {
		delete(listed, ofTheToken)
	}
	for name := range listed {
		if given[name] == nil {
			t.Errorf("%s is listed, but never given", name)
		}
	}
}

func TestShown(t *testing.T) {
	for scope, want := range map[string][]string{
		"openid":  nil,
		"email":   {"alice@app.test"},
		"phone":   {"+62 1"},
		"address": {"Bandung, ID"},
		"groups":  {"staff", "wheel"},
		"profile": {"Alice Adams", "Alice", "Adams", "B.", "Al", "al", "https://p.test", "https://i.test", "https://w.test", "female", "1990-01-02", "Asia/Jakarta", "id"},
		"other":   nil,
	} {
		if diff := cmp.Diff(want, oidc.Shown(everybody(), scope)); diff != "" {
			t.Errorf("%s: %s", scope, diff)
		}
	}
}

func TestAccessTokenHash(t *testing.T) {
	// The example of OpenID Connect Core 1.0 appendix A.3.
	if got := oidc.AccessTokenHash("jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y"); got != "77QmUPtjPfzWtF2AnpK9RQ" {
		t.Errorf("TK-01: at_hash %s", got)
	}
}
