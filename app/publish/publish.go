package publish

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"slices"
	"sync/atomic"

	"latchkey/domain/oauth"
	"latchkey/domain/oidc"
	"latchkey/ports"
)

// Publications serves the published documents.
type Publications struct {
	Issuer    string
	Endpoints oidc.Endpoints
	Store     ports.Store
	Signer    ports.Signer

	current atomic.Pointer[edition]
	keySet  atomic.Pointer[ports.Document]
}

var _ ports.Publications = (*Publications)(nil)

// edition is everything published at one state of the store.
type edition struct {
	changes  uint64
	metadata ports.Document
	origins  map[string]bool
	settings oidc.Settings
}

// Metadata returns the discovery document. Without signing keys it is withheld: a client that starts now would cache a
// provider that cannot sign.
func (p *Publications) Metadata(ctx context.Context) (ports.Document, error) {
	if _, err := p.Signer.KeySet(); err != nil {
		return ports.Document{}, err
	}
	e, err := p.edition(ctx)
	if err != nil {
		return ports.Document{}, err
	}
	return e.metadata, nil
}

// KeySet returns the JWKS.
func (p *Publications) KeySet(context.Context) (ports.Document, error) {
	body, err := p.Signer.KeySet()
	if err != nil {
		return ports.Document{}, err
	}
	if d := p.keySet.Load(); d != nil && bytes.Equal(d.Body, body) {
		return *d, nil
	}
	d := document(body)
	p.keySet.Store(&d)
	return d, nil
}

// BrowserOrigin reports whether some client runs in browsers at the origin.
func (p *Publications) BrowserOrigin(ctx context.Context, origin string) (bool, error) {
	e, err := p.edition(ctx)
	if err != nil {
		return false, err
	}
	return e.origins[origin], nil
}

// Settings returns the provider's settings.
func (p *Publications) Settings(ctx context.Context) (oidc.Settings, error) {
	e, err := p.edition(ctx)
	if err != nil {
		return oidc.Settings{}, err
	}
	return e.settings, nil
}

// edition returns what is published now. The number of changes is read before the state, so that a change in between
// makes the edition old, never wrong.
func (p *Publications) edition(ctx context.Context) (*edition, error) {
	changes := p.Store.Changes()
	if e := p.current.Load(); e != nil && e.changes == changes {
		return e, nil
	}
	e := &edition{changes: changes, origins: map[string]bool{}}
	var clients []oauth.Client
	err := p.Store.View(ctx, func(r ports.Reader) (err error) {
		if e.settings, err = r.Settings(); err != nil {
			return err
		}
		clients, err = r.Clients()
		return err
	})
	if err != nil {
		return nil, err
	}
	for _, c := range clients {
		for _, o := range c.AllowedOrigins {
			e.origins[o] = true
		}
	}
	plain := slices.ContainsFunc(clients, func(c oauth.Client) bool { return c.Rules.AllowPlain })
	body, err := json.MarshalIndent(oidc.MetadataFor(p.Issuer, p.Endpoints, plain), "", "  ")
	if err != nil {
		return nil, err
	}
	e.metadata = document(body)
	p.current.Store(e)
	return e, nil
}

func document(body []byte) ports.Document {
	sum := sha256.Sum256(body)
	return ports.Document{Body: body, ETag: `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`}
}
