package main

import (
	"fmt"
	"io"
	"runtime"
	"slices"
	"time"
)

// The goals, for durable storage and 64 connections on two cores that the
// generator shares.
const (
	goalDocuments   = 0.95   // discovery and jwks: share of the constant handler
	goalClient      = 20_000 // operations a second
	goalIntrospect  = 34_000
	goalUserinfo    = 36_000
	goalRefresh     = 9_000
	goalRevocation  = 30_000
	goalCodeSession = 6_500
	goalCodeLogin   = 0.90 // share of the password hash ceiling
	goalStart       = 100 * time.Millisecond
	goalIdle        = 30 << 10  // KiB
	goalPeak        = 120 << 10 // KiB
	goalSize        = 20 << 20  // bytes
)

// goal is the rate a scenario should reach, or 0 where none is set.
func (m *measured) goal(k sample) float64 {
	switch k.scenario {
	case "discovery", "jwks":
		return goalDocuments * m.rate(sample{"raw", k.conns})
	case "client_credentials":
		return goalClient
	case "introspection":
		return goalIntrospect
	case "userinfo":
		return goalUserinfo
	case "revocation":
		return goalRevocation
	case "refresh":
		return goalRefresh
	case "code_session":
		return goalCodeSession
	case "code_login":
		return goalCodeLogin * median(m.hashes)
	}
	return 0
}

func (m *measured) rate(k sample) float64 {
	return m.of(k, func(r *Result) float64 { return r.RPS })
}

// of is the median of one figure over the rounds.
func (m *measured) of(k sample, figure func(*Result) float64) float64 {
	var v []float64
	for _, r := range m.results[k] {
		v = append(v, figure(r))
	}
	return median(v)
}

// errors counts what went wrong in all rounds; a scenario that could not be
// measured is an error.
func (m *measured) errors(k sample) (n uint64) {
	for _, r := range m.results[k] {
		n += r.Errors
		if r.Skipped != "" {
			n++
		}
	}
	return n
}

// table prints what was measured and says whether there were errors.
func (b *bench) table(m *measured) (failed bool) {
	fmt.Fprintf(b.out, "\nDurable storage: SQLite WAL, synchronous=FULL (the server asserts it at start). %d cores, shared with the generator.\n", runtime.GOMAXPROCS(0))
	fmt.Fprintf(b.out, "Medians of %d interleaved rounds of %s. Goals are set for 64 connections; a ratio of 1.00 or more meets the goal.\n\n", rounds, (b.duration / rounds).Round(time.Millisecond))

	fmt.Fprintf(b.out, "%-18s %6s %9s %9s %9s %9s %8s %7s %9s %6s\n", "scenario", "conns", "rate/s", "p50 ms", "p99 ms", "p99/fair", "CPU us", "errors", "goal/s", "ratio")
	noise := 0.0
	for _, name := range append([]string{"raw"}, benchScenarios...) {
		for _, n := range b.conns {
			k := sample{name, n}
			if len(m.results[k]) == 0 {
				continue
			}
			b.row(m, k)
			failed = failed || m.errors(k) > 0
			for _, r := range m.results[k] {
				noise = max(noise, r.OtherCores)
			}
		}
	}

	fmt.Fprintf(b.out, "\n%-34s %11s %11s %6s\n", "figure", "value", "goal", "ratio")
	atMost(b.out, "start to first discovery answer", "ms", median(m.starts).Seconds()*1000, goalStart.Seconds()*1000)
	atMost(b.out, "resident memory, idle", "MB", float64(m.idle)/1024, goalIdle/1024)
	atMost(b.out, "resident memory, peak under load", "MB", float64(m.peak)/1024, goalPeak/1024)
	atMost(b.out, "binary, stripped", "MB", float64(m.size)/(1<<20), goalSize/(1<<20))

	fmt.Fprintln(b.out, "\nraw is a constant net/http handler with the bytes of the discovery document, in a process of its own.")
	fmt.Fprintln(b.out, "p99/fair is p99 over the mean of a fair queue (connections / rate); the goal is 3 or less.")
	fmt.Fprintln(b.out, "CPU us is the processor time of the server for one operation, user and system: other work on the machine hardly moves it.")
	if h := median(m.hashes); h > 0 {
		fmt.Fprintf(b.out, "Password hash ceiling (PBKDF2-HMAC-SHA-256, %d rounds): %.1f/s.", b.hashCost, h)
		for _, n := range b.conns {
			fmt.Fprintf(b.out, " code_login at %d connections: %.0f %% of it.", n, 100*m.rate(sample{"code_login", n})/h)
		}
		fmt.Fprintln(b.out)
	}
	fmt.Fprintf(b.out, "Other work took up to %.1f cores in a window.\n", noise)
	b.explain(m)
	return failed
}

func (b *bench) row(m *measured, k sample) {
	rate := m.rate(k)
	p50 := m.of(k, func(r *Result) float64 { return r.Latency.P50 / 1000 })
	p99 := m.of(k, func(r *Result) float64 { return r.Latency.P99 / 1000 })
	cpu := m.of(k, func(r *Result) float64 {
		if r.Server == nil {
			return 0
		}
		return r.Server.CPUPerOp
	})
	goal, ratio := "-", "-"
	if g := m.goal(k); g > 0 {
		goal, ratio = perSecond(g), fmt.Sprintf("%.2f", rate/g)
	}
	fmt.Fprintf(b.out, "%-18s %6d %9s %9.2f %9.2f %9.1f %8.1f %7d %9s %6s\n", k.scenario, k.conns, perSecond(rate), p50, p99,
		p99/1000*rate/float64(k.conns), cpu, m.errors(k), goal, ratio)
}

// perSecond shows three digits or whole numbers.
func perSecond(r float64) string {
	if r < 100 {
		return fmt.Sprintf("%.1f", r)
	}
	return fmt.Sprintf("%.0f", r)
}

// atMost prints a figure whose goal is an upper bound. A figure that this
// machine does not tell is not shown as reached.
func atMost(w io.Writer, name, unit string, value, goal float64) {
	shown, ratio := "unknown", "-"
	if value > 0 {
		shown, ratio = fmt.Sprintf("%.1f %s", value, unit), fmt.Sprintf("%.2f", goal/value)
	}
	fmt.Fprintf(w, "%-34s %11s %11s %6s\n", name, shown, fmt.Sprintf("<= %.0f %s", goal, unit), ratio)
}

// explain lists the errors behind the column.
func (b *bench) explain(m *measured) {
	for _, name := range append([]string{"raw"}, benchScenarios...) {
		for _, n := range b.conns {
			for round, r := range m.results[sample{name, n}] {
				if r.Skipped != "" {
					fmt.Fprintf(b.out, "ERROR %s, %d connections, round %d: %s\n", name, n, round+1, r.Skipped)
				}
				reasons := make([]string, 0, len(r.ErrorReasons))
				for reason := range r.ErrorReasons {
					reasons = append(reasons, reason)
				}
				slices.Sort(reasons)
				for _, reason := range reasons {
					fmt.Fprintf(b.out, "ERROR %s, %d connections, round %d: %d x %s  %.200s\n", name, n, round+1, r.ErrorReasons[reason], reason, r.ErrorDetail[reason])
				}
			}
		}
	}
}
