package audit_test

import (
	"crypto/sha256"
	"errors"
	"reflect"
	"slices"
	"testing"
	"time"

	"latchkey/domain/audit"
)

func keyed(key string) audit.Tagger {
	return func(body []byte) [32]byte { return sha256.Sum256(append([]byte(key), body...)) }
}

func chain(tag audit.Tagger, events ...audit.Event) []audit.Event {
	var head audit.Anchor
	for i := range events {
		events[i].Seq = head.Seq + 1
		events[i].MAC = tag(events[i].Body(nil, head))
		head = audit.Anchor{Seq: events[i].Seq, MAC: events[i].MAC}
	}
	return events
}

// Whoever lacks the key cannot change, take out, swap or put in an event unseen (AD-10).
func TestVerify(t *testing.T) {
	tag := keyed("the key")
	at := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	made := func() []audit.Event {
		return chain(tag, audit.Event{At: at, Kind: "a", User: "u"}, audit.Event{At: at, Kind: "b", Facts: map[string]string{"x": "1", "y": "2"}},
			audit.Event{Kind: "c", Client: "d"}, audit.Event{At: at, Kind: "e"})
	}
	for name, c := range map[string]struct {
		spoil func([]audit.Event) []audit.Event
		bad   int64 // 0: none
	}{
		"untouched":            {func(e []audit.Event) []audit.Event { return e }, 0},
		"cut off at the end":   {func(e []audit.Event) []audit.Event { return e[:3] }, 0}, // only an anchor shows it
		"a time":               {func(e []audit.Event) []audit.Event { e[1].At = at.Add(time.Millisecond); return e }, 2},
		"a kind":               {func(e []audit.Event) []audit.Event { e[0].Kind = "b"; return e }, 1},
		"a fact":               {func(e []audit.Event) []audit.Event { e[1].Facts["y"] = "3"; return e }, 2},
		"a fact less":          {func(e []audit.Event) []audit.Event { delete(e[1].Facts, "y"); return e }, 2},
		"a border between two": {func(e []audit.Event) []audit.Event { e[0].User, e[0].Session = "", "u"; return e }, 1},
		"a border in a fact":   {func(e []audit.Event) []audit.Event { e[1].Facts = map[string]string{"x": "1y2"}; return e }, 2},
		"a MAC":                {func(e []audit.Event) []audit.Event { e[2].MAC[0]++; return e }, 3},
		"one less":             {func(e []audit.Event) []audit.Event { return slices.Delete(e, 1, 2) }, 2},
		"one less, renumbered": {func(e []audit.Event) []audit.Event { e = slices.Delete(e, 1, 2); e[1].Seq = 2; e[2].Seq = 3; return e }, 2},
		"the first less":       {func(e []audit.Event) []audit.Event { return e[1:] }, 1},
		"two swapped":          {func(e []audit.Event) []audit.Event { e[1], e[2] = e[2], e[1]; e[1].Seq, e[2].Seq = 2, 3; return e }, 2},
		"one twice":            {func(e []audit.Event) []audit.Event { return slices.Insert(e, 1, e[0]) }, 2},
		"one of another history": {func(e []audit.Event) []audit.Event { // as it was recorded, in its place, and after something else
			other := made()
			other[0].User = "somebody else"
			e[2] = chain(tag, other...)[2]
			return e
		}, 3},
		"one put in":            {func(e []audit.Event) []audit.Event { return append(e, audit.Event{Seq: 5, Kind: "f"}) }, 5},
		"made with another key": {func([]audit.Event) []audit.Event { return chain(keyed("other"), audit.Event{Kind: "a"}) }, 1},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := audit.Verify(audit.Anchor{}, c.spoil(made()), tag)
			var broken *audit.BrokenError
			if errors.As(err, &broken); (c.bad == 0) != (err == nil) || c.bad != 0 && broken.Seq != c.bad {
				t.Errorf("got %v, want the first bad event %d", err, c.bad)
			}
		})
	}
	t.Run("from the middle", func(t *testing.T) {
		e := made()
		end, err := audit.Verify(audit.Anchor{Seq: 2, MAC: e[1].MAC}, e[2:], tag)
		if err != nil || end != (audit.Anchor{Seq: 4, MAC: e[3].MAC}) {
			t.Errorf("ends at %v: %v", end, err)
		}
	})
}

// AD-10: no field of an event can be changed unseen, whichever is added to it.
func TestVerifyEveryField(t *testing.T) {
	tag := keyed("the key")
	event := audit.Event{At: time.UnixMilli(1), Kind: "k", Facts: map[string]string{"a": "b"}}
	changed := 0
	var change func(v reflect.Value, name string, check func(name string))
	change = func(v reflect.Value, name string, check func(name string)) {
		switch v.Kind() {
		case reflect.String:
			old := v.String()
			v.SetString(old + "x")
			check(name)
			v.SetString(old)
		case reflect.Struct:
			for i := range v.NumField() {
				if v.Type() != reflect.TypeFor[time.Time]() {
					change(v.Field(i), name+"."+v.Type().Field(i).Name, check)
				}
			}
		}
	}
	e := chain(tag, event)
	change(reflect.ValueOf(&e[0]).Elem(), "Event", func(name string) {
		changed++
		if _, err := audit.Verify(audit.Anchor{}, e, tag); err == nil {
			t.Errorf("%s can be changed", name)
		}
	})
	if _, err := audit.Verify(audit.Anchor{}, e, tag); err != nil || changed != 9 {
		t.Errorf("%d fields, %v", changed, err)
	}
}
