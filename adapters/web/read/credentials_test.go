package read

import (
	"encoding/base64"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"latchkey/domain/oauth"

	"github.com/google/go-cmp/cmp"
)

func encode(pair string) string { return base64.StdEncoding.EncodeToString([]byte(pair)) }

func TestBasic(t *testing.T) {
	type cs = []oauth.Credentials
	reading := func(id, secret string) oauth.Credentials {
		return oauth.Credentials{ID: oauth.ClientID(id), Secret: oauth.Secret(secret), Method: oauth.AuthBasic}
	}
	for _, tt := range []struct {
		name, header, bodyID string
		want                 cs
	}{
		{"plain", "Basic " + encode("web:s3cret"), "", cs{reading("web", "s3cret")}},
		{"scheme in any case", "bAsIc " + encode("web:s3cret"), "", cs{reading("web", "s3cret")}},
		{"more than one space", "Basic   " + encode("web:s3cret") + " ", "", cs{reading("web", "s3cret")}},
		{"the same client_id in the body", "Basic " + encode("web:s3cret"), "web", cs{reading("web", "s3cret")}},
		{"colon in the secret", "Basic " + encode("web:a:b"), "", cs{reading("web", "a:b")}},

		// CA-11: form-encoded as RFC 6749 §2.3.1 asks, then as it came.
		{"form-encoded", "Basic " + encode("w%3Aeb:a%2Bb+c%25"), "", cs{reading("w:eb", "a+b c%"), reading("w%3Aeb", "a%2Bb+c%25")}},
		{"plus sent as it is", "Basic " + encode("web:a+b"), "", cs{reading("web", "a b"), reading("web", "a+b")}},
		{"percent that is no escape", "Basic " + encode("web:100%"), "", cs{reading("web", "100%")}},
		{"escape of no text", "Basic " + encode("web:%ff%00"), "", cs{reading("web", "%ff%00")}},
		{"unicode", "Basic " + encode("wéb:schlüssel"), "", cs{reading("wéb", "schlüssel")}},
		{"unicode, encoded", "Basic " + encode("web:schl%C3%BCssel"), "", cs{reading("web", "schlüssel"), reading("web", "schl%C3%BCssel")}},
		{"encoded id, decoded in the body", "Basic " + encode("w%3Aeb:x"), "w:eb", cs{reading("w:eb", "x"), reading("w%3Aeb", "x")}},
		{"encoded id, as it is in the body", "Basic " + encode("w%3Aeb:x"), "w%3Aeb", cs{reading("w:eb", "x"), reading("w%3Aeb", "x")}},

		// A public client may say who it is in a Basic header with an empty password.
		{"public client", "Basic " + encode("spa:"), "", cs{{ID: "spa", Method: oauth.AuthNone}}},
		{"public client with its id in the body", "Basic " + encode("spa:"), "spa", cs{{ID: "spa", Method: oauth.AuthNone}}},
	} {
		got, refusal := basic(tt.header, tt.bodyID)
		if refusal != nil {
			t.Errorf("%s: %v", tt.name, refusal)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s: %s", tt.name, diff)
		}
	}
}

func TestBasicRefuses(t *testing.T) {
	for _, tt := range []struct {
		name, header, bodyID string
		code                 oauth.ErrorCode
	}{
		{"another scheme", "Bearer abc", "", oauth.InvalidClient},
		{"nothing", "", "", oauth.InvalidClient},
		{"scheme alone", "Basic", "", oauth.InvalidClient},
		{"bad base64", "Basic !!!", "", oauth.InvalidClient},
		{"base64 without padding", "Basic " + strings.TrimRight(encode("web:s3c"), "="), "", oauth.InvalidClient},
		{"base64 of URLs", "Basic " + base64.URLEncoding.EncodeToString([]byte("web:\u07ff\u07ff\u07ff")), "", oauth.InvalidClient},
		{"no colon", "Basic " + encode("web"), "", oauth.InvalidClient},
		{"not UTF-8", "Basic " + encode("web:\xff"), "", oauth.InvalidClient},
		{"NUL", "Basic " + encode("we\x00b:s3cret"), "", oauth.InvalidClient},
		{"far too long", "Basic " + encode(strings.Repeat("x", maxValue)+":s"), "", oauth.InvalidClient},
		{"another client_id in the body", "Basic " + encode("web:s3cret"), "evil", oauth.InvalidRequest},
		{"another client_id in the body, public", "Basic " + encode("spa:"), "web", oauth.InvalidRequest},
	} {
		got, refusal := basic(tt.header, tt.bodyID)
		if refusal == nil || refusal.Code != tt.code || got != nil {
			t.Errorf("%s: %v %v, want %s", tt.name, got, refusal, tt.code)
		}
	}
}

func TestCredentials(t *testing.T) {
	one := func(id, secret string, m oauth.AuthMethod) []oauth.Credentials {
		return []oauth.Credentials{{ID: oauth.ClientID(id), Secret: oauth.Secret(secret), Method: m}}
	}
	header := "Basic " + encode("web:s3cret")
	for _, tt := range []struct {
		name, body string
		headers    []string
		want       []oauth.Credentials
		code       oauth.ErrorCode
	}{
		{name: "none", body: "grant_type=x"},
		{name: "secret alone", body: "client_secret=s"},
		{name: "Basic", headers: []string{header}, want: one("web", "s3cret", oauth.AuthBasic)},
		{name: "Basic and client_id", body: "client_id=web", headers: []string{header}, want: one("web", "s3cret", oauth.AuthBasic)},
		{name: "Basic and an empty secret", body: "client_id=web&client_secret=", headers: []string{header}, want: one("web", "s3cret", oauth.AuthBasic)},
		{name: "body", body: "client_id=web&client_secret=s3cret", want: one("web", "s3cret", oauth.AuthPost)},
		{name: "CA-03: only client_id", body: "client_id=web", want: one("web", "", oauth.AuthNone)},
		{name: "CA-04: empty secret is none", body: "client_id=spa&client_secret=", want: one("spa", "", oauth.AuthNone)},
		{name: "CA-04: public client with a secret", body: "client_id=spa&client_secret=x", want: one("spa", "x", oauth.AuthPost)},

		{name: "CA-05: Basic and body secret", body: "client_secret=s3cret", headers: []string{header}, code: oauth.InvalidRequest},
		{name: "CA-05: Basic and assertion", body: "client_assertion=x", headers: []string{header}, code: oauth.InvalidRequest},
		{name: "CA-05: Basic and assertion type", body: "client_assertion_type=x", headers: []string{header}, code: oauth.InvalidRequest},
		{name: "CA-05: secret and assertion", body: "client_id=web&client_secret=s&client_assertion=x", code: oauth.InvalidRequest},
		{name: "two headers", headers: []string{header, header}, code: oauth.InvalidRequest},
		{name: "client_id twice", body: "client_id=web&client_id=web", code: oauth.InvalidRequest},
		{name: "client_secret twice", body: "client_id=web&client_secret=a&client_secret=a", code: oauth.InvalidRequest},
		{name: "client_secret twice, once empty", body: "client_id=web&client_secret=a&client_secret=", code: oauth.InvalidRequest},
		{name: "assertion", body: "client_id=web&client_assertion=x", code: oauth.InvalidClient},
		{name: "empty header", headers: []string{""}, code: oauth.InvalidClient},
		{name: "bearer token", headers: []string{"Bearer x"}, code: oauth.InvalidClient},
	} {
		f, refusal := Query(tt.body)
		if refusal != nil {
			t.Fatal(refusal)
		}
		r := httptest.NewRequest("POST", "/token", nil)
		r.Header["Authorization"] = tt.headers
		got, refusal := Credentials(r, f)
		if code := codeOf(refusal); code != tt.code {
			t.Errorf("%s: %v, want %q", tt.name, refusal, tt.code)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s: %s", tt.name, diff)
		}
	}
}

func codeOf(e *oauth.Error) oauth.ErrorCode {
	if e == nil {
		return ""
	}
	return e.Code
}

func TestBearer(t *testing.T) {
	for _, tt := range []struct {
		name, target, body string
		headers            []string
		want               oauth.Secret
		code               oauth.ErrorCode
	}{
		{name: "none"},
		{name: "header", headers: []string{"Bearer tok"}, want: "tok"},
		{name: "scheme in any case", headers: []string{"bearer tok"}, want: "tok"},
		{name: "spaces", headers: []string{"Bearer  tok "}, want: "tok"},
		{name: "scheme alone", headers: []string{"Bearer"}},
		{name: "another scheme", headers: []string{"Basic dG9rOg=="}},
		{name: "form", body: "access_token=tok", want: "tok"},
		{name: "empty field", body: "access_token="},
		{name: "UI-04: query", target: "?access_token=tok", code: oauth.InvalidRequest},
		{name: "UI-04: query and header", target: "?x=1&access_token=tok", headers: []string{"Bearer tok"}, code: oauth.InvalidRequest},
		{name: "UI-04: header and form", body: "access_token=tok", headers: []string{"Bearer tok"}, code: oauth.InvalidRequest},
		{name: "two headers", headers: []string{"Bearer tok", "Bearer tok"}, code: oauth.InvalidRequest},
		{name: "two fields", body: "access_token=tok&access_token=tok", code: oauth.InvalidRequest},
	} {
		f, refusal := Query(tt.body)
		if refusal != nil {
			t.Fatal(refusal)
		}
		r := httptest.NewRequest("POST", "/userinfo"+tt.target, nil)
		r.Header["Authorization"] = tt.headers
		got, refusal := bearer(r, f)
		if got != tt.want || codeOf(refusal) != tt.code {
			t.Errorf("%s: %q %v, want %q %q", tt.name, got.Reveal(), refusal, tt.want.Reveal(), tt.code)
		}
	}
}

// What a well-behaved client encodes is read back; whatever comes, no reading holds bytes that are not text.
func FuzzBasic(f *testing.F) {
	for _, seed := range [][3]string{{"web", "s3cret", ""}, {"w:eb", "a+b %", "w:eb"}, {"spa", "", "spa"}, {"\xff", "\x00", ""}, {"", "", "x"}, {"wéb", "100%", ""}} {
		f.Add(seed[0], seed[1], seed[2])
	}
	f.Fuzz(func(t *testing.T, id, secret, bodyID string) {
		check := func(readings []oauth.Credentials, refusal *oauth.Error) {
			if (refusal == nil) == (len(readings) == 0) || len(readings) > 2 {
				t.Fatalf("%v with %v", readings, refusal)
			}
			for _, r := range readings {
				if !isText(string(r.ID)) || !isText(r.Secret.Reveal()) || (r.Secret == "") != (r.Method == oauth.AuthNone) {
					t.Fatalf("reading %q %q %s", r.ID, r.Secret.Reveal(), r.Method)
				}
			}
		}
		check(basic("Basic "+encode(id+":"+secret), bodyID))
		check(basic(id+" "+secret, bodyID))

		readings, refusal := basic("Basic "+encode(url.QueryEscape(id)+":"+url.QueryEscape(secret)), id)
		check(readings, refusal)
		fits := len(url.QueryEscape(id)+url.QueryEscape(secret)) < maxValue
		if !isText(id) || !isText(secret) || !fits {
			return
		}
		if refusal != nil || string(readings[0].ID) != id || readings[0].Secret.Reveal() != secret {
			t.Fatalf("%q %q was read as %v, %v", id, secret, readings, refusal)
		}
	})
}

// A token is found once or not at all, wherever it is.
func FuzzBearer(f *testing.F) {
	for _, seed := range [][3]string{{"Bearer tok", "", ""}, {"", "access_token=tok", ""}, {"", "", "access_token=tok"}, {"Basic eDp5", "access_token=a&access_token=b", "a=%zz"}} {
		f.Add(seed[0], seed[1], seed[2])
	}
	f.Fuzz(func(t *testing.T, header, body, query string) {
		form, refusal := Query(body)
		if refusal != nil {
			return
		}
		r := httptest.NewRequest("POST", "/userinfo", nil)
		r.URL.RawQuery = query
		if header != "" {
			r.Header["Authorization"] = []string{header}
		}
		token, refusal := bearer(r, form)
		switch inBody := form.Values["access_token"]; {
		case refusal != nil && (refusal.Code != oauth.InvalidRequest || token != ""):
			t.Fatalf("%q with %v", token.Reveal(), refusal)
		case refusal != nil:
		case strings.Contains(query, "access_token="):
			t.Fatalf("a token in the query was let through: %q", query)
		case header != "" && len(inBody) > 0 || len(inBody) > 1:
			t.Fatalf("two tokens were let through: %q %q", header, inBody)
		case token != "" && len(inBody) == 1 && token.Reveal() != inBody[0],
			token != "" && len(inBody) == 0 && !strings.Contains(header, token.Reveal()):
			t.Fatalf("%q comes from nowhere: %q %q", token.Reveal(), header, body)
		}
	})
}
