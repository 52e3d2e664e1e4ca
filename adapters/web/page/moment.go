package page

import (
	"fmt"
	"time"
	_ "time/tzdata" // one file runs anywhere, also where the system has no zones
)

// Moment is an instant as a page shows it.
type Moment struct {
	At   int64  // milliseconds since 1970, UTC; 0: never
	Zone string // of the person, an IANA name; anything else is shown in UTC
}

// MomentOf is the moment of a time, for a person in a zone. The zero time is never.
func MomentOf(t time.Time, zone string) Moment {
	if t.IsZero() {
		return Moment{}
	}
	return Moment{At: t.UnixMilli(), Zone: zone}
}

// Stamp is the instant for programs, as the datetime of a <time> element.
func (m Moment) Stamp() string { return time.UnixMilli(m.At).UTC().Format(time.RFC3339) }

var monthsIndonesian = [...]string{"Januari", "Februari", "Maret", "April", "Mei", "Juni", "Juli", "Agustus", "September", "Oktober",
	"November", "Desember"}

// in is the moment where the person is.
func (m Moment) in() time.Time {
	t := time.UnixMilli(m.At).UTC()
	if zone, err := time.LoadLocation(m.Zone); err == nil {
		t = t.In(zone)
	}
	return t
}

// when writes a moment the way the language does. The zone is always named: an account is used from many places.
func (l Locale) when(m Moment) string {
	if l == Indonesian {
		return l.day(m) + " pukul " + l.clock(m)
	}
	return l.day(m) + " at " + l.clock(m)
}

// day writes the date of a moment.
func (l Locale) day(m Moment) string {
	t := m.in()
	if l == Indonesian {
		return fmt.Sprintf("%d %s %d", t.Day(), monthsIndonesian[t.Month()-1], t.Year())
	}
	return t.Format("2 January 2006")
}

// clock writes the time of day of a moment.
func (l Locale) clock(m Moment) string {
	if l == Indonesian {
		return m.in().Format("15.04 MST")
	}
	return m.in().Format("15:04 MST")
}
