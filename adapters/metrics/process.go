package metrics

import (
	"bytes"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"strconv"
	"time"
)

// started is when the process began, to a few milliseconds.
var started = time.Now()

// writeProcess writes what every Go program can say of itself, under the names that dashboards know.
func writeProcess(p *page, sqlite string) {
	// Unlike runtime.ReadMemStats this does not stop everything else.
	memory := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}, {Name: "/memory/classes/total:bytes"}}
	metrics.Read(memory)
	p.family("go_goroutines", gauge, "Goroutines that exist.")
	p.sample(float64(runtime.NumGoroutine()))
	p.family("go_memstats_heap_alloc_bytes", gauge, "Heap taken by objects, those to be collected included.")
	p.sample(float64(memory[0].Value.Uint64()))
	p.family("go_memstats_sys_bytes", gauge, "Memory that the Go runtime took from the system.")
	p.sample(float64(memory[1].Value.Uint64()))
	if resident, ok := residentBytes(); ok {
		p.family("process_resident_memory_bytes", gauge, "Memory that the process occupies.")
		p.sample(resident)
	}
	p.family("process_start_time_seconds", gauge, "When the process began, since 1970.")
	p.sample(float64(started.UnixMilli()) / 1000)
	p.family("latchkey_build_info", gauge, "What this program was built from.")
	p.sample(1, "version", version(), "go", runtime.Version(), "sqlite", sqlite)
}

// residentBytes reads what Linux says; other systems have no such file.
func residentBytes() (float64, bool) {
	text, err := os.ReadFile("/proc/self/statm")
	fields := bytes.Fields(text)
	if err != nil || len(fields) < 2 {
		return 0, false
	}
	pages, err := strconv.ParseInt(string(fields[1]), 10, 64)
	return float64(pages) * float64(os.Getpagesize()), err == nil
}

func version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}
