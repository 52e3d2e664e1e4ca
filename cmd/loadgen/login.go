package main

import (
	"errors"
	"fmt"
	"net/url"
)

// hop is what to request next on the way from the authorization request to the
// redirect URI.
type hop struct {
	method, url string
	form        []byte
	password    bool // a password was sent
}

var errNoForm = errors.New("page without a form to say yes to")

// answerPage fills the page found at the URL at as the user and presses the
// accepting button.
func (c *Config) answerPage(at string, page []byte, u User) (hop, error) {
	base, err := url.Parse(at)
	if err != nil {
		return hop{}, err
	}
	f := pickForm(parseForms(string(page)), c.accept)
	if f == nil {
		return hop{}, errNoForm
	}
	to, err := base.Parse(f.Action)
	if err != nil {
		return hop{}, err
	}
	v := f.values(u, c.accept).Encode()
	if f.Method == "GET" {
		to.RawQuery = v
		return hop{method: "GET", url: to.String(), password: f.hasPassword()}, nil
	}
	return hop{method: "POST", url: to.String(), form: []byte(v), password: f.hasPassword()}, nil
}

// maxHops bounds the redirects and pages of one flow.
const maxHops = 20

// authorize walks from the authorization request over redirects and pages to
// the redirect URI and returns the code. Every answer that is not on this way
// is an error.
func (f *Flow) authorize(h *Client, start string, o codeOpts, state string) (string, error) {
	next := hop{method: "GET", url: start}
	pages, passwords := 0, 0
	for range maxHops {
		if reached(next.url, o.client.RedirectURI) {
			if o.pages != nil {
				*o.pages = max(*o.pages, pages)
			}
			return codeOf(next.url, state)
		}
		t, err := parseTarget(next.url)
		if err != nil {
			return "", err
		}
		r, err := h.Do(Request{Method: next.method, To: t, Form: next.form, Page: true})
		if err != nil {
			return "", err
		}
		switch {
		case (r.Status == 302 || r.Status == 303) && r.Location != "":
			loc, err := resolveRef(next.url, r.Location)
			if err != nil {
				return "", err
			}
			next = hop{method: "GET", url: loc}
		case r.Status == 200:
			if !o.interactive {
				return "", &statusError{"page where none was expected", next.url}
			}
			pages++
			n, err := f.cfg.answerPage(next.url, r.Body, o.user)
			if errors.Is(err, errNoForm) {
				return "", &statusError{errNoForm.Error(), fmt.Sprintf("%s: %.300s", next.url, r.Body)}
			}
			if err != nil {
				return "", err
			}
			// A second password page means that the first password was refused.
			// Sending it again would only measure the throttle.
			if n.password {
				if passwords++; passwords > 1 {
					return "", &statusError{"login refused", fmt.Sprintf("%s: %.300s", next.url, r.Body)}
				}
			}
			next = n
		default:
			return "", unexpected("authorize", r)
		}
	}
	return "", &statusError{"too many redirects and pages", next.url}
}

// reached says whether at is the redirect URI with response parameters.
func reached(at, redirectURI string) bool {
	return len(at) > len(redirectURI) && at[:len(redirectURI)] == redirectURI &&
		(at[len(redirectURI)] == '?' || at[len(redirectURI)] == '&' || at[len(redirectURI)] == '#')
}

// codeOf checks the authorization response (RFC 6749, sections 4.1.2 and
// 4.1.2.1) and returns its code.
func codeOf(at, state string) (string, error) {
	u, err := url.Parse(at)
	if err != nil {
		return "", err
	}
	q := u.Query()
	if e := q.Get("error"); e != "" {
		return "", &statusError{"authorization error " + e, q.Get("error_description")}
	}
	if q.Get("state") != state {
		return "", &statusError{"state differs", at}
	}
	if q.Get("code") == "" {
		return "", &statusError{"redirect without code", at}
	}
	return q.Get("code"), nil
}

func resolveRef(base, ref string) (string, error) {
	b, err := url.Parse(base)
	if err != nil {
		return "", err
	}
	n, err := b.Parse(ref)
	if err != nil {
		return "", err
	}
	return n.String(), nil
}
