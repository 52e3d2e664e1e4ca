package web

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"latchkey/adapters/web/read"
	"latchkey/domain/oauth"

	"github.com/google/go-cmp/cmp"
)

func TestTokenGolden(t *testing.T) {
	b := newBench(t)
	wantGolden(t, "token", b.post("/token", "grant_type=authorization_code&code=c&client_id=web"))
	b.onToken = func(oauth.TokenRequest) (oauth.TokenResponse, error) {
		return oauth.TokenResponse{AccessToken: "access", TokenType: "Bearer", ExpiresIn: 15*time.Minute + 999*time.Millisecond, Scope: "notes:read"}, nil
	}
	wantGolden(t, "token_least", b.post("/token", "grant_type=authorization_code&code=c&client_id=web"))
}

func TestTokenReadsTheRequest(t *testing.T) {
	want := oauth.TokenRequest{GrantType: "authorization_code", Code: "c+d", RedirectURI: "https://app.test/cb?x=1&y=2", Verifier: "v-._~", RefreshToken: "r",
		Scope: "openid email", Credentials: []oauth.Credentials{{ID: "web", Secret: "s3cret", Method: oauth.AuthBasic}}}
	const form = "grant_type=authorization_code&code=c%2Bd&redirect_uri=https%3A%2F%2Fapp.test%2Fcb%3Fx%3D1%26y%3D2&code_verifier=v-._~&refresh_token=r&scope=openid+email&client_id=web"
	// Some clients send these along; unknown parameters are ignored (RFC 6749 §3.2), even twice.
	const strays = "&response_type=token&access_type=offline&prompt=consent&resource=a&resource=b&x=1&x=1"
	for _, body := range []string{form, form + strays} {
		for _, contentType := range []string{"application/x-www-form-urlencoded", "application/x-www-form-urlencoded; charset=UTF-8"} {
			b := newBench(t)
			var got oauth.TokenRequest
			b.onToken = func(r oauth.TokenRequest) (oauth.TokenResponse, error) {
				got = r
				return oauth.TokenResponse{AccessToken: "a", TokenType: "Bearer"}, nil
			}
			w := b.send("POST", "/token?session=abc", strings.NewReader(body), "Content-Type: "+contentType, asClient("web:s3cret"))
			wantStatus(t, w, http.StatusOK)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s: %s", contentType, diff)
			}
		}
	}
}

// TK-07, TK-08, CA-01, CA-05: what is no token request is refused before the use case, recorded, and says how to do it right.
func TestTokenRefusals(t *testing.T) {
	const form = "Content-Type: application/x-www-form-urlencoded"
	type refusal struct {
		name, target, body string
		headers            []string
		status             int
		code               oauth.ErrorCode
		says               string
	}
	tests := []refusal{
		{"TK-07: JSON", "/token", `{"grant_type":"authorization_code"}`, []string{"Content-Type: application/json"}, 400, "invalid_request", "application/x-www-form-urlencoded"},
		{"TK-07: multipart", "/token", "--x--", []string{"Content-Type: multipart/form-data; boundary=x"}, 400, "invalid_request", "application/x-www-form-urlencoded"},
		{"TK-07: no Content-Type", "/token", "grant_type=x", nil, 400, "invalid_request", "application/x-www-form-urlencoded"},
		{"Content-Encoding", "/token", "grant_type=x", []string{form, "Content-Encoding: gzip"}, 400, "invalid_request", "Content-Encoding"},
		{"bad escape", "/token", "grant_type=%zz", []string{form}, 400, "invalid_request", "form-encoded"},
		{"query with a bad escape", "/token?x=%zz", "grant_type=x", []string{form}, 400, "invalid_request", "form-encoded"},
		{"too large", "/token", strings.Repeat("x", read.MaxBody+1), []string{form}, 413, "invalid_request", "64 KiB"},
		{"two headers", "/token", "grant_type=x", []string{form, asClient("a:b"), asClient("a:b")}, 400, "invalid_request", "more than once"},
		{"another id", "/token", "client_id=evil", []string{form, asClient("web:s")}, 400, "invalid_request", "client_id differs"},
		{"CA-05: Basic and body secret", "/token", "client_secret=s", []string{form, asClient("web:s")}, 400, "invalid_request", "not two"},
		{"bad base64", "/token", "grant_type=x", []string{form, "Authorization: Basic !"}, 401, "invalid_client", "Basic"},
		{"no colon", "/token", "grant_type=x", []string{form, asClient("web")}, 401, "invalid_client", "Basic"},
		{"bearer", "/token", "grant_type=x", []string{form, "Authorization: Bearer x"}, 401, "invalid_client", "Basic"},
		{"assertion", "/token", "client_id=x&client_assertion=y", []string{form}, 401, "invalid_client", "not supported"},
	}
	for _, name := range []string{"grant_type", "code", "redirect_uri", "code_verifier", "refresh_token", "scope", "client_id", "client_secret", "client_assertion", "client_assertion_type"} {
		tests = append(tests,
			refusal{"TK-08: " + name + " in the query", "/token?" + name + "=hunter2", "grant_type=x", []string{form}, 400, "invalid_request", "in the request body"},
			refusal{"TK-08: empty " + name + " in the query", "/token?" + name, "grant_type=x", []string{form}, 400, "invalid_request", "in the request body"},
			refusal{name + " twice", "/token", name + "=a&" + name + "=a", []string{form}, 400, "invalid_request", name + " was sent more than once"},
			refusal{name + " twice, once empty", "/token", name + "=a&" + name + "=", []string{form}, 400, "invalid_request", name + " was sent more than once"})
	}
	for _, tt := range tests {
		b := newBench(t)
		w := b.send("POST", tt.target, strings.NewReader(tt.body), tt.headers...)
		wantError(t, w, tt.status, tt.code)
		kind, challenge := "token.denied", ""
		if tt.status == 401 {
			kind, challenge = "client.auth.fail", `Basic realm="latchkey", charset="UTF-8"`
		}
		b.wantCalls("Deny " + kind)
		wantHeader(t, w, "WWW-Authenticate", challenge)
		if !strings.Contains(w.Body.String(), tt.says) || strings.Contains(w.Body.String()+b.log.String(), "hunter2") {
			t.Errorf("%s: %s", tt.name, w.Body)
		}
		if t.Failed() {
			t.Fatal(tt.name)
		}
	}
}

// AD-16: a refusal that cannot be recorded is a fault.
func TestTokenRefusalUnrecorded(t *testing.T) {
	b := newBench(t)
	b.onDeny = failDeny(fmt.Errorf("disk on fire"))
	wantError(t, b.post("/token?code=x", "a=b"), http.StatusInternalServerError, "server_error")
	wantError(t, b.get("/authorize?a=%zz"), http.StatusInternalServerError, "server_error")
	wantError(t, b.get("/userinfo?access_token=x"), http.StatusInternalServerError, "server_error")
}
