package oauth

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"time"
)

// Check says everything that is wrong with a registration (RFC 7591 §2), joined, or nil. A checked client is valid from
// then on: nothing that reads it checks again.
func (c Client) Check() error {
	var problems []error
	wrong := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }

	if !isName(string(c.ID), 128) {
		wrong("client_id must be 1 to 128 visible ASCII characters")
	}
	c.checkAuthentication(wrong)
	for i, u := range c.RedirectURIs {
		if err := CheckRedirectURI(u); err != nil {
			wrong("redirect_uris[%d] %q %w", i, u, err)
		}
	}
	for i, u := range c.PostLogoutRedirectURIs {
		if err := CheckRedirectURI(u); err != nil {
			wrong("post_logout_redirect_uris[%d] %q %w", i, u, err)
		}
	}
	for i, o := range c.AllowedOrigins {
		if err := CheckOrigin(o); err != nil {
			wrong("allowed_origins[%d] %q %w", i, o, err)
		}
	}
	for _, u := range []struct{ name, value string }{
		{"client_uri", c.ClientURI}, {"logo_uri", c.LogoURI}, {"policy_uri", c.PolicyURI}, {"tos_uri", c.TOSURI},
	} {
		if u.value == "" {
			continue
		}
		if err := CheckWebURI(u.value); err != nil {
			wrong("%s %q %w", u.name, u.value, err)
		}
	}
	c.checkLogout(wrong)
	c.checkFlows(wrong)
	c.checkRules(wrong)
	return errors.Join(problems...)
}

func (c Client) checkAuthentication(wrong func(string, ...any)) {
	switch c.AuthMethod {
	case AuthAny, AuthBasic, AuthPost:
		if c.Secret.IsZero() {
			wrong("client_secret is missing: a client without one has token_endpoint_auth_method none")
		}
	case AuthNone:
		if !c.Secret.IsZero() {
			wrong("client_secret is set, but token_endpoint_auth_method none means a client that keeps no secret")
		}
	default:
		wrong("token_endpoint_auth_method %q is not supported: use client_secret_basic, client_secret_post or none", c.AuthMethod)
	}
}

// checkLogout holds the front channel to an origin that the registration vouches for anyway (OIDC Front-Channel Logout 1.0
// §2): frames of a page that people see are loaded from there.
func (c Client) checkLogout(wrong func(string, ...any)) {
	if u := c.BackChannelLogoutURI; u != "" {
		if err := CheckWebURI(u); err != nil {
			wrong("backchannel_logout_uri %q %w", u, err)
		}
	} else if c.BackChannelLogoutSession {
		wrong("backchannel_logout_session_required is set without a backchannel_logout_uri")
	}
	u := c.FrontChannelLogoutURI
	if u == "" {
		if c.FrontChannelLogoutSession {
			wrong("frontchannel_logout_session_required is set without a frontchannel_logout_uri")
		}
		return
	}
	if err := CheckWebURI(u); err != nil {
		wrong("frontchannel_logout_uri %q %w", u, err)
		return
	}
	origin, _ := OriginOf(u)
	if !slices.ContainsFunc(c.RedirectURIs, func(r string) bool { o, ok := OriginOf(r); return ok && o == origin }) {
		wrong("frontchannel_logout_uri %q must have the scheme, host and port of one of redirect_uris", u)
	}
	if parsed, err := url.Parse(u); err == nil && (parsed.Query().Has("iss") || parsed.Query().Has("sid")) {
		wrong("frontchannel_logout_uri %q has the parameter iss or sid, which this server adds", u)
	}
}

func (c Client) checkFlows(wrong func(string, ...any)) {
	for _, g := range c.GrantTypes {
		if g != GrantTypeCode && g != GrantTypeRefresh && g != GrantTypeClient {
			wrong("grant_types: %q is not supported: use authorization_code, refresh_token or client_credentials", g)
		}
	}
	for _, r := range c.ResponseTypes {
		if r != ResponseTypeCode {
			wrong("response_types: %q is not supported: use code", r)
		}
	}
	code := slices.Contains(c.ResponseTypes, ResponseTypeCode)
	if code != c.MayUse(GrantTypeCode) {
		wrong("response_types code and grant_types authorization_code go together")
	}
	if c.MayUse(GrantTypeClient) && c.Public() {
		wrong("grant_types: client_credentials needs a client that keeps a secret")
	}
	if code && len(c.RedirectURIs) == 0 {
		wrong("redirect_uris is missing: the code flow needs one")
	}
	if _, refusal := ParseScope(string(c.Scope)); refusal != nil {
		wrong("scope: %s", refusal.Description)
	}
	if code && c.Rules.RequireOpenID && !c.Scope.Has(ScopeOpenID) {
		wrong("scope lacks openid, which every request of this client must ask for (require_openid)")
	}
}

func (c Client) checkRules(wrong func(string, ...any)) {
	r := c.Rules
	if _, ok := c.Profile.Rules(); !ok {
		wrong("profile %q is unknown: use strict, standard, legacy2012 or coreone", c.Profile)
	}
	if c.Public() && !r.RequirePKCE && c.Profile == Strict {
		wrong("require_pkce cannot be false for a public client")
	}
	if !r.RotateRefreshTokens && c.Public() {
		wrong("rotate_refresh_tokens cannot be false for a public client: a stolen token would work unnoticed") // RFC 9700 §4.14.2
	}
	if r.AllowPlain && c.Public() {
		wrong("allow_plain_pkce cannot be true for a public client")
	}
	if r.IDTokenAlg != ES256 && r.IDTokenAlg != RS256 {
		wrong("id_token_signed_response_alg %q is not supported: use ES256 or RS256", r.IDTokenAlg)
	}
	between := func(name string, d, low, high time.Duration) {
		if d < low || d > high {
			wrong("%s must be %.0f to %.0f seconds", name, low.Seconds(), high.Seconds())
		}
	}
	between("code_lifetime", r.CodeLifetime, 10*time.Second, 10*time.Minute)
	between("access_token_lifetime", r.AccessTokenLifetime, time.Minute, 24*time.Hour)
	between("refresh_token_grace", r.RefreshGrace, 0, time.Minute)
}

func isName(s string, most int) bool {
	if s == "" || len(s) > most {
		return false
	}
	for i := range len(s) {
		if s[i] <= ' ' || s[i] >= 0x7F {
			return false
		}
	}
	return true
}

// MinSecretLength is the shortest client secret, in bytes. A secret is checked with one fast hash, so it must be
// random, not memorable.
const MinSecretLength = 32

// CheckSecret says why a client secret that an administrator brought may not be used, or nil.
func CheckSecret(s Secret) error {
	if len(s) < MinSecretLength || len(s) > 512 {
		return fmt.Errorf("client_secret has %d characters: it needs 32 to 512, random (leave it out and one is made)", len(s))
	}
	for i := range len(s) {
		if s[i] < ' ' || s[i] >= 0x7F {
			return errors.New("client_secret may hold visible ASCII characters only")
		}
	}
	return nil
}
