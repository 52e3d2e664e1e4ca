package authorize

import (
	"cmp"
	"errors"
	"slices"

	"latchkey/app/session"
	"latchkey/domain/audit"
	"latchkey/domain/identity"
	"latchkey/domain/oauth"
	"latchkey/domain/oidc"
	"latchkey/ports"
)

// advance checks the request again, decides the next step and does it. Its refusals are for a page of ours; everything
// that may be redirected is a Next with a Response.
func (e *Endpoint) advance(tx ports.Tx, v visit, p oauth.Parameters, in oidc.Interaction) (ports.Next, *oauth.Error, error) {
	next := ports.Next{Interaction: in}
	client, refusal, err := e.client(tx, p)
	if refusal != nil {
		err = session.Name(tx, refusal, oauth.ClientID(p.Get("client_id")))
	}
	if err != nil {
		return next, nil, err
	}
	next.Client = client
	var reply oauth.ReplyAddress
	if refusal == nil {
		reply, refusal = oauth.FindReplyAddress(p, client, e.Issuer)
	}
	if refusal != nil {
		return next, refusal, e.recordDenial(tx, v, next, refusal)
	}
	next.Request, refusal = oauth.ParseAuthorizationRequest(p, client, reply)
	if refusal == nil && v.hint != nil && v.hint.Subject == "" {
		refusal = oauth.Refuse(oauth.InvalidRequest, "id_token_hint is not an ID token that this server issued to this client")
	}
	if refusal != nil {
		next.Request.ReplyAddress = reply
		return e.refuse(tx, v, next, refusal)
	}
	known := oidc.Known{Hint: v.hint, Interaction: in}
	if err := e.know(tx, v, &next, &known); err != nil {
		return next, nil, err
	}
	if next.Step, refusal = oidc.NextStep(next.Request, known, v.now); refusal != nil {
		return e.refuse(tx, v, next, refusal)
	}
	if v.denied && (next.Step == oidc.Respond || next.Step == oidc.Consent) {
		err := tx.Record(audit.Event{At: v.now, Kind: audit.ConsentDenied, Caller: v.caller, Client: string(client.ID), User: string(next.User.ID)})
		if err != nil {
			return next, nil, err
		}
		return e.refuse(tx, v, next, oauth.Refuse(oauth.AccessDenied, "the user did not agree"))
	}
	if next.Step == oidc.Respond {
		return e.respond(tx, v, next, known)
	}
	return e.wait(tx, v, next, p)
}

// client looks up who asks. A parameter that names two clients names none.
func (e *Endpoint) client(r ports.Reader, p oauth.Parameters) (oauth.Client, *oauth.Error, error) {
	id := oauth.ClientID(p.Get("client_id"))
	switch {
	case slices.Contains(p.Repeated, "client_id"):
		return oauth.Client{}, oauth.Refuse(oauth.InvalidRequest, "client_id was sent more than once").With("received", "client_id"), nil
	case id == "":
		return oauth.Client{}, oauth.Refuse(oauth.InvalidRequest, "client_id is missing"), nil
	}
	client, err := r.Client(id)
	if err == nil && client.DisabledAt.IsZero() {
		return client, nil, nil
	}
	unknown := oauth.Refuse(oauth.InvalidClient, "client_id is not registered here")
	switch {
	case errors.Is(err, ports.ErrNotFound):
		return oauth.Client{}, unknown.With("received", string(id.Recordable())), nil
	case err == nil:
		return oauth.Client{}, unknown.With("received", string(id)).With("reason", "the client is disabled"), nil
	}
	return client, nil, err
}

// know gathers what NextStep decides from.
func (e *Endpoint) know(tx ports.Tx, v visit, next *ports.Next, known *oidc.Known) (err error) {
	if known.Session, known.User, err = session.Of(tx, v.browser.Session, v.now); err != nil {
		return err
	}
	next.User = known.User
	if next.Wanted, err = wanted(tx, v.hint); err != nil || known.User.ID == "" {
		return err
	}
	if oidc.WantsFactor(next.Request, known.Session) {
		factors, err := tx.Factors(known.User.ID)
		if err != nil {
			return err
		}
		known.HasFactor = len(identity.ConfirmedFactors(factors)) > 0
	}
	known.Grant, err = tx.LiveGrant(known.User.ID, next.Client.ID)
	if errors.Is(err, ports.ErrNotFound) {
		return nil
	}
	next.Grant = known.Grant
	return err
}

// wait saves the interaction that a page goes on with.
func (e *Endpoint) wait(tx ports.Tx, v visit, next ports.Next, p oauth.Parameters) (ports.Next, *oauth.Error, error) {
	in := &next.Interaction
	switch {
	case in.ID != "" && v.changed:
		return next, nil, tx.SaveInteraction(*in)
	case in.ID != "":
		return next, nil, nil
	}
	*in = oidc.Interaction{ID: oidc.InteractionID(e.Secrets.Secret().Reveal()), Browser: v.browser.Key.Digest(), Client: next.Client.ID,
		Parameters: p.ToKeep(), CreatedAt: v.now, ExpiresAt: v.now.Add(oidc.InteractionLifetime)}
	return next, nil, errors.Join(tx.SaveInteraction(*in), tx.Record(audit.Event{At: v.now, Kind: audit.InteractionStarted,
		Caller: v.caller, Client: string(next.Client.ID), User: string(next.User.ID)}))
}

// sessionState is what a client that watches the session is told with every answer to an authentication request, also to
// one that failed: it asks with prompt=none when the state changed, and must learn the new one to stop asking (OIDC Session
// Management 1.0 §3). It is of the cookie, whether that still opens a session or not, because the cookie is what the
// script compares. Without one there is none: a request out of a frame of another site brings no Lax cookie, and what we
// would say of nobody contradicts what the script sees.
func (e *Endpoint) sessionState(v visit, next ports.Next, scope oauth.Scope) string {
	if !scope.Has(oauth.ScopeOpenID) {
		return ""
	}
	return oidc.SessionState(next.Client.ID, next.Request.URI(), v.browser.Session, e.Secrets.Salt())
}

// refuse answers the client with an error and closes the interaction.
func (e *Endpoint) refuse(tx ports.Tx, v visit, next ports.Next, refusal *oauth.Error) (ports.Next, *oauth.Error, error) {
	response := next.Request.Refuse(refusal, e.sessionState(v, next, next.Request.Scope))
	next.Step, next.Response = oidc.Respond, &response
	return next, nil, errors.Join(e.recordDenial(tx, v, next, refusal), e.close(tx, v, &next))
}

// close marks an interaction answered, so that a second submit finds nothing to answer.
func (e *Endpoint) close(tx ports.Tx, v visit, next *ports.Next) error {
	if next.Interaction.ID == "" {
		return nil
	}
	next.Interaction.AnsweredAt = v.now
	return tx.SaveInteraction(next.Interaction)
}

func (e *Endpoint) recordDenial(tx ports.Tx, v visit, next ports.Next, refusal *oauth.Error) error {
	return tx.Record(audit.Event{At: v.now, Kind: audit.RequestDenied, Caller: v.caller, Client: cmp.Or(string(next.Client.ID), refusal.Facts["client_id"]),
		User: string(next.User.ID), Facts: refusal.Report()})
}

// respond remembers the consent and issues the code.
func (e *Endpoint) respond(tx ports.Tx, v visit, next ports.Next, known oidc.Known) (ports.Next, *oauth.Error, error) {
	scope, grant, changed := next.Request.Scope, known.Grant, false
	if next.Interaction.Decided {
		scope = next.Interaction.Consented
		changed = grant.Agree(next.Request.Scope, scope, v.now)
	}
	if !known.Grant.Live() {
		grant = oauth.Grant{ID: oauth.GrantID(e.Secrets.ID()), Client: next.Client.ID, User: known.User.ID, Scope: scope, CreatedAt: v.now, UpdatedAt: v.now}
		changed = true
	}
	s, text := known.Session, e.Secrets.Secret()
	code := oauth.AuthorizationCode{Digest: text.Digest(), Grant: grant.ID, Client: grant.Client, User: grant.User, Session: s.ID,
		RedirectURI: next.Request.URI(), Scope: scope, Nonce: next.Request.Nonce, Challenge: next.Request.Challenge,
		AuthTime: s.AuthTime, AMR: s.AMR, ACR: s.ACR, CreatedAt: v.now, ExpiresAt: v.now.Add(next.Client.Rules.CodeLifetime)}
	if changed {
		if err := tx.SaveGrant(grant); err != nil {
			return next, nil, err
		}
	}
	if s.Touch(v.now) {
		if err := tx.SaveSession(s); err != nil {
			return next, nil, err
		}
	}
	response := next.Request.Code(text, e.sessionState(v, next, scope))
	next.Step, next.Response = oidc.Respond, &response
	return next, nil, errors.Join(tx.SaveCode(code), e.close(tx, v, &next), tx.Record(audit.Event{At: v.now, Kind: audit.CodeIssued,
		Caller: v.caller, Client: string(grant.Client), User: string(grant.User), Session: string(s.ID), Grant: string(grant.ID)}))
}
