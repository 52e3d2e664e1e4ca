package oidc

import (
	"testing"
	"time"
)

func TestNextRotation(t *testing.T) {
	now := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	day := func(n int) time.Time { return now.Add(time.Duration(n) * 24 * time.Hour) }
	key := func(id KeyID, active time.Time) SigningKey {
		return SigningKey{ID: id, Algorithm: "ES256", ActiveAt: active}
	}
	for name, c := range map[string]struct {
		ring KeyRing
		want time.Time
	}{
		"no key":                    {nil, time.Time{}},
		"keys of another algorithm": {KeyRing{{ID: "r", Algorithm: "RS256", ActiveAt: day(-1)}}, time.Time{}},
		"one key":                   {KeyRing{key("a", day(-10))}, day(80)},
		"the next one is made":      {KeyRing{key("a", day(-80)), key("b", day(10))}, day(10)},
		"two are made":              {KeyRing{key("c", day(12)), key("a", day(-80)), key("b", day(10))}, day(10)},
		"an old one is kept":        {KeyRing{key("a", day(-95)), key("b", day(-5))}, day(85)},
		"overdue":                   {KeyRing{key("a", day(-91))}, day(-1)},
	} {
		if got := c.ring.NextRotation("ES256", now); !got.Equal(c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}
