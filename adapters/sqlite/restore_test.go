package sqlite_test

import (
	"errors"
	"testing"
	"time"

	"latchkey/domain/identity"
	"latchkey/domain/oauth"
	"latchkey/ports"
)

// ST-19: what may have been used since the backup works no second time, each by itself: that the session of an authorization
// code ended too is no reason to keep the code.
func TestReplaceVoids(t *testing.T) {
	s, path := create(t)
	user, begun := identity.User{ID: "u", Username: "ana"}, restored.Event.At.Add(-time.Second)
	ends := begun.Add(time.Minute)
	err := s.Update(t.Context(), func(tx ports.Tx) error {
		return errors.Join(tx.SaveUser(user), tx.SaveFactor(identity.Factor{ID: "f", User: "u", LastStep: 1}),
			tx.SaveRecoveryCodes(identity.RecoveryCodes{User: "u", Digests: [][32]byte{{1}, {2}}, MadeAt: time.UnixMilli(1).UTC()}),
			tx.SaveChallenge(identity.NewChallenge([32]byte{1}, user, begun)),
			tx.SaveCode(oauth.AuthorizationCode{Digest: oauth.Digest{1}, CreatedAt: begun, ExpiresAt: ends}),
			tx.SaveCode(oauth.AuthorizationCode{Digest: oauth.Digest{2}, CreatedAt: begun, ExpiresAt: ends, RedeemedAt: begun}))
	})
	prepared := path + ".restoring"
	if err := errors.Join(err, archive(path).Backup(t.Context(), prepared, quiet)); err != nil {
		t.Fatal(err)
	}
	if _, err := archive(path).Replace(t.Context(), prepared, restored, quiet); err != nil {
		t.Fatal(err)
	}
	err = s.View(t.Context(), func(r ports.Reader) error {
		f, err1 := r.Factor("f")
		codes, err2 := r.RecoveryCodes("u")
		if now := restored.Event.At.Unix() / 30; f.LastStep != now || len(codes.Digests) != 0 {
			t.Errorf("the last step is %d at %d, and %d recovery codes are left", f.LastStep, now, len(codes.Digests))
		}
		_, unused := r.Code(oauth.Digest{1})
		_, used := r.Code(oauth.Digest{2})
		_, challenge := r.Challenge([32]byte{1})
		for name, found := range map[string]error{"a code": unused, "a code that was redeemed": used, "a challenge": challenge} {
			if !errors.Is(found, ports.ErrNotFound) {
				t.Errorf("%s: %v", name, found)
			}
		}
		return errors.Join(err1, err2)
	})
	if err != nil {
		t.Error(err)
	}
}
