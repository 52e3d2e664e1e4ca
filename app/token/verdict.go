package token

import (
	"sync"
	"time"

	"latchkey/domain/oauth"
	"latchkey/ports"
)

// verdicts remembers which access tokens were found good, by digest, with what was answered, in bounded memory.
type verdicts[T any] struct {
	mu sync.RWMutex
	m  map[oauth.Digest]verdict[T]
}

type verdict[T any] struct {
	answer  T
	state   state
	expires time.Time
}

// state is what a verdict depends on besides time: it holds while both numbers stand still.
type state struct{ changes, rings uint64 }

// stateOf is read before what depends on it, so that a change in between makes a verdict old, never wrong.
func stateOf(store ports.Store, signer ports.Signer) state {
	return state{changes: store.Changes(), rings: signer.Rings()}
}

const maxVerdicts = 8192

func (v *verdicts[T]) find(d oauth.Digest, s state, now time.Time) (T, bool) {
	v.mu.RLock()
	defer v.mu.RUnlock()
	found, ok := v.m[d]
	return found.answer, ok && found.state == s && now.Before(found.expires)
}

func (v *verdicts[T]) keep(d oauth.Digest, x verdict[T]) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.m == nil || len(v.m) >= maxVerdicts {
		v.m = make(map[oauth.Digest]verdict[T])
	}
	v.m[d] = x
}
