package jose

import (
	"errors"
	"strconv"
	"time"
)

// members reads the typed members of an object. The first that is missing or of another type is kept in err, by its name
// in our program and never by what the token says.
type members struct {
	object
	err error
}

func (m *members) fail(name string) {
	if m.err == nil {
		m.err = errors.New("malformed token: member " + name + " is missing or not as expected")
	}
}

// text returns a string that must be there and not be empty.
func (m *members) text(name string) string {
	s, _ := m.object[name].(string)
	if s == "" {
		m.fail(name)
	}
	return s
}

// textIf returns a string that may be absent.
func (m *members) textIf(name string) string {
	if _, present := m.object[name]; !present {
		return ""
	}
	return m.text(name)
}

// maxDate is the last second of the year 9999.
const maxDate = 253402300799

// date returns an instant that must be there, as a whole number of seconds from 0 to the year 9999.
func (m *members) date(name string) time.Time {
	n, _ := m.object[name].(number)
	seconds, err := strconv.ParseInt(string(n), 10, 64)
	if err != nil || seconds < 0 || seconds > maxDate || n[0] == '-' {
		m.fail(name)
		return time.Time{}
	}
	return time.Unix(seconds, 0).UTC()
}

// dateIf returns an instant that may be absent.
func (m *members) dateIf(name string) time.Time {
	if _, present := m.object[name]; !present {
		return time.Time{}
	}
	return m.date(name)
}

// listIf returns an array of strings that may be absent, and is not empty otherwise.
func (m *members) listIf(name string) []string {
	v, present := m.object[name]
	if !present {
		return nil
	}
	values, _ := v.([]any)
	if len(values) == 0 {
		m.fail(name)
	}
	list := make([]string, len(values))
	for i, v := range values {
		s, ok := v.(string)
		if !ok {
			m.fail(name)
		}
		list[i] = s
	}
	return list
}
