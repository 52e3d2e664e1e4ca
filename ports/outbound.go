package ports

import (
	"context"
	"errors"

	"latchkey/domain/oauth"
)

// Outbound sends requests to addresses that came with a registration. They are a stranger's wish, so the server must not
// become that stranger's hand: only addresses that the operator allows are reached, whatever names lead to.
type Outbound interface {
	// Post sends a form and returns the HTTP status of the answer, which is not followed if it is a redirect. Every error is
	// one of those below.
	Post(ctx context.Context, uri string, form ...oauth.Parameter) (status int, err error)
}

// Why a request was not answered: words for the operator, without what an answer or an address would tell a stranger.
var (
	ErrAddressDenied = errors.New("the address is not one that this server may reach: allow its network with --egress-allow")
	ErrPortDenied    = errors.New("at a public address this server reaches port 443 only: serve the application there, or allow its network with --egress-allow")
	ErrUntrusted     = errors.New("the certificate of the application is not trusted: renew it, or name its authority with --egress-ca")
	ErrNoAnswer      = errors.New("the application did not answer in time")
)
