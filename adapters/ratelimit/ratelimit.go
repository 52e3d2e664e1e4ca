// Package ratelimit owns the budgets of callers: how many requests a minute each may make, counted in memory that does not
// grow. It implements ports.RateLimiter.
//
// How large each budget is, what is charged to it and what a refusal looks like is left to others; so are attempts at
// passwords, which are counted in the database and outlive a restart.
//
//	ratelimit.go  Limiter
//	gcra.go       the rule
//	table.go      what is remembered of whom
package ratelimit

import (
	"hash/maphash"
	"math"
	"time"

	"latchkey/domain/identity"
	"latchkey/domain/oauth"
	"latchkey/ports"
)

// siteNetworks is how many networks of one site may use up their budgets at once. Whoever rents a server has a whole site of
// IPv6, and would be 65,536 callers; an office full of people is one network.
const siteNetworks = 16

// reportEvery is how often refusals of one caller are worth a record.
const reportEvery = time.Minute

// Limiter counts requests of each caller at each endpoint. A budget may be used up at once and fills again evenly over a
// minute.
type Limiter struct {
	addresses map[ports.Endpoint]budget
	client    budget
	table     *table
	seed      maphash.Seed // of this process, so that nobody can find callers that share an entry
}

var _ ports.RateLimiter = (*Limiter)(nil)

// New returns a limiter with budgets in requests a minute, each multiplied by scale and rounded up. An endpoint without a
// budget has no limit; with a scale of 0 nothing has.
func New(addresses map[ports.Endpoint]int, client int, scale float64) *Limiter {
	scaled := func(perMinute int) budget { return newBudget(int(math.Ceil(float64(perMinute) * scale))) }
	l := &Limiter{addresses: map[ports.Endpoint]budget{}, client: scaled(client), table: newTable(), seed: maphash.MakeSeed()}
	for e, perMinute := range addresses {
		l.addresses[e] = scaled(perMinute)
	}
	return l
}

// who is what an entry of the table belongs to.
type who struct {
	endpoint ports.Endpoint
	client   bool // a client may call itself what an address looks like
	name     string
}

func (l *Limiter) Address(e ports.Endpoint, ip string, now time.Time) ports.Admission {
	b := l.addresses[e]
	if b == unlimited {
		return ports.Admission{}
	}
	a := l.charge(b, who{e, false, identity.Network(ip)}, now)
	if site := identity.Site(ip); a.RetryAfter == 0 && site != "" {
		return l.charge(b.times(siteNetworks), who{e, false, site}, now)
	}
	return a
}

func (l *Limiter) Client(e ports.Endpoint, id oauth.ClientID, now time.Time) ports.Admission {
	if l.client == unlimited {
		return ports.Admission{}
	}
	return l.charge(l.client, who{e, true, string(id)}, now)
}

func (l *Limiter) charge(b budget, w who, now time.Time) (a ports.Admission) {
	at := now.UnixNano()
	l.table.use(maphash.Comparable(l.seed, w), at, func(e *entry) {
		var wait int64
		if e.full, wait = b.take(e.full, at); wait == 0 {
			return
		}
		a.RetryAfter = time.Duration(wait)
		e.refused++
		if e.reported == 0 || at-e.reported >= int64(reportEvery) || at < e.reported {
			a.Unrecorded = int(e.refused)
			e.refused, e.reported = 0, at
		}
	})
	return a
}
