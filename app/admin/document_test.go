package admin_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"latchkey/app/admin"
	"latchkey/domain/oauth"
)

func TestParseDocumentProblems(t *testing.T) {
	deep := strings.Repeat("[", 20) + strings.Repeat("]", 20)
	tests := []struct {
		name, document string
		want           []string
	}{
		{"empty", "", []string{"line 1, column 1: the document ends here, in the middle"}},
		{"cut", "{\n \"users\": [", []string{"line 2, column 12: the document ends here, in the middle"}},
		{"comma", "{\n \"users\": [],\n}", []string{"line 3, column 1: invalid character '}'"}},
		{"trailing", "{} {}", []string{"text after the end"}},
		{"trailing garbage", "{} x", []string{"text after the end"}},
		{"not UTF-8", "{\"users\xff\": []}", []string{"line 1, column 8: not UTF-8"}},
		{"too deep", `{"users": ` + deep + `}`, []string{"nested deeper than 16"}},
		{"not an object", `[]`, []string{"document: must be an object, not an array"}},
		{"null", `{"users": null}`, []string{"users: must be an array, not null"}},
		{"unknown at the top", `{"user": []}`, []string{`document: unknown member "user": known are clients, groups, settings, users`}},
		{"unknown member with a suggestion", `{"clients": [{"client_id": "a", "redirect_uri": ["https://a.example/"]}]}`,
			[]string{`clients[0]: unknown member "redirect_uri": did you mean "redirect_uris"?`}},
		{"case is not folded", `{"users": [{"Username": "a"}]}`, []string{`users[0]: unknown member "Username": did you mean "username"?`}},
		{"repeated member", `{"users": [{"username": "a", "username": "b"}]}`, []string{"users[0].username: given twice"}},
		{"wrong types, all at once", `{"users": [{"username": 1, "admin": "yes", "groups": {}, "claims": []}], "clients": [{}, {"client_id": "a", "redirect_uris": ["https://a.example/", 7], "code_lifetime": 1.5, "default_max_age": -1, "require_pkce": null}]}`,
			[]string{
				"users[0].username: must be a string, not a number",
				"users[0].admin: must be true or false, not a string",
				"users[0].groups: must be an array, not an object",
				"users[0].claims: must be an object, not an array",
				"clients[1].redirect_uris[1]: must be a string, not a number",
				"clients[1].code_lifetime: must be a whole number of seconds",
				"clients[1].default_max_age: must be a whole number of seconds",
				"clients[1].require_pkce: must be true or false, not null",
				"clients[0].client_id must be",
				"clients[0].redirect_uris is missing",
			}},
		{"rules of users", `{"users": [{"username": "a b", "password": "short", "email": "x", "claims": {"name": "a\u001b[2J", "phone_number_verified": true}, "groups": [" x"]}, {"username": "b", "email_verified": true}]}`,
			[]string{"users[0].username", "users[0].password: a password has at least 15", "users[0].email", "users[0].claims.name is longer",
				"users[0].claims.phone_number_verified", "users[0].groups[0]", "users[1].email_verified is true"}},
		{"same user twice", `{"users": [{"username": "sari"}, {"username": "SARI"}]}`, []string{`users[1]: user "sari" is declared at users[0] too`}},
		{"same client twice", `{"clients": [{"client_id": "a", "redirect_uris": ["https://a.example/"]}, {"client_id": "a", "redirect_uris": ["https://a.example/"]}]}`,
			[]string{`clients[1]: client "a" is declared at clients[0] too`}},
		{"groups", `{"groups": [{"name": ""}, {"name": "x", "members": ["ä"]}]}`,
			[]string{"groups[0].name is missing", "groups[0].members is missing", "groups[1].members[0]"}},
		{"settings", `{"settings": {"organisation_name": "a\u202eb", "support": "tel:1"}}`,
			[]string{"settings.organisation_name", "settings.support must be"}},
		{"RD-09: what a redirect URI may not be", `{"clients": [{"client_id": "a", "redirect_uris": ["javascript:alert(1)", "JaVaScRiPt:x", "data:,x", "vbscript:x", "file:///x", "blob:https://a/", " javascript:x", "https://*.example/"]}]}`,
			[]string{"clients[0].redirect_uris[0]", "clients[0].redirect_uris[1]", "clients[0].redirect_uris[2]", "clients[0].redirect_uris[3]",
				"clients[0].redirect_uris[4]", "clients[0].redirect_uris[5]", "clients[0].redirect_uris[6]", "clients[0].redirect_uris[7]"}},
		{"rules of clients", `{"clients": [{"client_id": "a b", "client_secret": "short", "client_name": "x\u0007", "redirect_uris": [], "profile": "lax", "grant_types": ["password"], "response_types": ["token"], "logo_uri": "http://a.example/", "id_token_signed_response_alg": "none", "access_token_lifetime": 1, "allowed_origins": ["https://a.example/"], "contacts": [""], "scope": "a\"b"}]}`,
			[]string{"clients[0].client_id", "clients[0].client_secret has 5 characters", "clients[0].client_name", `clients[0].profile "lax"`,
				"clients[0].grant_types", "clients[0].response_types", "clients[0].logo_uri", "clients[0].id_token_signed_response_alg",
				"clients[0].access_token_lifetime", "clients[0].allowed_origins[0]", "clients[0].contacts[0]", "clients[0].scope"}},
		{"public clients keep their protection", `{"clients": [{"client_id": "a", "token_endpoint_auth_method": "none", "profile": "standard", "redirect_uris": ["https://a.example/"], "require_pkce": false, "dangerously_allow_neither_pkce_nor_nonce": true, "client_secret": "01234567890123456789012345678901"}]}`,
			[]string{"clients[0].require_pkce cannot be false", "clients[0].dangerously_allow_neither_pkce_nor_nonce cannot be true", "clients[0].client_secret is set"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := admin.ParseDocument([]byte(test.document))
			got := problems(err)
			if len(got) != len(test.want) {
				t.Errorf("%d problems, want %d", len(got), len(test.want))
			}
			for _, w := range test.want {
				if !strings.Contains(strings.Join(got, "\n"), w) {
					t.Errorf("no problem with %q", w)
				}
			}
			if t.Failed() {
				t.Logf("got:\n%s", strings.Join(got, "\n"))
			}
		})
	}
}

func TestClaimsThatApplicationsUse(t *testing.T) {
	tests := []struct {
		claim        string
		right, wrong []string
	}{
		{"profile", []string{"https://example.org/sari", "http://127.0.0.1:3000/"}, []string{"javascript:alert(1)", "http://example.org/", "sari"}},
		{"picture", []string{"https://example.org/s.png"}, []string{"data:image/png;base64,AA", "https:///s.png"}},
		{"website", []string{"https://example.org"}, []string{"example.org", "https://a:b@example.org"}},
		{"locale", []string{"id", "en-US", "zh-Hant-TW", "x-desa"}, []string{"en_US", "i", "id-", "Bahasa Indonesia"}},
		{"birthdate", []string{"1990-01-31", "0000-02-29", "1990", "2000-02-29"}, []string{"1990-02-30", "1900-02-29", "1990-13-01", "31-01-1990", "1990-1-3", "0000", "90"}},
	}
	for _, test := range tests {
		parse := func(value string) error {
			_, err := admin.ParseDocument([]byte(fmt.Sprintf(`{"users": [{"username": "a", "claims": {%q: %q}}]}`, test.claim, value)))
			return err
		}
		for _, value := range test.right {
			if err := parse(value); err != nil {
				t.Errorf("%s %q: %v", test.claim, value, err)
			}
		}
		for _, value := range test.wrong {
			if got := problems(parse(value)); len(got) != 1 || !strings.HasPrefix(got[0], "users[0].claims."+test.claim+" ") {
				t.Errorf("%s %q: %q", test.claim, value, got)
			}
		}
	}
}

func TestParseDocumentBounds(t *testing.T) {
	if _, err := admin.ParseDocument(make([]byte, admin.MaxDocument+1)); err == nil || !strings.Contains(err.Error(), "bytes") {
		t.Errorf("a document that is too long: %v", err)
	}
	many := `{"users": [` + strings.Repeat("0,", 1<<18) + `0]}`
	if _, err := admin.ParseDocument([]byte(many)); err == nil || !strings.Contains(err.Error(), "more than") {
		t.Errorf("too many values: %v", err)
	}
}

func TestProblemsNeverHoldSecrets(t *testing.T) {
	_, err := admin.ParseDocument([]byte(`{"users": [{"username": "a", "password": "hunter2hunter2"}],
		"clients": [{"client_id": "a", "client_secret": "tooshort-secret", "redirect_uris": ["https://a.example/"]}]}`))
	if len(problems(err)) != 2 || strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "tooshort") {
		t.Errorf("got %v", err)
	}
}

// The defaults are what an ordinary application needs to sign somebody in.
func TestClientDefaults(t *testing.T) {
	f := newFixture(t)
	f.apply(`{"clients": [
		{"client_id": "web", "client_secret": "01234567890123456789012345678901", "redirect_uris": ["https://a.example/cb"]},
		{"client_id": "spa", "token_endpoint_auth_method": "none", "profile": "standard", "redirect_uris": ["https://A.example:8443/cb", "com.example.app:/cb", "https://a.example/x", "https://a.example/y"]},
		{"client_id": "old", "profile": "legacy2012", "redirect_uris": ["https://a.example/"], "require_state": true, "code_lifetime": 60, "refresh_token_grace": 10, "default_max_age": 0}
	]}`)
	rules := func(p oauth.Profile, change func(*oauth.Rules)) oauth.Rules {
		r, _ := p.Rules()
		change(&r)
		return r
	}
	web := f.client("web")
	want := oauth.Client{ID: "web", Secret: oauth.Secret("01234567890123456789012345678901").Digest(), RedirectURIs: []string{"https://a.example/cb"},
		GrantTypes: []string{"authorization_code", "refresh_token"}, ResponseTypes: []string{"code"},
		Scope: "openid profile email address phone groups offline_access", DefaultMaxAge: -1e9, Profile: oauth.Strict,
		Rules: rules(oauth.Strict, func(*oauth.Rules) {}), CreatedAt: noon, UpdatedAt: noon}
	if diff := cmp.Diff(want, web); diff != "" {
		t.Errorf("web (-want +got):\n%s", diff)
	}
	spa := f.client("spa")
	if diff := cmp.Diff([]string{"https://a.example:8443", "https://a.example"}, spa.AllowedOrigins); diff != "" {
		t.Errorf("origins of a public client (-want +got):\n%s", diff)
	}
	if want := rules(oauth.Standard, func(r *oauth.Rules) { r.RequirePKCE = true }); spa.Rules != want || !spa.Secret.IsZero() {
		t.Errorf("a public client of profile standard: %+v", spa.Rules)
	}
	old := f.client("old")
	if want := rules(oauth.Legacy2012, func(r *oauth.Rules) {
		r.RequireState, r.CodeLifetime, r.RefreshGrace = true, 60e9, 10e9
	}); old.Rules != want || old.DefaultMaxAge != 0 {
		t.Errorf("legacy2012 with differences: %+v", old)
	}
}

// The table of the guide is what the profiles are.
func TestGuideTellsTheRules(t *testing.T) {
	profiles := []oauth.Profile{oauth.Strict, oauth.Standard, oauth.Legacy2012, oauth.CoreOne}
	value := map[string]func(oauth.Rules) any{
		"require_pkce":     func(r oauth.Rules) any { return r.RequirePKCE },
		"allow_plain_pkce": func(r oauth.Rules) any { return r.AllowPlain },
		"require_state":    func(r oauth.Rules) any { return r.RequireState },
		"require_nonce":    func(r oauth.Rules) any { return r.RequireNonce },
		"require_openid":   func(r oauth.Rules) any { return r.RequireOpenID },
		"dangerously_allow_neither_pkce_nor_nonce": func(r oauth.Rules) any { return r.AllowNoBinding },
		"ignore_unknown_scopes":                    func(r oauth.Rules) any { return r.IgnoreUnknownScopes },
		"claims_in_id_token":                       func(r oauth.Rules) any { return r.ClaimsInIDToken },
		"refresh_without_offline_access":           func(r oauth.Rules) any { return r.RefreshWithoutOffline },
		"rotate_refresh_tokens":                    func(r oauth.Rules) any { return r.RotateRefreshTokens },
		"redirect_uri_optional_at_token":           func(r oauth.Rules) any { return r.RedirectURIOptional },
		"lower_case_token_type":                    func(r oauth.Rules) any { return r.LowerCaseTokenType },
		"code_lifetime":                            func(r oauth.Rules) any { return int(r.CodeLifetime.Seconds()) },
		"access_token_lifetime":                    func(r oauth.Rules) any { return int(r.AccessTokenLifetime.Seconds()) },
		"refresh_token_grace":                      func(r oauth.Rules) any { return int(r.RefreshGrace.Seconds()) },
		"id_token_signed_response_alg":             func(r oauth.Rules) any { return r.IDTokenAlg },
	}
	for name, of := range value {
		cells := make([]string, len(profiles))
		for i, p := range profiles {
			r, _ := p.Rules()
			cells[i] = fmt.Sprint(of(r))
		}
		row := regexp.MustCompile("(?m)^\\| `" + name + "`[^|]*\\| " + strings.Join(cells, " \\| ") + " \\|$")
		if !row.MatchString(admin.Guide) {
			t.Errorf("APPLY.md has no row for %s with %v", name, cells)
		}
	}
}

var jsonBlock = regexp.MustCompile("(?s)```json\n(.*?)```")

func TestGuideExampleApplies(t *testing.T) {
	block := jsonBlock.FindStringSubmatch(admin.Guide)
	if block == nil {
		t.Fatal("APPLY.md has no example")
	}
	f := newFixture(t)
	p := f.apply(block[1])
	if len(p.Changes) != 6 || !p.Applied || len(p.Made) != 1 || p.Made[0].Client != "grafana" {
		t.Errorf("plan:\n%v", p)
	}
	if again := f.apply(block[1]); again.Changed() {
		t.Errorf("the second time:\n%v", again)
	}
	if u := f.user("sari"); !u.Admin || u.Claims.Address.Locality != "Bandung" || !cmp.Equal(u.Groups, []string{"editors", "staff"}) {
		t.Errorf("sari: %+v", u)
	}
}

// What is accepted is JSON for everybody else too, and applying it twice changes nothing the second time.
func FuzzParseDocument(f *testing.F) {
	f.Add([]byte(jsonBlock.FindStringSubmatch(admin.Guide)[1]))
	f.Add([]byte(`{"users":[{"username":"a","password":"correct horse battery","claims":{"address":{"region":"x"}}}],"groups":[{"name":"g","members":["A"]}]}`))
	f.Add([]byte(`{"clients":[{"client_id":"a","token_endpoint_auth_method":"none","redirect_uris":["https://a.example/"],"default_max_age":0,"scope":"b  a b"}]}`))
	f.Add([]byte(`{"settings":{"support":"mailto:a@b"}} `))
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := admin.ParseDocument(b)
		if err != nil {
			if len(problems(err)) == 0 {
				t.Fatalf("not a list of problems: %v", err)
			}
			return
		}
		if !json.Valid(b) {
			t.Fatal("accepted what is not JSON")
		}
		fx := newFixture(t)
		first, err := fx.Apply(t.Context(), caller, d, false)
		if err != nil {
			if len(problems(err)) == 0 {
				t.Fatal(err)
			}
			return
		}
		again, err := fx.Apply(t.Context(), caller, d, false)
		if err != nil || again.Changed() {
			t.Fatalf("first:\n%v\nsecond:\n%v %v", first, again, err)
		}
	})
}
