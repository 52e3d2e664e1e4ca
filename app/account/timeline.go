package account

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"latchkey/domain/audit"
	"latchkey/domain/oauth"
	"latchkey/ports"
)

const (
	lineCount  = 10 // lines of tokens that are shown
	lineEvents = 20 // events of each, the newest
)

// marks are the events that stand out in a line of tokens. Its rotations and its end are in the family itself.
var marks = []audit.Kind{audit.CodeReplayed, audit.TokenReplayed, audit.TokenMismatch, audit.TokenRevoked}

// Application returns what became of the tokens of an application. One that somebody else allowed is one that does not exist,
// and worth a record (AD-05).
func (e Endpoint) Application(ctx context.Context, caller audit.Caller, b ports.Browser, id oauth.GrantID) (ports.ApplicationHistory, error) {
	var h ports.ApplicationHistory
	now := e.Now()
	another := visit{caller: caller, now: now}
	err := e.Store.View(ctx, func(r ports.Reader) error {
		s, user, err := current(r, b, now)
		if err != nil {
			return err
		}
		h.User = user
		if h.Grant, err = r.Grant(id); err != nil {
			return err
		}
		if h.Grant.User != user.ID {
			another.session, another.user = s, user
			return ports.ErrNotFound
		}
		if h.Client, err = r.Client(h.Grant.Client); err != nil {
			return err
		}
		families, err := r.LatestFamilies(id, lineCount+1)
		if err != nil {
			return err
		}
		if h.More = len(families) > lineCount; h.More {
			families = families[:lineCount]
		}
		for i, f := range families {
			if i == 0 {
				h.LastUsed = f.RotatedAt
			}
			line, err := lineOf(r, f, now)
			if err != nil {
				return err
			}
			h.Lines = append(h.Lines, line)
		}
		return nil
	})
	if another.user.ID == "" {
		return h, err
	}
	fault := e.Store.Update(ctx, func(tx ports.Tx) error {
		_, err := notYours(tx, another, nil, "grant", string(id))
		return err
	})
	return ports.ApplicationHistory{}, cmp.Or(fault, err)
}

func lineOf(r ports.Reader, f oauth.TokenFamily, now time.Time) (ports.TokenLine, error) {
	line := ports.TokenLine{Family: f, Ended: f.RevokedAt}
	if end := f.EndsAt(); line.Ended.IsZero() && !now.Before(end) {
		line.Ended = end
	}
	var err error
	line.Session, err = r.Session(f.Session)
	if err != nil && !errors.Is(err, ports.ErrNotFound) {
		return line, err
	}
	line.Events, err = r.Events(audit.Query{User: string(f.User), Family: string(f.ID), Kinds: marks, Newest: true, Limit: lineEvents})
	slices.Reverse(line.Events)
	return line, err
}
