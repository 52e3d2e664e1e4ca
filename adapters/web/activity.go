package web

import (
	"net/http"
	"strconv"

	"latchkey/adapters/web/page"
	"latchkey/domain/oauth"
	"latchkey/ports"
)

const activityPath = "/account/activity"

// showActivity shows users what happened to their account.
func (s *server) showActivity(w http.ResponseWriter, r *request) error {
	before, err := strconv.ParseInt(r.URL.Query().Get("before"), 10, 64)
	if err != nil || before < 0 {
		before = 0 // an address that was typed: the newest are what was meant
	}
	a, err := s.Account.Activity(r.Context(), s.browser(r), before)
	if err != nil {
		return err
	}
	return s.show(w, r, http.StatusOK, s.activityPage(a, before))
}

func (s *server) activityPage(a ports.Activity, before int64) page.Activity {
	zone := a.User.Claims.Zoneinfo
	p := page.Activity{}
	if before > 0 {
		p.Newest = s.path(activityPath)
	}
	if a.Older > 0 {
		p.Older = s.path(activityPath) + "?before=" + strconv.FormatInt(a.Older, 10)
	}
	if len(a.SignIns) > 0 {
		bars := make([]page.SignInBar, len(a.SignIns))
		for i, d := range a.SignIns {
			bars[i] = page.SignInBar{Day: page.MomentOf(d.Start, zone), OK: d.OK, Failed: d.Failed}
		}
		p.Chart = page.ChartOf(bars)
	}
	for _, e := range a.Events {
		shown := page.Happened(e, a.Clients[oauth.ClientID(e.Client)], zone)
		if grant := oauth.GrantID(e.Grant); a.Grants[grant] {
			shown.URL = s.historyOf(grant)
		}
		p.Add(shown)
	}
	return p
}
