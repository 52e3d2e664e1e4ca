package main

import (
	"bytes"
	"errors"
	"sync"
	"sync/atomic"
)

// worker is one closed loop: it has its own connection and cookie jar.
type worker struct {
	id   int
	h    *Client
	f    *Flow
	user User

	token string // introspection: the token; userinfo: the Authorization value
	rt    string // the current refresh token of its chain
	seen  []byte // the last document that passed its check
	pool  *tokenPool

	lat      Hist // of what ended inside the window
	requests uint64
	steps    steps
	pages    int
	errs     map[string]uint64 // by class
	first    map[string]string // class -> detail of its first error
}

// steps are the two halves of a code flow.
type steps struct{ authorize, token Hist }

func newWorker(f *Flow, id int, pool *tokenPool) *worker {
	return &worker{id: id, h: NewClient(), f: f, user: f.cfg.user(id), pool: pool, errs: map[string]uint64{}, first: map[string]string{}}
}

func (w *worker) fail(err error) {
	class, detail := "transport: "+err.Error(), ""
	var se *statusError
	if errors.As(err, &se) {
		class, detail = se.class, se.detail
	}
	if len(class) > 200 {
		class = class[:200]
	}
	w.errs[class]++
	if _, ok := w.first[class]; !ok {
		w.first[class] = detail
	}
}

// login gives the worker a session, consent and tokens.
func (w *worker) login(c *OAuthClient, refresh bool) (Tokens, error) {
	w.h.Jar = w.f.session(w.id)
	o := codeOpts{client: c, user: w.user, interactive: true, wantRefresh: refresh}
	if refresh {
		o.params = w.f.cfg.RefreshParams
	}
	t, err := w.f.Code(w.h, o)
	if err != nil {
		w.f.keepSession(w.id, nil)
		return t, err
	}
	w.f.keepSession(w.id, w.h.Jar)
	return t, nil
}

// accessToken obtains a token to introspect or revoke, and says whose it is.
func (w *worker) accessToken() (string, *OAuthClient, error) {
	if w.f.cc != nil {
		t, err := w.f.ClientCredentials(w.h)
		return t, w.f.cc, err
	}
	t, err := w.login(w.f.code, false)
	return t.Access, w.f.code, err
}

// document fetches a document that hardly ever changes. Only bytes not seen
// before are checked, so that scanning the same document again and again does
// not weigh on the comparison with a constant handler.
func (w *worker) document(what string, to target, check func([]byte) error) error {
	r, err := get(w.h, what, to, "")
	if err != nil || bytes.Equal(r.Body, w.seen) {
		return err
	}
	if err := check(r.Body); err != nil {
		return err
	}
	w.seen = bytes.Clone(r.Body)
	return nil
}

// tokenPool hands out tokens minted beforehand, each once.
type tokenPool struct {
	mu     sync.Mutex
	tokens []string
	next   atomic.Int64
}

func (p *tokenPool) add(t string) { p.mu.Lock(); p.tokens = append(p.tokens, t); p.mu.Unlock() }

// take must not run beside add.
func (p *tokenPool) take() (string, bool) {
	i := p.next.Add(1) - 1
	if i >= int64(len(p.tokens)) {
		return "", false
	}
	return p.tokens[i], true
}

// errDrained ends a worker without an error.
var errDrained = errors.New("token pool drained")
