package web

import (
	"net/http"
	"time"

	"latchkey/adapters/web/page"
	"latchkey/adapters/web/read"
	"latchkey/domain/identity"
	"latchkey/domain/oauth"
	"latchkey/domain/oidc"
	"latchkey/ports"
)

// Names of the cookies. Under https they carry __Host-, so that no other host of the domain can plant one.
const (
	cookieSession = "latchkey-session"
	cookieBrowser = "latchkey-browser"
	cookieLocale  = "latchkey-locale"
	// cookieChallenge answers for a sign-in that waits for its second factor.
	cookieChallenge = "latchkey-challenge"
	cookieState     = "latchkey-state"
)

const browserCookieLife = 365 * 24 * time.Hour

func (s *server) cookieName(name string) string {
	if s.secure {
		return "__Host-" + name
	}
	return name
}

// setCookie stores a value in the browser; an empty one takes it out. Lax lets the cookie come along when an application
// sends its user here, and keeps it from requests that other sites make.
func (s *server) setCookie(w http.ResponseWriter, name, value string, life time.Duration) {
	c := http.Cookie{Name: s.cookieName(name), Value: value, Path: "/", Secure: s.secure, HttpOnly: true, SameSite: http.SameSiteLaxMode,
		MaxAge: int(life / time.Second)}
	if value == "" {
		c.MaxAge = -1
	}
	http.SetCookie(w, &c)
	if name == cookieSession {
		s.setState(w, oauth.Secret(value))
	}
}

// setState lets the script of the check_session_iframe see that the sign-in changed (OIDC Session Management 1.0 §3.2): in
// a frame below another site's page, which gets no Lax cookie. It opens nothing.
func (s *server) setState(w http.ResponseWriter, session oauth.Secret) {
	c := http.Cookie{Name: s.cookieName(cookieState), Value: oidc.BrowserState(session), Path: "/", Secure: s.secure, SameSite: http.SameSiteNoneMode,
		MaxAge: int(identity.SessionAbsolute / time.Second)}
	if session == "" {
		c.MaxAge = -1
	}
	if !s.secure { // browsers refuse None without Secure
		c.SameSite = http.SameSiteLaxMode
	}
	http.SetCookie(w, &c)
}

// cookie returns the value of a cookie. One that came twice with different values is ambiguous and counts as absent:
// somebody else may have set one of them.
func (s *server) cookie(r *http.Request, name string) string {
	value := ""
	for i, c := range r.CookiesNamed(s.cookieName(name)) {
		if i > 0 && c.Value != value || len(c.Value) > 128 {
			return ""
		}
		value = c.Value
	}
	return value
}

// browser reads the cookies of a browser.
func (s *server) browser(r *request) ports.Browser {
	return ports.Browser{Key: oauth.Secret(s.cookie(r.Request, cookieBrowser)), Session: oauth.Secret(s.cookie(r.Request, cookieSession)),
		Challenge: oauth.Secret(s.cookie(r.Request, cookieChallenge))}
}

// ensureKey makes the key that the forms and interactions of a browser belong to, for one that has none.
func (s *server) ensureKey(b *ports.Browser) (made bool) {
	if b.Key == "" {
		b.Key, made = s.Secrets.Secret(), true
	}
	return made
}

func (s *server) keepKey(w http.ResponseWriter, b ports.Browser) {
	s.setCookie(w, cookieBrowser, b.Key.Reveal(), browserCookieLife)
}

// giveKey gives a browser that has none its key: a form is about to be shown to it.
func (s *server) giveKey(w http.ResponseWriter, b *ports.Browser) {
	if s.ensureKey(b) {
		s.keepKey(w, *b)
	}
}

// signedIn gives the browser its session cookie, which ends with the session.
func (s *server) signedIn(w http.ResponseWriter, login ports.Login) {
	if login.Cookie != "" {
		s.setCookie(w, cookieSession, login.Cookie.Reveal(), identity.SessionAbsolute)
	}
}

// locale chooses the language of pages and remembers one that was asked for: the pages that follow an authorization
// request no longer carry its ui_locales.
func (s *server) locale(w http.ResponseWriter, r *http.Request) page.Locale {
	wanted := ""
	if f, refusal := read.Query(r.URL.RawQuery); refusal == nil {
		wanted = f.Get("ui_locales")
	}
	chosen := page.ChooseLocale(wanted, s.cookie(r, cookieLocale), r.Header.Get("Accept-Language"))
	if wanted != "" && string(chosen) != s.cookie(r, cookieLocale) {
		s.setCookie(w, cookieLocale, string(chosen), browserCookieLife)
	}
	return chosen
}
