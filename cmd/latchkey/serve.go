package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"latchkey/app"
)

var serveCommand = command{
	name:    "serve",
	summary: "serve the provider",
	examples: []string{
		"latchkey serve --issuer https://id.example.org --tls-cert fullchain.pem --tls-key privkey.pem --listen :443",
		"latchkey serve --issuer https://id.example.org --trusted-proxies 127.0.0.1    # behind a proxy on this machine",
		"LATCHKEY_ISSUER=https://id.example.org LATCHKEY_DB=/var/lib/latchkey/latchkey.db latchkey serve",
	},
	flags: []flag{dbFlag, masterKeyFlag, issuerFlag, listenFlag,
		{name: "tls-cert", value: "FILE", env: true, help: "certificate chain in PEM; read again when it changes"},
		{name: "tls-key", value: "FILE", env: true, help: "private key of the certificate, in PEM"},
		{name: "trusted-proxies", value: "NETWORKS", env: true, help: "proxies whose X-Forwarded-For is believed, such as 10.0.0.0/8,::1"},
		scaleFlag, clientsFlag, metricsFlag, egressFlag, egressCAFlag,
	},
	about: `Every flag has a twin in the environment, shown in brackets; the flag wins.
SIGTERM or Ctrl-C ends it: requests in flight finish within ten seconds. Other commands work on the same database
while it runs and take effect within a second.`,
	run: runServe,
}

func runServe(ctx context.Context, c *call) error {
	cfg, err := c.config()
	wrong := errors.Join(err, cfg.ValidateServe())
	switch {
	case err == nil && cfg.Issuer != "" && cfg.Validate() == nil && wrong != nil:
		return wrong // the configuration is right, only files are missing
	case wrong != nil:
		return usageError{wrong}
	}
	cfg.Log = slog.New(slog.NewTextHandler(c.stderr, nil))
	a, err := app.NewServer(ctx, cfg, c.progress())
	if err != nil {
		return err
	}
	if strings.HasPrefix(cfg.Issuer, "https:") && cfg.TLSCert == "" && len(cfg.TrustedProxies) == 0 {
		fmt.Fprintln(c.stderr, "Note: no proxy is trusted, so every visitor counts as the proxy in rate limits and records: "+
			"name it with --trusted-proxies.")
	}
	return a.Run(ctx, func(urls []string) error {
		announce(c, cfg, urls)
		fmt.Fprintln(c.stderr, "Ready.")
		return nil
	})
}
