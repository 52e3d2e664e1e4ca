package ports

import (
	"context"
	"errors"
	"time"

	"latchkey/domain/audit"
	"latchkey/domain/identity"
)

// Explainer says why something was refused. It is for operators: nothing of it goes to the client, and no secret is in it.
// Texts are in the language ("en" or "id"; any other is "en").
type Explainer interface {
	// Explain takes what the refused was shown: error_ref (err_…) or request_id (req_…). Anything else, and a refusal that is
	// not on record, is an error that wraps ErrNotFound and says where else to look.
	Explain(ctx context.Context, ref, language string) (Explanation, error)
	// Refusals returns the last refusals of a client, or of all with an empty one, newest first, at most limit. A client that
	// neither exists nor was ever named is an error that wraps ErrNotFound.
	Refusals(ctx context.Context, client string, limit int, language string) ([]Refusal, error)
}

// Refusal is one refusal in a line.
type Refusal struct {
	Ref     string    `json:"error_ref"`
	When    time.Time `json:"when"`
	Client  string    `json:"client_id,omitempty"` // as the request named it: it may not exist
	Code    string    `json:"error"`
	Cause   string    `json:"cause"` // a word that never changes its meaning
	Summary string    `json:"summary"`
}

// Explanation is a refusal with everything that leads to its end. An empty text has nothing to say.
type Explanation struct {
	Refusal
	RequestID   string `json:"request_id"`
	ClientName  string `json:"client_name,omitempty"`
	Description string `json:"error_description"` // what the client was told
	IP          string `json:"ip,omitempty"`
	UserAgent   string `json:"user_agent,omitempty"`

	Received    string   `json:"received,omitempty"`
	Expected    []string `json:"expected,omitempty"`
	Nearest     string   `json:"nearest,omitempty"`     // the registered URI that was most likely meant
	Differences []string `json:"differences,omitempty"` // from it, in words

	Rule    string `json:"rule"`
	Section string `json:"section"` // where the rule stands: "RFC 6749 §4.1.3"
	Mistake string `json:"mistake"` // what usually leads here
	Fix     string `json:"fix"`
	Command string `json:"command,omitempty"` // of latchkey, to copy
	Setting string `json:"setting,omitempty"` // what to look for in the application, when it was recognised
	Settled string `json:"settled,omitempty"` // said when the same request would be accepted now
}

// Administrators lets people into the pages of administration.
type Administrators interface {
	// Administrator returns who is signed in, when they administer and signed in lately. It is ErrSignedOut when nobody is,
	// ErrStepUp when the sign-in is too old, ErrFactorNeeded when the session began without the second factor of its user,
	// ErrNoFactor when they have none, and for anybody else a refusal that is on record.
	Administrator(context.Context, audit.Caller, Browser) (identity.User, error)
}

// ErrStepUp is returned when somebody has to sign in again for what they want to do.
var ErrStepUp = errors.New("the sign-in is too old for this")
