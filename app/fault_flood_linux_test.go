package app_test

import (
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"latchkey/app/apptest"
)

// The flood: so many sign-ins a second from so many addresses for so many names. Beside it each honest user comes from an
// address of their own.
const (
	floodPerSecond = 500
	floodAddresses = 50
	floodNames     = 500
	honestUsers    = 8
	honestEvery    = 2 * time.Second
)

// RL-04: a flood of sign-ins is turned away or waits in a bounded queue, and neither applications nor honest people
// come to harm.
func TestFaultLoginFlood(t *testing.T) {
	t.Parallel()
	lasting := time.Duration(size(t, "FLOOD_SECONDS", 1)) * time.Second
	var users []string
	for n := range honestUsers {
		users = append(users, fmt.Sprintf(`{"username": "honest%d", "password": %q}`, n, apptest.Password))
	}
	p := apptest.NewProcess(t, faultDocument(0), `{"users": [`+strings.Join(users, ",")+`]}`)
	p.Flags = []string{"--rate-limit-scale", "1", "--client-rate-limit", "1000000", "--trusted-proxies", "127.0.0.1/32"}
	p.Transport.(*http.Transport).MaxIdleConnsPerHost = 600
	p.Start()
	b := p.Browser()
	enter(t, p, b)
	lines := make([]*honest, 4)
	for n := range lines {
		lines[n] = newHonest(t, p, b)
	}
	// Four applications refresh as fast as they can. They authenticate, so they have a budget of their own.
	tokens := func(during time.Duration) (perSecond float64, p99 time.Duration) {
		var running sync.WaitGroup
		counts, slowest := make([]int, len(lines)), make([]time.Duration, len(lines))
		for n, h := range lines {
			running.Go(func() { counts[n], slowest[n] = h.refresh(0, after(during)) })
		}
		running.Wait()
		total := 0
		for _, n := range counts {
			total += n
		}
		return float64(total) / during.Seconds(), slices.Max(slowest)
	}
	aloneRate, aloneP99 := tokens(min(lasting, 5*time.Second))

	attacker := p.Browser()
	action, fields := attacker.Form(attacker.Get("/login"))
	fields.Set("password", "a password that is wrong")
	fields.Del("username")
	over := after(lasting)
	var running sync.WaitGroup
	var mu sync.Mutex
	statuses := map[int]int{}
	peak := 0
	running.Go(func() {
		tick := time.NewTicker(time.Second / floodPerSecond)
		defer tick.Stop()
		waiting := make(chan struct{}, 2*floodPerSecond)
		var requests sync.WaitGroup
		for n := 0; ; n++ {
			select {
			case <-over:
				requests.Wait()
				return
			case <-tick.C:
			}
			if n%floodPerSecond == 0 {
				peak = max(peak, usageOf(t, p.Pid()).memory)
			}
			form, address := fields.Encode()+fmt.Sprintf("&username=name%d", rand.N(floodNames)), fmt.Sprintf("203.0.113.%d", rand.N(floodAddresses))
			waiting <- struct{}{}
			requests.Go(func() {
				defer func() { <-waiting }()
				r := p.Client("web").Send("POST", action, form, http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, "Origin": {p.Issuer},
					"Sec-Fetch-Site": {"same-origin"}, "X-Forwarded-For": {address}, "Cookie": {cookies(attacker)}})
				mu.Lock()
				defer mu.Unlock()
				statuses[r.Status]++
			})
		}
	})
	served, tried := 0, 0
	var slow []time.Duration
	running.Go(func() {
		var visits sync.WaitGroup
		for n := 0; ; n++ {
			visits.Go(func() {
				begun := time.Now()
				ok := honestSignIn(p, n)
				mu.Lock()
				defer mu.Unlock()
				if tried++; ok && time.Since(begun) < 5*time.Second {
					served++
				}
				slow = append(slow, time.Since(begun))
			})
			select {
			case <-over:
				visits.Wait()
				return
			case <-time.After(honestEvery):
			}
		}
	})
	rate, p99 := tokens(lasting)
	running.Wait()
	for status, n := range statuses {
		if status >= 500 && status != http.StatusServiceUnavailable {
			t.Errorf("%d sign-ins of the flood were answered with %d", n, status)
		}
	}
	if strings.Contains(p.Log.String(), "panic") {
		t.Errorf("the log speaks of a panic:\n%s", p.Log.Tail())
	}
	if served == 0 {
		t.Error("no honest user got in")
	}
	slices.Sort(slow)
	t.Logf("flood of %v: answers by status %v; tokens %.0f/s (alone %.0f/s), 99%% within %v (alone %v); %d of %d honest sign-ins within 5 s, the median in %v; memory at most %d MiB",
		lasting, statuses, rate, aloneRate, p99, aloneP99, served, tried, percentile(slow, 50), peak>>10)
}

// RL-16: a hundred people hang up while their passwords wait to be looked at. Nobody's time is spent on them, and who comes
// next is served.
func TestFaultAbandonedSignIns(t *testing.T) {
	t.Parallel()
	const gone = 100
	p := apptest.NewProcess(t, `{"users": [{"username": "honest0", "password": "`+apptest.Password+`"}]}`)
	p.Start()
	begun := usageOf(t, p.Pid()).cpu
	if !honestSignIn(p, 0) {
		t.Fatal("no sign-in")
	}
	one := usageOf(t, p.Pid()).cpu - begun
	b := p.Browser()
	action, fields := b.Form(b.Get("/login"))
	fields.Set("password", "a password that is wrong")
	fields.Del("username")
	begun = usageOf(t, p.Pid()).cpu
	var running sync.WaitGroup
	for n := range gone {
		running.Go(func() {
			c, err := net.Dial("tcp", strings.TrimPrefix(p.Issuer, "http://"))
			if err != nil {
				t.Error(err)
				return
			}
			form := fields.Encode() + fmt.Sprint("&username=gone", n)
			fmt.Fprintf(c, "POST %s HTTP/1.1\r\nHost: %s\r\nOrigin: %s\r\nCookie: %s\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n%s",
				action, strings.TrimPrefix(p.Issuer, "http://"), p.Issuer, cookies(b), len(form), form)
			time.Sleep(50 * time.Millisecond)
			c.Close()
		})
	}
	running.Wait()
	waited := time.Now()
	if !honestSignIn(p, 0) {
		t.Error("an honest user is not served after the others have left")
	}
	spent := usageOf(t, p.Pid()).cpu - begun
	t.Logf("%d left while they waited; the next one is in after %v; the server spent %v, and one sign-in takes %v", gone, time.Since(waited).Round(time.Millisecond), spent, one)
	if spent > one*gone/2 {
		t.Errorf("it looked at passwords that nobody waited for: %v", spent)
	}
}

// honestSignIn signs a user in whose password is right, and tries again when the server says that it is busy.
func honestSignIn(p *apptest.Process, n int) bool {
	b := p.Browser()
	b.Header.Set("X-Forwarded-For", fmt.Sprintf("198.51.100.%d", n%250))
	for range 3 {
		page := b.Get("/login")
		if page.Status != http.StatusOK {
			return false
		}
		action, fields := b.Form(page)
		fields.Set("username", fmt.Sprintf("honest%d", n%honestUsers))
		fields.Set("password", apptest.Password)
		if page = b.Do("POST", action, fields, nil); page.Location != "" {
			return true
		}
		if page.Status != http.StatusServiceUnavailable {
			return false
		}
		time.Sleep(time.Second)
	}
	return false
}
