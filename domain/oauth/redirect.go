package oauth

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// CheckRedirectURI says why a redirect URI may not be registered, or nil. Schemes that run code, wildcards, fragments,
// user information and anything a URL parser and a browser could read differently are refused at the door, so that
// matching can stay a comparison of bytes (RFC 6749 §3.1.2, RFC 8252 §7, RFC 9700 §4.1).
func CheckRedirectURI(s string) error {
	u, err := parseURI(s)
	if err != nil {
		return err
	}
	// A name of ours in the registered query would come twice in every answer.
	for _, name := range responseParameters {
		if u.Query().Has(name) {
			return fmt.Errorf("has the query parameter %s, which belongs to the answer", name)
		}
	}
	switch {
	case u.Scheme == "https":
	case u.Scheme == "http" && isLoopback(u.Hostname()):
	case u.Scheme == "http":
		return errors.New("http is accepted for localhost, 127.0.0.1 and [::1] only: use https")
	case strings.Contains(u.Scheme, "."):
		return nil // private-use scheme (RFC 8252 §7.1), named after a domain the application owns; many write it with "//"
	default:
		return fmt.Errorf("scheme %q is not accepted: use https, http on loopback, or a private-use scheme with a dot (com.example.app)", u.Scheme)
	}
	if u.Hostname() == "" {
		return errors.New("has no host")
	}
	return nil
}

// responseParameters are the names an authorization response may use.
var responseParameters = []string{"code", "state", "iss", "error", "error_description", "error_uri", "id_token", "access_token", "session_state"}

// CheckWebURI says why a URI shown to people (logo, policy, terms, home page) or used after logout may not be
// registered, or nil.
func CheckWebURI(s string) error {
	u, err := parseURI(s)
	if err != nil {
		return err
	}
	if u.Scheme != "https" && (u.Scheme != "http" || !isLoopback(u.Hostname())) {
		return errors.New("must be https (http on loopback)")
	}
	if u.Hostname() == "" {
		return errors.New("has no host")
	}
	return nil
}

// CheckOrigin says why a browser origin may not be registered, or nil (RFC 6454 §6.2).
func CheckOrigin(s string) error {
	if err := CheckWebURI(s); err != nil {
		return err
	}
	if origin, _ := OriginOf(s); origin != s {
		return fmt.Errorf("is not an origin: write it as %s", origin)
	}
	return nil
}

// OriginOf returns the origin of an http or https URI as browsers send it: in lower case, without the scheme's own port.
func OriginOf(s string) (string, bool) {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") {
		return "", false
	}
	usual := map[string]string{"https": ":443", "http": ":80"}[u.Scheme]
	host := strings.TrimSuffix(strings.TrimSuffix(u.Host, usual), ":")
	return u.Scheme + "://" + strings.ToLower(host), true
}

func parseURI(s string) (*url.URL, error) {
	if len(s) > 2048 {
		return nil, errors.New("is longer than 2048 bytes")
	}
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c >= 0x7F || strings.IndexByte("\\\"<>^`{|}*", c) >= 0 {
			return nil, fmt.Errorf("has the character %q, which a redirect may not hold", c)
		}
	}
	u, err := url.Parse(s)
	switch {
	case err != nil:
		return nil, errors.New("is not a URI")
	case u.Scheme == "":
		return nil, errors.New("is not absolute: it needs a scheme such as https")
	case strings.Contains(s, "#"):
		return nil, errors.New("has a fragment")
	case u.User != nil:
		return nil, errors.New("has user information before the host")
	case u.Scheme != strings.ToLower(s[:len(u.Scheme)]) || s[:len(u.Scheme)] != u.Scheme:
		return nil, errors.New("has a scheme in upper case")
	}
	return u, nil
}

func isLoopback(host string) bool {
	return host == "localhost" || host == "127.0.0.1" || host == "::1"
}

// MatchRedirectURI reports whether the URI of a request is registered: byte by byte, never normalised (RFC 9700 §4.1.3).
// A registered loopback URI without a port matches any port, because a native application takes the one it gets
// (RFC 8252 §7.3).
func MatchRedirectURI(registered []string, given string) bool {
	if slices.Contains(registered, given) {
		return true
	}
	return slices.ContainsFunc(registered, func(r string) bool { return matchLoopback(r, given) })
}

func matchLoopback(registered, given string) bool {
	for _, host := range []string{"http://127.0.0.1", "http://[::1]", "http://localhost"} {
		path, ok := strings.CutPrefix(registered, host)
		if !ok || (path != "" && path[0] != '/' && path[0] != '?') {
			continue
		}
		rest, ok := strings.CutPrefix(given, host+":")
		if !ok {
			return false
		}
		digits := 0
		for digits < len(rest) && '0' <= rest[digits] && rest[digits] <= '9' {
			digits++
		}
		port, err := strconv.ParseUint(rest[:digits], 10, 16)
		return err == nil && port > 0 && rest[0] != '0' && rest[digits:] == path
	}
	return false
}
