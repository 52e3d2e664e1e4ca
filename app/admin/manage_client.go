package admin

import (
	"context"
	"errors"
	"fmt"
	"time"

	"latchkey/domain/audit"
	"latchkey/domain/oauth"
	"latchkey/ports"
)

// RotateSecret gives a client a new secret and returns it; the old one is dead at once, so that a leaked one is too. The
// tokens the client has stay good.
func (s *Service) RotateSecret(ctx context.Context, caller audit.Caller, id oauth.ClientID) (oauth.Secret, error) {
	secret, now := s.Secrets.Secret(), s.Now()
	err := s.Store.Update(ctx, func(tx ports.Tx) error {
		c, err := findClient(tx, id)
		if err != nil {
			return err
		}
		if c.Public() {
			return Problems{fmt.Sprintf("client %q is public and has no secret: declare another token_endpoint_auth_method with latchkey apply to give it one", id)}
		}
		c.Secret, c.UpdatedAt = secret.Digest(), now
		return errors.Join(tx.SaveClient(c), tx.Record(audit.Event{At: now, Kind: audit.ClientChanged, Caller: caller, Client: string(id),
			Facts: map[string]string{"changed": "client_secret"}}))
	})
	if err != nil {
		return "", err
	}
	return secret, nil
}

// DisableClient shuts an application out: every grant and line of tokens under it is revoked. With planOnly it only says so.
func (s *Service) DisableClient(ctx context.Context, caller audit.Caller, id oauth.ClientID, planOnly bool) (Change, error) {
	now := s.Now()
	return s.changeClient(ctx, caller, id, now, planOnly, func(c *oauth.Client) error {
		if c.DisabledAt.IsZero() {
			c.DisabledAt = now
		}
		return nil
	})
}

// EnableClient lets an application in again. What was revoked stays revoked: people sign in to it anew.
func (s *Service) EnableClient(ctx context.Context, caller audit.Caller, id oauth.ClientID) (Change, error) {
	return s.changeClient(ctx, caller, id, s.Now(), false, func(c *oauth.Client) error {
		c.DisabledAt = time.Time{}
		return nil
	})
}

func (s *Service) changeClient(ctx context.Context, caller audit.Caller, id oauth.ClientID, now time.Time, planOnly bool, change func(*oauth.Client) error) (Change, error) {
	var c Change
	var e ending
	plan := func(r ports.Reader) (oauth.Client, error) {
		old, err := findClient(r, id)
		if err != nil {
			return old, err
		}
		new := old
		if err := change(&new); err != nil {
			return old, err
		}
		c = Change{Action: Unchanged, Object: "client", Name: string(id), Members: differences(clientMembers(old), clientMembers(new))}
		if len(c.Members) == 0 {
			return new, nil
		}
		c.Action, new.UpdatedAt = Update, now
		e, err = endingForClient(r, old, new)
		c.Effects = e.effects()
		return new, err
	}
	if planOnly {
		err := s.Store.View(ctx, func(r ports.Reader) error {
			_, err := plan(r)
			return err
		})
		return c, err
	}
	err := s.Store.Update(ctx, func(tx ports.Tx) error {
		client, err := plan(tx)
		if err != nil || c.Action == Unchanged {
			return err
		}
		p := planner{now: now, caller: caller}
		return errors.Join(tx.SaveClient(client), p.record(tx, audit.ClientChanged, c, audit.Event{Client: string(id)}), e.save(tx, caller, now))
	})
	return c, err
}

// DeleteClient deletes a client with everything issued to it. With planOnly it only says what would end.
func (s *Service) DeleteClient(ctx context.Context, caller audit.Caller, id oauth.ClientID, planOnly bool) (Change, error) {
	var c Change
	var e ending
	plan := func(r ports.Reader) error {
		_, err := findClient(r, id)
		if err != nil {
			return err
		}
		e, err = endingOfClient(r, id, "client deleted", true)
		c = Change{Action: Delete, Object: "client", Name: string(id), Effects: e.effects()}
		return err
	}
	if planOnly {
		err := s.Store.View(ctx, plan)
		return c, err
	}
	now := s.Now()
	err := s.Store.Update(ctx, func(tx ports.Tx) error {
		if err := plan(tx); err != nil {
			return err
		}
		return errors.Join(e.save(tx, caller, now), tx.DeleteClient(id),
			tx.Record(audit.Event{At: now, Kind: audit.ClientDeleted, Caller: caller, Client: string(id)}))
	})
	return c, err
}

// findClient returns the client. The error is an *UnknownError.
func findClient(r ports.Reader, id oauth.ClientID) (oauth.Client, error) {
	c, err := r.Client(id)
	if !errors.Is(err, ports.ErrNotFound) {
		return c, err
	}
	all, err := r.Clients()
	if err != nil {
		return c, err
	}
	unknown := &UnknownError{Object: "client", Name: string(id)}
	for _, known := range all[:min(len(all), mostNames)] {
		unknown.Known = append(unknown.Known, string(known.ID))
	}
	return c, unknown
}
