package web

import (
	"errors"
	"net/http"
	"net/url"

	"latchkey/domain/audit"
	"latchkey/domain/identity"
	"latchkey/domain/oauth"
	"latchkey/ports"
)

// applicationPage is one connected application with the lines of tokens it was given. Its form sends `grant`.
type applicationPage struct {
	applicationCard
	CSRF      string
	Connected bool // it was not disconnected since
	Lines     []tokenLine
	More      bool
}

// tokenLine is a token family as a picture and as a table.
type tokenLine struct {
	Number  int    // on the page, for the ids in it
	Short   string // enough of the id to tell lines apart
	Device  device
	Known   bool // whether the device is
	IP      string
	Began   moment
	Newest  moment // when the newest refresh token was issued, or the line was last seen in use
	Renewed int    // refresh tokens after the first
	Refresh bool
	State   messageID
	Why     messageID
	End     moment // when it ended, or will
	Marks   []activityEvent
	Nodes   []lineNode
}

// nodeKind is what a node of the picture stands for.
type nodeKind string

const (
	nodeCode    nodeKind = "code"
	nodeToken   nodeKind = "token"
	nodeNewest  nodeKind = "newest" // the token that works
	nodeGap     nodeKind = "gap"    // tokens that are not drawn
	nodeReplay  nodeKind = "replay"
	nodeRevoked nodeKind = "revoked"
	nodeExpired nodeKind = "expired"
	nodeGoesOn  nodeKind = "goes-on"
)

// lineNode is one node, X units from the left.
type lineNode struct {
	Kind   nodeKind
	X      int
	Number int // of a token
}

// The picture of a line, in its own units: nodes stand nodeStep apart. A long line is drawn with its ends.
const (
	nodeStep  = 44
	mostNodes = 4 // tokens that are drawn
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
	if s.ensureKey(&b) {
		s.keepKey(w, b)
	}
	p := s.applicationPage(h)
	p.CSRF = s.accountToken(b, disconnectForm, h.User)
	s.pages.render(w, http.StatusOK, s.frame(r), p)
	return nil
}

func (s *server) applicationPage(h ports.ApplicationHistory) applicationPage {
	p := applicationPage{applicationCard: s.applicationCard(h.AccountApplication, h.User), Connected: h.Grant.Live(), More: h.More}
	for i, l := range h.Lines {
		p.Lines = append(p.Lines, lineOf(i+1, l, h.Client, h.User.Claims.Zoneinfo))
	}
	return p
}

// applicationCard is what the pages show of an application the user allowed something.
func (s *server) applicationCard(a ports.AccountApplication, of identity.User) applicationCard {
	zone := of.Claims.Zoneinfo
	c := applicationCard{ID: string(a.Grant.ID), URL: s.historyOf(a.Grant.ID), Name: a.Client.DisplayName(),
		HomeURL: a.Client.ClientURI, Scopes: a.Grant.Scope.List(), Since: momentOf(a.Grant.CreatedAt, zone), LastUsed: momentOf(a.LastUsed, zone)}
	if len(a.Client.RedirectURIs) > 0 {
		c.Host = hostOf(a.Client.RedirectURIs[0])
	}
	return c
}

// historyOf is the address of the page about a grant.
func (s *server) historyOf(id oauth.GrantID) string {
	return s.path(disconnectForm.path) + "?grant=" + url.QueryEscape(string(id))
}

func lineOf(number int, l ports.TokenLine, client oauth.Client, zone string) tokenLine {
	f := l.Family
	line := tokenLine{Number: number, Short: short(string(f.ID)), Known: l.Session.ID != "", Device: deviceOf(l.Session.UserAgent), IP: l.Session.IP,
		Began: momentOf(f.CreatedAt, zone), Refresh: f.Refresh, Renewed: f.Generation - 1, State: msgLineWorks, End: momentOf(f.EndsAt(), zone)}
	if f.RotatedAt.After(f.CreatedAt) {
		line.Newest = momentOf(f.RotatedAt, zone)
	}
	switch {
	case !f.RevokedAt.IsZero():
		line.State, line.Why, line.End = msgLineRevoked, reasonWords[f.RevokeReason], momentOf(f.RevokedAt, zone)
		if f.RevokeReason == "expired" {
			line.State, line.Why = msgLineExpired, ""
		}
	case !l.Ended.IsZero():
		line.State = msgLineExpired
	}
	for _, e := range l.Events {
		line.Marks = append(line.Marks, happened(e, client, zone))
	}
	line.draw(l)
	return line
}

// draw places the nodes in the order in which things happened.
func (line *tokenLine) draw(l ports.TokenLine) {
	add := func(kind nodeKind, number int) {
		line.Nodes = append(line.Nodes, lineNode{Kind: kind, X: nodeStep/2 + nodeStep*len(line.Nodes), Number: number})
	}
	add(nodeCode, 0)
	newest := max(1, l.Family.Generation)
	for n := 1; n <= newest; n++ {
		switch {
		case newest > mostNodes && n > 1 && n < newest-1:
			if n == 2 {
				add(nodeGap, 0)
			}
		case n == newest && line.State == msgLineWorks:
			add(nodeNewest, n)
		default:
			add(nodeToken, n)
		}
	}
	replayed := func(after bool) {
		for _, e := range l.Events {
			if (e.Kind == audit.TokenReplayed || e.Kind == audit.CodeReplayed) && after == (!l.Ended.IsZero() && e.At.After(l.Ended)) {
				add(nodeReplay, 0)
				return
			}
		}
	}
	replayed(false)
	switch line.State {
	case msgLineRevoked:
		add(nodeRevoked, 0)
	case msgLineExpired:
		add(nodeExpired, 0)
	default:
		add(nodeGoesOn, 0)
	}
	replayed(true)
}

// Width of the picture in its own units; at least that of most lines, so that all are drawn alike.
func (line tokenLine) Width() int { return max(7, len(line.Nodes)) * nodeStep }

// Last is where the last node stands.
func (line tokenLine) Last() int { return line.Nodes[len(line.Nodes)-1].X }

// Replayed tells whether something came back that was used.
func (line tokenLine) Replayed() bool {
	for _, n := range line.Nodes {
		if n.Kind == nodeReplay {
			return true
		}
	}
	return false
}

// Works tells whether the newest token is good.
func (line tokenLine) Works() bool { return line.State == msgLineWorks }

// short shows the ends of an id: it is looked up by other means, and too long to compare.
func short(id string) string {
	if len(id) <= 12 {
		return id
	}
	return id[:4] + "…" + id[len(id)-4:]
}
