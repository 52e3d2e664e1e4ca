package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Bounds of the HTTP client. What answers is our own provider, but an application does not rely on that.
const (
	dialTimeout = 2 * time.Second
	callTimeout = 10 * time.Second
	maxAnswer   = 256 << 10
)

// newClient follows no redirect and asks no proxy: the issuer was configured, and nobody else is meant to answer.
func newClient() *http.Client {
	return &http.Client{
		Timeout: callTimeout,
		Transport: &http.Transport{DialContext: (&net.Dialer{Timeout: dialTimeout}).DialContext, MaxIdleConnsPerHost: 2,
			IdleConnTimeout: 30 * time.Second, MaxResponseHeaderBytes: 32 << 10, DisableCompression: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// step is one part of a flow as the page tells it. Its texts are step.<Name> and step.<Name>.why.
type step struct {
	Name    string
	Took    time.Duration // of its exchanges with the provider
	Parts   []part
	Checks  []check
	Problem *problem
	Refusal *problem // what the provider refused as it should: not a failure of the step
}

// part is one message, or the inside of one.
type part struct {
	Title  string // of the text
	Line   string // a request line, a status line, a URL
	Fields []field
	Folded bool
}

// field is a header, a parameter or a member. Why names the group of the text that says what it is for.
type field struct{ Name, Value, Why string }

// check is something an application has to look at before it goes on.
type check struct {
	Text string
	Arg  string
	OK   bool
	Got  string // shown when it is not as it should be
}

// problem is why a step did not succeed: what the provider said, or Fault, which names a text of ours.
type problem struct {
	Code, Description, Ref string
	Command                string // which tells the operator more
	Fault                  string
}

func (s *step) check(text, arg string, ok bool, got string) bool {
	s.Checks = append(s.Checks, check{Text: text, Arg: arg, OK: ok, Got: got})
	return ok
}

// Failed reports whether the application must not go on after this step.
func (s step) Failed() bool {
	for _, c := range s.Checks {
		if !c.OK {
			return true
		}
	}
	return s.Problem != nil
}

// Milliseconds is how long the provider took, at least one tick of a hundredth; zero: nothing was sent.
func (s step) Milliseconds() string {
	if s.Took <= 0 {
		return ""
	}
	return fmt.Sprintf("%.1f", max(0.1, float64(s.Took.Microseconds())/1000))
}

// shorten takes the middle out of a credential: enough stays to tell two apart, too little to use one.
func shorten(secret string) string {
	if len(secret) < 32 {
		return "…"
	}
	return secret[:6] + "…" + secret[len(secret)-4:]
}

// answer is what the provider sent.
type answer struct {
	status int
	header http.Header
	object map[string]any
}

func (a answer) text(name string) string {
	s, _ := a.object[name].(string)
	return s
}

var errTooLarge = errors.New("the answer is too large")

// call sends one request, adds it and its answer to the step, and returns the answer. A step that cannot go on has a
// Problem afterwards.
func (a *application) call(ctx context.Context, s *step, method, target, authorization string, form url.Values) (answer, bool) {
	var body io.Reader
	sent := part{Title: "part.request", Line: method + " " + target}
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	req, err := http.NewRequestWithContext(ctx, method, target, body)
	if err != nil {
		s.Problem = &problem{Fault: "fault.unreachable", Description: err.Error()}
		return answer{}, false
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "latchkey-demo")
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		sent.Fields = append(sent.Fields, field{"Content-Type", "application/x-www-form-urlencoded", "header"})
	}
	if authorization != "" {
		req.Header.Set("Authorization", authorization)
		scheme, credential, _ := strings.Cut(authorization, " ")
		sent.Fields = append(sent.Fields, field{"Authorization", scheme + " " + shorten(credential), strings.ToLower(scheme)})
	}
	for _, name := range formOrder {
		if values := form[name]; len(values) > 0 {
			sent.Fields = append(sent.Fields, field{name, display(name, values[0]), "param"})
		}
	}
	s.Parts = append(s.Parts, sent)

	begun := time.Now()
	resp, text, err := fetch(a.client, req)
	s.Took += time.Since(begun)
	if err != nil {
		s.Problem = &problem{Fault: "fault.unreachable", Description: err.Error()}
		return answer{}, false
	}
	got := answer{status: resp.StatusCode, header: resp.Header}
	received := part{Title: "part.response", Line: "HTTP " + resp.Status}
	for _, name := range []string{"Content-Type", "Cache-Control", "WWW-Authenticate"} {
		if value := resp.Header.Get(name); value != "" {
			received.Fields = append(received.Fields, field{name, value, "header"})
		}
	}
	if len(text) > 0 {
		if got.object, err = decode(text); err != nil {
			s.Problem = &problem{Fault: "fault.not_json", Description: resp.Status}
		}
	}
	s.Parts = append(s.Parts, received)
	return got, s.Problem == nil
}

// formOrder is the order in which the page shows what is sent in a form.
var formOrder = []string{"grant_type", "code", "redirect_uri", "code_verifier", "refresh_token", "token", "token_type_hint"}

func fetch(client *http.Client, req *http.Request) (*http.Response, []byte, error) {
	resp, err := client.Do(req)
	if err != nil {
		return nil, nil, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err == nil && len(text) > maxAnswer {
		err = errTooLarge
	}
	return resp, text, err
}

// decode reads one JSON object and nothing after it. Numbers keep their digits.
func decode(text []byte) (map[string]any, error) {
	var object map[string]any
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&object); err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF || object == nil {
		return nil, errors.New("not one JSON object")
	}
	return object, nil
}

// refused notes what the provider answered when it was not 200, and reports whether it was not.
func (a *application) refused(s *step, got answer) bool {
	if got.status == http.StatusOK {
		return false
	}
	s.Problem = a.problem(got.text("error"), got.text("error_description"), got.text("error_ref"))
	if s.Problem.Code == "" {
		s.Problem.Fault = "fault.status"
	}
	return true
}

// problem is an error of the provider with the command that explains it to the operator. In a redirect no reference comes
// along, so the last refusals of the client have to do.
func (a *application) problem(code, description, ref string) *problem {
	command := "latchkey explain "
	if ref != "" && plain(ref) {
		command += ref
	} else {
		command += "--client " + string(a.ClientID)
	}
	if a.Database != "" {
		command += " --db " + quote(a.Database)
	}
	if a.MasterKey != "" {
		command += " --master-key " + quote(a.MasterKey)
	}
	return &problem{Code: code, Description: description, Ref: ref, Command: command}
}

// reference reads the error_ref that an error answer brings in its error_uri; empty: it has none.
func reference(errorURI string) string {
	u, err := url.Parse(errorURI)
	if err != nil {
		return ""
	}
	return u.Query().Get("ref")
}

// plain reports whether a shell reads the text as one word that means nothing else.
func plain(s string) bool {
	return s != "" && strings.Trim(strings.ToLower(s), "abcdefghijklmnopqrstuvwxyz0123456789_-./") == ""
}

// quote makes one word of a path for a shell.
func quote(s string) string {
	if plain(s) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// credentials name what is never shown whole.
var credentials = map[string]bool{"code": true, "access_token": true, "refresh_token": true, "id_token": true, "code_verifier": true,
	"token": true, "id_token_hint": true}

// display is the value of a parameter or member as the page may show it.
func display(name string, value any) string {
	switch v := value.(type) {
	case string:
		if credentials[name] {
			return shorten(v)
		}
		return v
	case json.Number:
		if n, err := v.Int64(); err == nil && dates[name] && n > 0 && n < 1<<40 {
			return v.String() + " = " + time.Unix(n, 0).UTC().Format("2006-01-02 15:04:05 UTC")
		}
		return v.String()
	}
	text, err := json.Marshal(value)
	if err != nil {
		return ""
	}
	return string(text)
}

// dates are the claims that count seconds since 1970 (RFC 7519 §2, NumericDate).
var dates = map[string]bool{"exp": true, "iat": true, "auth_time": true, "updated_at": true}

// members shows the members of an object: those of order first, the others after them by name.
func members(object map[string]any, why string, order ...string) []field {
	var fields []field
	seen := map[string]bool{}
	for _, name := range append(order, names(object)...) {
		if value, ok := object[name]; ok && !seen[name] {
			seen[name] = true
			fields = append(fields, field{name, display(name, value), why})
		}
	}
	return fields
}
