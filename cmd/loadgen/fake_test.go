package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
)

// fakeOP is a small provider with ordinary pages; broken names the way in which
// it misbehaves.
type fakeOP struct {
	issuer string
	broken string
	users  map[string]string // name -> password
	client map[string]string // id -> secret

	mu       sync.Mutex
	n        int
	refresh  map[string]bool
	access   map[string]bool
	codes    map[string]url.Values // code -> authorization request
	sessions map[string]string     // cookie -> user
	consents map[string]bool       // user, client and scopes
}

func newFakeOP(issuer, broken string) *fakeOP {
	return &fakeOP{issuer: issuer, broken: broken, users: map[string]string{"bob": "pw"}, client: map[string]string{"cc": "s1", "app": "s2"},
		refresh: map[string]bool{}, access: map[string]bool{}, codes: map[string]url.Values{}, sessions: map[string]string{}, consents: map[string]bool{}}
}

func (p *fakeOP) id(prefix string) string { p.n++; return fmt.Sprintf("%s%d", prefix, p.n) }

func (p *fakeOP) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	r.ParseForm()
	switch r.URL.Path {
	case "/.well-known/openid-configuration":
		answer(w, 200, map[string]any{"issuer": p.issuer, "authorization_endpoint": p.issuer + "/authorize", "token_endpoint": p.issuer + "/token",
			"jwks_uri": p.issuer + "/jwks", "introspection_endpoint": p.issuer + "/introspect", "userinfo_endpoint": p.issuer + "/userinfo",
			"revocation_endpoint": p.issuer + "/revocation"})
	case "/jwks":
		answer(w, 200, map[string]any{"keys": []any{map[string]any{"kty": "EC", "crv": "P-256", "alg": "ES256"}}})
	case "/authorize":
		p.authorize(w, r)
	case "/login":
		p.login(w, r)
	case "/consent":
		p.consent(w, r)
	case "/token":
		p.token(w, r)
	case "/introspect":
		answer(w, 200, map[string]any{"active": p.access[r.PostForm.Get("token")] && p.broken != "inactive"})
	case "/userinfo":
		if !p.access[strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")] || p.broken == "userinfo" {
			answer(w, 401, map[string]any{"error": "invalid_token"})
			return
		}
		answer(w, 200, map[string]any{"sub": "bob"})
	case "/revocation":
		delete(p.access, r.PostForm.Get("token"))
		answer(w, 200, map[string]any{})
	}
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(v)
}

func (p *fakeOP) user(r *http.Request) string {
	c, err := r.Cookie("sid")
	if err != nil {
		return ""
	}
	return p.sessions[c.Value]
}

func consentKey(user string, q url.Values) string {
	return user + " " + q.Get("client_id") + " " + q.Get("scope")
}

func (p *fakeOP) authorize(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	user := p.user(r)
	switch {
	case user == "" || p.broken == "forgets":
		http.Redirect(w, r, "/login?"+r.URL.RawQuery, 303)
	case !p.consents[consentKey(user, q)] || q.Get("prompt") == "consent":
		http.Redirect(w, r, "/consent?"+r.URL.RawQuery, 303)
	default:
		p.respond(w, r)
	}
}

func (p *fakeOP) respond(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	code := p.id("code")
	p.codes[code] = q
	http.Redirect(w, r, q.Get("redirect_uri")+"?"+url.Values{"code": {code}, "state": {q.Get("state")}, "iss": {p.issuer}}.Encode(), 303)
}

func (p *fakeOP) login(w http.ResponseWriter, r *http.Request) {
	name := r.PostForm.Get("username")
	if r.Method == "POST" && r.PostForm.Get("csrf") == "c" && p.users[name] != "" && p.users[name] == r.PostForm.Get("password") {
		s := p.id("s")
		p.sessions[s] = name
		http.SetCookie(w, &http.Cookie{Name: "sid", Value: s, Path: "/"})
		http.Redirect(w, r, "/authorize?"+r.URL.RawQuery, 303)
		return
	}
	fmt.Fprint(w, `<form action="/language"><button name="ui_locales" value="id">Bahasa Indonesia</button></form>
<form method="post"><input type=hidden name=interaction value=i><input type=hidden name=csrf value=c>
<input name=username><input type=password name=password><button id="login-submit">Sign in</button></form>`)
}

// consent has the refusing button first and texts that both say "allow".
func (p *fakeOP) consent(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	if r.Method == "POST" {
		if r.PostForm.Get("approved") != "true" || strings.Join(r.PostForm["scope"], " ") != q.Get("scope") || r.PostForm.Get("csrf") != "c" {
			http.Redirect(w, r, q.Get("redirect_uri")+"?error=access_denied&state="+q.Get("state"), 303)
			return
		}
		p.consents[consentKey(p.user(r), q)] = true
		p.respond(w, r)
		return
	}
	fmt.Fprint(w, `<form method="post"><input type=hidden name=interaction value=i><input type=hidden name=csrf value=c>`)
	for _, s := range strings.Fields(q.Get("scope")) {
		fmt.Fprintf(w, `<input type="checkbox" name="scope" value="%s" checked>`, s)
	}
	fmt.Fprint(w, `<button id="consent-deny" name="approved" value="false">Don’t allow</button>
<button id="consent-allow" name="approved" value="true"><b class="no-wrap">Allow</b></button></form>`)
}

func (p *fakeOP) token(w http.ResponseWriter, r *http.Request) {
	id, secret, basic := r.BasicAuth()
	if !basic {
		id, secret = r.PostForm.Get("client_id"), r.PostForm.Get("client_secret")
	}
	if p.client[id] == "" || p.client[id] != secret {
		answer(w, 401, map[string]any{"error": "invalid_client"})
		return
	}
	t := map[string]any{"access_token": p.id("at"), "token_type": "Bearer"}
	switch r.PostForm.Get("grant_type") {
	case "refresh_token":
		rt := r.PostForm.Get("refresh_token")
		if !p.refresh[rt] {
			clear(p.refresh) // one family is all it knows
			answer(w, 400, map[string]any{"error": "invalid_grant"})
			return
		}
		if p.broken != "norotate" {
			delete(p.refresh, rt)
			rt = p.id("rt")
			p.refresh[rt] = true
		}
		t["refresh_token"] = rt
	case "authorization_code":
		q := p.codes[r.PostForm.Get("code")]
		delete(p.codes, r.PostForm.Get("code"))
		sum := sha256.Sum256([]byte(r.PostForm.Get("code_verifier")))
		if base64.RawURLEncoding.EncodeToString(sum[:]) != q.Get("code_challenge") || q.Get("client_id") != id {
			answer(w, 400, map[string]any{"error": "invalid_grant"})
			return
		}
		nonce := q.Get("nonce")
		if p.broken == "nonce" {
			nonce = "x"
		}
		claims, _ := json.Marshal(map[string]any{"iss": p.issuer, "sub": "bob", "nonce": nonce})
		t["id_token"] = "e30." + base64.RawURLEncoding.EncodeToString(claims) + ".c2ln"
		if strings.Contains(q.Get("scope"), "offline_access") {
			rt := p.id("rt")
			p.refresh[rt] = true
			t["refresh_token"] = rt
		}
	}
	p.access[t["access_token"].(string)] = true
	answer(w, 200, t)
}

// fakeLatchkey is the command line of latchkey as far as the bench uses it. It
// refuses what the real one refuses, so that a mistake of the bench shows.
func fakeLatchkey(args []string) error {
	for _, kv := range os.Environ() {
		if strings.HasPrefix(kv, "LATCHKEY_") {
			return fmt.Errorf("environment twin of a flag: %s", kv)
		}
	}
	name, args := args[0], args[1:]
	file := ""
	if name == "apply" {
		file, args = args[0], args[1:]
	}
	fs := flag.NewFlagSet(name, flag.ContinueOnError)
	db, issuer, listen := fs.String("db", "", ""), fs.String("issuer", "", ""), fs.String("listen", "", "")
	scale := fs.Float64("rate-limit-scale", 1, "")
	if err := fs.Parse(args); err != nil {
		return err
	}
	if name == "init" {
		return os.WriteFile(*db, []byte("empty"), 0o600)
	}
	declared := *db + ".declared"
	if name == "apply" {
		if _, err := os.Stat(*db); err != nil {
			return err
		}
		b, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		if _, err := parseDeclaration(b); err != nil {
			return err
		}
		return os.WriteFile(declared, b, 0o600)
	}
	if *scale != 0 {
		return fmt.Errorf("rate limits are on")
	}
	b, err := os.ReadFile(declared)
	if err != nil {
		return err
	}
	d, err := parseDeclaration(b)
	if err != nil {
		return err
	}
	op := newFakeOP(*issuer, os.Getenv("FAKE_BROKEN"))
	clear(op.users)
	for _, u := range d.Users {
		op.users[u.Username] = u.Password
	}
	for _, c := range d.Clients {
		op.client[c.ID] = c.Secret
	}
	if op.broken == "crash" {
		return fmt.Errorf("every problem listed at once")
	}
	return http.ListenAndServe(*listen, op)
}

type declaration struct {
	Users []struct {
		Username string         `json:"username"`
		Password string         `json:"password"`
		Email    string         `json:"email"`
		Verified bool           `json:"email_verified"`
		Claims   map[string]any `json:"claims"`
		Groups   []string       `json:"groups"`
	} `json:"users"`
	Clients []struct {
		ID            string   `json:"client_id"`
		Secret        string   `json:"client_secret"`
		RedirectURIs  []string `json:"redirect_uris"`
		GrantTypes    []string `json:"grant_types"`
		ResponseTypes []string `json:"response_types"`
		Scope         string   `json:"scope"`
		AuthMethod    string   `json:"token_endpoint_auth_method"`
	} `json:"clients"`
}

func parseDeclaration(b []byte) (*declaration, error) {
	var d declaration
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&d); err != nil {
		return nil, err
	}
	for _, u := range d.Users {
		if len(u.Password) < 15 || u.Username == "" {
			return nil, fmt.Errorf("user %q: password under 15 characters", u.Username)
		}
	}
	for _, c := range d.Clients {
		if len(c.Secret) < 32 || len(c.RedirectURIs) == 0 || c.AuthMethod != "client_secret_basic" {
			return nil, fmt.Errorf("client %q is not complete", c.ID)
		}
	}
	return &d, nil
}
