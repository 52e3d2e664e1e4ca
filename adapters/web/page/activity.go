package page

import (
	"cmp"
	"strings"
	"time"

	"latchkey/domain/audit"
	"latchkey/domain/oauth"
	"latchkey/domain/oidc"
)

// Activity is what happened to the account of whoever is signed in, by day.
type Activity struct {
	Chart  *SignInChart // nil on a page of older events
	Days   []activityDay
	Newest string // address of the newest events; empty: these are they
	Older  string // empty: there are none
}

func (Activity) look() look {
	return look{template: "account_activity", wide: true}
}

// activityDay is a day on which something happened.
type activityDay struct {
	Day    Moment
	Events []Event
}

// Event is one thing that happened, in words. Clients that ask a server carry no User-Agent worth showing.
type Event struct {
	What  Message
	App   string // in What
	Why   Message
	When  Moment
	By    Message // who asked, when it was no browser of the user
	From  Device
	IP    string
	URL   string // of the application's tokens; empty: there is nothing to see
	Alarm bool   // it may have been somebody else
}

// Add shows one more event: those before it are newer.
func (p *Activity) Add(e Event) {
	if n := len(p.Days); n == 0 || p.Days[n-1].Day.date() != e.When.date() {
		p.Days = append(p.Days, activityDay{Day: e.When})
	}
	last := &p.Days[len(p.Days)-1]
	last.Events = append(last.Events, e)
}

// Happened puts an event into words.
func Happened(e audit.Event, client oauth.Client, zone string) Event {
	words := eventWords[e.Kind]
	shown := Event{What: words.what, App: cmp.Or(client.DisplayName(), e.Client), Why: reasonWords[e.Facts["reason"]], When: MomentOf(e.At, zone),
		From: DeviceOf(e.Caller.UserAgent), IP: e.Caller.IP, Alarm: words.alarm}
	switch {
	case e.Kind == audit.LoginSucceeded && strings.Contains(e.Facts["amr"], oidc.AMRMultiFactor):
		shown.What = MsgHappenedLoginFactor
	case e.Kind == audit.GrantRevoked && e.Family != "":
		shown.What = MsgHappenedFamily
	case e.Kind == audit.GrantRevoked && e.Facts["reason"] == "disconnected":
		shown.What, shown.Why = MsgHappenedDisconnect, ""
	}
	switch {
	case words.application:
		shown.By = MsgByApplication
	case e.Caller.IP == "": // the command line
		shown.By = MsgByServer
	}
	return shown
}

// SignInChart is a picture of the sign-ins of some days: for each a bar of those that went well, with those that failed on top.
type SignInChart struct {
	Bars       []SignInBar
	First      Moment
	Last       Moment
	OK, Failed int
	Most       int // sign-ins on one day, good and bad; at least 1
}

// SignInBar is one day of a chart that is chartHeight high, where zero is at the bottom.
type SignInBar struct {
	Day                          Moment
	OK, Failed                   int
	X, OKTop, OKHeight           int
	FailedTop, FailedHeight, Gap int
}

// The chart, in its own units: bars stand barStep apart.
const (
	chartHeight = 100
	barStep     = 10
)

// ChartOf draws days of which the counts are known, the oldest first; there is at least one.
func ChartOf(bars []SignInBar) *SignInChart {
	c := &SignInChart{Most: 1, First: bars[0].Day, Last: bars[len(bars)-1].Day}
	for _, b := range bars {
		c.OK, c.Failed, c.Most = c.OK+b.OK, c.Failed+b.Failed, max(c.Most, b.OK+b.Failed)
	}
	// One attempt among very many is still to be seen.
	tall := func(n int) int {
		if n == 0 {
			return 0
		}
		return max(3, n*(chartHeight-4)/c.Most)
	}
	for i, b := range bars {
		b.X, b.OKHeight, b.FailedHeight = i*barStep+1, tall(b.OK), tall(b.Failed)
		if b.OK > 0 && b.Failed > 0 {
			b.Gap = 2
		}
		b.OKTop = chartHeight - b.OKHeight
		b.FailedTop = b.OKTop - b.Gap - b.FailedHeight
		c.Bars = append(c.Bars, b)
	}
	return c
}

// Width of the chart in its own units.
func (c SignInChart) Width() int { return len(c.Bars) * barStep }

// Used are the days with a sign-in, for the table.
func (c SignInChart) Used() []SignInBar {
	var used []SignInBar
	for _, b := range c.Bars {
		if b.OK+b.Failed > 0 {
			used = append(used, b)
		}
	}
	return used
}

// date is the day of a moment where the person is.
func (m Moment) date() string { return m.in().Format(time.DateOnly) }
