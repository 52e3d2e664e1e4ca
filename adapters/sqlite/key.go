package sqlite

import (
	"slices"

	"latchkey/domain/oauth"
	"latchkey/domain/oidc"
)

const keyColumns = `id, algorithm, public, sealed, created_at, active_at`

func scanKey(r *row) oidc.SigningKey {
	return oidc.SigningKey{ID: oidc.KeyID(r.text()), Algorithm: oauth.Algorithm(r.text()), Public: r.bytes(), Sealed: r.bytes(),
		CreatedAt: r.time(), ActiveAt: r.time()}
}

func cloneRing(ring oidc.KeyRing) oidc.KeyRing {
	ring = slices.Clone(ring)
	for i, k := range ring {
		ring[i].Public, ring[i].Sealed = slices.Clone(k.Public), slices.Clone(k.Sealed)
	}
	return ring
}

func (r *reader) SigningKeys() (oidc.KeyRing, error) {
	if r.memo != nil {
		if ring := r.memo.keys.Load(); ring != nil {
			return cloneRing(*ring), nil
		}
	}
	keys, err := many(r, scanKey, "SELECT "+keyColumns+" FROM signing_key ORDER BY id")
	if err == nil && r.memo != nil {
		kept := cloneRing(keys)
		r.memo.keys.Store(&kept)
	}
	return keys, err
}

var saveKey = upsert("signing_key", "id", keyColumns)

func (t *tx) SaveSigningKey(k oidc.SigningKey) error {
	return t.configure(saveKey, string(k.ID), string(k.Algorithm), blob(k.Public), blob(k.Sealed),
		ms(k.CreatedAt), ms(k.ActiveAt))
}

func (t *tx) DeleteSigningKey(id oidc.KeyID) error {
	return t.configure("DELETE FROM signing_key WHERE id = ?", string(id))
}
