package authorize

import (
	"context"
	"errors"
	"time"

	"latchkey/app/session"
	"latchkey/domain/audit"
	"latchkey/domain/identity"
	"latchkey/domain/oauth"
	"latchkey/domain/oidc"
	"latchkey/ports"
)

// Endpoint answers authorization requests.
type Endpoint struct {
	Issuer  string
	Store   ports.Store
	Signer  ports.Signer
	Secrets ports.Secrets
	Now     ports.Clock
	Auth    *session.Authenticator
}

var _ ports.AuthorizationEndpoint = (*Endpoint)(nil)

// visit is one entrance: who came, when, with what.
type visit struct {
	caller  audit.Caller
	browser ports.Browser
	now     time.Time
	hint    *oidc.IDTokenHint
	changed bool // the interaction differs from the saved one
	denied  bool // the person answered no
}

// Authorize answers a request that has just arrived.
func (e *Endpoint) Authorize(ctx context.Context, caller audit.Caller, b ports.Browser, p oauth.Parameters) (ports.Next, error) {
	v := visit{caller: caller, browser: b, now: e.Now(), hint: e.readHint(p)}
	// A refusal is recorded, even if its caller has left.
	return ports.Decide(context.WithoutCancel(ctx), e.Store, func(tx ports.Tx) (ports.Next, *oauth.Error, error) {
		return e.advance(tx, v, p, oidc.Interaction{CreatedAt: v.now})
	})
}

// Resume says how an open interaction goes on.
func (e *Endpoint) Resume(ctx context.Context, caller audit.Caller, b ports.Browser, id oidc.InteractionID) (ports.Next, error) {
	return e.continueWith(ctx, caller, b, id, func(ports.Tx, *visit, *oidc.Interaction) error { return nil })
}

// SelectAccount answers the account page. An account that is no longer the one signed in is asked about again.
func (e *Endpoint) SelectAccount(ctx context.Context, caller audit.Caller, b ports.Browser, id oidc.InteractionID, account identity.UserID) (ports.Next, error) {
	return e.continueWith(ctx, caller, b, id, func(tx ports.Tx, v *visit, in *oidc.Interaction) error {
		_, user, err := session.Of(tx, b.Session, v.now)
		switch {
		case account == "":
			in.Account, in.LoggedIn, in.Switch = "", false, true
		case account == user.ID:
			in.Account, in.Switch = account, false
		}
		v.changed = true
		return err
	})
}

// Login answers the login page. The password is checked between a look and a unit of work, because hashing is slow.
func (e *Endpoint) Login(ctx context.Context, caller audit.Caller, b ports.Browser, id oidc.InteractionID, form ports.LoginForm) (ports.Next, error) {
	shown, err := e.look(ctx, b, id)
	if err != nil {
		return shown, err
	}
	verified, login, err := e.Auth.Verify(ctx, caller, form)
	if err != nil {
		return ports.Next{}, err
	}
	if login.Problem != "" {
		shown.Login = login
		return shown, nil
	}
	secret := e.Secrets.Secret()
	return e.decide(ctx, caller, b, id, func(tx ports.Tx, v visit, in oidc.Interaction) (ports.Next, *oauth.Error, error) {
		login, err := e.Auth.BeginSignIn(tx, verified, caller, b.Session, secret, string(id), v.now)
		if err != nil || login.Cookie == "" {
			// Whoever failed after all, or is not through yet, must not be answered with whom another tab signed in.
			next := shown
			if next.Login = login; login.Challenge != "" {
				next.Step = oidc.SecondFactor
			}
			return next, nil, err
		}
		in.Account, in.LoggedIn, v.changed = login.Session.User, true, true
		v.browser.Session = secret
		next, refusal, err := e.advance(tx, v, oauth.Parameters{Values: in.Parameters}, in)
		next.Login = login
		return next, refusal, err
	})
}

// SecondFactor answers the challenge of the browser. The sign-in counts as one for this interaction only if its page took
// the password: another tab may have begun it before the application asked.
func (e *Endpoint) SecondFactor(ctx context.Context, caller audit.Caller, b ports.Browser, id oidc.InteractionID, form ports.FactorForm) (ports.Next, error) {
	shown, err := e.look(ctx, b, id)
	if err != nil {
		return shown, err
	}
	shown.Step, shown.Login.Problem = oidc.SecondFactor, ports.FactorOver
	if b.Challenge == "" {
		return shown, nil
	}
	proven, login, err := e.Auth.Prove(ctx, caller, "", b.Challenge, form)
	if err != nil {
		return ports.Next{}, err
	}
	if login.Problem != "" {
		shown.Login = login
		return shown, nil
	}
	cookie := e.Secrets.Secret()
	return e.decide(ctx, caller, b, id, func(tx ports.Tx, v visit, in oidc.Interaction) (ports.Next, *oauth.Error, error) {
		s, c, ok, err := e.Auth.Finish(tx, proven, caller, b, cookie, v.now)
		if err != nil || !ok {
			return shown, nil, err
		}
		if c.Session == "" {
			in.LoggedIn = c.Interaction == string(id) || in.LoggedIn && in.Account == s.User
			in.Account, v.changed = s.User, true
		}
		v.browser.Session = cookie
		next, refusal, err := e.advance(tx, v, oauth.Parameters{Values: in.Parameters}, in)
		next.Login = ports.Login{Cookie: cookie, Session: s}
		return next, refusal, err
	})
}

// look returns what the login page shows of an interaction and changes nothing: another tab may have signed somebody in
// since, and a form about to be checked must not be answered by that session.
func (e *Endpoint) look(ctx context.Context, b ports.Browser, id oidc.InteractionID) (ports.Next, error) {
	next := ports.Next{Step: oidc.Login}
	var refusal *oauth.Error
	err := e.Store.View(ctx, func(r ports.Reader) (err error) {
		now := e.Now()
		if next.Interaction, err = find(r, b, id, now); err != nil {
			return err
		}
		p := oauth.Parameters{Values: next.Interaction.Parameters}
		if next.Client, refusal, err = e.client(r, p); refusal != nil || err != nil {
			return err
		}
		var reply oauth.ReplyAddress
		if reply, refusal = oauth.FindReplyAddress(p, next.Client, e.Issuer); refusal != nil {
			return nil
		}
		next.Request, _ = oauth.ParseAuthorizationRequest(p, next.Client, reply) // judged once somebody is signed in
		if _, next.User, err = session.Of(r, b.Session, now); err != nil {
			return err
		}
		next.Wanted, err = wanted(r, e.readHint(p))
		return err
	})
	if err == nil && refusal != nil {
		err = refusal
	}
	return next, err
}

// Consent answers the consent page. An answer counts only when consent is what the interaction waits for: a form sent
// before signing in, or twice, decides nothing.
func (e *Endpoint) Consent(ctx context.Context, caller audit.Caller, b ports.Browser, id oidc.InteractionID, form ports.ConsentForm) (ports.Next, error) {
	return e.decide(ctx, caller, b, id, func(tx ports.Tx, v visit, in oidc.Interaction) (ports.Next, *oauth.Error, error) {
		_, user, err := session.Of(tx, b.Session, v.now)
		if err != nil {
			return ports.Next{}, nil, err
		}
		if user.ID != form.User {
			// Another tab signed in somebody else since: what they agreed to once must not turn this answer into a code.
			in.Switch, in.LoggedIn, v.changed = true, false, true
		}
		// A no is a no, even if another tab said yes meanwhile.
		v.denied = !form.Approved
		next, refusal, err := e.advance(tx, v, oauth.Parameters{Values: in.Parameters}, in)
		if refusal != nil || err != nil || next.Step != oidc.Consent {
			return next, refusal, err
		}
		event := audit.Event{At: v.now, Kind: audit.ConsentGranted, Caller: caller, Client: string(next.Client.ID), User: string(next.User.ID)}
		in = next.Interaction
		in.Decided, in.Consented = true, agreed(next.Request.Scope, form.Scopes)
		event.Facts = map[string]string{"scope": string(in.Consented)}
		if err := tx.Record(event); err != nil {
			return next, nil, err
		}
		return e.advance(tx, v, oauth.Parameters{Values: in.Parameters}, in)
	})
}

// agreed returns what was both asked for and ticked. Who the user is cannot be left out of signing them in.
func agreed(asked oauth.Scope, ticked []string) oauth.Scope {
	var scope oauth.Scope
	for _, t := range asked.List() {
		for _, x := range append(ticked, oauth.ScopeOpenID) {
			if t == x {
				scope = scope.Plus(oauth.Scope(t))
			}
		}
	}
	return scope
}

// continueWith changes an open interaction and advances it.
func (e *Endpoint) continueWith(ctx context.Context, caller audit.Caller, b ports.Browser, id oidc.InteractionID,
	change func(ports.Tx, *visit, *oidc.Interaction) error) (ports.Next, error) {
	return e.decide(ctx, caller, b, id, func(tx ports.Tx, v visit, in oidc.Interaction) (ports.Next, *oauth.Error, error) {
		if err := change(tx, &v, &in); err != nil {
			return ports.Next{}, nil, err
		}
		return e.advance(tx, v, oauth.Parameters{Values: in.Parameters}, in)
	})
}

// decide runs fn on the interaction of the browser, if it is open there.
func (e *Endpoint) decide(ctx context.Context, caller audit.Caller, b ports.Browser, id oidc.InteractionID,
	fn func(ports.Tx, visit, oidc.Interaction) (ports.Next, *oauth.Error, error)) (ports.Next, error) {
	v := visit{caller: caller, browser: b, now: e.Now()}
	var seen oidc.Interaction
	err := e.Store.View(ctx, func(r ports.Reader) (err error) {
		seen, err = find(r, b, id, v.now)
		return err
	})
	if err != nil {
		return ports.Next{Interaction: seen}, err
	}
	v.hint = e.readHint(oauth.Parameters{Values: seen.Parameters})
	next, err := ports.Decide(context.WithoutCancel(ctx), e.Store, func(tx ports.Tx) (ports.Next, *oauth.Error, error) {
		in, err := find(tx, b, id, v.now)
		if err != nil {
			return ports.Next{}, nil, err
		}
		return fn(tx, v, in)
	})
	if errors.Is(err, ports.ErrInteractionOver) {
		next.Interaction = seen
	}
	return next, err
}

// find returns the open interaction of a browser. One that was answered there comes with ErrInteractionOver too: the form
// was sent twice, and the person may make the request again.
func find(r ports.Reader, b ports.Browser, id oidc.InteractionID, now time.Time) (oidc.Interaction, error) {
	in, err := r.Interaction(id)
	switch {
	case errors.Is(err, ports.ErrNotFound):
		return oidc.Interaction{}, ports.ErrInteractionOver
	case err != nil || in.Open(b.Key.Digest(), now):
		return in, err
	case in.Browser == b.Key.Digest() && now.Before(in.ExpiresAt):
		return in, ports.ErrInteractionOver
	}
	return oidc.Interaction{}, ports.ErrInteractionOver
}

// readHint verifies an id_token_hint, outside any unit of work. One that is not ours names nobody; whether it was issued
// to this client is checked with the request.
func (e *Endpoint) readHint(p oauth.Parameters) *oidc.IDTokenHint {
	text := p.Get("id_token_hint")
	if text == "" {
		return nil
	}
	hint, err := e.Signer.VerifyIDToken(oauth.Secret(text), e.Issuer)
	if err != nil || string(hint.Audience) != p.Get("client_id") {
		return &oidc.IDTokenHint{}
	}
	return &hint
}

// wanted returns the user a hint names.
func wanted(r ports.Reader, hint *oidc.IDTokenHint) (identity.User, error) {
	if hint == nil || hint.Subject == "" {
		return identity.User{}, nil
	}
	u, err := r.User(hint.Subject)
	if errors.Is(err, ports.ErrNotFound) {
		return identity.User{}, nil
	}
	return u, err
}
