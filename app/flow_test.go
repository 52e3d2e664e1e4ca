package app_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"latchkey/app/apptest"
	"latchkey/domain/audit"
)

// The flow tests go through the running provider over HTTP. Subtests carry the ids of the security catalogue (AZ-01) and of
// the behaviours OpenID Connect asks of a provider (A1), and its shorthand: R(code) is an error redirected to the client,
// P400 an error page that redirects nowhere, AE exactly one audit event, NS no state changed.
//
// This file has what they share: those four, and a verifier that knows of tokens only what a relying party reads in the
// published key set.

// set is a change to a request: names and values in turn.
func set(pairs ...string) url.Values {
	v := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		v.Set(pairs[i], pairs[i+1])
	}
	return v
}

// without removes parameters from a request.
func without(names ...string) url.Values {
	v := url.Values{}
	for _, n := range names {
		v[n] = nil
	}
	return v
}

// answer returns the parameters of an authorization response, however it travelled. It fails when they did not lead to the
// redirect URI.
func answer(t *testing.T, b *apptest.Browser, p apptest.Page, redirectURI string) url.Values {
	t.Helper()
	if p.Location == "" && strings.Contains(p.Body, "document.forms[0].submit()") {
		action, fields := b.Form(p)
		if action != redirectURI || p.Status != http.StatusOK {
			t.Fatalf("form_post to %s (%d), want %s", action, p.Status, redirectURI)
		}
		return fields
	}
	if p.Status != http.StatusSeeOther || !strings.HasPrefix(p.Location, redirectURI) {
		t.Fatalf("no redirect to %s: %d %s %.300s", redirectURI, p.Status, p.Location, p.Body)
	}
	rest := p.Location[len(redirectURI):]
	separators := "?#"
	if strings.Contains(redirectURI, "?") {
		separators = "&#"
	}
	if rest == "" || !strings.Contains(separators, rest[:1]) {
		t.Fatalf("the redirect URI was changed: %s", p.Location)
	}
	v, err := url.ParseQuery(rest[1:])
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// descriptionText are the characters of RFC 6749 §4.1.2.1 and §5.2.
var descriptionText = regexp.MustCompile(`^[\x20-\x21\x23-\x5B\x5D-\x7E]+$`)

// wantRedirectError checks an error that went to the client: R(code) of the catalogue.
func wantRedirectError(t *testing.T, p *apptest.Provider, b *apptest.Browser, page apptest.Page, rp *apptest.RP, state, code string) {
	t.Helper()
	v := answer(t, b, page, rp.RedirectURI)
	ref := strings.Replace(page.Header.Get("X-Request-Id"), "req_", "err_", 1)
	want := url.Values{"error": {code}, "error_description": v["error_description"], "error_uri": {p.Issuer + "/errors?ref=" + ref + "#" + code}, "iss": {p.Issuer}}
	if state != "" {
		want.Set("state", state)
	}
	if s, known := v["session_state"]; known { // TestSessionManagement says when
		want["session_state"] = s
	}
	if diff := cmp.Diff(want, v); diff != "" {
		t.Errorf("error response (-want +got):\n%s", diff)
	}
	if d := v.Get("error_description"); !descriptionText.MatchString(d) {
		t.Errorf("error_description %q", d)
	}
	if cc := page.Header.Get("Cache-Control"); cc != "no-store" {
		t.Errorf("Cache-Control %q", cc)
	}
}

// wantPage checks an error that must stay here: P400 of the catalogue.
func wantPage(t *testing.T, page apptest.Page, status int) {
	t.Helper()
	if page.Status != status || page.Location != "" || !strings.Contains(page.Body, "Request error") {
		t.Errorf("want an error page with %d: %d %q %.300s", status, page.Status, page.Location, page.Body)
	}
	if page.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("Cache-Control %q", page.Header.Get("Cache-Control"))
	}
}

// wantAnswered checks the page for a form that was sent twice: nothing happens until the person goes on.
func wantAnswered(t *testing.T, page apptest.Page) {
	t.Helper()
	if page.Status != 400 || page.Location != "" || !strings.Contains(page.Body, "This was answered already") {
		t.Errorf("want the page of an answered form: %d %q %.300s", page.Status, page.Location, page.Body)
	}
}

// wantError checks a JSON error of a machine endpoint.
func wantError(t *testing.T, r apptest.Reply, status int, code string) {
	t.Helper()
	if r.Status != status || r.Get("error") != code {
		t.Errorf("want %d %s: %d %.300s", status, code, r.Status, r.Text)
	}
	if r.Header.Get("Cache-Control") != "no-store" || r.Header.Get("Content-Type") != "application/json" {
		t.Errorf("headers: %v", r.Header)
	}
	if !descriptionText.MatchString(r.Get("error_description")) || !strings.HasPrefix(r.Get("error_ref"), "err_") ||
		r.Get("request_id") != r.Header.Get("X-Request-Id") || !strings.HasPrefix(r.Get("error_uri"), "http") {
		t.Errorf("members: %.300s", r.Text)
	}
	if basic := strings.HasPrefix(r.Header.Get("WWW-Authenticate"), "Basic "); basic != (code == "invalid_client" && status == 401) {
		t.Errorf("WWW-Authenticate %q", r.Header.Get("WWW-Authenticate"))
	}
}

// wantTokens checks a token response.
func wantTokens(t *testing.T, r apptest.Reply) apptest.Reply {
	t.Helper()
	if r.Status != http.StatusOK || r.Header.Get("Cache-Control") != "no-store" || r.Header.Get("Content-Type") != "application/json" {
		t.Fatalf("token response: %d %v %.300s", r.Status, r.Header, r.Text)
	}
	return r
}

// recorded runs fn and checks that exactly the kinds were recorded meanwhile, in this order: AE of the catalogue.
func recorded(t *testing.T, p *apptest.Provider, fn func(), kinds ...audit.Kind) []audit.Event {
	t.Helper()
	before := p.Events()
	fn()
	events := p.Events()[len(before):]
	var got []audit.Kind
	for _, e := range events {
		got = append(got, e.Kind)
		if e.At.IsZero() || e.Caller.RequestID == "" {
			t.Errorf("event %s lacks its time or request: %+v", e.Kind, e)
		}
		facts := fmt.Sprint(e.Facts)
		if strings.Contains(facts, apptest.Secret) || strings.Contains(facts, apptest.Password) || strings.Contains(facts, apptest.Verifier) {
			t.Errorf("event %s holds a secret: %s", e.Kind, facts)
		}
	}
	if diff := cmp.Diff(kinds, got); diff != "" {
		t.Errorf("audit events (-want +got):\n%s", diff)
	}
	return events
}

// unchanged runs fn and checks that no state of the protocol changed: NS of the catalogue.
func unchanged(t *testing.T, p *apptest.Provider, fn func()) {
	t.Helper()
	before := digest(t, p)
	fn()
	if diff := cmp.Diff(before, digest(t, p)); diff != "" {
		t.Errorf("state changed (-before +after):\n%s", diff)
	}
}

// digest returns every row of every table, less the record, the counters of attempts, and the count of changes.
func digest(t *testing.T, p *apptest.Provider) map[string][]string {
	t.Helper()
	db, err := sql.Open("sqlite3", "file:"+p.File()+"?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	tables := []string{"settings", "signing_key", "client", "user", "session", "ticket", "interaction", "grant", "code", "token_family", "revoked_token",
		"session_client", "logout_notice", "factor", "recovery_codes"}
	state := map[string][]string{}
	for _, table := range tables {
		rows, err := db.QueryContext(t.Context(), `SELECT * FROM "`+table+`"`)
		if err != nil {
			t.Fatal(err)
		}
		columns, _ := rows.Columns()
		for rows.Next() {
			values, places := make([]any, len(columns)), make([]any, len(columns))
			for i := range values {
				places[i] = &values[i]
			}
			if err := rows.Scan(places...); err != nil {
				t.Fatal(err)
			}
			state[table] = append(state[table], fmt.Sprintf("%x", values))
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
		rows.Close()
		slices.Sort(state[table])
	}
	return state
}

// jwt is a token whose signature a relying party has checked.
type jwt struct {
	header map[string]any
	claims map[string]any
}

// verify checks a token against the key set as published now.
func verify(t *testing.T, p *apptest.Provider, token string) jwt {
	t.Helper()
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatalf("not a JWT: %.100s", token)
	}
	decode := func(s string) []byte {
		b, err := base64.RawURLEncoding.Strict().DecodeString(s)
		if err != nil {
			t.Fatalf("JWT: %v", err)
		}
		return b
	}
	var j jwt
	if err := json.Unmarshal(decode(parts[0]), &j.header); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(decode(parts[1]), &j.claims); err != nil {
		t.Fatal(err)
	}
	var set struct {
		Keys []map[string]any
	}
	reply := p.Client("web").Send("GET", apptest.Alias("/jwks"), "", nil)
	if err := json.Unmarshal([]byte(reply.Text), &set); err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(set.Keys, func(k map[string]any) bool { return k["kid"] == j.header["kid"] })
	if i < 0 || set.Keys[i]["alg"] != j.header["alg"] {
		t.Fatalf("no published key for the header %v", j.header)
	}
	key, signature := set.Keys[i], decode(parts[2])
	member := func(name string) []byte { return decode(key[name].(string)) }
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	ok := false
	switch j.header["alg"] {
	case "ES256":
		public, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), slices.Concat([]byte{4}, member("x"), member("y")))
		if err != nil || len(signature) != 64 {
			t.Fatalf("key or signature: %v, %d bytes", err, len(signature))
		}
		ok = ecdsa.Verify(public, sum[:], new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:]))
	case "RS256":
		public := &rsa.PublicKey{N: new(big.Int).SetBytes(member("n")), E: int(new(big.Int).SetBytes(member("e")).Int64())}
		ok = public.N.BitLen() >= 2048 && rsa.VerifyPKCS1v15(public, crypto.SHA256, sum[:], signature) == nil
	}
	if !ok {
		t.Fatalf("the signature does not verify: %v", j.header)
	}
	return j
}

// halfHash is at_hash as a relying party computes it.
func halfHash(s string) string {
	sum := sha256.Sum256([]byte(s))
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}

// alive checks that the access token still works.
func alive(t *testing.T, rp *apptest.RP, accessToken string) {
	t.Helper()
	if r := rp.UserInfo(accessToken); r.Status != http.StatusOK {
		t.Errorf("the access token does not work: %d %.200s", r.Status, r.Text)
	}
}

// dead checks that the access token is refused.
func dead(t *testing.T, rp *apptest.RP, accessToken string) {
	t.Helper()
	r := rp.UserInfo(accessToken)
	wantError(t, r, http.StatusUnauthorized, "invalid_token")
	if !strings.Contains(r.Header.Get("WWW-Authenticate"), `error="invalid_token"`) {
		t.Errorf("WWW-Authenticate %q", r.Header.Get("WWW-Authenticate"))
	}
}

// clients is a document that declares clients: a client_id, then further members in JSON, in turn. Each has the declared
// secret unless the members say otherwise.
func clients(pairs ...string) string {
	var all []string
	for i := 0; i < len(pairs); i += 2 {
		id, members := pairs[i], pairs[i+1]
		text := `{"client_id": "` + id + `"`
		if !strings.Contains(members, `"redirect_uris"`) {
			text += `, "redirect_uris": ["https://` + id + `.test/cb"]`
		}
		if !strings.Contains(members, `"none"`) && !strings.Contains(members, `"client_secret":`) {
			text += `, "client_secret": "` + apptest.Secret + `"`
		}
		if members != "" {
			text += ", " + members
		}
		all = append(all, text+"}")
	}
	return `{"clients": [` + strings.Join(all, ", ") + `]}`
}
