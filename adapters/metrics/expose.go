package metrics

import (
	"context"
	"io"
	"math"
	"time"

	"latchkey/domain/oauth"
	"latchkey/domain/oidc"
	"latchkey/ports"
)

// Expose writes every figure. What has not happened yet has no line, except in families that have a fixed number of them.
// A database that cannot be read takes away only what is in it: then above all the other figures are wanted.
func (r *Registry) Expose(ctx context.Context, w io.Writer) error {
	p := &page{}
	r.writeRequests(p)
	r.writeRefusals(p)
	r.writeTokens(p)
	r.writeHashing(p)
	r.writeStore(p)
	r.writeSaved(ctx, p)
	p.family("latchkey_connections", gauge, "Open connections on all listeners.")
	p.sample(float64(r.sources.Connections()))
	p.family("latchkey_connections_flooding_total", counter, "Connections closed because they sent far more than their requests explain, or were more than one network may have open.")
	p.sample(float64(r.sources.Floods()))
	writeProcess(p, r.sources.SQLite)
	_, err := p.WriteTo(w)
	return err
}

func (r *Registry) writeRequests(p *page) {
	p.family("latchkey_http_requests_total", counter, "Requests answered, by endpoint and class of status.")
	for _, name := range ports.Endpoints {
		for i, class := range classes {
			if n := r.endpoints[name].classes[i].Load(); n > 0 {
				p.sample(float64(n), "endpoint", string(name), "class", class)
			}
		}
	}
	p.family("latchkey_http_request_duration_seconds", histogram, "Time from reading a request to having answered it, by endpoint.")
	for _, name := range ports.Endpoints {
		e := r.endpoints[name]
		var bounds [len(latencies)]float64
		var counts [len(latencies) + 1]uint64
		var total uint64
		for i := range counts {
			counts[i] = e.slower[i].Load()
			total += counts[i]
		}
		for i, l := range latencies {
			bounds[i] = l.Seconds()
		}
		if total > 0 {
			p.distribution(bounds[:], counts[:], time.Duration(e.nanos.Load()).Seconds(), "endpoint", string(name))
		}
	}
}

func (r *Registry) writeRefusals(p *page) {
	p.family("latchkey_refusals_total", counter, "Requests refused, by endpoint and error code.")
	for _, name := range ports.Endpoints {
		for _, code := range codes {
			if n := r.endpoints[name].refused[code].Load(); n > 0 {
				p.sample(float64(n), "endpoint", string(name), "code", string(code))
			}
		}
	}
	p.family("latchkey_rate_limited_total", counter, "Requests refused because their sender sent too many, by endpoint.")
	for _, name := range ports.Endpoints {
		if n := r.endpoints[name].refused[oauth.TooManyAttempts].Load(); n > 0 {
			p.sample(float64(n), "endpoint", string(name))
		}
	}
}

func (r *Registry) writeTokens(p *page) {
	p.family("latchkey_tokens_issued_total", counter, "Tokens issued, by type.")
	for _, t := range tokenTypes {
		p.sample(float64(r.issued[t].Load()), "type", string(t))
	}
}

func (r *Registry) writeHashing(p *page) {
	h := r.sources.Hashing()
	p.family("latchkey_password_hashing_slots", gauge, "Passwords that may be hashed at once.")
	p.sample(float64(h.Slots))
	p.family("latchkey_password_hashing_running", gauge, "Passwords being hashed.")
	p.sample(float64(h.Running))
	p.family("latchkey_password_hashing_waiting", gauge, "Passwords waiting to be hashed.")
	p.sample(float64(h.Waiting))
}

func (r *Registry) writeStore(p *page) {
	f := r.sources.Figures()
	p.family("latchkey_commits_total", counter, "Transactions made durable.")
	p.sample(float64(f.Commits))
	p.family("latchkey_commit_group_size", histogram, "Units of work that shared a transaction.")
	var bounds [len(ports.GroupBounds)]float64
	for i, b := range ports.GroupBounds {
		bounds[i] = float64(b)
	}
	p.distribution(bounds[:], f.Groups[:], float64(f.Units))
	p.family("latchkey_database_bytes", gauge, "Size of the database file.")
	p.sample(float64(f.FileBytes))
	p.family("latchkey_wal_bytes", gauge, "Size of the write-ahead log.")
	p.sample(float64(f.LogBytes))
}

// saved is what only the database knows.
type saved struct {
	keys    oidc.KeyRing
	backups []time.Time // of the moments in backups
}

var backups = []struct {
	moment ports.Moment
	step   string
}{{ports.BackupMade, "made"}, {ports.BackupVerified, "verified"}}

func (r *Registry) saved(ctx context.Context) (s saved, err error) {
	err = r.sources.Store.View(ctx, func(v ports.Reader) (err error) {
		s = saved{}
		if s.keys, err = v.SigningKeys(); err != nil {
			return err
		}
		for _, b := range backups {
			at, err := v.Moment(b.moment)
			if err != nil {
				return err
			}
			s.backups = append(s.backups, at)
		}
		return nil
	})
	return s, err
}

func (r *Registry) writeSaved(ctx context.Context, p *page) {
	s, err := r.saved(ctx)
	p.family("latchkey_database_readable", gauge, "1 while the database can be read, else 0.")
	if err != nil {
		p.sample(0)
		return
	}
	p.sample(1)
	now := r.sources.Now()
	p.family("latchkey_signing_keys", gauge, "Signing keys on file, by algorithm and state.")
	for _, alg := range s.algorithms() {
		for _, state := range []oidc.KeyState{oidc.Upcoming, oidc.Active, oidc.Retired} {
			n := 0
			for _, k := range s.keys {
				if k.Algorithm == alg && s.keys.State(k, now) == state {
					n++
				}
			}
			p.sample(float64(n), "algorithm", string(alg), "state", string(state))
		}
	}
	p.family("latchkey_signing_key_age_seconds", gauge, "How long the active key has been signing, by algorithm.")
	for _, alg := range s.algorithms() {
		active, _ := s.keys.Active(alg, now)
		p.sample(now.Sub(active.ActiveAt).Seconds(), "algorithm", string(alg))
	}
	p.family("latchkey_signing_key_rotation_seconds", gauge, "How long until another key signs, by algorithm; below 0 it is overdue.")
	for _, alg := range s.algorithms() {
		p.sample(s.keys.NextRotation(alg, now).Sub(now).Seconds(), "algorithm", string(alg))
	}
	p.family("latchkey_backup_age_seconds", gauge, "How long ago a backup was last made and last proved to work; +Inf: never.")
	for i, b := range backups {
		age := math.Inf(1)
		if !s.backups[i].IsZero() {
			age = now.Sub(s.backups[i]).Seconds()
		}
		p.sample(age, "step", b.step)
	}
}

// algorithms are those that have keys, in the order of the ring.
func (s saved) algorithms() (all []oauth.Algorithm) {
	seen := map[oauth.Algorithm]bool{}
	for _, k := range s.keys {
		if !seen[k.Algorithm] {
			seen[k.Algorithm] = true
			all = append(all, k.Algorithm)
		}
	}
	return all
}
