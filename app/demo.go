package app

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"latchkey/app/admin"
	"latchkey/domain/audit"
	"latchkey/domain/oauth"
	"latchkey/ports"
)

// The client of the demonstration application that latchkey quickstart offers, registered like any other.
const (
	demoClient = oauth.ClientID("demo")
	demoName   = "Demo application"
	demoScope  = "openid profile email offline_access"

	// Paths below the issuer.
	demoPath      = "/demo"
	demoCallback  = demoPath + "/callback"
	demoSignedOut = demoPath + "/signed-out"
)

// demoLink is where the demonstration is, for a link; empty: there is none.
func demoLink(cfg Config) string {
	u, err := url.Parse(cfg.Issuer)
	if !cfg.Demo || err != nil {
		return ""
	}
	return u.Path + demoPath
}

// SettleDemo registers the demonstration's client when there is a demonstration, with the secret of this start. Otherwise
// it disables the one that an earlier quickstart left in the file, and with it every token that it got: nobody holds its
// secret any more, but it would still ask people for consent. That is done here and not when a quickstart ends, because
// a process that is killed does nothing at its end. Whoever calls it holds the lock: a second start must not replace the
// secret of the first.
func (a *App) SettleDemo(ctx context.Context) error {
	old, err := a.leftDemo(ctx)
	switch {
	case err != nil:
		return err
	case !a.cfg.Demo && (old.ID == "" || !isDemo(old) || !old.DisabledAt.IsZero()):
		return nil
	case a.cfg.Demo && old.ID != "" && !isDemo(old):
		return fmt.Errorf("the client %q in %s is not the demo application of quickstart, which would replace it: serve this database with "+
			"latchkey serve, or name another file with --db", old.ID, a.cfg.Database)
	}
	scope := demoScope
	declared := admin.Client{ID: demoClient, Name: demoName, AuthMethod: oauth.AuthBasic, Scope: &scope, Profile: oauth.Strict}
	if a.cfg.Demo {
		declared.Secret = a.demoSecret
		declared.RedirectURIs = []string{a.cfg.Issuer + demoCallback}
		declared.PostLogoutRedirectURIs = []string{a.cfg.Issuer + demoSignedOut}
	} else {
		declared.RedirectURIs, declared.PostLogoutRedirectURIs = old.RedirectURIs, old.PostLogoutRedirectURIs
		declared.Disabled = true
	}
	if _, err = a.Admin.Apply(ctx, audit.Caller{}, admin.Document{Clients: []admin.Client{declared}}, false); err != nil {
		return fmt.Errorf("the client of the demo application: %w", err)
	}
	return nil
}

// leftDemo returns the client on file under the demonstration's name, or the zero value.
func (a *App) leftDemo(ctx context.Context) (c oauth.Client, err error) {
	err = a.Store.View(ctx, func(r ports.Reader) (err error) {
		if c, err = r.Client(demoClient); errors.Is(err, ports.ErrNotFound) {
			return nil
		}
		return err
	})
	return c, err
}

// isDemo tells the demonstration's client from one that somebody declared under the same name.
func isDemo(c oauth.Client) bool {
	return c.Name == demoName && len(c.RedirectURIs) == 1 && strings.HasSuffix(c.RedirectURIs[0], demoCallback)
}
