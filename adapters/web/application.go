package web

import (
	"errors"
	"net/http"
	"net/url"

	"latchkey/adapters/web/page"
	"latchkey/domain/identity"
	"latchkey/domain/oauth"
	"latchkey/ports"
)

// showApplication shows a connected application; the address without one belongs to the account.
func (s *server) showApplication(w http.ResponseWriter, r *request) error {
	grant := r.URL.Query().Get("grant")
	if grant == "" {
		return s.backToAccount(w, r)
	}
	b := s.browser(r)
	h, err := s.Account.Application(r.Context(), r.caller, b, oauth.GrantID(grant))
	if errors.Is(err, ports.ErrNotFound) {
		return errNotFound
	}
	if err != nil {
		return err
	}
	s.giveKey(w, &b)
	p := s.applicationPage(h)
	p.CSRF = s.accountToken(b, disconnectForm, h.User)
	return s.show(w, r, http.StatusOK, p)
}

func (s *server) applicationPage(h ports.ApplicationHistory) page.Application {
	p := page.Application{ApplicationCard: s.applicationCard(h.AccountApplication, h.User), Connected: h.Grant.Live(), More: h.More}
	for i, l := range h.Lines {
		line := page.LineOf(i+1, l.Family, l.Ended, l.Events, h.Client, h.User.Claims.Zoneinfo)
		line.Known, line.Device, line.IP = l.Session.ID != "", page.DeviceOf(l.Session.UserAgent), l.Session.IP
		p.Lines = append(p.Lines, line)
	}
	return p
}

// ApplicationCard is what the pages show of an application the user allowed something.
func (s *server) applicationCard(a ports.AccountApplication, of identity.User) page.ApplicationCard {
	zone := of.Claims.Zoneinfo
	c := page.ApplicationCard{ID: string(a.Grant.ID), URL: s.historyOf(a.Grant.ID), Name: a.Client.DisplayName(),
		HomeURL: a.Client.ClientURI, Scopes: a.Grant.Scope.List(), Since: page.MomentOf(a.Grant.CreatedAt, zone), LastUsed: page.MomentOf(a.LastUsed, zone)}
	if len(a.Client.RedirectURIs) > 0 {
		c.Host = hostOf(a.Client.RedirectURIs[0])
	}
	return c
}

// historyOf is the address of the page about a grant.
func (s *server) historyOf(id oauth.GrantID) string {
	return s.path(disconnectForm.path) + "?grant=" + url.QueryEscape(string(id))
}
