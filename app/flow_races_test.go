package app_test

import (
	"os"
	"strconv"
	"sync"
	"testing"

	"latchkey/app/apptest"
)

// Refreshing races with every way of ending: whatever order the requests are heard in, no token survives. LATCHKEY_RACES
// says how many rounds; a short run is a part of every test run.
func TestNothingSurvivesTheEnd(t *testing.T) {
	t.Parallel()
	rounds := 24
	if text := os.Getenv("LATCHKEY_RACES"); text != "" {
		var err error
		if rounds, err = strconv.Atoi(text); err != nil {
			t.Fatal(err)
		}
	}
	h := newHearer(t)
	p := apptest.New(t, channels(h))
	web, evil := p.Client("web"), p.Client("evil")
	b := p.Browser()
	refreshed, refused := 0, 0
	for round := range rounds {
		one, two := web.SignIn(b, "alice"), evil.SignIn(b, "alice")
		ends := []struct {
			do     func()
			others bool // the other application's tokens end too
		}{
			{func() { revoke(web, one.Get("refresh_token")) }, false},
			{func() { central(web, one.Get("access_token"), "") }, true},
			{func() { central(evil, two.Get("access_token"), "") }, true},
			{func() {
				revoke(web, one.Get("refresh_token"))
				central(evil, two.Get("access_token"), "")
			}, true},
		}
		end := ends[round%len(ends)]
		var mu sync.Mutex
		found := map[*apptest.RP][]apptest.Reply{web: {one}, evil: {two}}
		var all sync.WaitGroup
		for rp, r := range map[*apptest.RP]apptest.Reply{web: one, evil: two} {
			all.Go(func() {
				for range 3 { // each with the newest, as an application does
					if r = rp.Refresh(r.Get("refresh_token")); r.Status != 200 {
						break
					}
					mu.Lock()
					found[rp] = append(found[rp], r)
					refreshed++
					mu.Unlock()
				}
			})
		}
		all.Go(end.do)
		all.Wait()
		for rp, replies := range found {
			if rp == evil && !end.others {
				continue
			}
			for i, r := range replies {
				if u := rp.UserInfo(r.Get("access_token")); u.Status != 401 {
					t.Fatalf("round %d: access token %d of %s survived: %d %s", round, i, rp.ID, u.Status, u.Text)
				}
			}
			if r := rp.Refresh(replies[len(replies)-1].Get("refresh_token")); r.Status != 400 {
				t.Fatalf("round %d: the newest refresh token of %s survived: %d %s", round, rp.ID, r.Status, r.Text)
			}
			if len(replies) < 4 {
				refused++
			}
		}
	}
	t.Logf("%d rounds, %d refreshes before the end, %d lines cut", rounds, refreshed, refused)
	if refreshed == 0 || refused == 0 {
		t.Errorf("no race: %d refreshes came before an end, %d after one", refreshed, refused)
	}
}
