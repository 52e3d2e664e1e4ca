package web

import (
	"context"
	"io"
	"net/http"
	"testing"
	"time"

	"latchkey/domain/oauth"
	"latchkey/ports"
)

// What a handler gets when a test is about something else.
type (
	noLimits  struct{}
	noMetrics struct{}
	healthy   []ports.Ailment
)

func (noLimits) Address(ports.Endpoint, string, time.Time) (a ports.Admission)        { return a }
func (noLimits) Client(ports.Endpoint, oauth.ClientID, time.Time) (a ports.Admission) { return a }

func (noMetrics) Answered(ports.Endpoint, int, time.Duration)      {}
func (noMetrics) Refused(ports.Endpoint, oauth.ErrorCode)          {}
func (noMetrics) Issued(ports.TokenType)                           {}
func (noMetrics) Expose(context.Context, io.Writer) (err error)    { return err }
func (h healthy) Unready(context.Context) (ailing []ports.Ailment) { return h }

// Whoever asks from outside learns a word, and nothing of it is kept or logged.
func TestHealth(t *testing.T) {
	b := newBench(t)
	w := b.get("/healthz")
	wantStatus(t, w, http.StatusOK)
	wantHeader(t, w, "Cache-Control", "no-store")
	wantHeader(t, w, "Content-Type", "text/plain; charset=utf-8")
	if w.Body.String() != "ok" {
		t.Errorf("body %q", w.Body)
	}
	for _, c := range []struct {
		ailing healthy
		status int
		body   string
	}{
		{nil, http.StatusOK, `{"status":"ok"}`},
		{healthy{ports.AilingKeys, ports.AilingStorage}, http.StatusServiceUnavailable, `{"status":"unavailable","reasons":["signing_keys","storage"]}`},
	} {
		b.server.Health = c.ailing
		w := b.get("/readyz")
		wantStatus(t, w, c.status)
		wantHeader(t, w, "Cache-Control", "no-store")
		if w.Body.String() != c.body {
			t.Errorf("body %q, want %q", w.Body, c.body)
		}
		wantStatus(t, b.send("HEAD", "/readyz", nil), c.status)
		wantStatus(t, b.get("/healthz"), http.StatusOK)
	}
	if b.log.String() != "" || len(b.calls) > 0 {
		t.Errorf("logged %q, called %q", b.log, b.calls)
	}
}
