// Package app composes the provider and owns its configuration and its lifetime. This file is the one that knows concrete
// types: read top to bottom it is the architecture from the outside in. What is decided lives in the folders below, one
// for each family of endpoints.
package app

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"

	"latchkey/adapters/chance"
	"latchkey/adapters/jose"
	"latchkey/adapters/masterkey"
	"latchkey/adapters/password"
	"latchkey/adapters/sqlite"
	"latchkey/adapters/web"
	"latchkey/app/account"
	"latchkey/app/admin"
	"latchkey/app/authorize"
	"latchkey/app/publish"
	"latchkey/app/session"
	"latchkey/app/token"
	"latchkey/domain/audit"
	"latchkey/domain/oidc"
	"latchkey/ports"
)

// App is a provider, ready to serve or to be administered.
type App struct {
	Handler http.Handler // nil without an issuer: the command line administers a file that it does not serve
	Admin   *admin.Service
	Store   ports.Store

	cfg   Config
	close func() error
}

// New opens an existing provider. Everything that is wrong with the configuration is reported at once, before anything
// is opened.
func New(ctx context.Context, cfg Config) (*App, error) {
	cfg = cfg.WithDefaults()
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	keychain, keyErr := masterkey.Load(cfg.MasterKey)
	if keyErr != nil {
		return nil, keyErr
	}
	store, err := sqlite.Open(cfg.Database, auditChain(keychain))
	if err != nil {
		return nil, err
	}
	a, err := compose(cfg, store, keychain)
	if err == nil {
		err = a.loadKeys(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, store.Close())
	}
	return a, nil
}

// Create makes a new provider: a master key, a file, and the first signing keys. It leaves nothing behind when it fails,
// and touches nothing that was there.
func Create(ctx context.Context, cfg Config) (*App, error) {
	cfg = cfg.WithDefaults()
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	// The file comes first, so that one which exists already costs no key; nothing is recorded before there is one.
	var keychain *masterkey.Keychain
	store, err := sqlite.Create(cfg.Database, func(body []byte) [32]byte { return auditChain(keychain)(body) })
	if err != nil {
		return nil, err
	}
	keychain, err = masterkey.Create(cfg.MasterKey)
	if err != nil {
		return nil, errors.Join(err, store.Close(), removeDatabase(cfg.Database))
	}
	a, err := compose(cfg, store, keychain)
	if err == nil {
		_, err = a.Admin.RotateKeys(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, store.Close(), removeDatabase(cfg.Database), os.Remove(cfg.MasterKey))
	}
	return a, nil
}

// auditChain is what ties the events of the audit trail together.
func auditChain(keychain *masterkey.Keychain) audit.Tagger {
	return func(body []byte) [32]byte { return keychain.MAC(ports.PurposeAudit, body) }
}

// removeDatabase takes back a file that was just made.
func removeDatabase(path string) (err error) {
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if e := os.Remove(path + suffix); e != nil && !errors.Is(e, os.ErrNotExist) {
			err = errors.Join(err, e)
		}
	}
	return err
}

// compose wires the provider: what the world may ask of us on the left, what we ask of the world on the right.
func compose(cfg Config, store *sqlite.Store, keychain *masterkey.Keychain) (*App, error) {
	var (
		now        = cfg.Now
		secrets    = cfg.Secrets
		iterations = cfg.PasswordIterations
		signer     = jose.New(keychain)
	)
	if iterations == 0 {
		iterations = password.Iterations
	}
	if now == nil {
		now = func() time.Time { return time.Now().UTC().Truncate(time.Millisecond) }
	}
	if secrets == nil {
		secrets = chance.Source{}
	}
	passwords := password.New(keychain, iterations)
	tag := func(message []byte) [32]byte { return keychain.MAC(ports.PurposeRefreshTokens, message) }

	administration := &admin.Service{Store: store, Secrets: secrets, Passwords: passwords, Signer: signer, Keys: signer, Now: now,
		Chain: auditChain(keychain), Issuer: cfg.Issuer}
	a := &App{Admin: administration, Store: store, cfg: cfg, close: store.Close}
	if cfg.Issuer == "" {
		return a, nil
	}
	auth := &session.Authenticator{Store: store, Passwords: passwords, Secrets: secrets, Now: now, Scale: cfg.RateLimitScale}
	sessions := session.Endpoint{Authenticator: auth}
	var err error
	a.Handler, err = web.New(web.Config{
		Issuer:         cfg.Issuer,
		TrustedProxies: cfg.TrustedProxies,
		Log:            cfg.Log,
		Now:            now,
		Secrets:        secrets,
		Keychain:       keychain,

		Authorization: &authorize.Endpoint{Issuer: cfg.Issuer, Store: store, Signer: signer, Secrets: secrets, Now: now, Auth: auth},
		Token:         &token.Endpoint{Issuer: cfg.Issuer, Store: store, Signer: signer, Secrets: secrets, Tag: tag, Now: now},
		UserInfo:      &token.UserInfo{Issuer: cfg.Issuer, Store: store, Signer: signer, Now: now},
		Publications:  &publish.Publications{Issuer: cfg.Issuer, Endpoints: web.Paths, Store: store, Signer: signer},
		Sessions:      sessions,
		Account:       account.Endpoint{Authenticator: auth, Issuer: cfg.Issuer},
		Setup:         administration,
		Denials:       sessions,
	})
	return a, err
}

// loadKeys gives the signer the keys on file, which only the right master key opens: with a wrong one nothing may start,
// or new passwords and tokens would be made under a key that nobody keeps.
func (a *App) loadKeys(ctx context.Context) error {
	var ring oidc.KeyRing
	err := a.Store.View(ctx, func(r ports.Reader) (err error) {
		ring, err = r.SigningKeys()
		return err
	})
	if err != nil {
		return err
	}
	if err := a.Admin.Signer.Use(ring); err != nil {
		return fmt.Errorf("the master key %s does not belong to the database %s: name the right one with --master-key: %w",
			a.cfg.MasterKey, a.cfg.Database, err)
	}
	return nil
}

// Lock takes the file for this server: a second one on the same file is refused. The command line needs no lock.
func (a *App) Lock() (release func(), err error) { return sqlite.Lock(a.cfg.Database) }

// SQLiteVersion tells which SQLite is linked in.
func SQLiteVersion() string { return sqlite.Version() }

// Close closes the file.
func (a *App) Close() error { return a.close() }
