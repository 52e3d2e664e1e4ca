package web

import (
	"crypto/rand"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"log/slog"
	mathrand "math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"latchkey/adapters/web/page"
	"latchkey/adapters/web/read"
	"latchkey/domain/audit"
	"latchkey/domain/oauth"
	"latchkey/ports"
)

// ServeHTTP is what every request passes through: a request id, headers that every answer has, one exact look-up of the
// path, one log line, and the place where an error becomes an answer.
func (s *server) ServeHTTP(w http.ResponseWriter, hr *http.Request) {
	start := time.Now()
	r := &request{Request: hr, caller: audit.Caller{RequestID: s.request.next(), IP: s.clientIP(hr), UserAgent: userAgent(hr)}}
	out := &answer{ResponseWriter: w}
	defer s.finish(out, r, start)

	h := w.Header()
	h["X-Request-Id"] = []string{r.caller.RequestID}
	h["X-Content-Type-Options"] = nosniff
	h["Referrer-Policy"] = noReferrer
	h["Content-Security-Policy"] = nothingLoads
	if s.secure {
		h["Strict-Transport-Security"] = httpsOnly
	}

	// Only exact paths are answered: a redirect to a cleaned path would carry a form body with its credentials along.
	found, ok := s.routes[hr.URL.Path]
	if ok = ok && hr.URL.RawPath == ""; ok {
		r.route = found
	}
	if !r.route.machine {
		h["Cross-Origin-Opener-Policy"] = sameOrigin
		r.locale = s.locale(out, hr)
	}
	if !ok {
		s.fail(out, r, errNotFound)
		return
	}
	if (found.machine || found.shared) && s.cors(out, r) || !found.machine && s.leadHome(out, hr) {
		return
	}
	handle, ok := found.methods[hr.Method]
	if !ok || !found.clients { // a method that nobody answers is a refusal on record, and is charged like any
		if err := s.admit(r, found.charged(hr.Method)); err != nil {
			s.fail(out, r, err)
			return
		}
	}
	if !ok {
		h.Set("Allow", found.allowed())
		if err := s.denyMethod(r); err != nil {
			s.fail(out, r, err)
			return
		}
		s.fail(out, r, errMethod)
		return
	}
	if hr.Body != nil && hr.Body != http.NoBody {
		hr.Body = http.MaxBytesReader(w, hr.Body, read.MaxBody)
	}
	if err := handle(out, r); err != nil {
		s.fail(out, r, err)
	}
}

// Headers that every or nearly every answer has, as values that all answers share: setting them costs nothing. Whoever
// wants another value sets one, and adds none to these.
var (
	nosniff      = []string{"nosniff"}
	noReferrer   = []string{"no-referrer"}
	nothingLoads = []string{"default-src 'none'; frame-ancestors 'none'"}
	httpsOnly    = []string{"max-age=63072000"}
	sameOrigin   = []string{"same-origin"}
	noStore      = []string{"no-store"}
	noCache      = []string{"no-cache"}
	exposed      = []string{"WWW-Authenticate, Retry-After, X-Request-Id"}
)

// leadHome sends a browser that opened one name of this machine to the one in the issuer, because cookies and forms belong
// to a host. Only loopback names are treated so: behind a proxy that rewrites Host, a redirect would never end.
func (s *server) leadHome(w http.ResponseWriter, r *http.Request) bool {
	own := strings.TrimPrefix(strings.TrimPrefix(s.origin, "https://"), "http://")
	if r.Host == own || r.Method != http.MethodGet || !oauth.IsLoopbackHost(hostname(own)) || !oauth.IsLoopbackHost(hostname(r.Host)) {
		return false
	}
	redirect(w, s.origin+r.URL.RequestURI())
	return true
}

func hostname(host string) string {
	return (&url.URL{Host: host}).Hostname()
}

// finish turns a panic into an answer and writes the log line. Paths are logged without their query, which may carry
// credentials that a client misplaced.
func (s *server) finish(out *answer, r *request, start time.Time) {
	if p := recover(); p != nil {
		if p == http.ErrAbortHandler {
			panic(p)
		}
		s.Log.Error("panic", "request_id", r.caller.RequestID, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
		if out.status == 0 {
			s.fail(out, r, errPanic)
		}
	}
	took := time.Since(start)
	s.Metrics.Answered(r.route.endpoint, out.status, took)
	if r.route.quiet && out.status < 400 || r.route.endpoint == ports.EndpointHealth || r.hushed {
		return
	}
	s.Log.LogAttrs(r.Context(), slog.LevelInfo, "request", slog.String("request_id", r.caller.RequestID), slog.String("method", brief(r.Method)),
		slog.String("path", brief(r.URL.Path)), slog.Int("status", out.status), slog.Int64("us", took.Microseconds()), slog.String("ip", r.caller.IP))
}

// brief bounds what a stranger can make us log: a request that costs nothing must not be worth 32 KiB of disk. No path of
// ours is longer.
func brief(s string) string {
	const most = 256
	if len(s) > most {
		return strings.ToValidUTF8(s[:most], "") + "…"
	}
	return s
}

// answer remembers the status for the log.
type answer struct {
	http.ResponseWriter
	status int
}

func (a *answer) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
	}
	a.ResponseWriter.WriteHeader(status)
}

func (a *answer) Write(b []byte) (int, error) {
	if a.status == 0 {
		a.status = http.StatusOK
	}
	return a.ResponseWriter.Write(b)
}

func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// requestIDs makes names for requests: unique, not secret, and cheap.
type requestIDs struct {
	mu  sync.Mutex
	rng *mathrand.ChaCha8
}

func (q *requestIDs) seed() {
	var seed [32]byte
	rand.Read(seed[:])
	q.rng = mathrand.NewChaCha8(seed)
}

var lowerBase32 = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

func (q *requestIDs) next() string {
	var raw [10]byte
	q.mu.Lock()
	binary.LittleEndian.PutUint64(raw[:8], q.rng.Uint64())
	binary.LittleEndian.PutUint16(raw[8:], uint16(q.rng.Uint64()))
	q.mu.Unlock()
	id := append(make([]byte, 0, 20), "req_"...)
	return string(lowerBase32.AppendEncode(id, raw[:]))
}

// userAgent returns what the browser calls itself, as much of it as is worth keeping: every refusal is recorded with it.
func userAgent(r *http.Request) string {
	const most = 256
	name := r.UserAgent()
	return strings.ToValidUTF8(name[:min(len(name), most)], "")
}

// clientIP returns the address of the caller. Forwarded addresses count only when the peer is a configured proxy, and
// then the right-most one that is not: everything left of it is whatever the caller wrote.
func (s *server) clientIP(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	if len(s.TrustedProxies) == 0 {
		return host
	}
	addr, err := netip.ParseAddr(host)
	if err != nil || !s.trusted(addr) {
		return host
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0; i-- {
		hop, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			break
		}
		addr = hop.Unmap()
		if !s.trusted(addr) {
			break
		}
	}
	return addr.String()
}

func (s *server) trusted(addr netip.Addr) bool {
	for _, p := range s.TrustedProxies {
		if p.Contains(addr.Unmap()) {
			return true
		}
	}
	return false
}

// cors lets the registered origins of browser applications call the machine endpoints, and any origin read the public
// documents. It reports whether the request was a preflight and is answered. Credentials are never allowed: these
// endpoints read no cookies.
func (s *server) cors(w http.ResponseWriter, r *request) bool {
	origin := r.Header.Get("Origin")
	h := w.Header()
	allowed := ""
	switch {
	case r.route.public:
		allowed = "*"
	case origin != "":
		h.Add("Vary", "Origin")
		if ok, err := s.Publications.BrowserOrigin(r.Context(), origin); err == nil && ok {
			allowed = origin
		}
	}
	if allowed != "" {
		h["Access-Control-Allow-Origin"] = []string{allowed}
	}
	if allowed != "" && origin != "" {
		h["Access-Control-Expose-Headers"] = exposed
	}
	if r.Method != http.MethodOptions {
		return false
	}
	h.Set("Allow", r.route.allowed())
	if allowed != "" && r.Header.Get("Access-Control-Request-Method") != "" {
		h.Set("Access-Control-Allow-Methods", r.route.allowed())
		h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type")
		h.Set("Access-Control-Max-Age", "600")
	}
	w.WriteHeader(http.StatusNoContent)
	return true
}

// Refusals that belong to HTTP itself.
var (
	errNotFound = &httpError{http.StatusNotFound, page.MsgNotFound, oauth.Refuse(oauth.InvalidRequest, "there is nothing at this path")}
	errMethod   = &httpError{http.StatusMethodNotAllowed, page.MsgMethodNotAllowed, oauth.Refuse(oauth.InvalidRequest, "this path does not answer the method")}
	errPanic    = &httpError{http.StatusInternalServerError, page.MsgServerFault, oauth.Refuse(oauth.ServerError, faultText)}
)
