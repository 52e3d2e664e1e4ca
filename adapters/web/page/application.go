package page

import (
	"time"

	"latchkey/domain/audit"
	"latchkey/domain/oauth"
)

// ApplicationCard is one application the user allowed something.
type ApplicationCard struct {
	ID, URL, Name, Host, HomeURL string // URL is that of its own page
	Scopes                       []string
	Since, LastUsed              Moment
}

// Application is one connected application with the lines of tokens it was given. Its form sends `grant`.
type Application struct {
	ApplicationCard
	CSRF      string
	Connected bool // it was not disconnected since
	Lines     []TokenLine
	More      bool
}

func (Application) look() look {
	return look{template: "account_application", wide: true}
}

// TokenLine is a token family as a picture and as a table.
type TokenLine struct {
	Number  int    // on the page, for the ids in it
	Short   string // enough of the id to tell lines apart
	Device  Device
	Known   bool // whether the device is
	IP      string
	Began   Moment
	Newest  Moment // when the newest refresh token was issued, or the line was last seen in use
	Renewed int    // refresh tokens after the first
	Refresh bool
	State   Message
	Why     Message
	End     Moment // when it ended, or will
	Marks   []Event
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

// LineOf shows a token family, the number-th of its page, whose newest token stopped working when it ended (zero: it works).
// The events are what was presented that should not have been, and what was given back; oldest first.
func LineOf(number int, f oauth.TokenFamily, ended time.Time, events []audit.Event, client oauth.Client, zone string) TokenLine {
	line := TokenLine{Number: number, Short: short(string(f.ID)), Began: MomentOf(f.CreatedAt, zone), Refresh: f.Refresh, Renewed: f.Generation - 1,
		State: MsgLineWorks, End: MomentOf(f.EndsAt(), zone)}
	if f.RotatedAt.After(f.CreatedAt) {
		line.Newest = MomentOf(f.RotatedAt, zone)
	}
	switch {
	case !f.RevokedAt.IsZero():
		line.State, line.Why, line.End = MsgLineRevoked, reasonWords[f.RevokeReason], MomentOf(f.RevokedAt, zone)
		if f.RevokeReason == "expired" {
			line.State, line.Why = MsgLineExpired, ""
		}
	case !ended.IsZero():
		line.State = MsgLineExpired
	}
	for _, e := range events {
		line.Marks = append(line.Marks, Happened(e, client, zone))
	}
	line.draw(f.Generation, ended, events)
	return line
}

// draw places the nodes in the order in which things happened.
func (line *TokenLine) draw(generation int, ended time.Time, events []audit.Event) {
	add := func(kind nodeKind, number int) {
		line.Nodes = append(line.Nodes, lineNode{Kind: kind, X: nodeStep/2 + nodeStep*len(line.Nodes), Number: number})
	}
	add(nodeCode, 0)
	newest := max(1, generation)
	for n := 1; n <= newest; n++ {
		switch {
		case newest > mostNodes && n > 1 && n < newest-1:
			if n == 2 {
				add(nodeGap, 0)
			}
		case n == newest && line.State == MsgLineWorks:
			add(nodeNewest, n)
		default:
			add(nodeToken, n)
		}
	}
	replayed := func(after bool) {
		for _, e := range events {
			if (e.Kind == audit.TokenReplayed || e.Kind == audit.CodeReplayed) && after == (!ended.IsZero() && e.At.After(ended)) {
				add(nodeReplay, 0)
				return
			}
		}
	}
	replayed(false)
	switch line.State {
	case MsgLineRevoked:
		add(nodeRevoked, 0)
	case MsgLineExpired:
		add(nodeExpired, 0)
	default:
		add(nodeGoesOn, 0)
	}
	replayed(true)
}

// Width of the picture in its own units; at least that of most lines, so that all are drawn alike.
func (line TokenLine) Width() int { return max(7, len(line.Nodes)) * nodeStep }

// Last is where the last node stands.
func (line TokenLine) Last() int { return line.Nodes[len(line.Nodes)-1].X }

// Replayed tells whether something came back that was used.
func (line TokenLine) Replayed() bool {
	for _, n := range line.Nodes {
		if n.Kind == nodeReplay {
			return true
		}
	}
	return false
}

// Works tells whether the newest token is good.
func (line TokenLine) Works() bool { return line.State == MsgLineWorks }

// short shows the ends of an id: it is looked up by other means, and too long to compare.
func short(id string) string {
	if len(id) <= 12 {
		return id
	}
	return id[:4] + "…" + id[len(id)-4:]
}
