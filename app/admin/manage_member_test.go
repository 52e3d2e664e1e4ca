package admin_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey/app/admin"
	"latchkey/domain/audit"
	"latchkey/domain/oauth"
)

func edits(lines ...string) (all []admin.MemberEdit) {
	for _, line := range lines {
		how, rest, _ := strings.Cut(line, " ")
		member, value, _ := strings.Cut(rest, "=")
		all = append(all, admin.MemberEdit{How: admin.EditKind(how), Member: member, Value: value})
	}
	return all
}

const registrations = `{"clients": [
	{"client_id": "web", "client_secret": "web-secret-of-forty-characters-and-more-0", "client_name": "Web", "redirect_uris": ["https://web.test/b", "https://web.test/a"],
	 "scope": "openid email", "default_max_age": 600, "access_token_lifetime": 300, "require_state": false},
	{"client_id": "spa", "token_endpoint_auth_method": "none", "redirect_uris": ["https://spa.test/cb"]},
	{"client_id": "old", "profile": "standard", "redirect_uris": ["https://old.test/cb"]},
	{"client_id": "machine", "grant_types": ["client_credentials"], "response_types": [], "redirect_uris": []}]}`

// What is named changes, in the order of the document, and all else stays to the letter: secret, times and rules.
func TestEditClient(t *testing.T) {
	for _, c := range []struct {
		client oauth.ClientID
		edits  []admin.MemberEdit
		want   string
	}{
		{"web", edits("add redirect_uris=https://web.test/c"), `redirect_uris: ["https://web.test/b","https://web.test/a"] -> ["https://web.test/b","https://web.test/a","https://web.test/c"]`},
		{"web", edits("remove redirect_uris=https://web.test/b", "add redirect_uris=https://web.test/a"), `redirect_uris: ["https://web.test/b","https://web.test/a"] -> ["https://web.test/a"]`},
		{"web", edits("set redirect_uris=https://web.test/z"), `redirect_uris: ["https://web.test/b","https://web.test/a"] -> ["https://web.test/z"]`},
		{"web", edits("set contacts=", "set client_name=42"), `client_name: "Web" -> "42"`},
		{"web", edits("add scope=groups", "remove scope=email"), `scope: "openid email" -> "openid groups"`},
		{"web", edits("set require_nonce=false", "set code_lifetime=60"), "require_nonce: true -> false\n~ client \"web\" code_lifetime: 120 -> 60"},
		{"web", edits("set default_max_age="), ""},
		{"web", edits("set profile=strict"), "require_state: false -> true\n~ client \"web\" access_token_lifetime: 300 -> 900"},
		{"spa", edits("add redirect_uris=https://two.spa.test/cb"),
			"redirect_uris: [\"https://spa.test/cb\"] -> [\"https://spa.test/cb\",\"https://two.spa.test/cb\"]\n~ client \"spa\" allowed_origins: [\"https://spa.test\"] -> [\"https://spa.test\",\"https://two.spa.test\"]"},
		{"old", edits("set token_endpoint_auth_method=none"),
			"allowed_origins: [] -> [\"https://old.test\"]\n~ client \"old\" token_endpoint_auth_method: \"\" -> \"none\"\n~ client \"old\" require_pkce: false -> true"},
		{"machine", edits("set client_name=Machine"), `client_name: "" -> "Machine"`},
	} {
		f := newFixture(t)
		f.apply(registrations)
		before, n := f.client(c.client), len(f.events())
		f.now = f.now.Add(time.Hour)
		planned, err := f.EditClient(t.Context(), caller, c.client, c.edits, true)
		if err != nil || !cmp.Equal(f.client(c.client), before) {
			t.Errorf("%v: the look: %v", c.edits, err)
		}
		done, err := f.EditClient(t.Context(), caller, c.client, c.edits, false)
		if want := "~ client \"" + string(c.client) + "\" " + c.want + "\n"; c.want != "" && (err != nil || done.String() != want || planned.String() != want) {
			t.Errorf("%v: %v\n%s, want\n%s", c.edits, err, done, want)
		}
		after := f.client(c.client)
		if c.want == "" && (err != nil || after.DefaultMaxAge >= 0) {
			t.Errorf("%v: %v %+v", c.edits, err, after.DefaultMaxAge)
		}
		if (after.Secret != before.Secret) != (c.client == "old") || after.CreatedAt != before.CreatedAt || !after.UpdatedAt.Equal(f.now) || f.kinds(n)[0] != audit.ClientChanged || len(f.events()) != n+1 {
			t.Errorf("%v: it touched something else: %+v, events %v", c.edits, after, f.kinds(n))
		}
		if again, err := f.EditClient(t.Context(), caller, c.client, slices.DeleteFunc(slices.Clone(c.edits), func(e admin.MemberEdit) bool { return e.How == admin.RemoveItem }), false); err != nil || again.Action != admin.Unchanged {
			t.Errorf("%v again: %v %s", c.edits, err, again)
		}
	}
}

func TestEditClientRefuses(t *testing.T) {
	f := newFixture(t)
	f.apply(registrations)
	events := len(f.events())
	for _, c := range []struct {
		client oauth.ClientID
		edit   string
		want   string
	}{
		{"web", "set client_secret=web-secret-of-forty-characters-and-more-1", "a secret on a command line is seen by others"}, // AD-07
		{"web", "set disabled=true", "latchkey client disable"},
		{"web", "set client_id=other", `no member "client_id"`},
		{"web", "set require_nonse=false", "latchkey client show web"},
		{"web", "set require_nonce=no", "require_nonce: must be true or false"},
		{"web", "set code_lifetime=1.5", "code_lifetime"},
		{"web", `set client_name=a",b`, ""},
		{"web", "set redirect_uris=http://web.test/#x", "redirect_uris"},
		{"web", "add client_name=x", "client_name is not a list"},
		{"web", "remove redirect_uris=https://web.test/c", "does not hold"},
		{"web", "set profile=lax", "profile"},
		{"spa", "set token_endpoint_auth_method=client_secret_basic", "only latchkey apply gives"},
		{"spa", "set require_pkce=false", "require_pkce cannot be false for a public client"},
	} {
		_, err := f.EditClient(t.Context(), caller, c.client, edits(c.edit), false)
		var problems admin.Problems
		if c.want == "" {
			if err != nil {
				t.Errorf("%s: %v", c.edit, err)
			}
			events++
		} else if !errors.As(err, &problems) || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "clients[0]") {
			t.Errorf("%s: %v", c.edit, err)
		}
	}
	if got := len(f.events()); got != events {
		t.Errorf("%d events, want %d: something was changed", got, events)
	}
	var unknown *admin.UnknownError
	if _, err := f.EditClient(t.Context(), caller, "wbe", edits("set client_name=x"), false); !errors.As(err, &unknown) {
		t.Errorf("an unknown client: %v", err)
	}
}

// Who loses a grant type loses the tokens that came by it, and is told so before.
func TestEditClientEndsWhatItTakesAway(t *testing.T) {
	f := newFixture(t)
	f.apply(household)
	session, grant, tokens := f.signIn(f.user("sari"), "wiki")
	planned, err := f.EditClient(t.Context(), caller, "wiki", edits("remove grant_types=refresh_token"), true)
	if err != nil || len(planned.Effects) == 0 || f.dead(session, grant, tokens) != "" {
		t.Errorf("the look: %v %s", err, planned)
	}
	if _, err := f.EditClient(t.Context(), caller, "wiki", edits("remove grant_types=refresh_token"), false); err != nil || f.dead(session, grant, tokens) != "tokens" {
		t.Errorf("%v, dead: %q", err, f.dead(session, grant, tokens))
	}
}
