package token

import (
	"cmp"
	"context"
	"errors"
	"time"

	"latchkey/app/session"
	"latchkey/domain/audit"
	"latchkey/domain/oauth"
	"latchkey/ports"
)

// Endpoint answers token requests.
type Endpoint struct {
	Issuer  string
	Store   ports.Store
	Signer  ports.Signer
	Secrets ports.Secrets
	Tag     oauth.Tagger
	Now     ports.Clock
	Limits  ports.RateLimiter

	live verdicts[oauth.AccessToken] // of introspection
}

var _ ports.TokenEndpoint = (*Endpoint)(nil)

// exchange is one request with its client authenticated.
type exchange struct {
	oauth.TokenRequest
	caller audit.Caller
	client oauth.Client
	now    time.Time
}

// Token authenticates the client, then hands the request to its grant_type.
func (e *Endpoint) Token(ctx context.Context, caller audit.Caller, req oauth.TokenRequest) (oauth.TokenResponse, error) {
	// Whoever replays a token and hangs up must not escape the revocation: what has begun is finished.
	ctx = context.WithoutCancel(ctx)
	x, err := e.authenticate(ctx, ports.EndpointToken, caller, req.Credentials)
	if err != nil {
		return oauth.TokenResponse{}, err
	}
	x.TokenRequest = req
	if req.GrantType == "" {
		return e.deny(ctx, x, audit.TokenDenied, oauth.Refuse(oauth.InvalidRequest, "grant_type is missing"))
	}
	if refusal := checkGrantType(x.client, req.GrantType); refusal != nil {
		return e.deny(ctx, x, audit.TokenDenied, refusal)
	}
	switch req.GrantType {
	case oauth.GrantTypeCode:
		return e.exchangeCode(ctx, x)
	case oauth.GrantTypeRefresh:
		return e.refresh(ctx, x)
	}
	return e.clientCredentials(ctx, x)
}

// authenticate begins every request that a client makes in its own name: here it becomes known who that is.
func (e *Endpoint) authenticate(ctx context.Context, at ports.Endpoint, caller audit.Caller, readings []oauth.Credentials) (exchange, error) {
	x := exchange{TokenRequest: oauth.TokenRequest{Credentials: readings}, caller: caller, now: e.Now()}
	var refusal *oauth.Error
	err := e.Store.View(ctx, func(r ports.Reader) (err error) {
		x.client, refusal, err = Authenticate(r, readings)
		return err
	})
	if err == nil {
		err = e.admit(ctx, at, x, refusal == nil && !x.client.Public())
	}
	if err == nil && refusal != nil {
		_, err = e.deny(ctx, x, audit.ClientAuthFailed, refusal)
	}
	return x, err
}

// checkGrantType refuses what nobody or not this client may use. To a strict client client_credentials does not exist
// unless it is registered for it; any other grant_type it lacks is one it may not use.
func checkGrantType(c oauth.Client, grantType string) *oauth.Error {
	known := grantType == oauth.GrantTypeCode || grantType == oauth.GrantTypeRefresh || grantType == oauth.GrantTypeClient
	if known && c.MayUse(grantType) {
		return nil
	}
	unsupported := oauth.Refuse(oauth.UnsupportedGrantType, "grant_type must be authorization_code or refresh_token").With("received", grantType)
	switch {
	case !known:
		return unsupported
	case grantType == oauth.GrantTypeClient && c.Public():
		return oauth.Refuse(oauth.InvalidClient, "client_credentials needs a client that authenticates") // RFC 6749 §4.4
	case grantType == oauth.GrantTypeClient && c.Profile == oauth.Strict:
		return unsupported.With("reason", "not registered for it")
	}
	return oauth.Refuse(oauth.UnauthorizedClient, "this client is not registered for the grant_type").With("received", grantType)
}

// deny records a refusal that no unit of work has recorded.
func (e *Endpoint) deny(ctx context.Context, x exchange, kind audit.Kind, refusal *oauth.Error) (oauth.TokenResponse, error) {
	return ports.Decide(ctx, e.Store, func(tx ports.Tx) (oauth.TokenResponse, *oauth.Error, error) {
		if len(x.Credentials) > 0 {
			if err := session.Name(tx, refusal, x.Credentials[0].ID); err != nil {
				return oauth.TokenResponse{}, nil, err
			}
		}
		return oauth.TokenResponse{}, refusal, tx.Record(x.event(kind, refusal))
	})
}

// event names the client, also one that did not prove to be it: its operator looks for its refusals.
func (x exchange) event(kind audit.Kind, refusal *oauth.Error) audit.Event {
	e := audit.Event{At: x.now, Kind: kind, Caller: x.caller, Client: string(x.client.ID)}
	if refusal != nil {
		e.Facts = refusal.Report()
		e.Client = cmp.Or(e.Client, e.Facts["client_id"])
	}
	return e
}

// Authenticate tries each reading of the credentials and returns the client that one of them proves. An unknown client
// costs the same comparison and gets the same answer as a wrong secret.
func Authenticate(r ports.Reader, readings []oauth.Credentials) (oauth.Client, *oauth.Error, error) {
	if len(readings) == 0 {
		return oauth.Client{}, oauth.Refuse(oauth.InvalidClient, "client authentication is missing: send client_id and its secret, or client_id alone for a public client"), nil
	}
	var first *oauth.Error
	for _, c := range readings {
		client, err := r.Client(c.ID)
		refusal := client.Authenticate(c)
		if errors.Is(err, ports.ErrNotFound) {
			refusal = oauth.UnknownClient()
		} else if err != nil {
			return oauth.Client{}, nil, err
		}
		if refusal == nil {
			return client, nil, nil
		}
		if first == nil {
			first = refusal
		}
	}
	return oauth.Client{}, first, nil
}
