package demo

import (
	"context"
	"crypto/sha256"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// flow is one sign-in: what was sent and received, step by step, and what the application keeps of it.
type flow struct {
	Steps    []step
	metadata metadata
	keys     map[string]any // the key set the ID token was verified with
	tokens   tokens
	Name     string // of who signed in; empty: nobody
	subject  string
	over     bool // the tokens work no more
}

// tokens are what the application holds. The page never shows one whole.
type tokens struct {
	access, refresh, id string
	spent               string // the refresh token before the newest
}

// pending is an authorization request that waits for its answer: what only this browser's visit knows.
type pending struct {
	state, nonce, verifier string
}

// metadata is what the application uses of the discovery document.
type metadata struct {
	authorization, token, userInfo, jwks, revocation, endSession string
	answersWithIssuer                                            bool
}

// showStart says what will happen, and gives the browser the cookie that its forms belong to.
func (a *application) showStart(w http.ResponseWriter, r *request) {
	if r.cookie == "" {
		r.cookie = mint()
		a.setCookie(w, r.cookie)
	}
	a.pages.render(w, a, r, http.StatusOK, startPage{Flow: r.visit != nil && r.visit.flow != nil})
}

// start begins a sign-in: it reads the provider's metadata and sends the browser to its authorization endpoint.
func (a *application) start(w http.ResponseWriter, r *request) {
	v := r.visit
	if v == nil {
		v = a.visits.open(r.cookie)
		v.mu.Lock()
		defer v.mu.Unlock()
	}
	f := &flow{}
	v.flow, v.pending, v.goodbye = f, nil, nil
	discovered := a.discover(r.Context(), f)
	f.Steps = append(f.Steps, discovered)
	if discovered.Failed() {
		redirect(w, a.Path+"/flow")
		return
	}
	p := &pending{state: mint(), nonce: mint(), verifier: mint()}
	challenge := sha256.Sum256([]byte(p.verifier))
	parameters := []field{
		{"client_id", string(a.ClientID), "param"},
		{"response_type", "code", "param"},
		{"redirect_uri", a.RedirectURI, "param"},
		{"scope", a.Scope, "param"},
		{"state", p.state, "param"},
		{"nonce", p.nonce, "param"},
		{"code_challenge", base64url.EncodeToString(challenge[:]), "param"},
		{"code_challenge_method", "S256", "param"},
		{"ui_locales", r.locale, "param"},
	}
	v.pending = p
	f.Steps = append(f.Steps, step{Name: "authorization", Parts: []part{{Title: "part.redirect", Line: "GET " + f.metadata.authorization, Fields: parameters}}})
	redirect(w, withQuery(f.metadata.authorization, parameters))
}

// withQuery adds parameters to an endpoint, which may have a query already (RFC 6749 §3.1).
func withQuery(endpoint string, parameters []field) string {
	separator := "?"
	if strings.Contains(endpoint, "?") {
		separator = "&"
	}
	var query strings.Builder
	for _, p := range parameters {
		query.WriteString(separator + p.Name + "=" + url.QueryEscape(p.Value))
		separator = "&"
	}
	return endpoint + query.String()
}

// discover reads the provider's metadata (OpenID Connect Discovery §4).
func (a *application) discover(ctx context.Context, f *flow) step {
	s := step{Name: "discovery"}
	got, ok := a.call(ctx, &s, http.MethodGet, a.Issuer+"/.well-known/openid-configuration", "", nil)
	if !ok || a.refused(&s, got) {
		return s
	}
	f.metadata = metadata{
		authorization: got.text("authorization_endpoint"), token: got.text("token_endpoint"), userInfo: got.text("userinfo_endpoint"),
		jwks: got.text("jwks_uri"), revocation: got.text("revocation_endpoint"), endSession: got.text("end_session_endpoint"),
		answersWithIssuer: got.object["authorization_response_iss_parameter_supported"] == true,
	}
	shown := part{Title: "part.metadata", Folded: true}
	for _, name := range []string{"issuer", "authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri", "revocation_endpoint",
		"end_session_endpoint", "code_challenge_methods_supported", "authorization_response_iss_parameter_supported"} {
		if value, sent := got.object[name]; sent {
			shown.Fields = append(shown.Fields, field{name, display(name, value), "metadata"})
		}
	}
	s.Parts = append(s.Parts, shown)
	fold(&s)
	// Discovery §4.3: metadata that names another issuer would send the rest of the flow to somebody else.
	s.check("check.metadata_issuer", a.Issuer, got.text("issuer") == a.Issuer, got.text("issuer"))
	methods, _ := got.object["code_challenge_methods_supported"].([]any)
	s256 := false
	for _, m := range methods {
		s256 = s256 || m == "S256"
	}
	s.check("check.s256", "", s256, display("", methods))
	return s
}

// fold hides the messages of a step that few people want to read.
func fold(s *step) {
	for i := range s.Parts {
		s.Parts[i].Folded = true
	}
}

// callback receives the authorization response (RFC 6749 §4.1.2) and finishes the sign-in. It always sends the browser on,
// so that the code stays neither in the address bar nor in the history.
func (a *application) callback(w http.ResponseWriter, r *request) {
	v := r.visit
	if v == nil || v.pending == nil {
		a.notice(w, r, http.StatusBadRequest, "notice.stale")
		return
	}
	p, f := v.pending, v.flow
	v.pending = nil // one answer to a request, whatever it is
	received, code := a.receive(r.URL.RawQuery, p, f)
	f.Steps = append(f.Steps, received)
	if !received.Failed() {
		a.finish(r.Context(), f, p, code)
	}
	if f.Name != "" {
		// Whoever knew the cookie before, knows nothing about who is signed in now.
		renewed := mint()
		a.visits.move(v, r.cookie, renewed)
		a.setCookie(w, renewed)
	}
	redirect(w, a.Path+"/flow")
}

// receive checks that an authorization response answers our own request (RFC 6749 §10.12, RFC 9207 §2.4).
func (a *application) receive(query string, p *pending, f *flow) (s step, code string) {
	s = step{Name: "callback"}
	values, err := url.ParseQuery(query)
	if err != nil || len(values) > 20 {
		s.Problem = &problem{Fault: "fault.callback"}
		return s, ""
	}
	shown := part{Title: "part.answer", Line: "GET " + a.RedirectURI}
	for _, name := range []string{"code", "state", "iss", "error", "error_description", "error_uri"} {
		if len(values[name]) > 1 {
			s.Problem = &problem{Fault: "fault.callback"}
			return s, ""
		}
		if values.Has(name) {
			shown.Fields = append(shown.Fields, field{name, display(name, values.Get(name)), "answer"})
		}
	}
	s.Parts = append(s.Parts, shown)
	ok := s.check("check.state", "", values.Get("state") == p.state, values.Get("state"))
	if f.metadata.answersWithIssuer || values.Has("iss") {
		ok = s.check("check.answer_iss", a.Issuer, values.Get("iss") == a.Issuer, values.Get("iss")) && ok
	}
	switch code = values.Get("code"); {
	case !ok:
		return s, ""
	case values.Get("error") != "":
		s.Problem = a.problem(values.Get("error"), values.Get("error_description"), reference(values.Get("error_uri")))
	case code == "":
		s.Problem = &problem{Fault: "fault.callback"}
	}
	return s, code
}

// finish redeems the code, verifies the ID token and asks who it is about. Nobody is signed in before all of it is right.
func (a *application) finish(ctx context.Context, f *flow, p *pending, code string) {
	s := step{Name: "token"}
	got, ok := a.askTokens(ctx, f, &s, url.Values{"grant_type": {"authorization_code"}, "code": {code},
		"redirect_uri": {a.RedirectURI}, "code_verifier": {p.verifier}})
	if f.Steps = append(f.Steps, s); !ok {
		return
	}
	s = step{Name: "id_token"}
	f.keys = a.fetchKeys(ctx, f, &s)
	if !s.Failed() {
		f.subject = checkIDToken(&s, got.id, f.keys, expected{issuer: a.Issuer, client: string(a.ClientID), nonce: p.nonce, accessToken: got.access, now: a.Now()})
	}
	if f.Steps = append(f.Steps, s); f.subject == "" {
		return
	}
	s = step{Name: "userinfo"}
	person := a.askUser(ctx, f, &s, got.access)
	if f.Steps = append(f.Steps, s); s.Failed() {
		return
	}
	f.tokens = got
	for _, name := range []string{"name", "preferred_username", "email", "sub"} {
		if f.Name == "" {
			f.Name = textOf(person[name])
		}
	}
}

// askTokens sends a token request (RFC 6749 §4.1.3, §6) with client_secret_basic.
func (a *application) askTokens(ctx context.Context, f *flow, s *step, form url.Values) (tokens, bool) {
	got, ok := a.call(ctx, s, http.MethodPost, f.metadata.token, a.basic(), form)
	if !ok || a.refused(s, got) {
		return tokens{}, false
	}
	last := &s.Parts[len(s.Parts)-1]
	last.Fields = append(last.Fields, members(got.object, "token", "access_token", "token_type", "expires_in", "scope", "refresh_token", "id_token")...)
	t := tokens{access: got.text("access_token"), refresh: got.text("refresh_token"), id: got.text("id_token")}
	s.check("check.bearer", "", t.access != "" && strings.EqualFold(got.text("token_type"), "Bearer"), got.text("token_type"))
	s.check("check.no_store", "", strings.Contains(got.header.Get("Cache-Control"), "no-store"), got.header.Get("Cache-Control"))
	return t, !s.Failed()
}

// basic is how the client authenticates. RFC 6749 §2.3.1 has both halves encoded as in a form, before base64.
func (a *application) basic() string {
	r := http.Request{Header: http.Header{}}
	r.SetBasicAuth(url.QueryEscape(string(a.ClientID)), url.QueryEscape(a.ClientSecret.Reveal()))
	return r.Header.Get("Authorization")
}

// fetchKeys reads the provider's key set.
func (a *application) fetchKeys(ctx context.Context, f *flow, s *step) map[string]any {
	got, ok := a.call(ctx, s, http.MethodGet, f.metadata.jwks, "", nil)
	if !ok || a.refused(s, got) {
		return nil
	}
	keys, _ := got.object["keys"].([]any)
	last := &s.Parts[len(s.Parts)-1]
	for _, entry := range keys {
		k, _ := entry.(map[string]any)
		last.Fields = append(last.Fields, field{"kid", textOf(k["kid"]) + " (" + textOf(k["alg"]) + ")", ""})
	}
	fold(s)
	return got.object
}

// askUser reads the UserInfo endpoint (OpenID Connect Core §5.3) and checks that it is about the subject of the ID token:
// an access token of somebody else may have been slipped in.
func (a *application) askUser(ctx context.Context, f *flow, s *step, access string) map[string]any {
	got, ok := a.call(ctx, s, http.MethodGet, f.metadata.userInfo, "Bearer "+access, nil)
	if !ok || a.refused(s, got) {
		return nil
	}
	last := &s.Parts[len(s.Parts)-1]
	last.Fields = append(last.Fields, members(got.object, "claim", "sub", "name", "preferred_username", "email")...)
	s.check("check.userinfo_sub", "", got.text("sub") == f.subject, got.text("sub"))
	return got.object
}

// showFlow shows the last sign-in of this browser.
func (a *application) showFlow(w http.ResponseWriter, r *request) {
	if r.visit == nil || r.visit.flow == nil {
		redirect(w, a.Path)
		return
	}
	f := r.visit.flow
	page := flowPage{flow: f, Waiting: r.visit.pending != nil, Last: len(f.Steps) - 1, Took: total(f.Steps)}
	a.pages.render(w, a, r, http.StatusOK, page)
}

func total(steps []step) string {
	var sum time.Duration
	for _, s := range steps {
		sum += s.Took
	}
	return step{Took: sum}.Milliseconds()
}
