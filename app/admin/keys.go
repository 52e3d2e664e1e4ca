package admin

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"time"

	"latchkey/domain/audit"
	"latchkey/domain/oauth"
	"latchkey/domain/oidc"
	"latchkey/ports"
)

// algorithms are those of which a key always signs.
var algorithms = []oauth.Algorithm{oauth.ES256, oauth.RS256}

// Rotation is what RotateKeys did.
type Rotation struct {
	Created []oidc.KeyID
	Erased  []oidc.KeyID
}

// RotateKeys does what the ring's plan asks for now and gives the signer the ring on file. Between the days on which
// something is due it only reads, so it may run as often as anybody likes, in several processes.
func (s *Service) RotateKeys(ctx context.Context) (Rotation, error) {
	s.rotating.Lock()
	defer s.rotating.Unlock()
	now := s.Now()
	ring, err := s.keyRing(ctx)
	if err != nil {
		return Rotation{}, err
	}
	var done Rotation
	if plan := ring.Plan(algorithms, now); len(plan.Create)+len(plan.Erase) > 0 {
		// Made before the unit: an RSA key takes longer than everybody else may be kept waiting.
		made, err := s.makeKeys(plan.Create, now)
		if err != nil {
			return Rotation{}, err
		}
		if done, err = s.saveKeys(ctx, made, now); err != nil {
			return Rotation{}, err
		}
		if ring, err = s.keyRing(ctx); err != nil {
			return Rotation{}, err
		}
	}
	if reflect.DeepEqual(ring, s.inUse) {
		return done, nil
	}
	if err := s.Signer.Use(ring); err != nil {
		return done, err
	}
	s.inUse = ring
	return done, nil
}

func (s *Service) keyRing(ctx context.Context) (ring oidc.KeyRing, err error) {
	err = s.Store.View(ctx, func(r ports.Reader) error {
		ring, err = r.SigningKeys()
		return err
	})
	return ring, err
}

func (s *Service) makeKeys(orders []oidc.KeyOrder, now time.Time) ([]oidc.SigningKey, error) {
	var keys []oidc.SigningKey
	for _, order := range orders {
		key, err := s.Keys.NewKey(order, now)
		if err != nil {
			return nil, err
		}
		keys = append(keys, key)
	}
	return keys, nil
}

// saveKeys plans again inside the unit, so that of two processes that made a key for the same order one saves it.
func (s *Service) saveKeys(ctx context.Context, made []oidc.SigningKey, now time.Time) (Rotation, error) {
	var done Rotation
	err := s.Store.Update(ctx, func(tx ports.Tx) error {
		done = Rotation{}
		ring, err := tx.SigningKeys()
		if err != nil {
			return err
		}
		plan := ring.Plan(algorithms, now)
		for _, order := range plan.Create {
			i := slices.IndexFunc(made, func(k oidc.SigningKey) bool { return k.Algorithm == order.Algorithm })
			if i < 0 {
				continue // ordered since the look before: the next run makes it
			}
			key := made[i]
			if err := errors.Join(tx.SaveSigningKey(key), recordKey(tx, audit.KeyCreated, key.ID, key.Algorithm, now)); err != nil {
				return err
			}
			done.Created = append(done.Created, key.ID)
		}
		for _, id := range plan.Erase {
			if err := errors.Join(tx.DeleteSigningKey(id), recordKey(tx, audit.KeyErased, id, "", now)); err != nil {
				return err
			}
			done.Erased = append(done.Erased, id)
		}
		return nil
	})
	return done, err
}

func recordKey(tx ports.Tx, kind audit.Kind, id oidc.KeyID, alg oauth.Algorithm, now time.Time) error {
	facts := map[string]string{"kid": string(id)}
	if alg != "" {
		facts["alg"] = string(alg)
	}
	return tx.Record(audit.Event{At: now, Kind: kind, Facts: facts})
}
