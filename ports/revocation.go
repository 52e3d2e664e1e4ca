package ports

import (
	"context"

	"latchkey/domain/audit"
	"latchkey/domain/oauth"
)

// RevocationEndpoint ends tokens (RFC 7009). A token that is unknown, over, or another client's is no refusal.
type RevocationEndpoint interface {
	Revoke(context.Context, audit.Caller, oauth.PresentedToken) error
}

// IntrospectionEndpoint tells confidential clients what a token is worth (RFC 7662).
type IntrospectionEndpoint interface {
	Introspect(context.Context, audit.Caller, oauth.PresentedToken) (oauth.Introspection, error)
}
