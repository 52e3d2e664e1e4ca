package web

import (
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"latchkey/adapters/web/page"
	"latchkey/adapters/web/read"
	"latchkey/domain/identity"
	"latchkey/domain/oauth"
	"latchkey/domain/oidc"
	"latchkey/ports"
)

// The status of every error code, which is chosen in one place.
func TestStatus(t *testing.T) {
	want := map[oauth.ErrorCode]int{
		oauth.InvalidClient: 401, oauth.InvalidToken: 401, oauth.InsufficientScope: 403, oauth.Forbidden: 403,
		oauth.TooManyAttempts: 429, oauth.TemporarilyUnavailable: 503, oauth.ServerError: 500,
	}
	for _, code := range []oauth.ErrorCode{oauth.InvalidRequest, oauth.InvalidGrant, oauth.InvalidScope, oauth.UnauthorizedClient,
		oauth.UnsupportedGrantType, oauth.UnsupportedResponseType, oauth.AccessDenied, oauth.LoginRequired} {
		want[code] = 400
	}
	for code, status := range want {
		b := newBench(t)
		b.onToken = func(oauth.TokenRequest) (oauth.TokenResponse, error) {
			return oauth.TokenResponse{}, fmt.Errorf("wrapped: %w", oauth.Refuse(code, "because of a test"))
		}
		w := b.post("/token", "client_id=web", asBrowser) // programs call it, whatever they say they like to read
		wantError(t, w, status, code)
		challenge := ""
		if code == oauth.InvalidClient {
			challenge = `Basic realm="latchkey", charset="UTF-8"`
		}
		wantHeader(t, w, "WWW-Authenticate", challenge)
	}
}

// WB-10: a fault is one line in the log under the reference that the caller sees, who sees nothing else of it.
func TestFaults(t *testing.T) {
	fault := errors.New("SQL logic error near hunter2 in /srv/db")
	refusalWithCause := oauth.Refuse(oauth.InvalidGrant, "the code is not valid")
	refusalWithCause.Cause = fault
	for _, tt := range []struct {
		name   string
		err    error
		status int
		code   oauth.ErrorCode
		logged string
		retry  string
	}{
		{"unknown error", fault, 500, "server_error", "fault", ""},
		{"wrapped", fmt.Errorf("saving: %w", fault), 500, "server_error", "fault", ""},
		{"store cannot save", fmt.Errorf("%w: %w", ports.ErrUnavailable, fault), 503, "temporarily_unavailable", "unavailable", "5"},
		{"no keys yet", fmt.Errorf("%w: %w", ports.ErrKeysNotReady, fault), 503, "temporarily_unavailable", "unavailable", "5"},
		{"too many hashes", fmt.Errorf("%w: hunter2", ports.ErrBusy), 503, "temporarily_unavailable", "", "5"},
		{"refusal with a cause", refusalWithCause, 400, "invalid_grant", "", ""},
	} {
		b := newBench(t)
		b.onToken = func(oauth.TokenRequest) (oauth.TokenResponse, error) { return oauth.TokenResponse{}, tt.err }
		b.onUserInfo = func(oauth.Secret) (oidc.Claims, error) { return nil, tt.err }
		b.onAuthorize = func(ports.Browser, oauth.Parameters) (ports.Next, error) { return ports.Next{}, tt.err }
		b.onCurrent = func(ports.Browser) (identity.Session, identity.User, error) {
			return identity.Session{}, identity.User{}, tt.err
		}
		b.onOffered = func(oauth.Secret) (bool, error) { return false, tt.err }
		b.onMetadata = func() (ports.Document, error) { return ports.Document{}, tt.err }
		for target, w := range map[string]*httptest.ResponseRecorder{
			"/token":     b.post("/token", "client_id=web"),
			"/userinfo":  b.get("/userinfo", "Authorization: Bearer x"),
			"/authorize": b.get("/authorize?client_id=web"),
			"/":          b.get("/"),
			"/login":     b.get("/login"),
			"/setup":     b.get("/setup?token=x"),
			"discovery":  b.get("/.well-known/openid-configuration"),
		} {
			wantError(t, w, tt.status, tt.code)
			wantHeader(t, w, "Retry-After", tt.retry)
			lines := b.logged(w.Header().Get("X-Request-Id"))
			delete(lines, "request")
			if tt.logged == "" && len(lines) != 0 || tt.logged != "" && (len(lines) != 1 || lines[tt.logged] == nil) {
				t.Errorf("%s, %s: logged %v", tt.name, target, lines)
			}
			if line := lines[tt.logged]; line != nil && (line["level"] != "ERROR" || !strings.Contains(fmt.Sprint(line["error"]), "hunter2")) {
				t.Errorf("%s, %s: the operator does not learn the cause: %v", tt.name, target, line)
			}
			if strings.Contains(w.Body.String()+fmt.Sprint(w.Header()), "hunter2") || strings.Contains(w.Body.String(), "srv") {
				t.Errorf("%s, %s: the caller learns the cause: %v %s", tt.name, target, w.Header(), w.Body)
			}
		}
	}
	b := newBench(t)
	b.onCurrent = func(ports.Browser) (identity.Session, identity.User, error) {
		return identity.Session{}, identity.User{}, fault
	}
	w := b.get("/", asBrowser)
	wantPage(t, w, 500, page.MsgServerFault)
	if ref := errorRef(w.Header().Get("X-Request-Id")); !strings.Contains(w.Body.String(), ref) || strings.Contains(w.Body.String(), "hunter2") {
		t.Errorf("the page does not show %s or shows the cause: %s", ref, w.Body)
	}
	b.onCurrent = func(ports.Browser) (identity.Session, identity.User, error) {
		return identity.Session{}, identity.User{}, ports.ErrUnavailable
	}
	w = b.get("/", asBrowser)
	wantPage(t, w, 503, page.MsgUnavailable)
	wantHeader(t, w, "Retry-After", "5")
}

// A caller who left is not a fault of ours.
func TestAbandonedRequest(t *testing.T) {
	b := newBench(t)
	b.onToken = func(oauth.TokenRequest) (oauth.TokenResponse, error) {
		return oauth.TokenResponse{}, fmt.Errorf("view: %w", context.Canceled)
	}
	w := b.post("/token", "client_id=web") // still there: somebody else gave up
	wantError(t, w, 500, "server_error")

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r := httptest.NewRequestWithContext(ctx, "POST", "/token", strings.NewReader("client_id=web"))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w = httptest.NewRecorder()
	b.server.ServeHTTP(w, r)
	wantStatus(t, w, 503)
	if lines := b.logged(w.Header().Get("X-Request-Id")); len(lines) != 1 || lines["request"] == nil {
		t.Errorf("logged %v", lines)
	}
}

// WB-04, WB-05: the headers of every kind of answer, with every status this server has.
func TestHeadersOfEveryAnswer(t *testing.T) {
	refuse := func(code oauth.ErrorCode) func(oauth.TokenRequest) (oauth.TokenResponse, error) {
		return func(oauth.TokenRequest) (oauth.TokenResponse, error) {
			return oauth.TokenResponse{}, oauth.Refuse(code, "because of a test")
		}
	}
	b := newBench(t)
	style := page.StyleSheet.Path
	answers := map[string]*httptest.ResponseRecorder{
		"document":       b.get("/jwks"),
		"document 304":   b.get("/jwks", `If-None-Match: "keys-1"`),
		"style":          b.get(style),
		"token":          b.post("/token", "client_id=web"),
		"userinfo":       b.get("/userinfo", "Authorization: Bearer x"),
		"preflight":      b.send("OPTIONS", "/token", nil, "Origin: "+spaOrigin, "Access-Control-Request-Method: POST"),
		"400 json":       b.post("/token", "a=%zz"),
		"401":            b.get("/userinfo"),
		"403 json":       b.post("/login", "a=b"),
		"404 json":       b.get("/nothing"),
		"404 page":       b.get("/nothing", asBrowser),
		"405 json":       b.get("/token"),
		"405 page":       b.send("PUT", "/login", nil, asBrowser),
		"405 HEAD":       b.send("HEAD", "/login", nil, asBrowser),
		"413":            b.post("/token", strings.Repeat("x", read.MaxBody+1)),
		"413 page":       b.post("/authorize", strings.Repeat("x", read.MaxBody+1), asBrowser),
		"303 login":      b.get("/authorize?client_id=web", asBrowser),
		"303 to GET":     b.post("/authorize", "client_id=web", asBrowser),
		"login page":     b.get("/login", asBrowser),
		"home":           b.get("/", asBrowser),
		"setup page":     b.get("/setup?token=x", asBrowser),
		"403 page":       b.post("/login", "a=b", asBrowser),
		"400 page":       b.get("/authorize?a=%zz", asBrowser),
		"400 json, page": b.get("/authorize?a=%zz"),
	}
	b.onToken = refuse(oauth.TooManyAttempts)
	answers["429"] = b.post("/token", "client_id=web")
	b.onToken = refuse(oauth.TemporarilyUnavailable)
	answers["503"] = b.post("/token", "client_id=web")
	b.onToken = func(oauth.TokenRequest) (oauth.TokenResponse, error) { panic("test") }
	answers["500"] = b.post("/token", "client_id=web")
	for mode, name := range map[oauth.ResponseMode]string{oauth.ModeQuery: "303 query", oauth.ModeFragment: "303 fragment", oauth.ModeFormPost: "form_post"} {
		b.onAuthorize = func(ports.Browser, oauth.Parameters) (ports.Next, error) {
			return answered(mode, "https://app.test/cb"), nil
		}
		answers[name] = b.get("/authorize?client_id=web", asBrowser)
	}
	for step, target := range map[oidc.Step]string{oidc.Consent: "/consent?interaction=x", oidc.SelectAccount: "/select-account?interaction=x"} {
		b.onResume = func(ports.Browser, oidc.InteractionID) (ports.Next, error) { return waiting(step), nil }
		answers[target] = b.get(target, asBrowser, browserOne)
	}
	b.onCurrent = func(ports.Browser) (identity.Session, identity.User, error) { panic("test") }
	answers["500 page"] = b.get("/", asBrowser)

	for name, w := range answers {
		h := w.Header()
		wantHeader(t, w, "X-Content-Type-Options", "nosniff")
		wantHeader(t, w, "Referrer-Policy", "no-referrer")
		if age, _ := strconv.Atoi(strings.TrimPrefix(strings.Split(h.Get("Strict-Transport-Security"), ";")[0], "max-age=")); age < 365*24*60*60 {
			t.Errorf("HSTS %q", h.Get("Strict-Transport-Security"))
		}
		policy := h.Get("Content-Security-Policy")
		if !strings.Contains(policy, "default-src 'none'") || !strings.Contains(policy, "frame-ancestors 'none'") || strings.Contains(policy, "unsafe") || len(h.Values("Content-Security-Policy")) != 1 {
			t.Errorf("policy %q", h.Values("Content-Security-Policy"))
		}
		if !strings.HasPrefix(h.Get("X-Request-Id"), "req_") {
			t.Errorf("request id %q", h.Get("X-Request-Id"))
		}
		switch name {
		case "document", "document 304":
			wantHeader(t, w, "Cache-Control", cachePolicy[0])
		case "style":
			wantHeader(t, w, "Cache-Control", "public, max-age=31536000, immutable")
		case "preflight":
		default:
			wantHeader(t, w, "Cache-Control", "no-store")
		}
		if strings.HasPrefix(h.Get("Content-Type"), "text/html") {
			wantHeader(t, w, "Content-Type", "text/html; charset=utf-8")
			wantHeader(t, w, "Cross-Origin-Opener-Policy", "same-origin")
			if !strings.Contains(policy, "base-uri 'none'") {
				t.Errorf("policy %q", policy)
			}
			if strings.Contains(w.Body.String(), "<script") != (name == "form_post" || strings.Contains(policy, "; script-src '"+page.PasskeyScript.Integrity+"' ")) {
				t.Errorf("a script: %s", w.Body)
			}
		}
		if t.Failed() {
			t.Fatalf("%s: %d %v", name, w.Code, h)
		}
	}
	for name, w := range map[string]*httptest.ResponseRecorder{"page": newBench(t, issuer("http://localhost:8080")).get("/login", asBrowser)} {
		if got := w.Header().Get("Strict-Transport-Security"); got != "" {
			t.Errorf("%s over http: %q", name, got)
		}
	}
}

// Text for clients has the characters of RFC 6749 §5.2, which also keep WWW-Authenticate well-formed.
func TestRefusalTexts(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || len(call.Args) != 2 {
				return true
			}
			if f, ok := call.Fun.(*ast.SelectorExpr); !ok || f.Sel.Name != "Refuse" {
				return true
			}
			ast.Inspect(call.Args[1], func(n ast.Node) bool {
				if text, ok := n.(*ast.BasicLit); ok && text.Kind == token.STRING {
					found++
					if s, err := strconv.Unquote(text.Value); err != nil || !errorText.MatchString(s) {
						t.Errorf("%s: %s", name, text.Value)
					}
				}
				return true
			})
			return true
		})
	}
	if found < 15 || !errorText.MatchString(faultText) {
		t.Errorf("%d texts found", found)
	}
}

func TestSeconds(t *testing.T) {
	for d, want := range map[time.Duration]string{time.Millisecond: "1", time.Second: "1", 1500 * time.Millisecond: "2", 15 * time.Minute: "900"} {
		if got := seconds(d); got != want {
			t.Errorf("%v: %s, want %s", d, got, want)
		}
	}
}

// Every message a handler can answer with exists in every language.
func TestErrorPagesInEveryLanguage(t *testing.T) {
	for _, l := range page.Locales {
		for _, code := range []oauth.ErrorCode{oauth.InvalidRequest, oauth.InvalidClient, oauth.Forbidden} {
			b := newBench(t)
			b.onAuthorize = func(ports.Browser, oauth.Parameters) (ports.Next, error) {
				return ports.Next{}, oauth.Refuse(code, "because of a test").With("received", "<b>unknown</b>")
			}
			w := b.get("/authorize?client_id=x", asBrowser, "Accept-Language: "+string(l))
			if !slices.Contains([]int{400, 403}, w.Code) || !strings.Contains(w.Body.String(), `<html lang="`+string(l)+`">`) || strings.Contains(w.Body.String(), "<b>") {
				t.Errorf("%s %s: %d %.300s", l, code, w.Code, w.Body)
			}
		}
	}
}
