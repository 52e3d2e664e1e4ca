package web

import (
	"net/http"

	"latchkey/domain/oauth"
)

// showError shows an error on a page of ours.
func (s *server) showError(w http.ResponseWriter, r *request, code int, message messageID, refusal *oauth.Error) {
	p := errorPage{Message: message, Code: string(refusal.Code), Description: refusal.Description, Ref: errorRef(r.caller.RequestID), HomeURL: s.path("/")}
	if received := refusal.Facts["received"]; message == msgUnknownClient && received != "" {
		// On a page, which escapes it, people may see which client_id was sent; in JSON it stays out (RFC 6749 §5.2).
		p.Description += ": " + plainText(received)
	}
	s.explainTo(r, &p)
	s.pages.render(w, code, s.frame(r), p)
}

// explainedCodes are the codes of the page that error_uri leads to, in the order an application meets them.
var explainedCodes = []oauth.ErrorCode{
	oauth.InvalidRequest, oauth.InvalidClient, oauth.InvalidGrant, oauth.InvalidScope, oauth.UnauthorizedClient, oauth.UnsupportedGrantType,
	oauth.UnsupportedResponseType, oauth.AccessDenied, oauth.LoginRequired, oauth.ConsentRequired, oauth.InteractionRequired,
	oauth.AccountSelection, oauth.RequestNotSupported, oauth.RequestURINotSupported, oauth.RegistrationUnsupported, oauth.InvalidToken,
	oauth.InsufficientScope, oauth.TooManyAttempts, oauth.Forbidden, oauth.TemporarilyUnavailable, oauth.ServerError,
}

// errorCodes explains the error codes to people who connect applications.
func (s *server) errorCodes(w http.ResponseWriter, r *request) error {
	s.pages.render(w, http.StatusOK, s.frame(r), errorCodesPage{Codes: explainedCodes})
	return nil
}
