package web

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"latchkey/adapters/web/read"
	"latchkey/domain/oauth"
	"latchkey/domain/oidc"
)

func TestUserInfoGolden(t *testing.T) {
	b := newBench(t)
	wantGolden(t, "userinfo", b.get("/userinfo", "Authorization: Bearer tok"))
	wantGolden(t, "userinfo_legacy", b.get("/user_info", "Authorization: Bearer tok"))
	wantGolden(t, "userinfo_no_token", b.get("/userinfo"))
}

func TestUserInfo(t *testing.T) {
	const form = "Content-Type: application/x-www-form-urlencoded"
	for _, tt := range []struct {
		name, method, target, body string
		headers                    []string
		token                      oauth.Secret // what reached the use case; empty: nothing did
		status                     int
		code                       oauth.ErrorCode
		challenge                  string
	}{
		{name: "GET", method: "GET", headers: []string{"Authorization: Bearer tok"}, token: "tok", status: 200},
		{name: "POST with a header", method: "POST", headers: []string{"Authorization: Bearer tok"}, token: "tok", status: 200},
		{name: "UI-04: POST with a form", method: "POST", body: "access_token=tok", headers: []string{form}, token: "tok", status: 200},
		{name: "POST with a header and an empty form", method: "POST", headers: []string{"Authorization: Bearer tok", form}, token: "tok", status: 200},
		// HTTP libraries send a body and its type by themselves.
		{name: "POST with a header and JSON", method: "POST", body: "{}", headers: []string{"Authorization: Bearer tok", "Content-Type: application/json"}, token: "tok", status: 200},
		{name: "token in JSON", method: "POST", body: `{"access_token":"tok"}`, headers: []string{"Content-Type: application/json"}, status: 401, code: "invalid_token", challenge: `Bearer realm="latchkey"`},
		{name: "form without its type", method: "POST", body: "access_token=tok", status: 401, code: "invalid_token", challenge: `Bearer realm="latchkey"`},
		{name: "form of a GET", method: "GET", body: "access_token=tok", headers: []string{form}, status: 401, code: "invalid_token", challenge: `Bearer realm="latchkey"`},

		{name: "UI-01: no token", method: "GET", status: 401, code: "invalid_token", challenge: `Bearer realm="latchkey"`},
		{name: "UI-01: another scheme", method: "GET", headers: []string{"Authorization: Basic x"}, status: 401, code: "invalid_token", challenge: `Bearer realm="latchkey"`},
		{name: "UI-04: query", method: "GET", target: "?access_token=tok", status: 400, code: "invalid_request", challenge: "invalid_request"},
		{name: "UI-04: query and header", method: "GET", target: "?access_token=tok", headers: []string{"Authorization: Bearer tok"}, status: 400, code: "invalid_request", challenge: "invalid_request"},
		{name: "UI-04: form and header", method: "POST", body: "access_token=tok", headers: []string{"Authorization: Bearer tok", form}, status: 400, code: "invalid_request", challenge: "invalid_request"},
		{name: "two headers", method: "GET", headers: []string{"Authorization: Bearer tok", "Authorization: Bearer tok"}, status: 400, code: "invalid_request", challenge: "invalid_request"},
		{name: "bad form", method: "POST", body: "access_token=%zz", headers: []string{form}, status: 400, code: "invalid_request", challenge: "invalid_request"},
		{name: "too large", method: "POST", body: strings.Repeat("x", read.MaxBody+1), headers: []string{form}, status: 413, code: "invalid_request", challenge: "invalid_request"},
	} {
		b := newBench(t)
		var got oauth.Secret
		b.onUserInfo = func(s oauth.Secret) (oidc.Claims, error) { got = s; return oidc.Claims{"sub": "user-1"}, nil }
		w := b.send(tt.method, "/userinfo"+tt.target, strings.NewReader(tt.body), tt.headers...)
		if got != tt.token {
			t.Errorf("%s: token %q, want %q", tt.name, got.Reveal(), tt.token.Reveal())
		}
		if tt.status == 200 {
			wantStatus(t, w, 200)
			wantHeader(t, w, "Content-Type", "application/json")
			wantHeader(t, w, "Cache-Control", "no-store")
			b.wantCalls("UserInfo")
			continue
		}
		wantError(t, w, tt.status, tt.code)
		challenge := w.Header().Get("WWW-Authenticate")
		if tt.status == 401 && challenge != tt.challenge || !strings.Contains(challenge, tt.challenge) {
			t.Errorf("%s: WWW-Authenticate: %s", tt.name, challenge)
		}
		if tt.status != 401 {
			b.wantCalls("Deny bearer.denied")
		}
		if t.Failed() {
			t.Fatal(tt.name)
		}
	}
}

// UI-01, UI-03: what the use case refuses is in the header as well (RFC 6750 §3).
func TestUserInfoRefusals(t *testing.T) {
	for code, status := range map[oauth.ErrorCode]int{oauth.InvalidToken: 401, oauth.InsufficientScope: 403} {
		b := newBench(t)
		b.onUserInfo = func(oauth.Secret) (oidc.Claims, error) { return nil, oauth.Refuse(code, "because of a test") }
		w := b.get("/userinfo", "Authorization: Bearer tok")
		wantError(t, w, status, code)
		wantHeader(t, w, "WWW-Authenticate", `Bearer realm="latchkey", error="`+string(code)+`", error_description="because of a test"`)
	}
}

// UI-02: the answer is what the use case said, on the 2012 path with its two old spellings beside; the shared claims
// stay as they were.
func TestUserInfoClaims(t *testing.T) {
	claims := oidc.Claims{"sub": "user-1", "locale": "ja-JP", "groups": []string{"a"}}
	for path, want := range map[string]map[string]any{
		"/userinfo":  {"sub": "user-1", "locale": "ja-JP", "groups": []any{"a"}},
		"/user_info": {"sub": "user-1", "user_id": "user-1", "locale": "ja_JP", "groups": []any{"a"}},
	} {
		b := newBench(t)
		b.onUserInfo = func(oauth.Secret) (oidc.Claims, error) { return claims, nil }
		w := b.get(path, "Authorization: Bearer tok")
		wantStatus(t, w, http.StatusOK)
		var got map[string]any
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
			t.Fatal(err)
		}
		if len(got) != len(want) || got["sub"] != want["sub"] || got["user_id"] != want["user_id"] || got["locale"] != want["locale"] {
			t.Errorf("%s: %v, want %v", path, got, want)
		}
	}
	if len(claims) != 3 || claims["locale"] != "ja-JP" {
		t.Errorf("the shared claims were changed: %v", claims)
	}
}
