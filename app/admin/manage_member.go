package admin

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"latchkey/domain/audit"
	"latchkey/domain/oauth"
)

// MemberEdit changes one member of a registration, under the name and in the spelling that a document gives it.
type MemberEdit struct {
	How    EditKind
	Member string
	Value  string // of a list, and of scope, one item
}

// EditKind says what becomes of a member.
type EditKind string

const (
	SetMember  EditKind = "set" // to this value; a list then holds it alone, or nothing when it is empty
	AddItem    EditKind = "add"
	RemoveItem EditKind = "remove"
)

// EditClient changes members of a registration and keeps every other, under the rules of a document. Another profile brings
// its rules along, in the place of those there were. With planOnly it only says what would change. The error is an
// *UnknownError, or Problems.
func (s *Service) EditClient(ctx context.Context, caller audit.Caller, id oauth.ClientID, edits []MemberEdit, planOnly bool) (Change, error) {
	now := s.Now()
	return s.changeClient(ctx, caller, id, now, planOnly, func(c *oauth.Client) error {
		declared, err := declaration(*c, edits)
		if err != nil {
			return err
		}
		new := declared.renew(*c, now)
		if !new.Public() && new.Secret.IsZero() {
			return Problems{fmt.Sprintf("client %q has no secret, which only latchkey apply gives a public client: declare it with another token_endpoint_auth_method", id)}
		}
		*c = new
		return nil
	})
}

// declaration writes the registration as a document, with the edits, and reads it as one: there is one reader and one set of
// rules for everything that is declared.
func declaration(c oauth.Client, edits []MemberEdit) (Client, error) {
	members := map[string]any{}
	for _, m := range clientMembers(c) {
		if list, ok := m.value.([]string); ok && list == nil {
			m.value = []string{}
		}
		members[m.name] = m.value
	}
	known := func(name string) bool { _, ok := members[name]; return ok }
	if c.DefaultMaxAge < 0 {
		members["default_max_age"] = nil // there is none
	}
	follows := len(c.AllowedOrigins) == 0 // what nobody chose
	if c.Public() {
		follows = slices.Equal(c.AllowedOrigins, originsOf(c.RedirectURIs))
	}

	var problems Problems
	for _, e := range edits {
		switch {
		case e.Member == "client_secret":
			problems = append(problems, "client_secret: a secret on a command line is seen by others: latchkey client rotate-secret makes one, latchkey apply declares yours")
		case e.Member == "disabled":
			problems = append(problems, "disabled: use latchkey client disable or latchkey client enable")
		case !known(e.Member):
			problems = append(problems, fmt.Sprintf("there is no member %q: latchkey client show %s lists those there are", e.Member, c.ID))
		default:
			if wrong := e.apply(members); wrong != "" {
				problems = append(problems, wrong)
			}
		}
		if e.Member == "allowed_origins" {
			follows = false
		}
	}
	if len(problems) > 0 {
		return Client{}, problems
	}
	named := func(member string) bool {
		return slices.ContainsFunc(edits, func(e MemberEdit) bool { return e.Member == member })
	}
	if named("profile") {
		for _, rule := range ruleNames() {
			if !named(rule) {
				delete(members, rule)
			}
		}
	}
	if members["token_endpoint_auth_method"] == string(oauth.AuthNone) && named("token_endpoint_auth_method") {
		for _, rule := range []string{"require_pkce", "dangerously_allow_neither_pkce_nor_nonce"} { // a public client has no choice
			if !named(rule) {
				delete(members, rule)
			}
		}
	}
	maps.DeleteFunc(members, func(_ string, value any) bool { return value == nil })
	if follows {
		delete(members, "allowed_origins")
	}
	members["client_id"] = string(c.ID)
	d, err := ParseDocument(encoded(map[string]any{"clients": []any{members}}))
	if err != nil {
		if all, ok := err.(Problems); ok {
			for i, problem := range all {
				all[i] = strings.TrimPrefix(strings.TrimPrefix(problem, "clients[0]."), "clients[0]: ")
			}
		}
		return Client{}, err
	}
	return d.Clients[0], nil
}

// apply changes the member in members; wrong says why it cannot. Whether the value may stand there is left to the reader.
func (e MemberEdit) apply(members map[string]any) (wrong string) {
	list, isList := members[e.Member].([]string)
	isScope := e.Member == "scope"
	switch {
	case isScope && e.How != SetMember:
		list, isList = strings.Fields(members[e.Member].(string)), true
	case isList && e.How == SetMember:
		list = []string{}
	}
	switch {
	case !isList && e.How != SetMember:
		return fmt.Sprintf("%s is not a list: use --set", e.Member)
	case !isList:
		members[e.Member] = typedLike(members[e.Member], e.Value)
		return ""
	case e.How == RemoveItem && !slices.Contains(list, e.Value):
		return fmt.Sprintf("%s does not hold %q, and is %s", e.Member, e.Value, encoded(list))
	case e.How == RemoveItem:
		list = slices.DeleteFunc(slices.Clone(list), func(item string) bool { return item == e.Value })
	case e.Value != "" && !slices.Contains(list, e.Value):
		list = append(slices.Clone(list), e.Value)
	}
	members[e.Member] = list
	if isScope {
		members[e.Member] = strings.Join(list, " ")
	}
	return ""
}

// typedLike reads what was typed as the member's kind of value; nil, for an empty one, leaves it to the default. What cannot be
// one stays text, which the reader refuses.
func typedLike(old any, value string) any {
	_, isText := old.(string)
	switch {
	case isText:
		return value
	case value == "":
		return nil
	case json.Valid([]byte(value)):
		return json.RawMessage(value)
	}
	return value
}

// ruleNames are the members that a profile has values for.
func ruleNames() []string {
	names := []string{"id_token_signed_response_alg"}
	for _, s := range switches(&Rules{}, &oauth.Rules{}) {
		names = append(names, s.name)
	}
	for _, d := range durations(&Rules{}, &oauth.Rules{}) {
		names = append(names, d.name)
	}
	return names
}
