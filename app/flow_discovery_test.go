package app_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"latchkey/app/apptest"
	"latchkey/domain/oauth"
)

// OP-06: what discovery lists works, and what it does not list does not.
func TestDiscoveryIsTrue(t *testing.T) {
	t.Parallel()
	p := apptest.New(t, everyClaim, clients("rsa", `"id_token_signed_response_alg": "RS256"`, "basic", `"token_endpoint_auth_method": "client_secret_basic"`,
		"post", `"token_endpoint_auth_method": "client_secret_post"`, "m2m", `"grant_types": ["client_credentials"], "response_types": [], "redirect_uris": []`))
	web := p.Client("web")
	fetch := func(path string) apptest.Reply { return web.Send("GET", path, "", nil) }
	doc := fetch("/.well-known/openid-configuration")
	if doc.Status != 200 || doc.Header.Get("Content-Type") != "application/json" || doc.Header.Get("Access-Control-Allow-Origin") != "*" {
		t.Fatalf("%d %v", doc.Status, doc.Header)
	}
	list := func(name string) []string {
		values, _ := doc.JSON[name].([]any)
		if len(values) == 0 {
			t.Errorf("%s is missing or empty", name)
		}
		var all []string
		for _, v := range values {
			all = append(all, v.(string))
		}
		return all
	}
	exactly := func(name string, want ...string) {
		if diff := cmp.Diff(want, list(name)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	path := func(name string) string {
		rest, ok := strings.CutPrefix(doc.Get(name), p.Issuer)
		if !ok || !strings.HasPrefix(rest, "/") {
			t.Errorf("%s = %q is not under the issuer", name, doc.Get(name))
		}
		return rest
	}
	if doc.Get("issuer") != p.Issuer {
		t.Errorf("issuer %q", doc.Get("issuer"))
	}
	exactly("response_types_supported", "code")
	exactly("response_modes_supported", "query", "fragment", "form_post") // AZ-11
	exactly("grant_types_supported", "authorization_code", "refresh_token", "client_credentials")
	exactly("subject_types_supported", "public")
	exactly("id_token_signing_alg_values_supported", "ES256", "RS256")
	exactly("token_endpoint_auth_methods_supported", "client_secret_basic", "client_secret_post", "none")
	exactly("revocation_endpoint_auth_methods_supported", "client_secret_basic", "client_secret_post", "none")
	exactly("introspection_endpoint_auth_methods_supported", "client_secret_basic", "client_secret_post")
	exactly("code_challenge_methods_supported", "S256")
	exactly("prompt_values_supported", "none", "login", "consent", "select_account") // TestWhoIsSignedIn, TestConsent
	exactly("scopes_supported", "openid", "profile", "email", "address", "phone", "groups", "offline_access")
	for _, name := range []string{"request_parameter_supported", "request_uri_parameter_supported", "claims_parameter_supported"} { // AZ-12
		if v, ok := doc.JSON[name].(bool); !ok || v {
			t.Errorf("%s = %v, want an explicit false", name, doc.JSON[name])
		}
	}
	if doc.JSON["authorization_response_iss_parameter_supported"] != true {
		t.Error("iss is sent and not announced")
	}
	for name, value := range doc.JSON {
		if s, ok := value.(string); ok && (strings.HasSuffix(name, "_endpoint") || strings.HasSuffix(name, "_uri")) && !strings.HasPrefix(s, "mailto:") {
			if r := fetch(path(name)); r.Status == 404 {
				t.Errorf("%s is listed and not there", name)
			}
		}
		if value == nil {
			t.Errorf("%s is null", name)
		}
	}
	alias := fetch("/.well-known/oauth-authorization-server")
	if diff := cmp.Diff(doc.JSON, alias.JSON); diff != "" {
		t.Errorf("the two documents differ:\n%s", diff)
	}
	tagged := web.Send("GET", "/.well-known/openid-configuration", "", http.Header{"If-None-Match": {doc.Header.Get("Etag")}})
	if tagged.Status != http.StatusNotModified || !strings.Contains(doc.Header.Get("Cache-Control"), "max-age=300") {
		t.Errorf("%d, Cache-Control %q", tagged.Status, doc.Header.Get("Cache-Control"))
	}
	foreign := web.Send("GET", "/.well-known/openid-configuration", "", http.Header{"X-Forwarded-Host": {"evil.test"}, "X-Forwarded-Proto": {"https"}, "Forwarded": {"host=evil.test"}})
	if foreign.Text != doc.Text {
		t.Error("WB-11: forwarded headers change the document")
	}

	b := p.Browser()
	flow := func(rp *apptest.RP, change ...url.Values) apptest.Reply {
		page := b.Get(path("authorization_endpoint") + "?" + rp.Request(change...).Encode())
		if page.IsLogin() {
			page = b.Login(page, "wulan", apptest.Password)
		}
		if page.IsConsent() {
			page = b.Allow(page)
		}
		return wantTokens(t, rp.Post(path("token_endpoint"), set("grant_type", "authorization_code", "code", answer(t, b, page, rp.RedirectURI).Get("code"),
			"redirect_uri", rp.RedirectURI, "code_verifier", apptest.Verifier), nil))
	}
	everything := set("scope", strings.Join(list("scopes_supported"), " "))
	tokens := flow(web, everything)
	info := web.Send("GET", path("userinfo_endpoint"), "", http.Header{"Authorization": {"Bearer " + tokens.Get("access_token")}})
	id := verify(t, p, tokens.Get("id_token")).claims
	for _, name := range list("claims_supported") {
		if id[name] == nil && info.JSON[name] == nil {
			t.Errorf("claim %s is listed and never given", name)
		}
	}
	for name := range info.JSON {
		if !slices.Contains(list("claims_supported"), name) {
			t.Errorf("claim %s is given and not listed", name)
		}
	}
	for name := range id {
		if !slices.Contains(list("claims_supported"), name) {
			t.Errorf("claim %s is in the ID token and not listed", name)
		}
	}
	if !slices.Contains(list("acr_values_supported"), id["acr"].(string)) {
		t.Errorf("acr %v is not listed", id["acr"])
	}
	if alg := verify(t, p, flow(p.Client("rsa")).Get("id_token")).header["alg"]; alg != "RS256" {
		t.Errorf("alg %v", alg)
	}
	flow(p.Client("basic"))
	flow(p.Client("spa"))
	post := p.Client("post")
	code := post.Code(b, "wulan")
	wantTokens(t, post.Post(path("token_endpoint"), set("grant_type", "authorization_code", "code", code, "redirect_uri", post.RedirectURI, "code_verifier", apptest.Verifier,
		"client_id", "post", "client_secret", apptest.Secret), nil))
	wantTokens(t, web.Post(path("token_endpoint"), set("grant_type", "refresh_token", "refresh_token", tokens.Get("refresh_token")), nil))
	wantTokens(t, p.Client("m2m").Post(path("token_endpoint"), set("grant_type", "client_credentials"), nil))
	present := set("token", tokens.Get("access_token"))
	wantActive(t, web.Post(path("introspection_endpoint"), present, nil))
	wantRevoked(t, web.Post(path("revocation_endpoint"), present, nil))
	dead(t, web, tokens.Get("access_token"))
	wantSignedOut(t, b.Get(path("end_session_endpoint")+"?id_token_hint="+tokens.Get("id_token")))
	for _, locale := range list("ui_locales_supported") {
		if page := b.Get("/?ui_locales=" + locale); !strings.Contains(page.Body, `lang="`+locale+`"`) {
			t.Errorf("no page in %s", locale)
		}
	}
	keys := fetch(path("jwks_uri"))
	checkKeySet(t, keys)
	for range 4 {
		if again := fetch(apptest.Alias("/jwks")); again.Text != keys.Text {
			t.Error("the key sets differ")
		}
	}

	// plain appears in the document only while a client may use it.
	p.Apply(clients("plain", `"allow_plain_pkce": true`))
	if doc = fetch("/.well-known/openid-configuration"); !slices.Equal(list("code_challenge_methods_supported"), []string{"S256", "plain"}) {
		t.Errorf("code_challenge_methods_supported %v", list("code_challenge_methods_supported"))
	}
	plain := set("code_challenge", apptest.Verifier, "code_challenge_method", "plain")
	flow(p.Client("plain"), plain)
	wantRedirectError(t, p, b, web.Authorize(b, plain), web, "state of web", "invalid_request")
}

// checkKeySet checks a JWKS as relying parties read it: J1-J4, JW-09.
func checkKeySet(t *testing.T, r apptest.Reply) {
	t.Helper()
	var set struct {
		Keys []map[string]json.RawMessage
	}
	if err := json.Unmarshal([]byte(r.Text), &set); err != nil || len(set.Keys) < 2 || r.Header.Get("Access-Control-Allow-Origin") != "*" ||
		!strings.Contains(r.Header.Get("Cache-Control"), "max-age=300") {
		t.Fatalf("JWKS: %v %v %s", err, r.Header, r.Text)
	}
	seen := map[string]bool{}
	for _, k := range set.Keys {
		for _, private := range []string{"d", "p", "q", "dp", "dq", "qi", "oth", "k"} {
			if _, ok := k[private]; ok {
				t.Errorf("private member %s", private)
			}
		}
		member := func(name string) (s string) { json.Unmarshal(k[name], &s); return s }
		if kid := member("kid"); kid == "" || seen[kid] || member("use") != "sig" {
			t.Errorf("kid %q, use %q", kid, member("use"))
		}
		seen[member("kid")] = true
		switch kty, alg := member("kty"), member("alg"); {
		case kty == "EC" && alg == string(oauth.ES256) && member("crv") == "P-256" && len(member("x")) == 43 && len(member("y")) == 43:
		case kty == "RSA" && alg == string(oauth.RS256) && len(member("n")) >= 342 && member("e") == "AQAB":
		default:
			t.Errorf("key %s", k)
		}
	}
}
