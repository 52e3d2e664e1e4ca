package web

import (
	"bytes"
	"log/slog"
	"net/http"
	"strconv"

	"latchkey/domain/oauth"
	"latchkey/ports"
)

// healthz says that the process answers. A supervisor that gets no answer starts it again; whatever is wrong outside the
// process does not show here, because a restart mends none of it.
func (s *server) healthz(w http.ResponseWriter, r *request) error {
	alive(w, r.Request)
	return nil
}

// readyz says whether requests can be answered as they should be. Whoever spreads requests over servers sends them elsewhere
// meanwhile.
func (s *server) readyz(w http.ResponseWriter, r *request) error {
	ready(w, r.Request, s.Health)
	return nil
}

func alive(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	writeDocument(w, r, []string{"text/plain; charset=utf-8"}, []byte("ok"))
}

// readiness is the JSON of /readyz. Anybody may read it, so a reason is one word.
type readiness struct {
	Status  string          `json:"status"`
	Reasons []ports.Ailment `json:"reasons,omitempty"`
}

func ready(w http.ResponseWriter, r *http.Request, health ports.Health) {
	w.Header().Set("Cache-Control", "no-store")
	code, body := http.StatusOK, readiness{Status: "ok"}
	if reasons := health.Unready(r.Context()); len(reasons) > 0 {
		code, body = http.StatusServiceUnavailable, readiness{"unavailable", reasons}
	}
	if r.Method == http.MethodHead {
		w.WriteHeader(code)
		return
	}
	writeJSON(w, code, body)
}

// NewOperations returns the handler of the listener for operators: metrics and health, and nothing else.
func NewOperations(health ports.Health, metrics ports.Metrics, log *slog.Logger) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", alive)
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) { ready(w, r, health) })
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, r *http.Request) {
		var figures bytes.Buffer
		if err := metrics.Expose(r.Context(), &figures); err != nil {
			log.Error("metrics", "error", err)
			http.Error(w, "the figures cannot be read: the log says why", http.StatusInternalServerError)
			return
		}
		h := w.Header()
		h.Set("Cache-Control", "no-store")
		h.Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		h.Set("Content-Length", strconv.Itoa(figures.Len()))
		w.Write(figures.Bytes())
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header()["X-Content-Type-Options"] = nosniff
		w.Header()["Content-Security-Policy"] = nothingLoads
		// A page in a browser of this machine may call itself by a name that leads here, and read what it likes from it.
		if !oauth.IsLoopbackHost(hostname(r.Host)) {
			http.Error(w, "ask for this by a loopback address", http.StatusMisdirectedRequest)
			return
		}
		mux.ServeHTTP(w, r)
	})
}
