package oauth

import (
	"slices"
	"strings"
)

// Scope is a set of scope tokens, separated by single spaces, each once, in the order they were asked for.
type Scope string

// The scopes this server knows by itself. Others are names of resources that a client is allowed by registration.
const (
	ScopeOpenID        = "openid"
	ScopeProfile       = "profile"
	ScopeEmail         = "email"
	ScopeAddress       = "address"
	ScopePhone         = "phone"
	ScopeGroups        = "groups"
	ScopeOfflineAccess = "offline_access"
)

// StandardScopes lists them in the order pages and metadata show.
var StandardScopes = []string{ScopeOpenID, ScopeProfile, ScopeEmail, ScopeAddress, ScopePhone, ScopeGroups, ScopeOfflineAccess}

// MaxScopeTokens bounds the tokens of one scope value.
const MaxScopeTokens = 64

// ParseScope reads a scope value (RFC 6749 §3.3). Repeated tokens collapse; runs of spaces are one, as some applications
// join with two. Its time is linear in the length of s.
func ParseScope(s string) (Scope, *Error) {
	tokens := strings.FieldsFunc(s, func(r rune) bool { return r == ' ' })
	if len(tokens) > MaxScopeTokens {
		return "", Refuse(InvalidScope, "scope has more than 64 values")
	}
	kept := tokens[:0:0]
	for _, t := range tokens {
		for i := range len(t) {
			if c := t[i]; c < 0x21 || c > 0x7E || c == '"' || c == '\\' {
				return "", Refuse(InvalidScope, "scope has a character that RFC 6749 section 3.3 does not allow")
			}
		}
		if !slices.Contains(kept, t) {
			kept = append(kept, t)
		}
	}
	return Scope(strings.Join(kept, " ")), nil
}

// List returns the tokens.
func (s Scope) List() []string { return strings.Fields(string(s)) }

// Has reports whether the token is in the scope.
func (s Scope) Has(token string) bool {
	rest := string(s)
	for rest != "" {
		var first string
		first, rest, _ = strings.Cut(rest, " ")
		if first == token {
			return true
		}
	}
	return false
}

// Covers reports whether every token of other is in the scope.
func (s Scope) Covers(other Scope) bool { return other.Without(s) == "" }

// Without returns the tokens that are not in other.
func (s Scope) Without(other Scope) Scope {
	return s.filter(func(t string) bool { return !other.Has(t) })
}

// Only returns the tokens that are in other too.
func (s Scope) Only(other Scope) Scope { return s.filter(other.Has) }

// Plus returns the scope with the tokens of other added.
func (s Scope) Plus(other Scope) Scope {
	added := other.Without(s)
	switch {
	case s == "":
		return added
	case added == "":
		return s
	}
	return s + " " + added
}

func (s Scope) filter(keep func(string) bool) Scope {
	var kept []string
	for _, t := range s.List() {
		if keep(t) {
			kept = append(kept, t)
		}
	}
	return Scope(strings.Join(kept, " "))
}
