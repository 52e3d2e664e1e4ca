package oauth

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// Parameters are the parameters of one request, as an adapter read them: each name once. A name that came more than once
// is in Repeated, whatever its values.
type Parameters struct {
	Values   map[string]string
	Repeated []string
}

// Get returns the value of a parameter; one sent without a value counts as left out (RFC 6749 §3.1).
func (p Parameters) Get(name string) string { return p.Values[name] }

// authorizationParameters are what the authorization endpoint reads.
var authorizationParameters = []string{"client_id", "redirect_uri", "response_type", "response_mode", "scope", "state", "nonce",
	"code_challenge", "code_challenge_method", "prompt", "max_age", "acr_values", "login_hint", "ui_locales", "id_token_hint",
	"request", "request_uri", "registration"}

// IsAuthorizationParameter reports whether the authorization endpoint reads the parameter.
func IsAuthorizationParameter(name string) bool {
	return slices.Contains(authorizationParameters, name)
}

// ToKeep returns the values the authorization endpoint reads, for the time a person takes. Applications misplace secrets in
// such requests; what we have no use for is not kept.
func (p Parameters) ToKeep() map[string]string {
	kept := map[string]string{}
	for _, name := range authorizationParameters {
		if value, ok := p.Values[name]; ok {
			kept[name] = value
		}
	}
	return kept
}

// AuthorizationRequest is a valid authorization request (RFC 6749 §4.1.1, OIDC Core §3.1.2.1).
type AuthorizationRequest struct {
	ReplyAddress
	Client    ClientID
	Scope     Scope
	Nonce     string
	Challenge CodeChallenge

	Prompt      Prompt
	MaxAge      time.Duration // negative: not asked for
	ACRValues   []string      // classes that are asked for, the most wanted first; none: any will do
	LoginHint   string
	UILocales   string
	IDTokenHint string
}

// Prompt is the prompt parameter (OIDC Core §3.1.2.1).
type Prompt struct{ None, Login, Consent, SelectAccount bool }

// FindReplyAddress settles where the answer may go. Until it succeeds, an error goes to a page of ours and never to the
// redirect URI of the request (RFC 6749 §4.1.2.1).
func FindReplyAddress(p Parameters, c Client, issuer string) (ReplyAddress, *Error) {
	if name := firstOf(p.Repeated, "client_id", "redirect_uri"); name != "" {
		return ReplyAddress{}, Refuse(InvalidRequest, name+" was sent more than once").With("received", name)
	}
	uri := p.Get("redirect_uri")
	if uri == "" {
		return ReplyAddress{}, Refuse(InvalidRequest, "redirect_uri is missing").With("expected", strings.Join(c.RedirectURIs, " "))
	}
	if !MatchRedirectURI(c.RedirectURIs, uri) {
		return ReplyAddress{}, Refuse(InvalidRequest, "redirect_uri is not registered for this client").
			With("received", uri).With("expected", strings.Join(c.RedirectURIs, " "))
	}
	a := ReplyAddress{uri: uri, mode: ModeQuery, issuer: issuer}
	if !slices.Contains(p.Repeated, "state") {
		a.state = p.Get("state")
	}
	switch mode := ResponseMode(p.Get("response_mode")); mode {
	case ModeQuery, ModeFragment, ModeFormPost:
		a.mode = mode
	}
	return a, nil
}

func firstOf(list []string, names ...string) string {
	for _, n := range names {
		if slices.Contains(list, n) {
			return n
		}
	}
	return ""
}

// ParseAuthorizationRequest checks everything else about a request whose reply address is settled; its refusals may be
// redirected.
func ParseAuthorizationRequest(p Parameters, c Client, reply ReplyAddress) (AuthorizationRequest, *Error) {
	r := AuthorizationRequest{ReplyAddress: reply, Client: c.ID, Nonce: p.Get("nonce"), MaxAge: -1,
		LoginHint: p.Get("login_hint"), UILocales: p.Get("ui_locales"), IDTokenHint: p.Get("id_token_hint"),
		ACRValues: strings.Fields(p.Get("acr_values"))}
	for _, name := range p.Repeated {
		if name != "resource" { // the one parameter that may repeat (RFC 8707 §2)
			return r, Refuse(InvalidRequest, "a parameter was sent more than once").With("received", name)
		}
	}
	for _, check := range []func(Parameters, Client) *Error{
		r.checkTransport, r.checkResponseType, r.checkScope, r.checkBinding, r.checkPrompt, r.checkMaxAge,
	} {
		if refusal := check(p, c); refusal != nil {
			return r, refusal
		}
	}
	return r, nil
}

// checkTransport refuses request objects, which are not supported: to ignore one would drop what it asks for
// (OIDC Core §6.1).
func (r *AuthorizationRequest) checkTransport(p Parameters, _ Client) *Error {
	switch {
	case p.Get("request") != "":
		return Refuse(RequestNotSupported, "request objects are not supported: send the parameters themselves")
	case p.Get("request_uri") != "":
		return Refuse(RequestURINotSupported, "request_uri is not supported: send the parameters themselves")
	case p.Get("registration") != "":
		return Refuse(RegistrationUnsupported, "the registration parameter is not supported")
	}
	switch ResponseMode(p.Get("response_mode")) {
	case "", ModeQuery, ModeFragment, ModeFormPost:
		return nil
	}
	return Refuse(InvalidRequest, "response_mode must be query, fragment or form_post").With("received", p.Get("response_mode"))
}

func (r *AuthorizationRequest) checkResponseType(p Parameters, c Client) *Error {
	asked := p.Get("response_type")
	switch {
	case asked == "":
		return Refuse(InvalidRequest, "response_type is missing: it must be code")
	case asked == ResponseTypeCode && slices.Contains(c.ResponseTypes, ResponseTypeCode):
		return nil
	case asked == ResponseTypeCode, isFrontChannel(asked) && c.Profile != Strict && c.Profile != "":
		return Refuse(UnauthorizedClient, "this client may not use this response_type").With("received", asked)
	}
	return Refuse(UnsupportedResponseType, "response_type must be code").With("received", asked)
}

// isFrontChannel reports whether s is one of the response types, words in any order, that return tokens from the
// authorization endpoint (OAuth 2.0 Multiple Response Types §3, §5).
func isFrontChannel(s string) bool {
	words := strings.Split(s, " ")
	slices.Sort(words)
	switch strings.Join(words, " ") {
	case "token", "id_token", "id_token token", "code token", "code id_token", "code id_token token":
		return true
	}
	return false
}

func (r *AuthorizationRequest) checkScope(p Parameters, c Client) *Error {
	scope, refusal := ParseScope(p.Get("scope"))
	if refusal != nil {
		return refusal
	}
	if foreign := scope.Without(c.Scope); foreign != "" {
		if !c.Rules.IgnoreUnknownScopes {
			return Refuse(InvalidScope, "scope has a value that this client may not ask for").
				With("received", string(foreign)).With("expected", string(c.Scope))
		}
		scope = scope.Only(c.Scope)
	}
	if c.Rules.RequireOpenID && !scope.Has(ScopeOpenID) {
		return Refuse(InvalidScope, "scope must contain openid").With("received", p.Get("scope"))
	}
	r.Scope = scope
	return nil
}

// checkBinding ties the answer to the browser and the application that asked: state, nonce and PKCE.
func (r *AuthorizationRequest) checkBinding(p Parameters, c Client) *Error {
	challenge, method := p.Get("code_challenge"), p.Get("code_challenge_method")
	switch {
	case c.Rules.RequireState && p.Get("state") == "":
		return Refuse(InvalidRequest, "state is missing")
	case c.Rules.RequireNonce && r.Nonce == "":
		return Refuse(InvalidRequest, "nonce is missing")
	case challenge == "" && method != "":
		return Refuse(InvalidRequest, "code_challenge is missing")
	case challenge == "" && (c.Rules.RequirePKCE || c.Public()):
		return Refuse(InvalidRequest, "code_challenge is missing: PKCE with code_challenge_method S256 is required").With("expected", "S256")
	case challenge == "" && r.Nonce == "" && !c.Rules.AllowNoBinding:
		return Refuse(InvalidRequest, "send code_challenge (PKCE, S256) or nonce: without either a stolen code can be injected")
	case challenge == "":
		return nil
	}
	parsed, refusal := ParseCodeChallenge(challenge, method, c.Rules.AllowPlain)
	r.Challenge = parsed
	return refusal
}

func (r *AuthorizationRequest) checkPrompt(p Parameters, _ Client) *Error {
	words := strings.Fields(p.Get("prompt"))
	for _, w := range words {
		switch w {
		case "none":
			r.Prompt.None = true
		case "login":
			r.Prompt.Login = true
		case "consent":
			r.Prompt.Consent = true
		case "select_account":
			r.Prompt.SelectAccount = true
		default:
			return Refuse(InvalidRequest, "prompt must be none, login, consent or select_account").With("received", w)
		}
	}
	if r.Prompt.None && len(words) > 1 {
		return Refuse(InvalidRequest, "prompt none cannot be combined with another value")
	}
	return nil
}

// maxMaxAge keeps the duration far from overflow; a century is no limit at all.
const maxMaxAge = 100 * 365 * 24 * 60 * 60

func (r *AuthorizationRequest) checkMaxAge(p Parameters, c Client) *Error {
	r.MaxAge = c.DefaultMaxAge
	s := p.Get("max_age")
	if s == "" {
		return nil
	}
	n, err := strconv.ParseUint(s, 10, 63)
	if err != nil {
		return Refuse(InvalidRequest, "max_age must be a whole number of seconds, 0 or more").With("received", s)
	}
	r.MaxAge = time.Duration(min(n, maxMaxAge)) * time.Second
	return nil
}
