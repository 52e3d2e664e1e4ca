package web

import (
	"fmt"
	"time"
	_ "time/tzdata" // one file runs anywhere, also where the system has no zones
)

// moment is an instant as a page shows it.
type moment struct {
	At   int64  // milliseconds since 1970, UTC; 0: never
	Zone string // of the person, an IANA name; anything else is shown in UTC
}

func momentOf(t time.Time, zone string) moment {
	if t.IsZero() {
		return moment{}
	}
	return moment{At: t.UnixMilli(), Zone: zone}
}

// Stamp is the instant for programs, as the datetime of a <time> element.
func (m moment) Stamp() string { return time.UnixMilli(m.At).UTC().Format(time.RFC3339) }

var monthsIndonesian = [...]string{"Januari", "Februari", "Maret", "April", "Mei", "Juni", "Juli", "Agustus", "September", "Oktober",
	"November", "Desember"}

// when writes a moment the way the language does. The zone is always named: an account is used from many places.
func (l locale) when(m moment) string {
	t := time.UnixMilli(m.At).UTC()
	if zone, err := time.LoadLocation(m.Zone); err == nil {
		t = t.In(zone)
	}
	if l == indonesian {
		return fmt.Sprintf("%d %s %d pukul %s", t.Day(), monthsIndonesian[t.Month()-1], t.Year(), t.Format("15.04 MST"))
	}
	return t.Format("2 January 2006 at 15:04 MST")
}
