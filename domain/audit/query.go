package audit

import (
	"math"
	"slices"
	"time"
)

// Query selects events. A zero field selects all.
type Query struct {
	Kinds     []Kind
	Client    string
	User      string
	Session   string
	Family    string
	RequestID string
	IP        string
	Refused   bool // only those that refused something: with the fact "error"

	Since  time.Time // at or after
	Until  time.Time // before
	After  int64     // seq above; math.MinInt64: no bound
	Before int64     // seq below; 0: no bound

	Newest bool // newest first; otherwise oldest first
	Limit  int  // at most so many; 0: none
}

// BeforeFirst selects an event that no chain can hold: it would come before the first.
var BeforeFirst = Query{After: math.MinInt64, Before: 1, Limit: 1}

// Matches reports whether the query selects the event. Order and Limit are the caller's.
func (q Query) Matches(e Event) bool {
	same := func(want, is string) bool { return want == "" || want == is }
	return (len(q.Kinds) == 0 || slices.Contains(q.Kinds, e.Kind)) &&
		same(q.Client, e.Client) && same(q.User, e.User) && same(q.Session, e.Session) && same(q.Family, e.Family) &&
		same(q.RequestID, e.Caller.RequestID) && same(q.IP, e.Caller.IP) && (!q.Refused || e.Facts["error"] != "") &&
		(q.Since.IsZero() || !e.At.Before(q.Since)) && (q.Until.IsZero() || e.At.Before(q.Until)) &&
		(e.Seq > q.After || q.After == math.MinInt64) && (q.Before == 0 || e.Seq < q.Before)
}
