package publish_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"latchkey/adapters/memory"
	"latchkey/app/publish"
	"latchkey/domain/oauth"
	"latchkey/domain/oidc"
	"latchkey/ports"
)

// signer publishes a key set or is not ready.
type signer struct {
	ports.Signer
	keys []byte
}

func (s *signer) KeySet() ([]byte, error) {
	if s.keys == nil {
		return nil, ports.ErrKeysNotReady
	}
	return s.keys, nil
}

func fixture() (*publish.Publications, *signer) {
	s := &signer{}
	return &publish.Publications{Issuer: "https://op.test", Endpoints: oidc.Endpoints{Authorization: "/authorize", Token: "/token"},
		Store: memory.New(), Signer: s}, s
}

// While there are no keys nothing is published: a client that starts now would remember a provider that cannot sign.
func TestNothingWithoutKeys(t *testing.T) {
	p, s := fixture()
	for range 2 {
		if _, err := p.Metadata(t.Context()); !errors.Is(err, ports.ErrKeysNotReady) {
			t.Errorf("metadata: %v", err)
		}
		if _, err := p.KeySet(t.Context()); !errors.Is(err, ports.ErrKeysNotReady) {
			t.Errorf("key set: %v", err)
		}
	}
	s.keys = []byte(`{"keys":[]}`)
	if d, err := p.Metadata(t.Context()); err != nil || !bytes.Contains(d.Body, []byte(`"issuer": "https://op.test"`)) || d.ETag == "" {
		t.Errorf("metadata: %v %s", err, d.Body)
	}
	first, err := p.KeySet(t.Context())
	if err != nil || string(first.Body) != `{"keys":[]}` {
		t.Errorf("key set: %v %s", err, first.Body)
	}
	s.keys = []byte(`{"keys":[{}]}`)
	if second, _ := p.KeySet(t.Context()); second.ETag == first.ETag || string(second.Body) != `{"keys":[{}]}` {
		t.Errorf("a new key set is published as %s %s", second.ETag, second.Body)
	}
}

// What is published follows the clients on file: their origins, and plain PKCE only while somebody may use it.
func TestFollowsTheClients(t *testing.T) {
	p, s := fixture()
	s.keys = []byte(`{"keys":[]}`)
	look := func(origin, plain bool) {
		t.Helper()
		if ok, err := p.BrowserOrigin(t.Context(), "https://spa.test"); ok != origin || err != nil {
			t.Errorf("origin %v, %v; want %v", ok, err, origin)
		}
		if d, err := p.Metadata(t.Context()); strings.Contains(string(d.Body), `"plain"`) != plain || err != nil {
			t.Errorf("plain %v, %v; want %v", !plain, err, plain)
		}
	}
	save := func(c oauth.Client) {
		t.Helper()
		if err := p.Store.Update(t.Context(), func(tx ports.Tx) error { return tx.SaveClient(c) }); err != nil {
			t.Fatal(err)
		}
	}
	look(false, false)
	save(oauth.Client{ID: "spa", AllowedOrigins: []string{"https://spa.test"}, Rules: oauth.Rules{AllowPlain: true}})
	look(true, true)
	save(oauth.Client{ID: "spa"})
	look(false, false)
}
