package app

import (
	"io"
	"net/http"
	"sync/atomic"
	"time"
)

// Bounds of what a connection may send beyond its requests. An HTTP/2 client adds little to them: settings, pings, windows,
// resets, and the records of TLS. Whoever sends nothing else, or begins requests only to reset them, makes the server work
// for nothing (CVE-2019-9512, CVE-2019-9515, CVE-2023-39325, CVE-2023-45288).
const (
	// maxUnexplained is four times what the windows of HTTP/2 let a client send of bodies before anybody reads them, so that a
	// hundred requests may arrive at once before the first is looked at. Large headers make more of as many: what goes beyond
	// has explainedWithin, and is looked at explainedEvery.
	maxUnexplained  = 4 * receiveWindow
	explainedWithin = 200 * time.Millisecond
	explainedEvery  = 10 * time.Millisecond
	// forgivenPerSecond is for pings on a connection that waits: a hundred a second.
	forgivenPerSecond = 4 << 10
	// aroundRequest is for what surrounds a request that is answered, and for a small body that nobody read.
	aroundRequest = 512
	// abandonedRequest is what one counts that was reset before its answer: the work was done all the same. One a second may
	// be, and one of eight beside those that are answered: some of a flood of resets come too late to be noticed.
	abandonedRequest = 4 << 10
)

// unexplained counts the bytes of a connection that none of its requests explains. Requests are heard beside one another,
// while one goroutine at a time reads.
type unexplained struct {
	bytes pile
	// abandoned is apart, because a header explains bytes and no reset: HPACK lets a client repeat a large one with two bytes,
	// and each would explain the reset before it.
	abandoned pile
	forgiven  time.Time // until when; of the goroutine that reads
}

// read counts n bytes and reports whether there are too many. The clock is asked only then.
func (u *unexplained) read(n int, now func() time.Time) (flood bool) {
	if u.bytes.Add(int64(n))+u.abandoned.Load() <= maxUnexplained {
		return false
	}
	const longest = maxUnexplained / forgivenPerSecond * time.Second // which forgives everything
	at := now()
	rest := u.bytes.take(int64(min(at.Sub(u.forgiven), longest)) * forgivenPerSecond / int64(time.Second))
	u.abandoned.take(rest)
	u.forgiven = at
	return u.bytes.Load()+u.abandoned.Load() > maxUnexplained
}

// pile is a number of bytes.
type pile struct{ atomic.Int64 }

// take takes n bytes away and returns how many of them were not there. There is no credit: who has asked for much may not
// send as much for nothing.
func (p *pile) take(n int64) (rest int64) {
	left := p.Add(-n)
	rest = max(0, -left)
	for left < 0 && !p.CompareAndSwap(left, 0) {
		left = p.Load()
	}
	return rest
}

// explaining tells the connection of each request what the request explains.
func explaining(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		u, ok := r.Context().Value(unexplainedKey{}).(*unexplained)
		if !ok {
			next.ServeHTTP(w, r)
			return
		}
		if r.ProtoMajor < 2 { // one request at a time, and nothing but requests
			u.bytes.take(u.bytes.Load())
			next.ServeHTTP(w, r)
			return
		}
		u.bytes.take(headerBytes(r))
		if r.ContentLength != 0 {
			r.Body = explainedBody{r.Body, u}
		}
		next.ServeHTTP(w, r)
		if r.Context().Err() != nil {
			u.abandoned.Add(abandonedRequest)
		} else {
			u.bytes.take(aroundRequest)
			u.abandoned.take(aroundRequest)
		}
	})
}

type unexplainedKey struct{}

// headerBytes is what the header of a request takes at most: HPACK makes it smaller (RFC 7541 §4.1 counts 32 for a field).
func headerBytes(r *http.Request) int64 {
	n := len(r.Method) + len(r.RequestURI) + len(r.Host) + 4*32
	for name, values := range r.Header {
		for _, value := range values {
			n += len(name) + len(value) + 32
		}
	}
	return int64(n)
}

// explainedBody explains what is read of it. What nobody reads stays unexplained: a length can be claimed.
type explainedBody struct {
	io.ReadCloser
	unexplained *unexplained
}

func (b explainedBody) Read(p []byte) (n int, err error) {
	n, err = b.ReadCloser.Read(p)
	b.unexplained.bytes.take(int64(n))
	return n, err
}
