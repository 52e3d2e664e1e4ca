package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/url"
	"os"
	"strings"

	"latchkey/app"
	"latchkey/app/admin"
)

const quickstartListen = "localhost:8080"

var quickstartCommand = command{
	name:    "quickstart",
	summary: "try Latchkey on this machine",
	examples: []string{
		"latchkey quickstart",
		"latchkey quickstart --db /tmp/try.db --listen localhost:9000",
	},
	flags: []flag{dbFlag, masterKeyFlag, issuerFlag,
		{name: "listen", value: "HOST:PORT", env: true, help: "where to listen (default " + quickstartListen + ", or the host of the issuer)"},
		scaleFlag, clientsFlag, metricsFlag, egressFlag, egressCAFlag},
	about: `Makes the database when there is none, prints a link that makes the first administrator as long as there is
none, and serves on http://localhost:8080. The link works once, for 30 minutes; each start makes a new one.

At /demo there is an application to sign in to, which shows every message of the flow. It is a client named demo, with a
new secret at each start; latchkey serve has no /demo and disables that client.`,
	run: runQuickstart,
}

func runQuickstart(ctx context.Context, c *call) error {
	cfg, err := c.config()
	cfg.Issuer, cfg.Listen = quickstartAddress(c.values.text("issuer"), c.values.text("listen"))
	if err := errors.Join(err, cfg.Validate()); err != nil {
		return usageError{err}
	}
	cfg.Log = slog.New(slog.NewTextHandler(c.stderr, nil))
	cfg.Demo = true
	cfg.EgressAllow = append(cfg.EgressAllow, app.Loopback...) // applications that are being tried run on this machine
	open := func(ctx context.Context, cfg app.Config) (*app.App, error) {
		return app.NewServer(ctx, cfg, c.progress())
	}
	if _, err := os.Stat(cfg.Database); errors.Is(err, fs.ErrNotExist) {
		open = app.Create
		fmt.Fprintf(c.stderr, "There is no database yet: making %s and its master key %s.\n", cfg.Database, cfg.MasterKey)
	}
	a, err := open(ctx, cfg)
	if err != nil {
		return err
	}
	return a.Run(ctx, func(urls []string) error {
		announce(c, cfg, urls)
		// Made only now: a second quickstart that cannot listen would otherwise replace the link of the first.
		link, err := a.Admin.Offer(ctx)
		switch {
		case errors.Is(err, admin.ErrAdminExists):
			fmt.Fprintf(c.stderr, "Ready: open %s\nThen try %s/demo\n", cfg.Issuer, cfg.Issuer)
			return nil
		case err != nil:
			return err
		}
		fmt.Fprintf(c.stderr, `Ready. Make the first administrator with this link; it works once, for 30 minutes:

  %s/setup?token=%s

Then try %s/demo: an application that signs you in and shows each step.

`, cfg.Issuer, link.Reveal(), cfg.Issuer)
		return nil
	})
}

// quickstartAddress fills in the issuer or the listener from the other.
func quickstartAddress(issuer, listen string) (string, string) {
	switch u, err := url.Parse(issuer); {
	case issuer == "" && listen == "":
		return "http://" + quickstartListen, quickstartListen
	case issuer == "":
		return "http://" + strings.TrimSuffix(listen, ":80"), listen
	case listen != "" || err != nil || u.Scheme != "http":
		if listen == "" {
			listen = quickstartListen
		}
		return issuer, listen
	case u.Port() == "":
		return issuer, net.JoinHostPort(u.Hostname(), "80")
	default:
		return issuer, u.Host
	}
}

// announce says what is served and from where.
func announce(c *call, cfg app.Config, urls []string) {
	fmt.Fprintf(c.stderr, `Latchkey %s
  issuer      %s
  listening   %s
  database    %s
  durability  write-ahead log, synchronous=FULL: what was answered survives a power cut
  master key  %s
`, moduleVersion(), cfg.Issuer, strings.Join(urls, " "), cfg.Database, cfg.MasterKey)
}
