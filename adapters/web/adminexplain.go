package web

import (
	"errors"
	"net/http"
	"slices"

	"latchkey/adapters/web/page"
	"latchkey/adapters/web/read"
	"latchkey/ports"
)

// showExplain explains the refusal that a reference leads to, or lists those of a client.
func (s *server) showExplain(w http.ResponseWriter, r *request) error {
	f, refusal := read.Query(r.URL.RawQuery)
	if refusal != nil {
		return refusal
	}
	p := page.Explain{Action: s.path(adminPath + "/explain"), Ref: f.Get("ref"), Client: f.Get("client_id")}
	var err error
	code := http.StatusOK
	switch {
	case p.Ref != "":
		var x ports.Explanation
		if x, err = s.Explainer.Explain(r.Context(), p.Ref, string(r.locale)); err == nil {
			p.Explanation = s.explanationView(x)
		}
	case p.Client != "":
		var refusals []ports.Refusal
		refusals, err = s.Explainer.Refusals(r.Context(), p.Client, 50, string(r.locale))
		p.Refusals, p.Listed = s.refusalCards(refusals), true
	}
	if errors.Is(err, ports.ErrNotFound) {
		code, p.NotFound, err = http.StatusNotFound, page.PlainText(err.Error()), nil
	}
	if err != nil {
		return err
	}
	return s.show(w, r, code, p)
}

func (s *server) explanationView(x ports.Explanation) *page.Explanation {
	v := &page.Explanation{Ref: x.Ref, RequestID: x.RequestID, When: page.MomentOf(x.When, ""), Summary: x.Summary, Client: x.Client, ClientName: x.ClientName,
		Code: x.Code, Description: x.Description, IP: x.IP, Agent: x.UserAgent, Received: x.Received, Expected: x.Expected, Nearest: x.Nearest,
		Differences: x.Differences, Rule: x.Rule, Section: x.Section, Mistake: x.Mistake, Fix: x.Fix, Command: x.Command, Setting: x.Setting, Settled: x.Settled}
	if x.ClientName == x.Client {
		v.ClientName = ""
	}
	return v
}

// explainTo adds to an error page what administrators see beside everybody else: the way to the explanation, and of a
// redirect URI that is not registered the explanation itself, because that is where applications are connected by trial.
func (s *server) explainTo(r *request, p *page.Error) {
	if slices.Contains(unrecorded, p.Message) {
		return
	}
	admin, lately := s.whoAdministers(r)
	if !admin {
		return
	}
	p.ExplainURL = s.explainURL(p.Ref)
	if !lately || p.Message != page.MsgRedirectUnregistered {
		return
	}
	if x, err := s.Explainer.Explain(r.Context(), p.Ref, string(r.locale)); err == nil {
		p.Explanation = s.explanationView(x)
	}
}
