package oauth

import (
	"fmt"
	"maps"
	"strings"
	"time"
)

// ErrorCode is a registered error code.
type ErrorCode string

// The codes in use and where they are registered.
const (
	InvalidRequest          ErrorCode = "invalid_request"           // RFC 6749 §4.1.2.1, §5.2
	InvalidClient           ErrorCode = "invalid_client"            // RFC 6749 §5.2
	InvalidGrant            ErrorCode = "invalid_grant"             // RFC 6749 §5.2
	InvalidScope            ErrorCode = "invalid_scope"             // RFC 6749 §4.1.2.1, §5.2
	UnauthorizedClient      ErrorCode = "unauthorized_client"       // RFC 6749 §4.1.2.1, §5.2
	UnsupportedGrantType    ErrorCode = "unsupported_grant_type"    // RFC 6749 §5.2
	UnsupportedResponseType ErrorCode = "unsupported_response_type" // RFC 6749 §4.1.2.1
	AccessDenied            ErrorCode = "access_denied"             // RFC 6749 §4.1.2.1
	ServerError             ErrorCode = "server_error"              // RFC 6749 §4.1.2.1
	TemporarilyUnavailable  ErrorCode = "temporarily_unavailable"   // RFC 6749 §4.1.2.1
	InvalidToken            ErrorCode = "invalid_token"             // RFC 6750 §3.1
	InsufficientScope       ErrorCode = "insufficient_scope"        // RFC 6750 §3.1
	LoginRequired           ErrorCode = "login_required"            // OIDC Core §3.1.2.6
	ConsentRequired         ErrorCode = "consent_required"          // OIDC Core §3.1.2.6
	InteractionRequired     ErrorCode = "interaction_required"      // OIDC Core §3.1.2.6
	AccountSelection        ErrorCode = "account_selection_required"
	RequestNotSupported     ErrorCode = "request_not_supported"     // OIDC Core §3.1.2.6
	RequestURINotSupported  ErrorCode = "request_uri_not_supported" // OIDC Core §3.1.2.6
	RegistrationUnsupported ErrorCode = "registration_not_supported"
	TooManyAttempts         ErrorCode = "too_many_attempts" // HTTP 429 (RFC 6585 §4); no OAuth document names a code for it
	Forbidden               ErrorCode = "forbidden"         // a form that did not come from our own page
)

// Error is a refusal: the one error a client is ever shown. Every other error that reaches an adapter is a fault and is
// answered as server_error without its text.
type Error struct {
	Code        ErrorCode
	Description string        // shown to the client, in the characters RFC 6749 §5.2 allows
	Cause       error         // logged, never shown
	RetryAfter  time.Duration // how long until it is worth another try; 0: that does not depend on time

	// Facts say what was received and what was expected, for the operator; never a secret.
	Facts map[string]string
}

func (e *Error) Error() string {
	if e.Cause != nil {
		return fmt.Sprintf("%s: %s: %v", e.Code, e.Description, e.Cause)
	}
	return fmt.Sprintf("%s: %s", e.Code, e.Description)
}

func (e *Error) Unwrap() error { return e.Cause }

// Refuse returns a refusal. The description may hold only the characters of RFC 6749 §5.2 (no quotes, no backslash), so
// what a client sent never goes into it.
func Refuse(code ErrorCode, description string) *Error {
	return &Error{Code: code, Description: description}
}

// TooManyRequests refuses what is more than its sender may send. Only those that are recorded get facts.
func TooManyRequests(retryAfter time.Duration) *Error {
	e := Refuse(TooManyAttempts, "too many requests in a short time: wait as long as Retry-After says")
	e.RetryAfter = retryAfter
	return e
}

// With adds a fact for the operator: how the request differed from what was expected.
func (e *Error) With(name, value string) *Error {
	if e.Facts == nil {
		e.Facts = map[string]string{}
	}
	e.Facts[name] = clip(value)
	return e
}

// Report returns what the audit trail keeps of the refusal.
func (e *Error) Report() map[string]string {
	report := map[string]string{"error": string(e.Code), "description": e.Description}
	maps.Copy(report, e.Facts)
	return report
}

// clip bounds what a stranger can make us keep.
func clip(s string) string {
	const most = 256
	if len(s) > most {
		return strings.ToValidUTF8(s[:most], "") + "…"
	}
	return s
}
