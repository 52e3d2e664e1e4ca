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
	// offeredPerSecond is how many tokens the applications ask for at a fixed rate.
	offeredPerSecond = 1000
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
	lines := make([]*honest, 16)
	for n := range lines {
		lines[n] = newHonest(t, p, b)
	}
	// Four applications refresh as fast as they can, then sixteen as often as a large organisation does. They authenticate,
	// so they have a budget of their own. They and the flood's own sender are on the processors of the server.
	measure := func(during time.Duration, most, offered *load) {
		for begun, n := time.Now(), 0; n < 2 || time.Since(begun) < during; n++ {
			window := min(during/2, 5*time.Second)
			if n%2 == 0 {
				most.add(t, p.Pid(), lines[:4], func(h *honest) []time.Duration { return h.offered(0, after(window)) })
			} else {
				offered.add(t, p.Pid(), lines, func(h *honest) []time.Duration {
					return h.offered(time.Duration(len(lines))*time.Second/offeredPerSecond, after(window))
				})
			}
		}
	}
	var most, offered, aloneMost, aloneOffered load // alone: before and after, as the machine may have other things to do
	measure(min(lasting, 20*time.Second), &aloneMost, &aloneOffered)

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
	in, soon, tried := 0, 0, 0
	var slow []time.Duration
	running.Go(func() {
		var visits sync.WaitGroup
		for n := 0; ; n++ {
			visits.Go(func() {
				begun := time.Now()
				ok := honestSignIn(p, n)
				mu.Lock()
				defer mu.Unlock()
				tried++
				if ok {
					in++
				}
				if ok && time.Since(begun) < 5*time.Second {
					soon++
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
	measure(lasting, &most, &offered)
	running.Wait()
	measure(min(lasting, 20*time.Second), &aloneMost, &aloneOffered)
	for status, n := range statuses {
		if status >= 500 && status != http.StatusServiceUnavailable {
			t.Errorf("%d sign-ins of the flood were answered with %d", n, status)
		}
	}
	if strings.Contains(p.Log.String(), "panic") {
		t.Errorf("the log speaks of a panic:\n%s", p.Log.Tail())
	}
	if in == 0 {
		t.Error("no honest user got in")
	}
	slices.Sort(slow)
	t.Logf("flood of %v: answers by status %v; of %d honest sign-ins %d went well, %d within 5 s, the median in %v; memory at most %d MiB", lasting, statuses, tried, in, soon, percentile(slow, 50), peak>>10)
	t.Logf("tokens as fast as four applications ask: %v; alone %v", most, aloneMost)
	t.Logf("tokens when %d a second are asked for: %v; alone %v", offeredPerSecond, offered, aloneOffered)
}

// load is what applications got of the server, and what that took of the machine.
type load struct {
	took     []time.Duration
	cpu, all time.Duration
}

// add lets each of the lines run at once.
func (l *load) add(t *testing.T, pid int, lines []*honest, run func(h *honest) []time.Duration) {
	before, begun := usageOf(t, pid).cpu, time.Now()
	var running sync.WaitGroup
	took := make([][]time.Duration, len(lines))
	for n, h := range lines {
		running.Go(func() { took[n] = run(h) })
	}
	running.Wait()
	l.cpu += usageOf(t, pid).cpu - before
	l.all += time.Since(begun)
	l.took = append(l.took, slices.Concat(took...)...)
}

func (l load) String() string {
	slices.Sort(l.took)
	return fmt.Sprintf("%.0f/s, 99%% within %v, the server on %.2f cores", float64(len(l.took))/l.all.Seconds(), percentile(l.took, 99), l.cpu.Seconds()/l.all.Seconds())
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
	for range 10 {
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
