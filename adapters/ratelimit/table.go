package ratelimit

import "sync"

// The table is as large on the first day as under attack: 65,536 callers of 32 bytes. A caller has a place in one set;
// a set that is full gives up whoever's budget is full soonest, which is nobody who is being refused as long as the set
// holds anybody else.
const (
	sets = 8192
	ways = 8
)

type table struct{ sets [sets]set }

type set struct {
	mu      sync.Mutex
	entries [ways]entry
}

// entry is what is remembered of one caller at one endpoint.
type entry struct {
	key      uint64 // hash of whose it is
	full     int64  // when the budget is full again, see budget
	reported int64  // when refusals were recorded last; 0: never
	refused  uint32 // requests refused since
}

func newTable() *table { return &table{} }

// use gives fn the entry of the key, alone with it.
func (t *table) use(key uint64, now int64, fn func(*entry)) {
	s := &t.sets[key%sets]
	s.mu.Lock()
	defer s.mu.Unlock()
	found := &s.entries[0]
	for i := range s.entries {
		e := &s.entries[i]
		if e.key == key {
			fn(e)
			return
		}
		if e.full < found.full {
			found = e
		}
	}
	*found = entry{key: key, full: now}
	fn(found)
}
