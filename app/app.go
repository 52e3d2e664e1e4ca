// Package app composes the provider and owns its configuration and its lifetime. This file is the one that knows concrete
// types: read top to bottom it is the architecture from the outside in. What is decided lives in the folders below, one
// for each family of endpoints.
package app

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"

	"latchkey/adapters/chance"
	"latchkey/adapters/demo"
	"latchkey/adapters/host"
	"latchkey/adapters/jose"
	"latchkey/adapters/masterkey"
	"latchkey/adapters/metrics"
	"latchkey/adapters/outbound"
	"latchkey/adapters/password"
	"latchkey/adapters/ratelimit"
	"latchkey/adapters/sqlite"
	"latchkey/adapters/web"
	"latchkey/adapters/web/page"
	"latchkey/adapters/webauthn"
	"latchkey/app/account"
	"latchkey/app/admin"
	"latchkey/app/authorize"
	"latchkey/app/doctor"
	"latchkey/app/explain"
	"latchkey/app/logout"
	"latchkey/app/publish"
	"latchkey/app/session"
	"latchkey/app/token"
	"latchkey/domain/audit"
	"latchkey/domain/oauth"
	"latchkey/ports"
)

// App is a provider, ready to serve or to be administered.
type App struct {
	Operations http.Handler // metrics and health, for a listener of their own; nil without an issuer
	Handler    http.Handler // nil without an issuer: the command line administers a file that it does not serve
	Admin      *admin.Service
	Explain    *explain.Service
	Deliveries *logout.Deliveries // of logout notices; nil without an issuer
	Store      ports.Store

	cfg    Config
	clock  *clock
	places chan struct{} // one value for each open connection
	floods floods
	health *health
	close  func() error

	root   ports.MasterRoot // as it was opened; the zero value: the master key is the root
	newKey func(to string) (ports.NewMasterKey, error)

	archive ports.Archive
	release func() // gives the server lock back; nil: not taken

	demoSecret oauth.Secret // of the demonstration application, if there is one: known to this process alone
}

// New opens an existing provider. Everything that is wrong with the configuration is reported at once, before anything
// is opened.
func New(ctx context.Context, cfg Config) (*App, error) {
	cfg = cfg.WithDefaults()
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	key, err := masterkey.Load(cfg.MasterKey)
	if err != nil {
		return nil, err
	}
	// The root is in the file; nothing is recorded before it is read.
	var keychain *masterkey.Keychain
	proven := false // that the key is the right one: the sum under another would have the right one refused
	seal := func(root ports.MasterRoot) (audit.Tagger, error) {
		if proven { // the root stays; the master key that it is sealed under may be another by now
			return fileSums(keychain), nil
		} else if keychain != nil {
			return nil, ports.ErrForeignKey
		}
		opened, err := openRoot(key, root)
		return fileSums(opened), err
	}
	store, err := sqlite.Open(cfg.Database, func(body []byte) [32]byte { return auditChain(keychain)(body) }, seal)
	if errors.Is(err, ports.ErrForeignKey) {
		err = foreignKey(cfg, err)
	}
	if err != nil {
		return nil, err
	}
	var root ports.MasterRoot
	if keychain, root, err = unlock(ctx, cfg, store, key); err != nil {
		return nil, errors.Join(err, store.Close())
	}
	a, err := compose(cfg, store, keychain)
	if err == nil {
		a.root = root
		err = a.loadKeys(ctx)
	}
	if err == nil {
		proven = true
		err = a.clock.resume(ctx, store)
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
	seal := func(ports.MasterRoot) (audit.Tagger, error) {
		if keychain == nil {
			return nil, ports.ErrForeignKey
		}
		return fileSums(keychain), nil
	}
	store, err := sqlite.Create(cfg.Database, func(body []byte) [32]byte { return auditChain(keychain)(body) }, seal)
	if err != nil {
		return nil, err
	}
	key, err := masterkey.Create(cfg.MasterKey)
	if err != nil {
		return nil, errors.Join(err, store.Close(), removeDatabase(cfg.Database))
	}
	var a *App
	var root ports.MasterRoot
	if keychain, root, err = unlock(ctx, cfg, store, key); err == nil {
		a, err = compose(cfg, store, keychain)
	}
	if err == nil {
		a.root = root
		_, err = a.Admin.RotateKeys(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, store.Close(), removeDatabase(cfg.Database), os.Remove(cfg.MasterKey))
	}
	return a, nil
}

// unlock opens the root of the database with the master key. A database that nobody ever used gets its root here, also when
// the init before it was killed; one with a past and no root is older than roots, and keeps its first master key as its root.
func unlock(ctx context.Context, cfg Config, store *sqlite.Store, key *masterkey.Key) (*masterkey.Keychain, ports.MasterRoot, error) {
	root, unused, err := readRoot(ctx, store)
	if err == nil && unused {
		root = ports.MasterRoot{Sealed: key.NewRoot(), MadeAt: newClock(cfg.Now, nil, cfg.Log).Now()}
		if err = saveRoot(ctx, store, root, ports.MasterRoot{}, nil); errors.Is(err, errRootChanged) { // another process was first
			root, _, err = readRoot(ctx, store)
		}
	}
	if err != nil || root.Sealed == nil {
		return key.Itself(), root, err
	}
	keychain, err := key.Unseal(root.Sealed)
	if err != nil {
		keychain, err = masterkey.Finish(cfg.MasterKey, root.Sealed)
	}
	if errors.Is(err, ports.ErrForeignKey) {
		err = foreignKey(cfg, err)
	}
	return keychain, root, err
}

func foreignKey(cfg Config, err error) error {
	return fmt.Errorf("the master key %s does not belong to the database %s: name the right one with --master-key: %w", cfg.MasterKey, cfg.Database, err)
}

// auditChain is what ties the events of the audit trail together.
func auditChain(keychain *masterkey.Keychain) audit.Tagger {
	return func(body []byte) [32]byte { return keychain.MAC(ports.PurposeAudit, body) }
}

// compose wires the provider: what the world may ask of us on the left, what we ask of the world on the right.
func compose(cfg Config, store *sqlite.Store, keychain *masterkey.Keychain) (*App, error) {
	var (
		clock      = newClock(cfg.Now, nil, cfg.Log)
		now        = clock.Now
		secrets    = cfg.Secrets
		iterations = cfg.PasswordIterations
		signer     = jose.New(keychain)
	)
	if iterations == 0 {
		iterations = password.Iterations
	}
	if secrets == nil {
		secrets = chance.Source{}
	}
	passwords := password.New(keychain, iterations)
	tag := func(message []byte) [32]byte { return keychain.MAC(ports.PurposeRefreshTokens, message) }

	administration := &admin.Service{Store: store, Secrets: secrets, Passwords: passwords, Signer: signer, Keys: signer, Now: now,
		Chain: auditChain(keychain), Issuer: cfg.Issuer}
	a := &App{Admin: administration, Store: store, cfg: cfg, clock: clock, places: make(chan struct{}, maxConnections),
		floods: floods{proxies: cfg.TrustedProxies}, close: store.Close,
		archive: sqlite.Archive{Path: cfg.Database, Chain: auditChain(keychain),
			Seal: func(ports.MasterRoot) (audit.Tagger, error) { return fileSums(keychain), nil }}}
	a.newKey = func(to string) (ports.NewMasterKey, error) {
		r, err := masterkey.Replace(cfg.MasterKey, to, keychain)
		if err != nil {
			return nil, err // a nil *Replacement would be a NewMasterKey
		}
		return r, nil
	}
	a.Explain = &explain.Service{Store: store}
	if cfg.Issuer == "" {
		return a, nil
	}
	passkeys, err := webauthn.New(cfg.Issuer)
	if err != nil {
		return nil, err
	}
	auth := &session.Authenticator{Store: store, Passwords: passwords, Secrets: secrets, Passkeys: passkeys, Now: now, Keychain: keychain, Scale: cfg.RateLimitScale}
	sessions := session.Endpoint{Authenticator: auth}
	limits := cfg.Limits
	if limits == nil {
		limits = ratelimit.New(web.Budgets, cfg.ClientRateLimit, cfg.RateLimitScale)
	}
	figures := metrics.New(metrics.Sources{Now: now, Store: store, Figures: store.Figures, Hashing: passwords.Figures,
		Connections: func() int { return len(a.places) }, Floods: a.floods.count, SQLite: sqlite.Version()})
	a.health = &health{keys: func() error { _, err := signer.KeySet(); return err }, probe: store.Probe, log: cfg.Log}
	a.Operations = web.NewOperations(a.health, figures, cfg.Log)
	bearer := token.Bearer{Issuer: cfg.Issuer, Store: store, Signer: signer, Now: now}
	out, err := outbound.New(outbound.Config{Allow: cfg.EgressAllow, CA: cfg.EgressCA})
	if err != nil {
		return nil, err
	}
	a.Deliveries = &logout.Deliveries{Issuer: cfg.Issuer, Store: store, Signer: signer, Secrets: secrets, Outbound: out, Now: now}
	tokens := &token.Endpoint{Issuer: cfg.Issuer, Store: store, Signer: signer, Secrets: secrets, Tag: tag, Now: now, Limits: limits}
	a.Handler, err = web.New(web.Config{
		Issuer:         cfg.Issuer,
		TrustedProxies: cfg.TrustedProxies,
		Log:            cfg.Log,
		Now:            now,
		Secrets:        secrets,
		Keychain:       keychain,
		Limits:         limits,
		Metrics:        figures,
		Health:         a.health,

		Authorization: &authorize.Endpoint{Issuer: cfg.Issuer, Store: store, Signer: signer, Secrets: secrets, Now: now, Auth: auth},
		Token:         tokens,
		Revocation:    tokens,
		Introspection: tokens,
		SingleLogout:  logout.Service{Bearer: bearer, Deliveries: a.Deliveries},
		Logout:        &session.Logout{Issuer: cfg.Issuer, Store: store, Signer: signer, Now: now},
		UserInfo:      &token.UserInfo{Bearer: bearer},
		Publications:  &publish.Publications{Issuer: cfg.Issuer, Endpoints: web.Paths, Store: store, Signer: signer},
		Sessions:      sessions,
		Account:       account.Endpoint{Authenticator: auth, Issuer: cfg.Issuer},
		Setup:         administration,
		Reset:         administration,
		Denials:       sessions,

		Challenges: sessions,
		Factors:    account.Endpoint{Authenticator: auth, Issuer: cfg.Issuer},
		Passkeys:   account.Endpoint{Authenticator: auth, Issuer: cfg.Issuer},

		Administrators: sessions,
		Explainer:      a.Explain,
		Notices:        administration,

		Demo: demoLink(cfg),
	})
	if err == nil && cfg.Demo {
		err = a.addDemo(now, secrets)
	}
	return a, err
}

// addDemo puts the demonstration application in front of the provider, which it knows by its URL alone.
func (a *App) addDemo(now ports.Clock, secrets ports.Secrets) error {
	issuer, err := url.Parse(a.cfg.Issuer)
	if err != nil {
		return err
	}
	a.demoSecret = secrets.Secret()
	cfg := demo.Config{
		Issuer:                a.cfg.Issuer,
		ClientID:              demoClient,
		ClientSecret:          a.demoSecret,
		RedirectURI:           a.cfg.Issuer + demoCallback,
		PostLogoutRedirectURI: a.cfg.Issuer + demoSignedOut,
		Scope:                 demoScope,
		Path:                  issuer.Path + demoPath,
		StyleSheet:            issuer.Path + page.StyleSheet.Path,
		Language:              web.Language(issuer.Scheme == "https"),
		Now:                   now,
		Log:                   a.cfg.Log,
	}
	if a.cfg.Database != DefaultDatabase {
		cfg.Database = a.cfg.Database
	}
	if a.cfg.MasterKey != a.cfg.Database+".key" {
		cfg.MasterKey = a.cfg.MasterKey
	}
	a.Handler, err = demo.New(cfg, a.Handler)
	return err
}

// newKeeper composes what looks after the file as a whole. It needs the master key, and makes none.
func newKeeper(cfg Config) (*keeper, error) {
	cfg = cfg.WithDefaults()
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	key, err := masterkey.Load(cfg.MasterKey)
	if err != nil {
		return nil, err
	}
	if real, err := filepath.EvalSymlinks(cfg.Database); err == nil {
		cfg.Database = real // a link is not what is replaced, and what is made beside the file can be renamed to it
	}
	keychain := key.Root()
	chain := func(body []byte) [32]byte { return keychain.MAC(ports.PurposeAudit, body) }
	seal := func(root ports.MasterRoot) (audit.Tagger, error) {
		opened, err := openRoot(key, root)
		return fileSums(opened), err
	}
	return &keeper{
		cfg:     cfg,
		archive: sqlite.Archive{Path: cfg.Database, Chain: chain, Seal: seal},
		chain:   chain,
		signer:  func() ports.Signer { return jose.New(keychain) },
		open: func(root ports.MasterRoot) (err error) {
			keychain, err = openRoot(key, root)
			return err
		},
		now:  newClock(cfg.Now, nil, cfg.Log).Now,
		lock: func(path string) (func(), error) { return taken(sqlite.LockMissing(path)) },
	}, nil
}

// lock takes the file for a server: a second one on the same file is refused. The command line needs no lock.
func lock(path string) (release func(), err error) { return taken(sqlite.Lock(path)) }

// taken tells another server from every other reason not to get the lock.
func taken(release func(), err error) (func(), error) {
	if errors.Is(err, sqlite.ErrInUse) {
		err = fmt.Errorf("%w: %w", ErrLocked, err)
	}
	return release, err
}

// newDoctor wires what looks at an installation from outside, whatever state it is in.
func newDoctor(now ports.Clock) *doctor.Doctor {
	return &doctor.Doctor{
		Host:  host.Machine{},
		Files: sqlite.Examiner{},
		Key: func(path string) (ports.MasterKey, error) {
			key, err := masterkey.Load(path)
			if err != nil {
				return nil, err
			}
			return key, nil
		},
		Signer: func(k ports.Keychain) ports.Signer { return jose.New(k) },
		Now:    now,
	}
}

// checkEgressCA says why a file of authorities cannot be used, or nil.
func checkEgressCA(file string) error { return outbound.CheckCA(file) }

// SQLiteVersion tells which SQLite is linked in.
func SQLiteVersion() string { return sqlite.Version() }

// Close closes the file and gives the server lock back.
func (a *App) Close() error {
	if a.Deliveries != nil {
		a.Deliveries.Wait() // what was sent is noted, or it would be sent again
	}
	err := a.close()
	if a.release != nil {
		a.release()
	}
	return err
}
