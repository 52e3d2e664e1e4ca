package page

import (
	"net/url"

	"latchkey/domain/oauth"
)

// Error is the end of a request that has no redirect URI to go to, or no application at all.
type Error struct {
	Message                Message
	Args                   []any  // for the message and for what to do next
	Code, Description, Ref string // error, error_description and error_ref
	HomeURL                string // a way out: a path here or the application's address; empty means the start page

	// For administrators alone.
	ExplainURL  string
	Explanation *Explanation
}

func (p Error) look() look {
	return look{template: "error", failed: true, wide: p.Explanation != nil}
}

// Home is the way out of an error: the start page of the server below base, unless another is given.
func (p Error) Home(base string) string {
	if home := pageLink(p.HomeURL); home != "" {
		return home
	}
	return base + "/"
}

// HomeHost is the host of the way out when it is not this server.
func (p Error) HomeHost() string {
	u, err := url.Parse(WebLink(p.HomeURL))
	if err != nil {
		return ""
	}
	return u.Host
}

// ErrorCodes explains the error codes that applications meet.
type ErrorCodes struct {
	Ref        string // of the error that led here; empty: none
	ExplainURL string // for administrators
}

func (ErrorCodes) look() look {
	return look{template: "error_codes", wide: true}
}

// Codes are those of the page, which error_uri leads to.
func (p ErrorCodes) Codes() []oauth.ErrorCode { return explainedCodes }

// explainedCodes are the codes that are explained, in the order an application meets them.
var explainedCodes = []oauth.ErrorCode{
	oauth.InvalidRequest, oauth.InvalidClient, oauth.InvalidGrant, oauth.InvalidScope, oauth.UnauthorizedClient, oauth.UnsupportedGrantType,
	oauth.UnsupportedResponseType, oauth.AccessDenied, oauth.LoginRequired, oauth.ConsentRequired, oauth.InteractionRequired,
	oauth.AccountSelection, oauth.RequestNotSupported, oauth.RequestURINotSupported, oauth.RegistrationUnsupported, oauth.InvalidToken,
	oauth.InsufficientScope, oauth.TooManyAttempts, oauth.Forbidden, oauth.TemporarilyUnavailable, oauth.ServerError,
}
