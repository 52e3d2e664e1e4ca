package doctor

import (
	"fmt"
	"strings"
	"time"
)

// judge collects findings about facts.
type judge struct {
	Facts
	now      time.Time
	findings []Finding
}

// Judge says what the facts mean at now, worst first. It looks at nothing else.
func Judge(f Facts, now time.Time) []Finding {
	j := &judge{Facts: f, now: now}
	j.configuration()
	j.files()
	j.volume()
	j.database()
	j.masterKey()
	if j.Contents.Read {
		j.signingKeys()
		j.clock()
		j.trail()
		j.trailSize()
		j.backups()
		j.administrators()
		j.clients()
	}
	j.issuer()
	j.certificateFile()
	j.outside()
	j.proxies()
	j.limits()
	return sorted(j.findings)
}

// add adds a finding: what was found, why it matters, and the change that mends it with its commands.
func (j *judge) add(s Severity, id, found, why, mend string, commands ...string) {
	j.findings = append(j.findings, Finding{ID: id, Severity: s, Found: found, Why: why, Mend: mend, Commands: commands})
}

func (j *judge) ok(id, format string, args ...any) {
	j.add(OK, id, fmt.Sprintf(format, args...), "", "")
}

func (j *judge) configuration() {
	for _, problem := range j.Subject.Invalid {
		j.add(Error, "config.invalid", problem, "No server starts with this.", "Change the flag, or its twin in the environment, as said.",
			"latchkey serve --help")
	}
	switch {
	case j.Serving:
		j.ok("server.running", "A server has %s.", j.Subject.Database)
	case j.Database.Exists:
		j.add(Note, "server.stopped", "No server has "+j.Subject.Database+".", "Nobody can sign in until one does.", "Start it.", j.Subject.serve(nil))
	}
}

// size writes a number of bytes for people.
func size(n uint64) string {
	units, value := []string{"bytes", "KB", "MB", "GB", "TB"}, float64(n)
	i := 0
	for ; value >= 1024 && i < len(units)-1; i++ {
		value /= 1024
	}
	if i == 0 {
		return fmt.Sprintf("%d bytes", n)
	}
	return fmt.Sprintf("%.1f %s", value, units[i])
}

// span writes a duration for people.
func span(d time.Duration) string {
	switch d = d.Abs(); {
	case d >= 48*time.Hour:
		return fmt.Sprintf("%d days", d/(24*time.Hour))
	case d >= 2*time.Hour:
		return fmt.Sprintf("%d hours", d/time.Hour)
	case d >= 2*time.Minute:
		return fmt.Sprintf("%d minutes", d/time.Minute)
	}
	return fmt.Sprintf("%d seconds", d/time.Second)
}

func date(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }

func list(items []string) string { return strings.Join(items, ", ") }
