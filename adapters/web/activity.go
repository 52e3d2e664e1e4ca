package web

import (
	"cmp"
	"net/http"
	"strconv"
	"strings"
	"time"

	"latchkey/domain/audit"
	"latchkey/domain/oauth"
	"latchkey/domain/oidc"
	"latchkey/ports"
)

const activityPath = "/account/activity"

// activityPage is what happened to the account of whoever is signed in, by day.
type activityPage struct {
	Chart  *signInChart // nil on a page of older events
	Days   []activityDay
	Newest string // address of the newest events; empty: these are they
	Older  string // empty: there are none
}

// activityDay is a day on which something happened.
type activityDay struct {
	Day    moment
	Events []activityEvent
}

// activityEvent is one thing that happened, in words. Clients that ask a server carry no User-Agent worth showing.
type activityEvent struct {
	What  messageID
	App   string // in What
	Why   messageID
	When  moment
	By    messageID // who asked, when it was no browser of the user
	From  device
	IP    string
	URL   string // of the application's tokens; empty: there is nothing to see
	Alarm bool   // it may have been somebody else
}

// showActivity shows users what happened to their account.
func (s *server) showActivity(w http.ResponseWriter, r *request) error {
	before, err := strconv.ParseInt(r.URL.Query().Get("before"), 10, 64)
	if err != nil || before < 0 {
		before = 0 // an address that was typed: the newest are what was meant
	}
	a, err := s.Account.Activity(r.Context(), s.browser(r), before)
	if err == nil {
		s.pages.render(w, http.StatusOK, s.frame(r), s.activityPage(a, before))
	}
	return err
}

func (s *server) activityPage(a ports.Activity, before int64) activityPage {
	zone := a.User.Claims.Zoneinfo
	p := activityPage{}
	if before > 0 {
		p.Newest = s.path(activityPath)
	}
	if a.Older > 0 {
		p.Older = s.path(activityPath) + "?before=" + strconv.FormatInt(a.Older, 10)
	}
	if len(a.SignIns) > 0 {
		p.Chart = chartOf(a.SignIns, zone)
	}
	for _, e := range a.Events {
		shown := happened(e, a.Clients[oauth.ClientID(e.Client)], zone)
		if grant := oauth.GrantID(e.Grant); a.Grants[grant] {
			shown.URL = s.historyOf(grant)
		}
		if n := len(p.Days); n == 0 || p.Days[n-1].Day.date() != shown.When.date() {
			p.Days = append(p.Days, activityDay{Day: shown.When})
		}
		last := &p.Days[len(p.Days)-1]
		last.Events = append(last.Events, shown)
	}
	return p
}

// happened puts an event into words.
func happened(e audit.Event, client oauth.Client, zone string) activityEvent {
	words := eventWords[e.Kind]
	shown := activityEvent{What: words.what, App: cmp.Or(client.DisplayName(), e.Client), Why: reasonWords[e.Facts["reason"]], When: momentOf(e.At, zone),
		From: deviceOf(e.Caller.UserAgent), IP: e.Caller.IP, Alarm: words.alarm}
	switch {
	case e.Kind == audit.LoginSucceeded && strings.Contains(e.Facts["amr"], oidc.AMRMultiFactor):
		shown.What = msgHappenedLoginFactor
	case e.Kind == audit.GrantRevoked && e.Family != "":
		shown.What = msgHappenedFamily
	case e.Kind == audit.GrantRevoked && e.Facts["reason"] == "disconnected":
		shown.What, shown.Why = msgHappenedDisconnect, ""
	}
	switch {
	case words.application:
		shown.By = msgByApplication
	case e.Caller.IP == "": // the command line
		shown.By = msgByServer
	}
	return shown
}

// signInChart is a picture of the sign-ins of some days: for each a bar of those that went well, with those that failed on top.
type signInChart struct {
	Bars       []signInBar
	First      moment
	Last       moment
	OK, Failed int
	Most       int // sign-ins on one day, good and bad; at least 1
}

// signInBar is one day of a chart that is chartHeight high, where zero is at the bottom.
type signInBar struct {
	Day                          moment
	OK, Failed                   int
	X, OKTop, OKHeight           int
	FailedTop, FailedHeight, Gap int
}

// The chart, in its own units: bars stand barStep apart.
const (
	chartHeight = 100
	barStep     = 10
)

func chartOf(days []ports.SignInDay, zone string) *signInChart {
	c := &signInChart{Most: 1, First: momentOf(days[0].Start, zone), Last: momentOf(days[len(days)-1].Start, zone)}
	for _, d := range days {
		c.OK, c.Failed, c.Most = c.OK+d.OK, c.Failed+d.Failed, max(c.Most, d.OK+d.Failed)
	}
	// One attempt among very many is still to be seen.
	tall := func(n int) int {
		if n == 0 {
			return 0
		}
		return max(3, n*(chartHeight-4)/c.Most)
	}
	for i, d := range days {
		b := signInBar{Day: momentOf(d.Start, zone), OK: d.OK, Failed: d.Failed, X: i*barStep + 1, OKHeight: tall(d.OK), FailedHeight: tall(d.Failed)}
		if d.OK > 0 && d.Failed > 0 {
			b.Gap = 2
		}
		b.OKTop = chartHeight - b.OKHeight
		b.FailedTop = b.OKTop - b.Gap - b.FailedHeight
		c.Bars = append(c.Bars, b)
	}
	return c
}

// Width of the chart in its own units.
func (c signInChart) Width() int { return len(c.Bars) * barStep }

// Used are the days with a sign-in, for the table.
func (c signInChart) Used() []signInBar {
	var used []signInBar
	for _, b := range c.Bars {
		if b.OK+b.Failed > 0 {
			used = append(used, b)
		}
	}
	return used
}

// date is the day of a moment where the person is.
func (m moment) date() string { return m.in().Format(time.DateOnly) }
