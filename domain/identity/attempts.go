package identity

import "time"

// AttemptWindow is how long failed sign-ins count against an account or an address.
const AttemptWindow = 15 * time.Minute

// Failed sign-ins per window before the next is refused unheard.
const (
	AccountAttempts = 10
	AddressAttempts = 50
)

// AccountKey is what attempts against an account are counted under, whichever of its names was typed.
func AccountKey(id UserID) string { return "user:" + string(id) }

// Attempts counts sign-in attempts against one key: an account however it is spelt, or an address.
type Attempts struct {
	Key      string
	Count    int
	Since    time.Time // start of the window
	LockedAt time.Time // first refusal in this window
}

// Reserve takes one attempt before the password is looked at, so that parallel guesses cannot outrun the count.
// It reports whether the attempt may go on, and whether this refusal is the first of its window. A limit of zero or
// less never refuses.
func (a *Attempts) Reserve(limit int, now time.Time) (allowed, lockedNow bool) {
	// A clock set back must not make the window endless. Merely earlier is no reason to begin again: of many guesses at
	// once, one that read its clock first may come last, and each would wipe out what the others counted.
	if now.Before(a.Since.Add(-AttemptWindow)) || !now.Before(a.Since.Add(AttemptWindow)) {
		*a = Attempts{Key: a.Key, Since: now}
	}
	if limit > 0 && a.Count >= limit {
		lockedNow = a.LockedAt.IsZero()
		if lockedNow {
			a.LockedAt = now
		}
		return false, lockedNow
	}
	a.Count++
	return true, false
}

// Refund gives one attempt back after a success. It reports whether there was one.
func (a *Attempts) Refund() bool {
	if a.Count == 0 {
		return false
	}
	a.Count--
	return true
}

// Recent is how many of them are still in their window.
func (a Attempts) Recent(now time.Time) int {
	if now.Before(a.Since.Add(-AttemptWindow)) || !now.Before(a.Since.Add(AttemptWindow)) {
		return 0
	}
	return a.Count
}

// RetryAfter is how long until the window ends.
func (a Attempts) RetryAfter(now time.Time) time.Duration {
	return max(time.Second, a.Since.Add(AttemptWindow).Sub(now))
}

// Locked reports whether attempts are refused until the window ends.
func (a Attempts) Locked(now time.Time) bool {
	return !a.LockedAt.IsZero() && now.Before(a.Since.Add(AttemptWindow))
}
