package oidc_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey/domain/oauth"
	"latchkey/domain/oidc"
)

// ringAt is a ring of one algorithm whose keys begin to sign at the hours from start; they are named a, b, c.
func ringAt(hours ...int) oidc.KeyRing {
	var r oidc.KeyRing
	for i, h := range hours {
		r = append(r, oidc.SigningKey{ID: oidc.KeyID(rune('a' + i)), Algorithm: oauth.ES256, ActiveAt: start.Add(time.Duration(h) * time.Hour)})
	}
	return r
}

var es256 = []oauth.Algorithm{oauth.ES256}

// A rotation by hand respects the lead, and asking twice makes one key.
func TestRotateByHand(t *testing.T) {
	now := start.Add(48 * time.Hour)
	ring := ringAt(0)
	if d := cmp.Diff([]oidc.KeyOrder{{Algorithm: oauth.ES256, ActiveAt: now.Add(oidc.KeyLead)}}, ring.Rotate(es256, now)); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	ring = ringAt(0, 72)
	if again := ring.Rotate(es256, now); len(again) != 0 {
		t.Errorf("with a key to come: %v", again)
	}
	if plan := ring.Plan(es256, now); len(plan.Create)+len(plan.Erase) != 0 {
		t.Errorf("the plan adds %v", plan)
	}
	if at := ring.ErasedAt(ring[0]); !at.Equal(ring[1].ActiveAt.Add(oidc.KeyTail)) {
		t.Errorf("the first key is erased at %v", at)
	}
	if at := ring.ErasedAt(ring[1]); !at.IsZero() {
		t.Errorf("a key that nothing follows is erased at %v", at)
	}
}

// OP-02: a revoked key is gone at once, and another one signs from the same moment.
func TestRevokeKey(t *testing.T) {
	now := start.Add(100 * time.Hour)
	for name, tt := range map[string]struct {
		hours   []int
		revoke  oidc.KeyID
		left    []oidc.KeyID
		active  oidc.KeyID // after the order was carried out, as z
		ordered bool
	}{
		"the active key":                     {[]int{0, 50}, "b", []oidc.KeyID{"a"}, "z", true},
		"the active key with one to come":    {[]int{0, 50, 110}, "b", []oidc.KeyID{"a", "c"}, "c", false},
		"the active key with two to come":    {[]int{0, 120, 110}, "a", []oidc.KeyID{"b", "c"}, "c", false},
		"the only key":                       {[]int{0}, "a", nil, "z", true},
		"a retired key":                      {[]int{0, 50}, "a", []oidc.KeyID{"b"}, "b", false},
		"a key to come":                      {[]int{0, 110}, "b", []oidc.KeyID{"a"}, "a", false},
		"an unknown key":                     {[]int{0}, "x", []oidc.KeyID{"a"}, "a", false},
		"the active key of a clock set back": {[]int{200, 300}, "a", []oidc.KeyID{"b"}, "b", false},
	} {
		before := ringAt(tt.hours...)
		ring := slices.Clone(before)
		rest, order := ring.Revoke(tt.revoke, now)
		if d := cmp.Diff(before, ring); d != "" {
			t.Errorf("%s: the ring itself changed:\n%s", name, d)
		}
		var left []oidc.KeyID
		for _, k := range rest {
			left = append(left, k.ID)
		}
		if d := cmp.Diff(tt.left, left); d != "" || (order != nil) != tt.ordered {
			t.Errorf("%s: left %v, ordered %v\n%s", name, left, order, d)
		}
		if order != nil {
			rest = append(rest, oidc.SigningKey{ID: "z", Algorithm: order.Algorithm, ActiveAt: order.ActiveAt})
		}
		if active, _ := rest.Active(oauth.ES256, now); active.ID != tt.active || active.ActiveAt.After(now) {
			t.Errorf("%s: %s signs, from %v", name, active.ID, active.ActiveAt)
		}
	}
}
