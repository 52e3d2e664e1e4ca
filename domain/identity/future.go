package identity

import "time"

// FromFuture reports whether something says that it was made after now, by more than two readings of one clock may
// differ. It was made while the clock was wrong: whatever is limited in time would live on from then, for years if the
// clock was years ahead, so it is good for nothing.
func FromFuture(made, now time.Time) bool { return made.After(now.Add(time.Minute)) }
