package ratelimit

import "time"

// budget is one rule: a request every interval, and a burst of as many as fit into a minute. All in nanoseconds.
type budget struct{ interval int64 }

// unlimited is the budget that never ends.
var unlimited = budget{}

func newBudget(perMinute int) budget {
	if perMinute <= 0 {
		return unlimited
	}
	return budget{max(1, int64(time.Minute)/int64(perMinute))}
}

// times is n budgets in one.
func (b budget) times(n int64) budget { return budget{max(1, b.interval/n)} }

// take is the generic cell rate algorithm. full is the instant at which the budget will be full again; it returns the new
// one, or the same and how long until a request is heard.
func (b budget) take(full, now int64) (next, wait int64) {
	const minute = int64(time.Minute)
	// A budget is never further from full than one minute, so what lies beyond was counted before the clock was set back.
	full = min(max(full, now), now+minute)
	if wait := full + b.interval - (now + minute); wait > 0 {
		return full, wait
	}
	return full + b.interval, 0
}
