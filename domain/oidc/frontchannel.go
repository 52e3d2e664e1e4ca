package oidc

import (
	"crypto/sha256"
	"encoding/base64"
	"net/url"
	"strings"

	"latchkey/domain/identity"
	"latchkey/domain/oauth"
)

// FrontChannelURI is what a frame loads to sign a user out of the client (OIDC Front-Channel Logout 1.0 §2); empty: the
// client has no such address. Issuer and session are added when the client asks for them.
func FrontChannelURI(c oauth.Client, issuer string, s identity.SessionID) string {
	if c.FrontChannelLogoutURI == "" || !c.FrontChannelLogoutSession {
		return c.FrontChannelLogoutURI
	}
	separator := "?"
	if strings.Contains(c.FrontChannelLogoutURI, "?") {
		separator = "&"
	}
	return c.FrontChannelLogoutURI + separator + "iss=" + url.QueryEscape(issuer) + "&sid=" + url.QueryEscape(string(s))
}

// BrowserState is what the check_session_iframe finds in a cookie that scripts may read. It changes with every sign-in and
// sign-out, and opens nothing: it is a digest of what opens the session, which is too long to guess.
func BrowserState(session oauth.Secret) string {
	if session == "" {
		return ""
	}
	sum := sha256.Sum256([]byte("browser state " + session.Reveal()))
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}

// SessionState tells a client the state of the browser without telling two clients the same thing (OIDC Session Management
// 1.0 §3): a salted digest over the client, its origin and the browser state. The script of the check_session_iframe
// computes it again. It is empty for a redirect URI without an origin, as native applications have.
func SessionState(c oauth.ClientID, redirectURI string, session oauth.Secret, salt [16]byte) string {
	origin, ok := oauth.OriginOf(redirectURI)
	if !ok || session == "" {
		return ""
	}
	text := base64.RawURLEncoding.EncodeToString(salt[:])
	sum := sha256.Sum256([]byte(string(c) + " " + origin + " " + BrowserState(session) + " " + text))
	return base64.RawURLEncoding.EncodeToString(sum[:]) + "." + text
}
