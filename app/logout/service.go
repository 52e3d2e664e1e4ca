package logout

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"latchkey/app/session"
	"latchkey/app/token"
	"latchkey/domain/audit"
	"latchkey/domain/identity"
	"latchkey/domain/oauth"
	"latchkey/domain/oidc"
	"latchkey/ports"
)

// Service signs users out of the applications of a session.
type Service struct {
	token.Bearer
	Deliveries *Deliveries
}

var _ ports.SingleLogout = Service{}

// Tell sends what is due to the applications of a session, waits a moment, and says how far it came.
func (s Service) Tell(ctx context.Context, id identity.SessionID) (ports.SignedOut, error) {
	if err := s.Deliveries.session(ctx, id); err != nil {
		return ports.SignedOut{}, err
	}
	return s.Applications(ctx, id)
}

// Applications says who took part in the session, and how far the telling is.
func (s Service) Applications(ctx context.Context, id identity.SessionID) (out ports.SignedOut, err error) {
	if id == "" {
		return out, nil
	}
	err = s.Store.View(ctx, func(r ports.Reader) error {
		out, err = s.applications(r, id)
		return err
	})
	return out, err
}

func (s Service) applications(r ports.Reader, id identity.SessionID) (ports.SignedOut, error) {
	out := ports.SignedOut{Session: id}
	notices, err := r.NoticesOfSession(id)
	if err != nil {
		return out, err
	}
	told := map[oauth.ClientID]oidc.DeliveryState{}
	for _, n := range notices {
		told[n.Client] = n.State()
	}
	clients, err := r.SessionClients(id)
	if err != nil {
		return out, err
	}
	for _, name := range clients {
		c, err := r.Client(name)
		if err != nil {
			return out, err
		}
		if !c.DisabledAt.IsZero() {
			continue
		}
		out.Applications = append(out.Applications, ports.SignedOutOfApplication{Client: c, BackChannel: told[name],
			Frame: oidc.FrontChannelURI(c, s.Issuer, id)})
	}
	slices.SortStableFunc(out.Applications, func(a, b ports.SignedOutOfApplication) int {
		return cmp.Compare(a.Client.DisplayName(), b.Client.DisplayName())
	})
	return out, nil
}

// LogoutByToken ends the session of an access token. Whoever holds the token speaks for its user and for nobody else: which
// session ends is what the token says, whatever came with it.
func (s Service) LogoutByToken(ctx context.Context, caller audit.Caller, text oauth.Secret) (ports.SignedOut, error) {
	ctx = context.WithoutCancel(ctx)
	t, err := s.Read(ctx, caller, text)
	if err != nil {
		return ports.SignedOut{}, err
	}
	if t.ID.Family() == "" {
		return ports.SignedOut{}, s.Deny(ctx, caller, t, oauth.Refuse(oauth.InsufficientScope, "the access token is about no user who could be signed out").
			With("reason", "the token of a client itself"))
	}
	now := s.Now()
	err = s.decide(ctx, caller, t, func(tx ports.Tx) error {
		event := audit.Event{At: now, Kind: audit.LogoutCentral, Caller: caller, Client: string(t.Client), User: string(t.Subject),
			Session: string(t.Session), Family: string(t.ID.Family())}
		if t.Session == "" { // refreshed after its session had ended: what is left is the line of tokens
			f, err := tx.TokenFamily(t.ID.Family())
			if err != nil {
				return err
			}
			return errors.Join(session.RevokeFamilies(tx, []oauth.TokenFamily{f}, "session ended", caller, now), tx.Record(event))
		}
		x, err := tx.Session(t.Session)
		if err != nil {
			return err
		}
		return errors.Join(session.EndWhole(tx, x, caller, now), tx.Record(event))
	})
	if err != nil || t.Session == "" {
		return ports.SignedOut{}, err
	}
	return s.Tell(ctx, t.Session)
}

// decide does something for whoever holds a token that is still good.
func (s Service) decide(ctx context.Context, caller audit.Caller, t oauth.AccessToken, do func(ports.Tx) error) error {
	var refused *oauth.Error
	err := s.Store.Update(ctx, func(tx ports.Tx) (err error) {
		if refused, err = token.Live(tx, t); refused != nil || err != nil {
			return err
		}
		return do(tx)
	})
	if err == nil && refused != nil {
		return s.Deny(ctx, caller, t, refused)
	}
	return err
}

// RegisterSession notes that the client of the token takes part in its session. Most do since they got the token; what it
// adds is that the client learns whether it will hear of the end.
func (s Service) RegisterSession(ctx context.Context, caller audit.Caller, text oauth.Secret) (oauth.ClientID, identity.SessionID, error) {
	ctx = context.WithoutCancel(ctx)
	t, err := s.Read(ctx, caller, text)
	if err != nil {
		return "", "", err
	}
	if t.Session == "" {
		return "", "", s.Deny(ctx, caller, t, oauth.Refuse(oauth.InvalidToken, "the access token belongs to no session").With("reason", "no session"))
	}
	var silent *oauth.Error
	err = s.decide(ctx, caller, t, func(tx ports.Tx) error {
		client, err := tx.Client(t.Client)
		if silent = nil; err != nil {
			return err
		}
		if !client.HearsLogout() {
			silent = oauth.Refuse(oauth.InvalidClient, "the client has no channel for logout: register backchannel_logout_uri or frontchannel_logout_uri").
				With("reason", "no logout channel")
			return nil
		}
		members, err := tx.SessionClients(t.Session)
		if err != nil || slices.Contains(members, t.Client) {
			return err
		}
		return errors.Join(tx.JoinSession(t.Session, t.Client), tx.Record(audit.Event{At: s.Now(), Kind: audit.SessionJoined, Caller: caller,
			Client: string(t.Client), User: string(t.Subject), Session: string(t.Session)}))
	})
	switch {
	case err != nil:
		return "", "", err
	case silent != nil:
		return "", "", s.Deny(ctx, caller, t, silent)
	}
	return t.Client, t.Session, nil
}

// FrontChannel finds the applications whose frames sign a browser out. An access token says of which session, also one that
// ended with it: an application is sent here by the answer to its request to end the session. A browser without one
// speaks for its own session once that has ended: before, a link of any site would sign its user out of everything.
func (s Service) FrontChannel(ctx context.Context, caller audit.Caller, b ports.Browser, text oauth.Secret) (ports.SignedOut, error) {
	var t oauth.AccessToken
	if text != "" {
		var err error
		if t, err = s.Read(ctx, caller, text); err != nil {
			return ports.SignedOut{}, err
		}
	}
	var out ports.SignedOut
	var refused *oauth.Error
	err := s.Store.View(ctx, func(r ports.Reader) (err error) {
		id := t.Session
		switch {
		case text == "":
			id, err = endedSession(r, b)
		case t.Session == "":
			refused = oauth.Refuse(oauth.InvalidToken, "the access token belongs to no session").With("reason", "no session")
		default:
			refused, err = ofSession(r, t)
		}
		if refused != nil || err != nil {
			return err
		}
		out, err = s.applications(r, id)
		return err
	})
	if err == nil && refused != nil {
		return ports.SignedOut{}, s.Deny(ctx, caller, t, refused)
	}
	return out, err
}

// endedSession returns the session that the cookie opened until it ended.
func endedSession(r ports.Reader, b ports.Browser) (identity.SessionID, error) {
	if b.Session == "" {
		return "", ports.ErrSignedOut
	}
	x, err := r.SessionByKey(b.Session.Digest())
	if errors.Is(err, ports.ErrNotFound) || err == nil && x.EndedAt.IsZero() {
		return "", ports.ErrSignedOut
	}
	return x.ID, err
}

// ofSession refuses a token that was dead before its session was.
func ofSession(r ports.Reader, t oauth.AccessToken) (*oauth.Error, error) {
	refused, err := token.Live(r, t)
	if refused == nil || err != nil {
		return nil, err
	}
	x, err := r.Session(t.Session)
	if errors.Is(err, ports.ErrNotFound) || err == nil && x.EndedAt.IsZero() {
		return refused, nil
	}
	if err != nil {
		return nil, err
	}
	revoked, err := r.TokenRevoked(t.ID)
	if err != nil || revoked {
		return refused, err
	}
	f, err := r.TokenFamily(t.ID.Family())
	if errors.Is(err, ports.ErrNotFound) || err == nil && !f.RevokedAt.IsZero() && f.RevokedAt.Before(x.EndedAt) {
		return refused, nil
	}
	return nil, err
}
