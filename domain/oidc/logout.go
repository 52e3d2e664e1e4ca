package oidc

import (
	"net/url"
	"slices"
	"strings"

	"latchkey/domain/identity"
	"latchkey/domain/oauth"
)

// LogoutRequest asks to sign a user out (OIDC RP-Initiated Logout 1.0 §2). logout_hint is not read: who is to be signed out
// is whoever is signed in in the browser.
type LogoutRequest struct {
	Client      oauth.ClientID // empty: not sent
	Hint        oauth.Secret   // id_token_hint; empty: not sent
	RedirectURI string         // post_logout_redirect_uri; empty: not sent
	State       string
}

// ParseLogoutRequest reads the request. Two parameters go by a second name too, which one older provider documents; sent
// under both names with different values, none can be meant.
func ParseLogoutRequest(p oauth.Parameters) (LogoutRequest, *oauth.Error) {
	var refusal *oauth.Error
	read := func(names ...string) (value string) {
		for _, name := range names {
			if slices.Contains(p.Repeated, name) {
				refusal = oauth.Refuse(oauth.InvalidRequest, name+" was sent more than once").With("received", name)
			}
			switch given := p.Get(name); {
			case value == "":
				value = given
			case given != "" && given != value:
				refusal = oauth.Refuse(oauth.InvalidRequest, names[0]+" and "+name+" differ: send one of them").With("received", name)
			}
		}
		return value
	}
	q := LogoutRequest{
		Client:      oauth.ClientID(read("client_id")),
		Hint:        oauth.Secret(read("id_token_hint", "id_token_hing")),
		RedirectURI: read("post_logout_redirect_uri", "post_logout_url"),
		State:       read("state"),
	}
	return q, refusal
}

// Return says where the browser goes once its user is signed out; an empty URI is a page of ours. The zero client is an
// application that nothing names. Only what is registered is gone to (§3): anything else would make this server a
// way to send people anywhere.
func (q LogoutRequest) Return(c oauth.Client) (uri string, refusal *oauth.Error) {
	switch {
	case q.RedirectURI == "":
		return "", nil
	case c.ID == "":
		return "", oauth.Refuse(oauth.InvalidRequest, "post_logout_redirect_uri needs client_id, or an id_token_hint that this server issued").
			With("received", q.RedirectURI)
	case !oauth.MatchRedirectURI(c.PostLogoutRedirectURIs, q.RedirectURI):
		return "", oauth.Refuse(oauth.InvalidRequest, "post_logout_redirect_uri is not registered for this client").
			With("received", q.RedirectURI).With("expected", strings.Join(c.PostLogoutRedirectURIs, " "))
	case q.State == "":
		return q.RedirectURI, nil
	}
	separator := "?"
	if strings.Contains(q.RedirectURI, "?") {
		separator = "&"
	}
	return q.RedirectURI + separator + "state=" + url.QueryEscape(q.State), nil
}

// Proves reports whether the hint shows that the application asks for the user of the session: only an application they are
// or were signed in to has an ID token of theirs. Without one, any page that people visit could sign them out.
func (h IDTokenHint) Proves(s identity.Session) bool { return h.Subject != "" && h.Subject == s.User }
