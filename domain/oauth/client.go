package oauth

import (
	"crypto/subtle"
	"slices"
	"strings"
	"time"
)

// ClientID names a client; it is public.
type ClientID string

// AuthMethod is how a client authenticates at the token endpoint (RFC 7591 §2).
type AuthMethod string

const (
	AuthAny   AuthMethod = "" // registered without a method: Basic and post are both accepted
	AuthBasic AuthMethod = "client_secret_basic"
	AuthPost  AuthMethod = "client_secret_post"
	AuthNone  AuthMethod = "none"
)

// Words names the method for people; AuthAny is both that take a secret.
func (m AuthMethod) Words() string {
	if m == AuthAny {
		return string(AuthBasic + " or " + AuthPost)
	}
	return string(m)
}

// Grant types and the response type this server knows.
const (
	GrantTypeCode    = "authorization_code"
	GrantTypeRefresh = "refresh_token"
	GrantTypeClient  = "client_credentials"
	ResponseTypeCode = "code"
)

// Algorithm is a signature algorithm (RFC 7518 §3.1).
type Algorithm string

const (
	ES256 Algorithm = "ES256"
	RS256 Algorithm = "RS256"
)

// Profile names a bundle of rules. Single rules of a client may differ from its profile's.
type Profile string

const (
	Strict     Profile = "strict"
	Standard   Profile = "standard"
	Legacy2012 Profile = "legacy2012"
	CoreOne    Profile = "coreone"
)

// Rules are the named differences between clients. The zero value is not a rule set: take one from Profile.Rules.
type Rules struct {
	RequirePKCE   bool // RFC 7636; a public client always needs it
	AllowPlain    bool // accept code_challenge_method=plain as well
	RequireState  bool
	RequireNonce  bool
	RequireOpenID bool // refuse authorization requests without the openid scope
	// AllowNoBinding lets a confidential client send neither PKCE nor nonce: its codes can then be injected into another
	// browser's session (RFC 9700 §4.5). The name under which it is set says so.
	AllowNoBinding bool

	IgnoreUnknownScopes   bool // drop scopes the client may not have instead of refusing
	ClaimsInIDToken       bool // put the claims of the granted scopes into the ID token too
	RefreshWithoutOffline bool // issue refresh tokens without offline_access
	RotateRefreshTokens   bool
	RedirectURIOptional   bool // at the token endpoint, when exactly one is registered
	LowerCaseTokenType    bool // answer token_type bearer
	IDTokenAlg            Algorithm
	CodeLifetime          time.Duration // 10 s to 10 min
	AccessTokenLifetime   time.Duration // 1 min to 24 h
	RefreshGrace          time.Duration // 0 to 60 s: the token before the newest still answers with the newest
}

// Rules returns the rules of the profile, and whether there is such a profile.
func (p Profile) Rules() (Rules, bool) {
	r := Rules{RequirePKCE: true, RequireState: true, RequireNonce: true, RequireOpenID: true, ClaimsInIDToken: true,
		RotateRefreshTokens: true, IDTokenAlg: ES256, CodeLifetime: 120 * time.Second, AccessTokenLifetime: 900 * time.Second}
	switch p {
	case Strict, "":
	case Standard:
		r.RequirePKCE, r.RequireNonce, r.IgnoreUnknownScopes, r.IDTokenAlg = false, false, true, RS256
	case Legacy2012:
		r.RequirePKCE, r.RequireState, r.RequireNonce, r.AllowNoBinding = false, false, false, true
		r.IgnoreUnknownScopes, r.RefreshWithoutOffline, r.RedirectURIOptional, r.LowerCaseTokenType = true, true, true, true
		r.IDTokenAlg, r.AccessTokenLifetime = RS256, time.Hour
	case CoreOne:
		r.RequireState, r.RequireNonce = false, false
		r.IDTokenAlg, r.AccessTokenLifetime = RS256, time.Hour
	default:
		return Rules{}, false
	}
	return r, true
}

// Client is a registered client (RFC 7591 §2).
type Client struct {
	ID     ClientID
	Secret Digest // zero for a public client
	Name   string

	RedirectURIs           []string
	PostLogoutRedirectURIs []string
	AllowedOrigins         []string // browser origins that may call the machine endpoints
	GrantTypes             []string
	ResponseTypes          []string
	Scope                  Scope // what it may ask for
	AuthMethod             AuthMethod
	DefaultMaxAge          time.Duration // default_max_age; negative: none

	// Where the client hears that a session has ended (OIDC Back-Channel Logout 1.0 §2.2, OIDC Front-Channel Logout 1.0
	// §2), and whether it needs to know which; empty: nowhere.
	BackChannelLogoutURI      string
	BackChannelLogoutSession  bool
	FrontChannelLogoutURI     string
	FrontChannelLogoutSession bool

	ClientURI string
	LogoURI   string
	PolicyURI string
	TOSURI    string
	Contacts  []string

	Profile Profile
	Rules   Rules

	CreatedAt  time.Time
	UpdatedAt  time.Time
	DisabledAt time.Time
}

// Public reports whether the client keeps no secret (RFC 6749 §2.1).
func (c Client) Public() bool { return c.AuthMethod == AuthNone }

// MayUse reports whether the client is registered for the grant type.
func (c Client) MayUse(grantType string) bool { return slices.Contains(c.GrantTypes, grantType) }

// HearsLogout reports whether the client has a channel on which it hears that a session has ended.
func (c Client) HearsLogout() bool {
	return c.BackChannelLogoutURI != "" || c.FrontChannelLogoutURI != ""
}

// DisplayName is how pages name the client.
func (c Client) DisplayName() string {
	if c.Name != "" {
		return c.Name
	}
	return string(c.ID)
}

// Credentials are one reading of how a client authenticated itself (RFC 6749 §2.3).
type Credentials struct {
	ID     ClientID
	Secret Secret
	Method AuthMethod // AuthNone: only a client_id was sent
}

// failedAuthentication is one answer for every cause, so that a client_id cannot be probed. The cause is for the log.
func failedAuthentication(reason string) *Error {
	return Refuse(InvalidClient, "client authentication failed").With("reason", reason)
}

// Recordable is what may be written down of a client_id that nobody is registered with. Applications send their secret in
// its place, as when the two halves of Basic are swapped: of a text that could be a secret only the beginning is kept,
// enough to recognise by whoever has the whole.
func (id ClientID) Recordable() ClientID {
	const kept = 4
	if len(id) < MinSecretLength {
		return id
	}
	return ClientID(strings.ToValidUTF8(string(id[:kept]), "")) + "…"
}

// UnknownClient is the refusal for a client that is not registered.
func UnknownClient() *Error { return failedAuthentication("client_id is not registered") }

// Authenticate checks the credentials against the registration. A client registered with a method uses that method
// only; the secret is compared as a digest, in constant time.
func (c Client) Authenticate(x Credentials) *Error {
	switch {
	case !c.DisabledAt.IsZero():
		return failedAuthentication("the client is disabled")
	case c.Public() && x.Secret != "":
		return failedAuthentication("a public client sent a secret")
	case c.Public():
		return nil
	case x.Method == AuthNone || x.Secret == "":
		return failedAuthentication("a confidential client sent no secret").With("received", string(AuthNone)).With("expected", c.AuthMethod.Words())
	case c.AuthMethod != AuthAny && c.AuthMethod != x.Method:
		return failedAuthentication("wrong method").With("received", string(x.Method)).With("expected", c.AuthMethod.Words())
	}
	if !c.proves(x.Secret) {
		refusal := failedAuthentication("wrong secret").With("received", string(x.Method))
		// The commonest wrong secret is the right one as a file or a shell gave it. Only the operator is told.
		if bare := strings.Trim(string(x.Secret), " \t\r\n\"'"); bare != string(x.Secret) && c.proves(Secret(bare)) {
			refusal.With("surplus", "white space or quotes")
		}
		return refusal
	}
	return nil
}

func (c Client) proves(s Secret) bool {
	got := s.Digest()
	return subtle.ConstantTimeCompare(got[:], c.Secret[:]) == 1 && !c.Secret.IsZero()
}
