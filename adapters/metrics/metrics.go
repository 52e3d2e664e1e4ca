// Package metrics owns the figures of the running provider: it counts what others tell it, asks for the rest when somebody
// reads, and writes all of it in the Prometheus text format, version 0.0.4. It implements ports.Metrics.
//
// Who may read it, and on which listener, is left to others. Every label comes from a set that is fixed when the process
// starts: endpoints, classes of statuses, our own error codes. Paths, identifiers and addresses never become one.
//
//	metrics.go  Registry: what is counted
//	expose.go   what is written, in order
//	process.go  the process and the build
//	text.go     the format
package metrics

import (
	"sync/atomic"
	"time"

	"latchkey/domain/oauth"
	"latchkey/ports"
)

// Sources are asked for figures whenever somebody reads them.
type Sources struct {
	Now         ports.Clock
	Store       ports.Store // signing keys, and when backups were made
	Figures     func() ports.StoreFigures
	Hashing     func() ports.HashingFigures
	Connections func() int    // open now, on all listeners
	Floods      func() uint64 // connections closed for what they sent
	SQLite      string        // version
}

// Registry counts. Its methods may be called at once and allocate nothing.
type Registry struct {
	sources   Sources
	endpoints map[ports.Endpoint]*endpoint // fixed by New
	issued    map[ports.TokenType]*atomic.Uint64
}

var _ ports.Metrics = (*Registry)(nil)

// endpoint is what is counted of one endpoint.
type endpoint struct {
	classes [len(classes)]atomic.Uint64
	slower  [len(latencies) + 1]atomic.Uint64 // answers by the first bound that held them; the last is beyond every bound
	nanos   atomic.Uint64
	refused map[oauth.ErrorCode]*atomic.Uint64 // fixed by New
}

var (
	classes   = [...]string{"1xx", "2xx", "3xx", "4xx", "5xx"}
	latencies = [...]time.Duration{time.Millisecond, 2500 * time.Microsecond, 5 * time.Millisecond, 10 * time.Millisecond,
		25 * time.Millisecond, 50 * time.Millisecond, 100 * time.Millisecond, 250 * time.Millisecond, 500 * time.Millisecond,
		time.Second, 2500 * time.Millisecond, 10 * time.Second}
	tokenTypes = []ports.TokenType{ports.AccessToken, ports.IDToken, ports.RefreshToken}
)

// codes are the error codes that are counted by name.
var codes = []oauth.ErrorCode{oauth.InvalidRequest, oauth.InvalidClient, oauth.InvalidGrant, oauth.InvalidScope, oauth.UnauthorizedClient,
	oauth.UnsupportedGrantType, oauth.UnsupportedResponseType, oauth.AccessDenied, oauth.ServerError, oauth.TemporarilyUnavailable,
	oauth.InvalidToken, oauth.InsufficientScope, oauth.LoginRequired, oauth.ConsentRequired, oauth.InteractionRequired, oauth.AccountSelection,
	oauth.RequestNotSupported, oauth.RequestURINotSupported, oauth.RegistrationUnsupported, oauth.TooManyAttempts, oauth.Forbidden,
	"login_failed", "login_locked", "login_busy", other}

// other stands for every code that is not in the list.
const other oauth.ErrorCode = "other"

// New returns a registry in which nothing has happened yet.
func New(sources Sources) *Registry {
	r := &Registry{sources: sources, endpoints: map[ports.Endpoint]*endpoint{}, issued: map[ports.TokenType]*atomic.Uint64{}}
	for _, name := range ports.Endpoints {
		e := &endpoint{refused: map[oauth.ErrorCode]*atomic.Uint64{}}
		for _, code := range codes {
			e.refused[code] = new(atomic.Uint64)
		}
		r.endpoints[name] = e
	}
	for _, t := range tokenTypes {
		r.issued[t] = new(atomic.Uint64)
	}
	return r
}

// Answered counts an answer. An endpoint that nobody declared counts as none.
func (r *Registry) Answered(name ports.Endpoint, status int, took time.Duration) {
	e := r.endpoint(name)
	e.classes[min(max(status/100, 1), len(classes))-1].Add(1)
	took = max(took, 0)
	i := 0
	for i < len(latencies) && took > latencies[i] {
		i++
	}
	e.slower[i].Add(1)
	e.nanos.Add(uint64(took))
}

func (r *Registry) Refused(name ports.Endpoint, code oauth.ErrorCode) {
	counters := r.endpoint(name).refused
	c := counters[code]
	if c == nil {
		c = counters[other]
	}
	c.Add(1)
}

func (r *Registry) Issued(t ports.TokenType) { r.issued[t].Add(1) }

func (r *Registry) endpoint(name ports.Endpoint) *endpoint {
	if e := r.endpoints[name]; e != nil {
		return e
	}
	return r.endpoints[ports.EndpointNone]
}
