package oauth

// ResponseMode is how an authorization response travels (OAuth 2.0 Multiple Response Types §2.1, Form Post §2).
type ResponseMode string

const (
	ModeQuery    ResponseMode = "query"
	ModeFragment ResponseMode = "fragment"
	ModeFormPost ResponseMode = "form_post"
)

// ReplyAddress is where the answer to one authorization request goes. It is made only by FindReplyAddress, from a
// registered redirect URI, so an answer cannot be sent anywhere else.
type ReplyAddress struct {
	uri    string
	state  string
	mode   ResponseMode
	issuer string
}

// URI returns the validated redirect URI.
func (a ReplyAddress) URI() string { return a.uri }

// AuthorizationResponse is an answer on its way to a client: parameters to add to URI by Mode, in order.
type AuthorizationResponse struct {
	URI        string
	Mode       ResponseMode
	Parameters []Parameter
}

// Parameter is one name and value.
type Parameter struct{ Name, Value string }

// Refuse answers with an error (RFC 6749 §4.1.2.1), and with the state of the session as Code does.
func (a ReplyAddress) Refuse(e *Error, sessionState string) AuthorizationResponse {
	return a.answer(sessionState, Parameter{"error", string(e.Code)}, Parameter{"error_description", e.Description})
}

// Code answers with an authorization code (RFC 6749 §4.1.2), and with the state of the session for a client that watches
// it (OIDC Session Management 1.0 §2); empty: none.
func (a ReplyAddress) Code(code Secret, sessionState string) AuthorizationResponse {
	return a.answer(sessionState, Parameter{"code", code.Reveal()})
}

// answer adds the state of the session if there is one, state as it came, and the issuer, which tells a client of several
// providers whose answer this is (RFC 9207 §2).
func (a ReplyAddress) answer(sessionState string, parameters ...Parameter) AuthorizationResponse {
	if sessionState != "" {
		parameters = append(parameters, Parameter{"session_state", sessionState})
	}
	if a.state != "" {
		parameters = append(parameters, Parameter{"state", a.state})
	}
	parameters = append(parameters, Parameter{"iss", a.issuer})
	return AuthorizationResponse{URI: a.uri, Mode: a.mode, Parameters: parameters}
}
