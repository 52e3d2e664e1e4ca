package oidc

import (
	"latchkey/domain/identity"
	"latchkey/domain/oauth"
)

// Claims are the members of a UserInfo response or an ID token, by their registered names.
type Claims map[string]any

// scopeClaims lists the claims of each scope (OIDC Core §5.4) in the order metadata shows them.
var scopeClaims = []struct {
	scope  string
	claims []string
}{
	{oauth.ScopeProfile, []string{"name", "given_name", "family_name", "middle_name", "nickname", "preferred_username", "profile",
		"picture", "website", "gender", "birthdate", "zoneinfo", "locale", "updated_at"}},
	{oauth.ScopeEmail, []string{"email", "email_verified"}},
	{oauth.ScopeAddress, []string{"address"}},
	{oauth.ScopePhone, []string{"phone_number", "phone_number_verified"}},
	{oauth.ScopeGroups, []string{"groups"}},
}

// ClaimsFor returns what a client with the scope learns of the user. A claim without a value is left out, never null
// (OIDC Core §5.3.2).
func ClaimsFor(u identity.User, scope oauth.Scope) Claims {
	c := Claims{"sub": string(u.ID)}
	set := func(name, value string) {
		if value != "" {
			c[name] = value
		}
	}
	if scope.Has(oauth.ScopeProfile) {
		p := u.Claims
		for _, v := range []struct{ name, value string }{
			{"name", p.Name}, {"given_name", p.GivenName}, {"family_name", p.FamilyName}, {"middle_name", p.MiddleName},
			{"nickname", p.Nickname}, {"profile", p.Profile}, {"picture", p.Picture}, {"website", p.Website},
			{"gender", p.Gender}, {"birthdate", p.Birthdate}, {"zoneinfo", p.Zoneinfo}, {"locale", p.Locale},
			{"preferred_username", p.PreferredUsername},
		} {
			set(v.name, v.value)
		}
		if p.PreferredUsername == "" {
			set("preferred_username", u.Username)
		}
		c["updated_at"] = u.UpdatedAt.Unix()
	}
	if scope.Has(oauth.ScopeEmail) && u.Email != "" {
		c["email"], c["email_verified"] = u.Email, u.EmailVerified
	}
	if scope.Has(oauth.ScopeAddress) && u.Claims.Address != nil {
		c["address"] = u.Claims.Address
	}
	if scope.Has(oauth.ScopePhone) && u.Claims.PhoneNumber != "" {
		c["phone_number"], c["phone_number_verified"] = u.Claims.PhoneNumber, u.Claims.PhoneNumberVerified
	}
	if scope.Has(oauth.ScopeGroups) {
		groups := u.Groups
		if groups == nil {
			groups = []string{}
		}
		c["groups"] = groups
	}
	return c
}

// Shown returns, for the consent page, the values a scope would reveal of the user, in the order of scopeClaims.
func Shown(u identity.User, scope string) []string {
	claims := ClaimsFor(u, oauth.Scope(scope))
	var shown []string
	for _, s := range scopeClaims {
		if s.scope != scope {
			continue
		}
		for _, name := range s.claims {
			switch v := claims[name].(type) {
			case string:
				shown = append(shown, v)
			case []string:
				shown = append(shown, v...)
			case *identity.Address:
				shown = append(shown, v.Line())
			}
		}
	}
	return shown
}
