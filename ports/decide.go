package ports

import (
	"context"

	"latchkey/domain/oauth"
)

// Decide runs fn as one unit of work that may answer with a refusal.
//
// A refusal is an answer, so what fn saved beside it is kept: that is how a reused refresh token is both refused and
// revoked. An error is a fault, so what fn saved is dropped.
func Decide[T any](ctx context.Context, s Store, fn func(Tx) (T, *oauth.Error, error)) (T, error) {
	var answer, none T
	var refusal *oauth.Error
	err := s.Update(ctx, func(tx Tx) (err error) {
		answer, refusal, err = fn(tx)
		return err
	})
	if err != nil {
		return none, err
	}
	if refusal != nil {
		return none, refusal
	}
	return answer, nil
}
