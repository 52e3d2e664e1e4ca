package admin

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"latchkey/domain/audit"
	"latchkey/domain/oauth"
	"latchkey/domain/oidc"
	"latchkey/ports"
)

var errKeysChanged = errors.New("the signing keys were changed by another process meanwhile: try again")

// KeyInfo is what is shown of a signing key. Its private part is sealed, and no part of this.
type KeyInfo struct {
	ID        oidc.KeyID      `json:"kid"`
	Algorithm oauth.Algorithm `json:"alg"`
	State     oidc.KeyState   `json:"state"`
	CreatedAt time.Time       `json:"created_at"`
	ActiveAt  time.Time       `json:"active_at"`
	ErasedAt  time.Time       `json:"erased_at,omitzero"` // zero while no key follows
}

// SigningKeys lists the keys by algorithm and by when they sign.
func (s *Service) SigningKeys(ctx context.Context) ([]KeyInfo, error) {
	ring, err := s.keyRing(ctx)
	return keyInfos(ring, s.Now()), err
}

func keyInfos(ring oidc.KeyRing, now time.Time) []KeyInfo {
	all := []KeyInfo{}
	for _, k := range ring {
		all = append(all, KeyInfo{k.ID, k.Algorithm, ring.State(k, now), k.CreatedAt, k.ActiveAt, ring.ErasedAt(k)})
	}
	slices.SortFunc(all, func(a, b KeyInfo) int {
		return cmp.Or(cmp.Compare(a.Algorithm, b.Algorithm), a.ActiveAt.Compare(b.ActiveAt), cmp.Compare(a.ID, b.ID))
	})
	return all
}

// BringRotationForward makes the next keys now, published for the usual time before they sign, and returns those that are
// to come. Doing it again changes nothing until they sign.
func (s *Service) BringRotationForward(ctx context.Context, caller audit.Caller) ([]KeyInfo, error) {
	s.rotating.Lock()
	defer s.rotating.Unlock()
	now := s.Now()
	ring, err := s.keyRing(ctx)
	if err != nil {
		return nil, err
	}
	made, err := s.makeKeys(ring.Rotate(algorithms, now), now)
	if err != nil {
		return nil, err
	}
	err = s.Store.Update(ctx, func(tx ports.Tx) error {
		ring, err := tx.SigningKeys()
		if err != nil {
			return err
		}
		for _, order := range ring.Rotate(algorithms, now) {
			i := slices.IndexFunc(made, func(k oidc.SigningKey) bool { return k.Algorithm == order.Algorithm })
			if i < 0 {
				return errKeysChanged
			}
			if err := errors.Join(tx.SaveSigningKey(made[i]), keyEvent(tx, caller, audit.KeyCreated, made[i], "rotation brought forward", now)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	all, err := s.useKeys(ctx, now)
	return slices.DeleteFunc(all, func(k KeyInfo) bool { return k.State != oidc.Upcoming }), err
}

// RevokedKey is what revoking a key did, or with planOnly would do.
type RevokedKey struct {
	Revoked     KeyInfo `json:"revoked"`
	Replacement KeyInfo `json:"replacement,omitzero"` // which signs from now on; none when the key did not sign
}

// RevokeKey erases a key that somebody else may have: from now on nothing signed with it is accepted here, and the key
// set is published without it (OP-02). When it was the key that signs, another one signs at once. An application that
// has not fetched the key set since refuses what that one signed, until it fetches it: that is the price.
func (s *Service) RevokeKey(ctx context.Context, caller audit.Caller, id oidc.KeyID, planOnly bool) (RevokedKey, error) {
	s.rotating.Lock()
	defer s.rotating.Unlock()
	now := s.Now()
	ring, err := s.keyRing(ctx)
	if err != nil {
		return RevokedKey{}, err
	}
	i := slices.IndexFunc(ring, func(k oidc.SigningKey) bool { return k.ID == id })
	if i < 0 {
		return RevokedKey{}, unknownKey(ring, id)
	}
	done := RevokedKey{Revoked: KeyInfo{id, ring[i].Algorithm, ring.State(ring[i], now), ring[i].CreatedAt, ring[i].ActiveAt, now}}
	if planOnly {
		return done, nil
	}
	var made []oidc.SigningKey
	if _, order := ring.Revoke(id, now); order != nil {
		// Made before the unit: an RSA key takes longer than everybody else may be kept waiting.
		if made, err = s.makeKeys([]oidc.KeyOrder{*order}, now); err != nil {
			return done, err
		}
	}
	var replacement oidc.KeyID
	err = s.Store.Update(ctx, func(tx ports.Tx) error {
		replacement = ""
		ring, err := tx.SigningKeys()
		if err != nil {
			return err
		}
		rest, order := ring.Revoke(id, now)
		switch {
		case len(rest) == len(ring):
			return unknownKey(ring, id)
		case order != nil && len(made) == 0:
			return errKeysChanged
		case order != nil:
			rest = append(rest, made[0])
			if err := keyEvent(tx, caller, audit.KeyCreated, made[0], "replaces a revoked key", now); err != nil {
				return err
			}
		}
		if active, ok := rest.Active(done.Revoked.Algorithm, now); ok && done.Revoked.State == oidc.Active {
			replacement = active.ID
			if err := tx.SaveSigningKey(active); err != nil { // a key to come signs earlier than it was saved with
				return err
			}
		}
		revoked := oidc.SigningKey{ID: id, Algorithm: done.Revoked.Algorithm}
		return errors.Join(tx.DeleteSigningKey(id), keyEvent(tx, caller, audit.KeyRevoked, revoked, "", now))
	})
	if err != nil {
		return done, err
	}
	all, err := s.useKeys(ctx, now)
	for _, k := range all {
		if k.ID == replacement {
			done.Replacement = k
		}
	}
	return done, err
}

func unknownKey(ring oidc.KeyRing, id oidc.KeyID) error {
	unknown := &UnknownError{Object: "signing key", Name: string(id)}
	for _, k := range ring {
		unknown.Known = append(unknown.Known, string(k.ID))
	}
	return unknown
}

// useKeys gives the signer the ring on file, and returns it.
func (s *Service) useKeys(ctx context.Context, now time.Time) ([]KeyInfo, error) {
	ring, err := s.keyRing(ctx)
	if err != nil {
		return nil, err
	}
	if err := s.Signer.Use(ring); err != nil {
		return nil, err
	}
	s.inUse = ring
	return keyInfos(ring, now), nil
}

func keyEvent(tx ports.Tx, caller audit.Caller, kind audit.Kind, k oidc.SigningKey, reason string, now time.Time) error {
	facts := map[string]string{"kid": string(k.ID), "alg": string(k.Algorithm)}
	if reason != "" {
		facts["reason"] = reason
	}
	return tx.Record(audit.Event{At: now, Kind: kind, Caller: caller, Facts: facts})
}
