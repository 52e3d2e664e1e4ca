package web

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"latchkey/adapters/web/page"
	"latchkey/adapters/web/read"
	"latchkey/domain/oauth"
	"latchkey/ports"
)

// httpError is a refusal that has a status and a text of its own.
type httpError struct {
	status  int
	message page.Message
	refusal *oauth.Error
}

func (e *httpError) Error() string { return e.refusal.Error() }

// status chooses the HTTP status of every error answer of this server.
func status(r *request, err error, e *oauth.Error) int {
	var own *httpError
	if errors.As(err, &own) {
		return own.status
	}
	switch e.Code {
	case oauth.InvalidToken: // RFC 6750 §3.1
		return http.StatusUnauthorized
	case oauth.InvalidClient: // RFC 6749 §5.2
		if !r.route.machine || r.route.endpoint == ports.EndpointRegisterSession {
			return http.StatusBadRequest // no client authenticates there
		}
		return http.StatusUnauthorized
	case oauth.InsufficientScope, oauth.Forbidden:
		return http.StatusForbidden
	case oauth.TooManyAttempts:
		return http.StatusTooManyRequests
	case oauth.TemporarilyUnavailable:
		return http.StatusServiceUnavailable
	case oauth.ServerError:
		return http.StatusInternalServerError
	}
	if e == read.ErrTooLarge {
		return http.StatusRequestEntityTooLarge
	}
	return http.StatusBadRequest
}

// fail answers with an error. A refusal is shown; a fault is logged once and shown without its text.
func (s *server) fail(w http.ResponseWriter, r *request, err error) {
	refusal, message := s.classify(r, err)
	code := status(r, err, refusal)
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	wait := refusal.RetryAfter
	if wait == 0 && (code == http.StatusServiceUnavailable || code == http.StatusTooManyRequests) {
		wait = 5 * time.Second
	}
	if wait > 0 {
		h.Set("Retry-After", seconds(wait))
	}
	s.Metrics.Refused(r.route.endpoint, refusal.Code)
	r.hushed = refusal.Code == oauth.TooManyAttempts && len(refusal.Facts) == 0
	if r.Method == http.MethodHead {
		w.WriteHeader(code)
		return
	}
	if !r.route.machine && wantsPage(r.Request) {
		s.showError(w, r, code, message, refusal)
		return
	}
	if code == http.StatusUnauthorized && refusal.Code == oauth.InvalidClient && r.route.machine {
		h.Set("WWW-Authenticate", `Basic realm="latchkey", charset="UTF-8"`)
	}
	writeJSON(w, code, errorBody{
		Error:       string(refusal.Code),
		Description: refusal.Description,
		URI:         s.errorURI(r, refusal.Code),
		Ref:         errorRef(r.caller.RequestID),
		RequestID:   r.caller.RequestID,
	})
}

// errorBody is the JSON of every error (RFC 6749 §5.2) with what leads an operator to the cause.
type errorBody struct {
	Error       string `json:"error"`
	Description string `json:"error_description"`
	URI         string `json:"error_uri"`
	Ref         string `json:"error_ref"`
	RequestID   string `json:"request_id"`
}

// errorURI leads an application's developer to what the code means, with the reference of this very error: an error that
// travels back by redirect may say no more than RFC 6749 §4.1.2.1 names, and has no other place for it.
func (s *server) errorURI(r *request, code oauth.ErrorCode) string {
	return s.Issuer + "/errors?ref=" + errorRef(r.caller.RequestID) + "#" + string(code)
}

// faultText is all that is said of a fault.
const faultText = "the server could not answer: the operator finds the cause under error_ref"

// classify tells refusals from faults and finds the words for a page.
func (s *server) classify(r *request, err error) (*oauth.Error, page.Message) {
	var own *httpError
	var refusal *oauth.Error
	switch {
	case errors.As(err, &own):
		return own.refusal, own.message
	case errors.Is(err, ports.ErrInteractionOver):
		return oauth.Refuse(oauth.InvalidRequest, "this sign-in is over: start again from the application"), page.MsgExpired
	case errors.As(err, &refusal):
		return refusal, pageMessage(refusal)
	case errors.Is(err, context.Canceled) && r.Context().Err() != nil:
		// The caller has left. That is no fault of ours, and nobody reads the answer.
		return oauth.Refuse(oauth.TemporarilyUnavailable, "the request was given up"), page.MsgUnavailable
	case errors.Is(err, ports.ErrUnavailable), errors.Is(err, ports.ErrKeysNotReady):
		s.Log.Error("unavailable", "request_id", r.caller.RequestID, "error", err)
		return oauth.Refuse(oauth.TemporarilyUnavailable, "the server cannot do this now: try again shortly"), page.MsgUnavailable
	case errors.Is(err, ports.ErrBusy):
		return oauth.Refuse(oauth.TemporarilyUnavailable, "too many sign-ins at once: try again shortly"), page.MsgServerBusy
	}
	s.Log.Error("fault", "request_id", r.caller.RequestID, "error", err)
	return oauth.Refuse(oauth.ServerError, faultText), page.MsgServerFault
}

func pageMessage(e *oauth.Error) page.Message {
	switch {
	case e.Code == oauth.InvalidClient:
		return page.MsgUnknownClient
	case e.Code == oauth.TooManyAttempts:
		return page.MsgTooManyRequests
	case e.Code == oauth.Forbidden:
		return page.MsgForged
	case strings.HasPrefix(e.Description, "post_logout_redirect_uri"):
		return page.MsgLogoutReturn
	case strings.HasPrefix(e.Description, "redirect_uri is missing"):
		return page.MsgRedirectMissing
	case strings.HasPrefix(e.Description, "redirect_uri is not registered"):
		return page.MsgRedirectUnregistered
	}
	return page.MsgInvalidRequest
}

// show answers with a page of ours.
func (s *server) show(w http.ResponseWriter, r *request, code int, body page.Body) error {
	s.pages.Render(w, code, s.frame(r), body)
	return nil
}

// frame is what the pages of this request have in common. Settings that cannot be read are left out: the page may be the
// one that says so.
func (s *server) frame(r *request) page.Frame {
	f := page.Frame{Locale: r.locale, RequestID: r.caller.RequestID, Base: s.base}
	if settings, err := s.Publications.Settings(r.Context()); err == nil {
		f.Site, f.Support = settings.OrganisationName, settings.Support
	}
	if r.Method == http.MethodGet {
		f.Path = r.URL.RequestURI()
	}
	return f
}

// writePrivate answers a program with JSON that is for it alone.
func writePrivate(w http.ResponseWriter, body any) error {
	w.Header()["Cache-Control"] = noStore
	writeJSON(w, http.StatusOK, body)
	return nil
}

// buffers hold JSON while it is written: a token response is large, and every token request makes one.
var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

func writeJSON(w http.ResponseWriter, code int, body any) {
	b := buffers.Get().(*bytes.Buffer)
	defer buffers.Put(b)
	b.Reset()
	if err := json.NewEncoder(b).Encode(body); err != nil {
		panic(err)
	}
	text := b.Bytes()[:b.Len()-1] // without the line feed
	h := w.Header()
	h["Content-Type"] = applicationJSON
	h["Content-Length"] = []string{strconv.Itoa(len(text))}
	w.WriteHeader(code)
	w.Write(text)
}

// writeDocument answers with a text; to HEAD without it.
func writeDocument(w http.ResponseWriter, r *http.Request, contentType []string, text []byte) {
	h := w.Header()
	h["Content-Type"] = contentType
	h["Content-Length"] = []string{strconv.Itoa(len(text))}
	w.WriteHeader(http.StatusOK)
	if r.Method != http.MethodHead {
		w.Write(text)
	}
}

// seconds writes a Retry-After value.
func seconds(d time.Duration) string {
	return strconv.Itoa(int((d + time.Second - 1) / time.Second))
}

// redirect sends a browser on with 303, which never repeats a POST.
func redirect(w http.ResponseWriter, location string) {
	h := w.Header()
	h["Cache-Control"] = noStore
	h["Location"] = []string{location}
	w.WriteHeader(http.StatusSeeOther)
}

// respond sends an authorization response the way it was asked for.
func (s *server) respond(w http.ResponseWriter, r *request, a oauth.AuthorizationResponse) {
	if i := slices.IndexFunc(a.Parameters, func(p oauth.Parameter) bool { return p.Name == "error" }); i >= 0 {
		code := oauth.ErrorCode(a.Parameters[i].Value)
		s.Metrics.Refused(r.route.endpoint, code)
		a.Parameters = append(slices.Clip(a.Parameters), oauth.Parameter{Name: "error_uri", Value: s.errorURI(r, code)})
	}
	if a.Mode == oauth.ModeFormPost {
		page.FormPost(w, r.locale, a)
		return
	}
	var b strings.Builder
	b.WriteString(a.URI)
	separator := byte('?')
	switch {
	case a.Mode == oauth.ModeFragment:
		separator = '#'
	case strings.Contains(a.URI, "?"):
		separator = '&'
	}
	for _, p := range a.Parameters {
		b.WriteByte(separator)
		b.WriteString(p.Name + "=" + url.QueryEscape(p.Value))
		separator = '&'
	}
	redirect(w, b.String())
}
