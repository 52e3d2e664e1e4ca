package token

import (
	"context"
	"errors"
	"time"

	"latchkey/domain/audit"
	"latchkey/domain/oauth"
	"latchkey/ports"
)

// Bearer reads access tokens that are presented to this server itself.
type Bearer struct {
	Issuer string
	Store  ports.Store
	Signer ports.Signer
	Now    ports.Clock
}

// Read returns what an access token says that is genuine, for this server, and in its time (RFC 9068 §4). What it hangs on
// is for Live. A refusal is on record.
func (e Bearer) Read(ctx context.Context, caller audit.Caller, text oauth.Secret) (oauth.AccessToken, error) {
	now := e.Now()
	token, err := e.Signer.VerifyAccessToken(text)
	if errors.Is(err, ports.ErrKeysNotReady) {
		return token, err
	}
	if err == nil && token.Valid(e.Issuer, e.Issuer, now) {
		return token, nil
	}
	refusal := oauth.Refuse(oauth.InvalidToken, "the access token is not valid here or has expired")
	if err != nil {
		token = e.misread(text, refusal)
	} else {
		unfit(token, e.Issuer, now, refusal)
	}
	return oauth.AccessToken{}, e.Deny(ctx, caller, token, refusal)
}

// misread tells the operator what came in place of an access token, and returns as much of one as it names. An ID token is
// the usual mistake, and has the same three parts.
func (e Bearer) misread(text oauth.Secret, refusal *oauth.Error) oauth.AccessToken {
	if hint, err := e.Signer.VerifyIDToken(text, e.Issuer); err == nil {
		refusal.With("reason", "an ID token").With("received", "ID token").With("expected", "access token")
		return oauth.AccessToken{Client: hint.Audience, Subject: hint.Subject}
	}
	refusal.With("reason", "not a token of this server")
	return oauth.AccessToken{}
}

// unfit tells the operator why a token of ours may not be used.
func unfit(t oauth.AccessToken, issuer string, now time.Time, refusal *oauth.Error) {
	switch {
	case t.Issuer != issuer:
		refusal.With("reason", "other issuer").With("received", t.Issuer).With("expected", issuer)
	case t.Audience != issuer:
		refusal.With("reason", "other audience").With("received", t.Audience).With("expected", issuer)
	case !now.Before(t.ExpiresAt):
		refusal.With("reason", "expired").With("received", "issued "+now.Sub(t.IssuedAt).Truncate(time.Second).String()+" ago").
			With("expected", "at most "+t.ExpiresAt.Sub(t.IssuedAt).String())
	default:
		refusal.With("reason", "issued in the future").With("received", "issued in "+t.IssuedAt.Sub(now).String())
	}
}

// Live checks what a valid access token hangs on: its family, grant, user and session; for one about the client itself, the
// client.
func Live(r ports.Reader, t oauth.AccessToken) (*oauth.Error, error) {
	revoked := oauth.Refuse(oauth.InvalidToken, "the access token was revoked")
	if alone, err := r.TokenRevoked(t.ID); err != nil {
		return nil, err
	} else if alone {
		return revoked.With("reason", "token revoked"), nil
	}
	if t.ID.Family() == "" {
		client, err := r.Client(t.Client)
		if errors.Is(err, ports.ErrNotFound) || (err == nil && !client.DisabledAt.IsZero()) {
			return revoked.With("reason", "client disabled or deleted"), nil
		}
		if err != nil {
			return nil, err
		}
		// It hangs on nothing that was made final then, and whether it had expired or was revoked is known no more.
		back, err := r.Moment(ports.ClockSetBack)
		if err == nil && t.IssuedAt.Before(back.Truncate(time.Second)) { // a token knows whole seconds
			return revoked.With("reason", "issued before the clock was set back"), nil
		}
		return nil, err
	}
	family, err := r.TokenFamily(t.ID.Family())
	if errors.Is(err, ports.ErrNotFound) || (err == nil && !family.RevokedAt.IsZero()) {
		return revoked.With("reason", "family revoked").With("revoked", family.RevokeReason), nil
	}
	if err != nil {
		return nil, err
	}
	refusal, err := standing(r, family.Grant, family.User, t.Session, t.Session == "")
	if refusal != nil {
		return revoked.With("reason", refusal.Facts["reason"]), nil
	}
	return nil, err
}

// Deny records the refusal of a token, as much of which is known as it names, and returns it.
func (e Bearer) Deny(ctx context.Context, caller audit.Caller, t oauth.AccessToken, refusal *oauth.Error) error {
	_, err := ports.Decide(context.WithoutCancel(ctx), e.Store, func(tx ports.Tx) (struct{}, *oauth.Error, error) {
		return struct{}{}, refusal, tx.Record(audit.Event{At: e.Now(), Kind: audit.BearerDenied, Caller: caller, Client: string(t.Client),
			User: string(t.Subject), Session: string(t.Session), Family: string(t.ID.Family()), Facts: refusal.Report()})
	})
	return err
}
