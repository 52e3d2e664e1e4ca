package audit

import (
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
)

// The chain ties each event to all before it: its MAC is a keyed hash of its content and of the MAC before it. Without
// the key nobody can change, take out, swap or put in an event unseen. Cutting off the newest events leaves a valid
// chain; an Anchor kept elsewhere shows that.

// Tagger is a keyed hash.
type Tagger func(message []byte) [32]byte

// Anchor is the end of the chain at some time: an event that must still be there. The zero Anchor is the beginning.
type Anchor struct {
	Seq int64
	MAC [32]byte
}

// Body appends what the MAC of the event covers when it follows the anchor: every field in a fixed order, each with its length,
// so that no two events have one body.
func (e Event) Body(body []byte, previous Anchor) []byte {
	body = append(body, previous.MAC[:]...)
	body = binary.BigEndian.AppendUint64(body, uint64(e.Seq))
	at := int64(0)
	if !e.At.IsZero() {
		at = e.At.UnixMilli()
	}
	body = binary.BigEndian.AppendUint64(body, uint64(at))
	for _, s := range [...]string{string(e.Kind), e.Caller.RequestID, e.Caller.IP, e.Caller.UserAgent, e.Client, e.User, e.Session, e.Grant, e.Family} {
		body = appendText(body, s)
	}
	for _, name := range slices.Sorted(maps.Keys(e.Facts)) {
		body = appendText(appendText(body, name), e.Facts[name])
	}
	return body
}

func appendText(body []byte, s string) []byte {
	return append(binary.BigEndian.AppendUint32(body, uint32(len(s))), s...)
}

// BrokenError names the first event that is not what was recorded.
type BrokenError struct {
	Seq int64
	Why string
}

func (e *BrokenError) Error() string { return fmt.Sprintf("audit event %d %s", e.Seq, e.Why) }

// VerifyBegin takes what BeforeFirst selects: a chain begins at 1, and only somebody else adds what Verify never comes to. The error
// is a *BrokenError.
func VerifyBegin(before []Event) error {
	for _, e := range before {
		return &BrokenError{e.Seq, "is not one that was recorded: the first is 1"}
	}
	return nil
}

// Verify follows the chain from an anchor over the events after it, in order and without gaps, and returns where it ends.
// The error is a *BrokenError.
func Verify(from Anchor, events []Event, tag Tagger) (Anchor, error) {
	var body []byte
	for _, e := range events {
		if e.Seq != from.Seq+1 {
			return from, &BrokenError{from.Seq + 1, "is missing"}
		}
		body = e.Body(body[:0], from)
		if tag(body) != e.MAC {
			return from, &BrokenError{e.Seq, "is not what was recorded: it, or the one before it, was changed or put in"}
		}
		from = Anchor{e.Seq, e.MAC}
	}
	return from, nil
}
