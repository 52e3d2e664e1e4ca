package app

import (
	"context"
	"path/filepath"
	"strings"
	"time"

	"latchkey/app/doctor"
)

// Doctor says what is right and wrong with the installation that cfg describes, worst first. It opens nothing for writing and works
// whether or not a server runs and whatever state the files are in; deep reads every page and every audit event. The error is ctx's.
func Doctor(ctx context.Context, cfg Config, deep bool) ([]doctor.Finding, error) {
	cfg = cfg.WithDefaults()
	subject := doctor.Subject{
		Database: cfg.Database, MasterKey: cfg.MasterKey, Issuer: cfg.Issuer, Listen: cfg.Listen, TLSCert: cfg.TLSCert, TLSKey: cfg.TLSKey,
		TrustedProxies: cfg.TrustedProxies, RateLimitScale: cfg.RateLimitScale,
		ClientRateLimit: cfg.ClientRateLimit, Metrics: cfg.Metrics, Deep: deep,
	}
	if real, err := filepath.EvalSymlinks(cfg.Database); err == nil {
		subject.Database = real // what belongs to it lies beside the file, not beside a link to it
	}
	if subject.ClientRateLimit == DefaultClientRateLimit {
		subject.ClientRateLimit = 0 // as it is without being told
	}
	if cfg.Issuer != "" {
		for _, problem := range parts(CheckIssuer(cfg.Issuer)) {
			subject.IssuerProblems = append(subject.IssuerProblems, problem.Error())
		}
	}
	// The issuer and the certificate have findings of their own.
	for _, problem := range parts(cfg.Validate()) {
		if text := problem.Error(); !strings.HasPrefix(text, "issuer: ") && !strings.HasPrefix(text, "tls: ") {
			subject.Invalid = append(subject.Invalid, text)
		}
	}
	now := cfg.Now
	if now == nil {
		now = func() time.Time { return time.Now().UTC().Truncate(time.Millisecond) } // the machine's own, not one that was corrected
	}
	return newDoctor(now).Examine(ctx, subject)
}
