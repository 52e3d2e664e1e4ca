package admin

import (
	"encoding/json"
	"fmt"
	"strings"

	"latchkey/domain/oauth"
)

// Plan is the difference between a document and what is on file.
type Plan struct {
	Changes []Change `json:"changes"`
	// Applied is false for a plan only, and when there was nothing to change.
	Applied bool `json:"applied"`
	// Made are the client secrets that were made: this is the only time they are seen.
	Made []MadeSecret `json:"client_secrets,omitempty"`
}

// MadeSecret is a client secret that was made by us.
type MadeSecret struct {
	Client oauth.ClientID `json:"client_id"`
	Secret oauth.Secret   `json:"client_secret"`
}

// Action is what becomes of an object.
type Action string

const (
	Create    Action = "create"
	Update    Action = "update"
	Delete    Action = "delete" // never of a document
	Unchanged Action = "unchanged"
)

// Change is what becomes of one declared object.
type Change struct {
	Action  Action       `json:"action"`
	Object  string       `json:"object"` // user, client, settings
	Name    string       `json:"name,omitempty"`
	Members []Difference `json:"members,omitempty"`
	Effects []string     `json:"effects,omitempty"` // what follows from the change, in words
}

// Difference is one member that differs. A secret member has neither value.
type Difference struct {
	Member string          `json:"member"`
	From   json.RawMessage `json:"from,omitempty"`
	To     json.RawMessage `json:"to,omitempty"`
}

// Changed reports whether there is anything to do.
func (p Plan) Changed() bool { return p.count(Unchanged) < len(p.Changes) }

func (p Plan) count(a Action) int {
	n := 0
	for _, c := range p.Changes {
		if c.Action == a {
			n++
		}
	}
	return n
}

// Summary counts the objects.
func (p Plan) Summary() string {
	return fmt.Sprintf("%d to create, %d to change, %d unchanged", p.count(Create), p.count(Update), p.count(Unchanged))
}

// String returns the plan in lines: + for a new object, ~ for a changed member, = for what stays.
func (p Plan) String() string {
	var b strings.Builder
	for _, c := range p.Changes {
		subject := c.Object
		if c.Name != "" {
			subject = fmt.Sprintf("%s %q", c.Object, c.Name)
		}
		switch c.Action {
		case Create:
			fmt.Fprintf(&b, "+ %s\n", subject)
		case Delete:
			fmt.Fprintf(&b, "- %s\n", subject)
		case Unchanged:
			fmt.Fprintf(&b, "= %s unchanged\n", subject)
		}
		for _, d := range c.Members {
			if d.To == nil {
				fmt.Fprintf(&b, "~ %s %s: changed\n", subject, d.Member)
			} else if c.Action == Update {
				fmt.Fprintf(&b, "~ %s %s: %s -> %s\n", subject, d.Member, d.From, d.To)
			}
		}
		for _, e := range c.Effects {
			fmt.Fprintf(&b, "    %s\n", e)
		}
	}
	return b.String()
}

// String returns the change as a plan of it alone would.
func (c Change) String() string { return Plan{Changes: []Change{c}}.String() }

// create marks the object as new: what it differed from is nothing.
func (c *Change) create() {
	c.Action = Create
	for i := range c.Members {
		c.Members[i].From = nil
	}
}

// names lists the changed members, for the audit trail.
func (c Change) names() string {
	names := make([]string, len(c.Members))
	for i, d := range c.Members {
		names[i] = d.Member
	}
	return strings.Join(names, ", ")
}
