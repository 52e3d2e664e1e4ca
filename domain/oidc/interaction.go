package oidc

import (
	"crypto/sha256"
	"slices"
	"time"

	"latchkey/domain/identity"
	"latchkey/domain/oauth"
)

// InteractionLifetime bounds how long a person may take between an application's request and the answer.
const InteractionLifetime = time.Hour

// InteractionID names an interaction in the URLs of its pages. It is unguessable, and useless in another browser.
type InteractionID string

// Interaction is one authorization request that waits for a person. Each request has its own, so two tabs never disturb
// each other.
type Interaction struct {
	ID         InteractionID
	Browser    [sha256.Size]byte // digest of the cookie of the browser that began it
	Client     oauth.ClientID
	Parameters map[string]string // the request as it came; checked again at every step
	CreatedAt  time.Time
	ExpiresAt  time.Time

	Account    identity.UserID // whom the person signed in as or chose within this interaction; empty: nobody yet
	LoggedIn   bool            // they proved it with a password here
	Switch     bool            // they asked for another account
	Consented  oauth.Scope     // what the user agreed to here
	Decided    bool            // the consent page was answered
	AnsweredAt time.Time       // the code was issued or the request refused
}

// Open reports whether the browser may go on with the interaction.
func (i Interaction) Open(browser [sha256.Size]byte, now time.Time) bool {
	return i.ID != "" && i.Browser == browser && i.AnsweredAt.IsZero() && now.Before(i.ExpiresAt) && !identity.FromFuture(i.CreatedAt, now)
}

// Step is what has to happen next.
type Step int

const (
	Respond       Step = iota // issue the code
	Login                     // ask who the user is
	SelectAccount             // ask which account to use
	Consent                   // ask whether the client may
	SecondFactor              // ask for the second factor
	Enrol                     // let the user add one
)

// Known is what NextStep decides from.
type Known struct {
	Session     identity.Session // zero: none
	User        identity.User    // of the session
	HasFactor   bool             // the user has a second factor; looked up when WantsFactor
	Grant       oauth.Grant      // remembered consent of the user for the client; zero: none
	Hint        *IDTokenHint     // the verified id_token_hint, if one was sent
	Interaction Interaction      // zero: the request has just arrived
}

// NextStep decides how an authorization request goes on (OIDC Core §3.1.2.1, §3.1.2.3, §3.1.2.4). With prompt=none every
// step that needs a person becomes a refusal.
func NextStep(r oauth.AuthorizationRequest, k Known, now time.Time) (Step, *oauth.Error) {
	step, refusal := nextStep(r, k, now)
	if step != Respond && r.Prompt.None {
		return Respond, refusal
	}
	return step, nil
}

// WantsFactor reports whether the request asks for more than the session began with. acr_values is a wish (OIDC Core
// §3.1.2.1): it is granted when only a second factor would do, and one that names the password too is content with it.
func WantsFactor(r oauth.AuthorizationRequest, s identity.Session) bool {
	return s.ACR != ACRMultiFactor && slices.Contains(r.ACRValues, ACRMultiFactor) && !slices.Contains(r.ACRValues, ACRPassword)
}

// nextStep pairs each step with what prompt=none answers instead.
func nextStep(r oauth.AuthorizationRequest, k Known, now time.Time) (Step, *oauth.Error) {
	in := k.Interaction
	chosen := in.Account != "" && in.Account == k.Session.User
	loggedIn := chosen && in.LoggedIn
	age := now.Sub(k.Session.AuthTime)
	otherUser := k.Hint != nil && k.Hint.Subject != k.Session.User
	switch {
	case !k.Session.Live(now) || k.User.Disabled() || k.User.ID == "":
		return Login, oauth.Refuse(oauth.LoginRequired, "nobody is signed in")
	case otherUser:
		return Login, oauth.Refuse(oauth.LoginRequired, "another user is signed in than id_token_hint names")
	case in.Account != "" && !chosen: // another tab signed in somebody else since
		return Login, oauth.Refuse(oauth.LoginRequired, "another user has signed in since")
	case in.Switch && !loggedIn:
		return Login, oauth.Refuse(oauth.LoginRequired, "another account was asked for")
	case r.Prompt.Login && !loggedIn:
		return Login, oauth.Refuse(oauth.LoginRequired, "a new sign-in was asked for")
	case r.MaxAge >= 0 && (age > r.MaxAge || r.MaxAge == 0) && !loggedIn:
		return Login, oauth.Refuse(oauth.LoginRequired, "the sign-in is older than max_age")
	case r.Prompt.SelectAccount && !chosen:
		return SelectAccount, oauth.Refuse(oauth.AccountSelection, "the user has to choose an account")
	case WantsFactor(r, k.Session) && k.HasFactor:
		return SecondFactor, oauth.Refuse(oauth.InteractionRequired, "the second factor was asked for")
	case WantsFactor(r, k.Session):
		return Enrol, oauth.Refuse(oauth.InteractionRequired, "a second factor was asked for, and the user has none")
	case in.Decided:
		return Respond, nil
	case r.Prompt.Consent, !k.Grant.Live(), !k.Grant.Scope.Covers(r.Scope):
		return Consent, oauth.Refuse(oauth.ConsentRequired, "the user has not agreed to this client and scope")
	}
	return Respond, nil
}
