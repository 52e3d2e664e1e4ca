package main

import (
	"fmt"
	"io"
	"time"
)

// Result is one line of the report of -config: one scenario at one number of
// connections.
type Result struct {
	Peer         string             `json:"peer"`
	Scenario     string             `json:"scenario"`
	Conns        int                `json:"conns"`
	Durable      bool               `json:"durable"`
	Storage      string             `json:"storage"`
	Skipped      string             `json:"skipped,omitempty"` // why nothing was measured
	Duration     float64            `json:"duration_s"`
	Requests     uint64             `json:"requests"`      // operations
	HTTPRequests uint64             `json:"http_requests"` // HTTP requests sent for them
	Errors       uint64             `json:"errors"`
	ErrorReasons map[string]uint64  `json:"error_reasons,omitempty"`
	ErrorDetail  map[string]string  `json:"error_detail,omitempty"` // of the first error of each reason
	RPS          float64            `json:"rps"`                    // operations a second
	Latency      Latency            `json:"latency"`
	Steps        map[string]Latency `json:"steps,omitempty"`
	PagesPerOp   int                `json:"pages_per_op,omitempty"` // at most
	Reconnects   uint64             `json:"reconnects,omitempty"`
	GeneratorCPU float64            `json:"generator_cpu_us_per_op"`
	GeneratorCor float64            `json:"generator_cores"`
	Server       *ServerUse         `json:"server,omitempty"`
	StealPct     float64            `json:"machine_steal_pct"`
	OtherCores   float64            `json:"other_cores"` // busy with neither generator nor listed servers: noise
	At           string             `json:"at"`
}

// ServerUse is what the server processes used in the window.
type ServerUse struct {
	Cores      float64 `json:"cores"`
	CPUPerOp   float64 `json:"cpu_us_per_op"`
	RSSKiB     int64   `json:"rss_kib"`
	PeakRSSKiB int64   `json:"peak_rss_kib"`
}

// mark is the state of the CPU counters at one instant.
type mark struct {
	at                 time.Time
	self, servers      time.Duration
	total, idle, steal int64
}

func takeMark(pids []int) mark {
	m := mark{at: time.Now(), self: selfCPU()}
	for _, p := range pids {
		d, _ := procCPU(p)
		m.servers += d
	}
	m.total, m.idle, m.steal = machineTicks()
	return m
}

// add merges what a worker counted.
func (r *Result) add(w *worker) {
	r.HTTPRequests += w.requests
	r.Reconnects += w.h.Reconnects
	for k, n := range w.errs {
		r.ErrorReasons[k] += n
		r.Errors += n
		if r.ErrorDetail[k] == "" {
			r.ErrorDetail[k] = w.first[k]
		}
	}
	r.PagesPerOp = max(r.PagesPerOp, w.pages)
}

// use computes who used the machine between two marks.
func (r *Result) use(a, b mark, pids []int) {
	ops, wall := float64(max(r.Requests, 1)), b.at.Sub(a.at).Seconds()
	gen, srv := (b.self - a.self).Seconds(), (b.servers - a.servers).Seconds()
	r.GeneratorCPU, r.GeneratorCor = gen*1e6/ops, gen/wall
	if dt := b.total - a.total; dt > 0 {
		idle, steal := b.idle-a.idle, b.steal-a.steal
		r.StealPct = 100 * float64(steal) / float64(dt)
		r.OtherCores = float64(dt-idle-steal)*clockTick.Seconds()/wall - r.GeneratorCor - srv/wall
	}
	if len(pids) == 0 {
		return
	}
	r.Server = &ServerUse{Cores: srv / wall, CPUPerOp: srv * 1e6 / ops}
	for _, p := range pids {
		rss, peak := procMem(p)
		r.Server.RSSKiB += rss
		r.Server.PeakRSSKiB += peak
	}
}

// human writes the result for people.
func (r *Result) human(w io.Writer) {
	if r.Skipped != "" {
		fmt.Fprintf(w, "%-18s c=%-3d skipped: %s\n", r.Scenario, r.Conns, r.Skipped)
		return
	}
	fmt.Fprintf(w, "%-18s c=%-3d %9.1f/s p50 %.2fms p99 %.2fms max %.1fms err %d", r.Scenario, r.Conns,
		r.RPS, r.Latency.P50/1000, r.Latency.P99/1000, r.Latency.Max/1000, r.Errors)
	if r.Server != nil {
		fmt.Fprintf(w, " server %.0fus/op %.2f cores rss %dM", r.Server.CPUPerOp, r.Server.Cores, r.Server.RSSKiB/1024)
	}
	fmt.Fprintf(w, " other %.2f cores\n", r.OtherCores)
	for k, n := range r.ErrorReasons {
		fmt.Fprintf(w, "    %d x %s  %.200s\n", n, k, r.ErrorDetail[k])
	}
}
