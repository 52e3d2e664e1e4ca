// Package demo owns the demonstration application of latchkey quickstart: an honest relying party that lives in the same
// process and knows the provider only as any application does, by its URL, a client_id and a client secret. It runs the
// authorization code flow with PKCE over HTTP, verifies what it receives with code of its own, and shows every step. What
// registers its client and decides that it is there at all is left to app.
package demo

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"time"

	"latchkey/domain/oauth"
	"latchkey/ports"
)

// Config is all that the application knows. Every field is required except Database and MasterKey.
type Config struct {
	// What any relying party is configured with.
	Issuer                string
	ClientID              oauth.ClientID
	ClientSecret          oauth.Secret
	RedirectURI           string // below Path, as the next one
	PostLogoutRedirectURI string
	Scope                 string

	Path       string // of its pages, with that of the issuer
	StyleSheet string // path of the provider's style sheet, which makes the pages look like a family
	Language   func(http.ResponseWriter, *http.Request) string
	Database   string // path that latchkey explain has to be told; empty: it finds the file by itself
	MasterKey  string // likewise
	Now        ports.Clock
	Log        *slog.Logger
}

// application answers at Path and below it, and leaves the rest to the provider.
type application struct {
	Config
	provider http.Handler
	origin   string // of the issuer: where our own forms come from
	secure   bool
	formKey  [32]byte
	pages    *pages
	visits   *visits
	client   *http.Client
	routes   map[string]route
}

type handler func(http.ResponseWriter, *request)

// route is one path, which answers one method.
type route struct {
	method string
	handle handler
}

// request is a request with what every page needs of it. visit is locked, and nil until the browser began a sign-in.
type request struct {
	*http.Request
	cookie string
	locale string
	visit  *visit
}

// New puts the application in front of the provider.
func New(cfg Config, provider http.Handler) (http.Handler, error) {
	issuer, err := url.Parse(cfg.Issuer)
	if err != nil {
		return nil, err
	}
	a := &application{Config: cfg, provider: provider, origin: issuer.Scheme + "://" + issuer.Host,
		secure: issuer.Scheme == "https", visits: newVisits(cfg.Now), client: newClient()}
	rand.Read(a.formKey[:])
	if a.pages, err = newPages(); err != nil {
		return nil, err
	}
	a.routes = map[string]route{
		a.Path:                              {"GET", a.showStart},
		a.Path + "/start":                   {"POST", a.start},
		a.pathOf(cfg.RedirectURI):           {"GET", a.callback},
		a.Path + "/flow":                    {"GET", a.showFlow},
		a.Path + "/refresh":                 {"POST", a.refresh},
		a.Path + "/replay":                  {"POST", a.replay},
		a.Path + "/sign-out":                {"POST", a.signOut},
		a.pathOf(cfg.PostLogoutRedirectURI): {"GET", a.showSignedOut},
		a.Path + a.pages.name:               {"GET", a.styleSheet},
	}
	return a, nil
}

// pathOf is the path of a URL of ours.
func (a *application) pathOf(address string) string { return strings.TrimPrefix(address, a.origin) }

func (a *application) ServeHTTP(w http.ResponseWriter, hr *http.Request) {
	found, ok := a.routes[hr.URL.Path]
	if !ok || hr.URL.RawPath != "" {
		a.provider.ServeHTTP(w, hr)
		return
	}
	a.protect(w)
	if a.leadHome(w, hr) {
		return
	}
	r := &request{Request: hr, cookie: a.cookie(hr), locale: a.Language(w, hr)}
	switch {
	case hr.Method != found.method:
		w.Header().Set("Allow", found.method)
		a.notice(w, r, http.StatusMethodNotAllowed, "notice.method")
		return
	case found.method == http.MethodPost && !a.ownForm(w, r):
		return
	}
	// One request of a browser at a time: two answers to one sign-in must not both use its code.
	if r.visit = a.visits.get(r.cookie); r.visit != nil {
		r.visit.mu.Lock()
		defer r.visit.mu.Unlock()
	}
	found.handle(w, r)
}

// protect sets the headers that the provider's pages have.
func (a *application) protect(w http.ResponseWriter) {
	h := w.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none'; frame-ancestors 'none'; form-action 'self'")
	if a.secure {
		h.Set("Strict-Transport-Security", "max-age=63072000")
	}
}

// leadHome sends a browser that opened another loopback name to the one in the issuer, where its cookies are and where the
// redirect URI is registered.
func (a *application) leadHome(w http.ResponseWriter, r *http.Request) bool {
	_, own, _ := strings.Cut(a.origin, "://")
	if r.Host == own || r.Method != http.MethodGet || !loopback(own) || !loopback(r.Host) {
		return false
	}
	redirect(w, a.origin+r.URL.RequestURI())
	return true
}

func loopback(host string) bool {
	name := (&url.URL{Host: host}).Hostname()
	address, err := netip.ParseAddr(name)
	return name == "localhost" || err == nil && address.IsLoopback()
}

// The cookie names the browser's visit. It is no sign-in at the provider: that is another cookie, out of our reach.
const (
	cookieName  = "latchkey-demo"
	cookieLife  = time.Hour
	cookieChars = 52
)

// mint makes a value that nobody can guess: 260 random bits of unreserved characters.
func mint() string { return rand.Text() + rand.Text() }

// cookie returns the browser's cookie. One that is not of our making, or ambiguous, counts as absent.
func (a *application) cookie(r *http.Request) string {
	all := r.CookiesNamed(cookieName)
	if len(all) != 1 || len(all[0].Value) != cookieChars {
		return ""
	}
	return all[0].Value
}

func (a *application) setCookie(w http.ResponseWriter, value string) {
	http.SetCookie(w, &http.Cookie{Name: cookieName, Value: value, Path: a.Path, MaxAge: int(cookieLife / time.Second), Secure: a.secure,
		HttpOnly: true, SameSite: http.SameSiteLaxMode})
}

// formToken binds our forms to the cookie of the browser they are shown in.
func (a *application) formToken(cookie string) string {
	mac := hmac.New(sha256.New, a.formKey[:])
	mac.Write([]byte(cookie))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil)[:24])
}

const maxForm = 4 << 10

// ownForm reports whether a form came from one of our pages in this browser, and answers when it did not.
func (a *application) ownForm(w http.ResponseWriter, r *request) bool {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	site, origin := r.Header.Get("Sec-Fetch-Site"), r.Header.Get("Origin")
	switch {
	case r.cookie == "":
		a.notice(w, r, http.StatusForbidden, "notice.cookies")
	case r.ParseForm() != nil,
		!hmac.Equal([]byte(r.PostForm.Get("csrf")), []byte(a.formToken(r.cookie))),
		origin != "" && origin != a.origin,
		site != "" && site != "same-origin" && site != "none":
		a.notice(w, r, http.StatusForbidden, "notice.forged")
	default:
		return true
	}
	return false
}

// redirect sends the browser on with 303, which never repeats a POST.
func redirect(w http.ResponseWriter, location string) {
	w.Header().Set("Location", location)
	w.WriteHeader(http.StatusSeeOther)
}

// visits are the browsers that use the application: a bounded number, each for an hour.
type visits struct {
	mu    sync.Mutex
	now   ports.Clock
	byKey map[oauth.Digest]*visit
}

// mostVisits bounds the memory: whoever comes when the table is full takes the place of the oldest.
const mostVisits = 256

// visit is what the application knows about one browser.
type visit struct {
	mu      sync.Mutex
	since   time.Time
	pending *pending // the authorization request that waits for its answer
	flow    *flow    // the last sign-in
	goodbye *goodbye // the last sign-out
}

func newVisits(now ports.Clock) *visits {
	return &visits{now: now, byKey: map[oauth.Digest]*visit{}}
}

func visitKey(cookie string) oauth.Digest { return oauth.Secret(cookie).Digest() }

// get returns the visit of the cookie; nil when there is none, or none any more.
func (t *visits) get(cookie string) *visit {
	t.mu.Lock()
	defer t.mu.Unlock()
	v := t.byKey[visitKey(cookie)]
	if v == nil || cookie == "" || t.now().Sub(v.since) >= cookieLife {
		return nil
	}
	return v
}

// open begins a visit.
func (t *visits) open(cookie string) *visit {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.byKey) >= mostVisits {
		var oldest oauth.Digest
		for key, v := range t.byKey {
			if held := t.byKey[oldest]; held == nil || v.since.Before(held.since) {
				oldest = key
			}
		}
		delete(t.byKey, oldest)
	}
	v := &visit{since: t.now()}
	t.byKey[visitKey(cookie)] = v
	return v
}

// move gives a visit another cookie.
func (t *visits) move(v *visit, from, to string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.byKey, visitKey(from))
	t.byKey[visitKey(to)] = v
}
