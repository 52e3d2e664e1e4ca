package admin

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"latchkey/domain/audit"
	"latchkey/domain/oauth"
	"latchkey/ports"
)

// Client declares a client. The zero value of a member is its default, which for a rule (a pointer) is the profile's.
type Client struct {
	ID     oauth.ClientID
	Secret oauth.Secret // empty: kept; for a confidential client that has none one is made
	Name   string

	RedirectURIs           []string
	PostLogoutRedirectURIs []string
	AllowedOrigins         *[]string // nil: the origins of a public client's redirect URIs
	GrantTypes             []string  // nil: authorization_code and refresh_token
	ResponseTypes          []string  // nil: code
	Scope                  *string   // nil: every standard scope
	AuthMethod             oauth.AuthMethod
	DefaultMaxAge          *time.Duration

	BackChannelLogoutURI      string
	BackChannelLogoutSession  bool
	FrontChannelLogoutURI     string
	FrontChannelLogoutSession bool

	ClientURI string
	LogoURI   string
	PolicyURI string
	TOSURI    string
	Contacts  []string
	Disabled  bool

	Profile oauth.Profile
	Rules   Rules
}

// Rules are the rules in which a client differs from its profile.
type Rules struct {
	RequirePKCE, AllowPlain, RequireState, RequireNonce, RequireOpenID, AllowNoBinding, IgnoreUnknownScopes, ClaimsInIDToken,
	RefreshWithoutOffline, RotateRefreshTokens, RedirectURIOptional, LowerCaseTokenType *bool
	CodeLifetime, AccessTokenLifetime, RefreshGrace *time.Duration
	IDTokenAlg                                      oauth.Algorithm
}

// rule pairs a declared rule with its place in the client, under the member's name.
type rule[T any] struct {
	name     string
	declared **T
	rule     *T
}

func switches(d *Rules, r *oauth.Rules) []rule[bool] {
	return []rule[bool]{
		{"require_pkce", &d.RequirePKCE, &r.RequirePKCE},
		{"allow_plain_pkce", &d.AllowPlain, &r.AllowPlain},
		{"require_state", &d.RequireState, &r.RequireState},
		{"require_nonce", &d.RequireNonce, &r.RequireNonce},
		{"require_openid", &d.RequireOpenID, &r.RequireOpenID},
		{"dangerously_allow_neither_pkce_nor_nonce", &d.AllowNoBinding, &r.AllowNoBinding},
		{"ignore_unknown_scopes", &d.IgnoreUnknownScopes, &r.IgnoreUnknownScopes},
		{"claims_in_id_token", &d.ClaimsInIDToken, &r.ClaimsInIDToken},
		{"refresh_without_offline_access", &d.RefreshWithoutOffline, &r.RefreshWithoutOffline},
		{"rotate_refresh_tokens", &d.RotateRefreshTokens, &r.RotateRefreshTokens},
		{"redirect_uri_optional_at_token", &d.RedirectURIOptional, &r.RedirectURIOptional},
		{"lower_case_token_type", &d.LowerCaseTokenType, &r.LowerCaseTokenType},
	}
}

func durations(d *Rules, r *oauth.Rules) []rule[time.Duration] {
	return []rule[time.Duration]{
		{"code_lifetime", &d.CodeLifetime, &r.CodeLifetime},
		{"access_token_lifetime", &d.AccessTokenLifetime, &r.AccessTokenLifetime},
		{"refresh_token_grace", &d.RefreshGrace, &r.RefreshGrace},
	}
}

func (r *reader) client(v value, path string) Client {
	var c Client
	known := fields{
		"client_id":                    text(r, &c.ID),
		"client_secret":                text(r, &c.Secret),
		"client_name":                  text(r, &c.Name),
		"redirect_uris":                r.texts(&c.RedirectURIs),
		"post_logout_redirect_uris":    r.texts(&c.PostLogoutRedirectURIs),
		"grant_types":                  r.texts(&c.GrantTypes),
		"response_types":               r.texts(&c.ResponseTypes),
		"token_endpoint_auth_method":   text(r, &c.AuthMethod),
		"id_token_signed_response_alg": text(r, &c.Rules.IDTokenAlg),
		"default_max_age":              r.seconds(&c.DefaultMaxAge),
		"client_uri":                   text(r, &c.ClientURI),
		"logo_uri":                     text(r, &c.LogoURI),
		"policy_uri":                   text(r, &c.PolicyURI),
		"tos_uri":                      text(r, &c.TOSURI),
		"contacts":                     r.texts(&c.Contacts),
		"disabled":                     r.truth(&c.Disabled),
		"profile":                      text(r, &c.Profile),

		"backchannel_logout_uri":               text(r, &c.BackChannelLogoutURI),
		"backchannel_logout_session_required":  r.truth(&c.BackChannelLogoutSession),
		"frontchannel_logout_uri":              text(r, &c.FrontChannelLogoutURI),
		"frontchannel_logout_session_required": r.truth(&c.FrontChannelLogoutSession),

		"scope": func(v value, path string) {
			c.Scope = new(string)
			text(r, c.Scope)(v, path)
		},
		"allowed_origins": func(v value, path string) {
			c.AllowedOrigins = new([]string)
			r.texts(c.AllowedOrigins)(v, path)
		},
	}
	var unused oauth.Rules
	for _, s := range switches(&c.Rules, &unused) {
		known[s.name] = r.optional(s.declared)
	}
	for _, d := range durations(&c.Rules, &unused) {
		known[d.name] = r.seconds(d.declared)
	}
	r.object(v, path, known)
	return c
}

// Check says everything that is wrong with the client, as Problems, or nil.
func (c *Client) Check() error {
	if problems := c.check(); len(problems) > 0 {
		return Problems(problems)
	}
	return nil
}

func (c *Client) check() []string {
	var problems []string
	wrong := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }

	if c.Secret != "" {
		if err := oauth.CheckSecret(c.Secret); err != nil {
			problems = append(problems, err.Error())
		}
	}
	if err := checkName(c.Name, 100); c.Name != "" && err != "" {
		wrong("client_name %s", err)
	}
	for i, contact := range c.Contacts {
		if err := checkName(contact, 254); err != "" {
			wrong("contacts[%d] %s", i, err)
		}
	}
	if c.public() {
		if given := c.Rules.RequirePKCE; given != nil && !*given {
			wrong("require_pkce cannot be false for a public client")
		}
		if given := c.Rules.AllowNoBinding; given != nil && *given {
			wrong("dangerously_allow_neither_pkce_nor_nonce cannot be true for a public client")
		}
	}
	for _, err := range split(c.registration().Check()) {
		problems = append(problems, err.Error())
	}
	return set(problems)
}

func (c *Client) public() bool { return c.AuthMethod == oauth.AuthNone }

// registration returns the client as it is to be registered, less what depends on what is on file: its times, and a
// secret that is kept. A kept secret has the digest of what was declared or made in its place, so that the rules about
// secrets can be checked.
func (c *Client) registration() oauth.Client {
	rules, known := c.Profile.Rules()
	if !known {
		rules, _ = oauth.Strict.Rules() // Client.Check refuses the profile, and nothing that follows from it
	}
	reg := oauth.Client{
		ID: c.ID, Name: c.Name,
		RedirectURIs: c.RedirectURIs, PostLogoutRedirectURIs: c.PostLogoutRedirectURIs,
		GrantTypes: c.GrantTypes, ResponseTypes: c.ResponseTypes,
		AuthMethod: c.AuthMethod, DefaultMaxAge: -time.Second,
		ClientURI: c.ClientURI, LogoURI: c.LogoURI, PolicyURI: c.PolicyURI, TOSURI: c.TOSURI, Contacts: c.Contacts,
		BackChannelLogoutURI: c.BackChannelLogoutURI, BackChannelLogoutSession: c.BackChannelLogoutSession,
		FrontChannelLogoutURI: c.FrontChannelLogoutURI, FrontChannelLogoutSession: c.FrontChannelLogoutSession,
		Profile: c.Profile,
	}
	if reg.Profile == "" {
		reg.Profile = oauth.Strict
	}
	if c.Secret != "" {
		reg.Secret = c.Secret.Digest()
	} else if !c.public() {
		reg.Secret = oauth.Digest{0: 1}
	}
	if reg.GrantTypes == nil {
		reg.GrantTypes = []string{oauth.GrantTypeCode, oauth.GrantTypeRefresh}
	}
	if reg.ResponseTypes == nil {
		reg.ResponseTypes = []string{oauth.ResponseTypeCode}
	}
	scope := strings.Join(oauth.StandardScopes, " ")
	if c.Scope != nil {
		scope = *c.Scope
	}
	if parsed, refusal := oauth.ParseScope(scope); refusal == nil {
		scope = string(parsed)
	}
	reg.Scope = oauth.Scope(scope)
	if c.DefaultMaxAge != nil {
		reg.DefaultMaxAge = *c.DefaultMaxAge
	}
	if c.public() {
		rules.RequirePKCE, rules.AllowNoBinding = true, false
	}
	for _, s := range switches(&c.Rules, &rules) {
		if *s.declared != nil {
			*s.rule = **s.declared
		}
	}
	for _, d := range durations(&c.Rules, &rules) {
		if *d.declared != nil {
			*d.rule = **d.declared
		}
	}
	if c.Rules.IDTokenAlg != "" {
		rules.IDTokenAlg = c.Rules.IDTokenAlg
	}
	reg.Rules = rules
	switch {
	case c.AllowedOrigins != nil:
		reg.AllowedOrigins = *c.AllowedOrigins
	case c.public():
		reg.AllowedOrigins = originsOf(c.RedirectURIs)
	}
	return reg
}

// renew returns the client as it is to be registered in the place of old, from which it keeps its times and its secret.
func (c *Client) renew(old oauth.Client, now time.Time) oauth.Client {
	new := c.registration()
	new.CreatedAt, new.UpdatedAt, new.DisabledAt = old.CreatedAt, old.UpdatedAt, old.DisabledAt
	if c.Secret == "" && !new.Public() {
		new.Secret = old.Secret
	}
	if c.Disabled != !old.DisabledAt.IsZero() {
		new.DisabledAt = time.Time{}
		if c.Disabled {
			new.DisabledAt = now
		}
	}
	return new
}

// originsOf returns the origins of the URIs, each once.
func originsOf(uris []string) (origins []string) {
	for _, u := range uris {
		if origin, ok := oauth.OriginOf(u); ok && !slices.Contains(origins, origin) {
			origins = append(origins, origin)
		}
	}
	return origins
}

// split returns the parts of a joined error.
func split(err error) []error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		return joined.Unwrap()
	}
	if err == nil {
		return nil
	}
	return []error{err}
}

// clientMembers are the members of a client as a document writes them, in its order, less the secret.
func clientMembers(c oauth.Client) []memberValue {
	all := []memberValue{
		{"client_name", c.Name},
		{"redirect_uris", c.RedirectURIs},
		{"post_logout_redirect_uris", c.PostLogoutRedirectURIs},
		{"allowed_origins", c.AllowedOrigins},
		{"grant_types", c.GrantTypes},
		{"response_types", c.ResponseTypes},
		{"scope", string(c.Scope)},
		{"token_endpoint_auth_method", string(c.AuthMethod)},
		{"default_max_age", int(max(c.DefaultMaxAge, -time.Second).Seconds())},
		{"backchannel_logout_uri", c.BackChannelLogoutURI},
		{"backchannel_logout_session_required", c.BackChannelLogoutSession},
		{"frontchannel_logout_uri", c.FrontChannelLogoutURI},
		{"frontchannel_logout_session_required", c.FrontChannelLogoutSession},
		{"client_uri", c.ClientURI},
		{"logo_uri", c.LogoURI},
		{"policy_uri", c.PolicyURI},
		{"tos_uri", c.TOSURI},
		{"contacts", c.Contacts},
		{"disabled", !c.DisabledAt.IsZero()},
		{"profile", string(c.Profile)},
		{"id_token_signed_response_alg", string(c.Rules.IDTokenAlg)},
	}
	var unused Rules
	for _, s := range switches(&unused, &c.Rules) {
		all = append(all, memberValue{s.name, *s.rule})
	}
	for _, d := range durations(&unused, &c.Rules) {
		all = append(all, memberValue{d.name, int(d.rule.Seconds())})
	}
	return all
}

func (p *planner) planClients(o *outcome, r ports.Reader) error {
	for _, declared := range p.document.Clients {
		old, err := r.Client(declared.ID)
		if err != nil && !errors.Is(err, ports.ErrNotFound) {
			return err
		}
		if p.onlyNew && err == nil {
			return fmt.Errorf("client %q %w", declared.ID, ErrExists)
		}
		if err := p.planClient(o, r, old, declared); err != nil {
			return err
		}
	}
	return nil
}

func (p *planner) planClient(o *outcome, r ports.Reader, old oauth.Client, declared Client) error {
	new := declared.renew(old, p.now)
	made := !new.Public() && new.Secret.IsZero()
	if made {
		new.Secret = p.secrets[new.ID].Digest()
	}
	c := Change{Object: "client", Name: string(new.ID), Action: Unchanged, Members: differences(clientMembers(old), clientMembers(new))}
	var e ending
	kind := audit.ClientChanged
	if old.ID == "" {
		c.create()
		kind = audit.ClientCreated
		new.CreatedAt = p.now
	} else {
		if new.Secret != old.Secret {
			c.Members = append([]Difference{{Member: "client_secret"}}, c.Members...)
		}
		if len(c.Members) > 0 {
			c.Action = Update
		}
		var err error
		if e, err = endingForClient(r, old, new); err != nil {
			return err
		}
		c.Effects = e.effects()
	}
	if made {
		c.Effects = append(c.Effects, "a client secret is made and shown once")
		o.plan.Made = append(o.plan.Made, MadeSecret{new.ID, p.secrets[new.ID]})
	}
	o.plan.Changes = append(o.plan.Changes, c)
	if c.Action == Unchanged {
		return nil
	}
	new.UpdatedAt = p.now
	o.then(func(tx ports.Tx) error {
		if err := tx.SaveClient(new); err != nil {
			return err
		}
		if err := p.record(tx, kind, c, audit.Event{Client: string(new.ID)}); err != nil {
			return err
		}
		return e.save(tx, p.caller, p.now)
	})
	return nil
}

func endingForClient(r ports.Reader, old, new oauth.Client) (ending, error) {
	lost := slices.ContainsFunc(old.GrantTypes, func(g string) bool { return !new.MayUse(g) })
	switch {
	case old.DisabledAt.IsZero() && !new.DisabledAt.IsZero():
		return endingOfClient(r, old.ID, "client disabled", true)
	case lost:
		return endingOfClient(r, old.ID, "grant type removed", false)
	}
	return ending{}, nil
}
