package token

import (
	"context"
	"strconv"

	"latchkey/domain/audit"
	"latchkey/domain/oauth"
	"latchkey/ports"
)

// admit charges the request, and refuses it when the budget is used up: then nothing else is done, and no code or token is
// touched.
//
// A client that proved who it is has a budget of its own, so that nobody can use it up in its place, not even from behind
// the same address. Everybody else is charged to their address: public clients, whose names anybody may use, and whoever
// failed to authenticate, which is what guessing a secret looks like.
func (e *Endpoint) admit(ctx context.Context, at ports.Endpoint, x exchange, proved bool) error {
	a := ports.Admission{}
	if proved {
		a = e.Limits.Client(at, x.client.ID, x.now)
	} else {
		a = e.Limits.Address(at, x.caller.IP, x.now)
	}
	if a.RetryAfter == 0 {
		return nil
	}
	refusal := oauth.TooManyRequests(a.RetryAfter)
	if a.Unrecorded == 0 {
		return refusal
	}
	_, err := e.deny(ctx, x, audit.RateLimited, refusal.With("endpoint", string(at)).With("refused", strconv.Itoa(a.Unrecorded)))
	return err
}
