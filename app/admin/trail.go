package admin

import (
	"bufio"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"time"

	"latchkey/domain/audit"
	"latchkey/domain/identity"
	"latchkey/ports"
)

// trailPage is how many events one look into the trail returns, so that a server is not kept from checkpointing.
const trailPage = 1000

// Events calls each for what the query selects, in its order, without holding more than a page. A limit of zero is none.
func (s *Service) Events(ctx context.Context, q audit.Query, each func(audit.Event) error) error {
	left := q.Limit
	for {
		q.Limit = trailPage
		if left > 0 {
			q.Limit = min(left, trailPage)
		}
		var events []audit.Event
		err := s.Store.View(ctx, func(r ports.Reader) (err error) {
			events, err = r.Events(q)
			return err
		})
		if err != nil {
			return err
		}
		for _, e := range events {
			if err := each(e); err != nil {
				return err
			}
		}
		if left -= len(events); len(events) < q.Limit || left == 0 {
			return nil
		}
		if last := events[len(events)-1].Seq; q.Newest {
			q.Before = last
		} else {
			q.After = last
		}
	}
}

// TrailHead is the newest event of the audit trail.
func (s *Service) TrailHead(ctx context.Context) (head audit.Anchor, err error) {
	err = s.Store.View(ctx, func(r ports.Reader) error {
		head, err = r.TrailHead()
		return err
	})
	return head, err
}

// Subject returns the sub under which the trail names a user. A sub stands for itself, so that the deeds of somebody who
// was deleted can be found.
func (s *Service) Subject(ctx context.Context, username string) (sub string, err error) {
	err = s.Store.View(ctx, func(r ports.Reader) error {
		user, err := s.findUser(r, username)
		if err != nil && strings.HasPrefix(username, "usr_") {
			sub = username
			return nil
		}
		sub = string(user.ID)
		return err
	})
	return sub, err
}

// Username returns the name of a subject, or the sub itself when there is no such user any more.
func (s *Service) Username(ctx context.Context, sub string) (name string, err error) {
	err = s.Store.View(ctx, func(r ports.Reader) error {
		user, err := r.User(identity.UserID(sub))
		if name = user.Username; errors.Is(err, ports.ErrNotFound) {
			name = sub
			return nil
		}
		return err
	})
	return name, err
}

// anchorLine is an anchor in a server's log, in text or in JSON, or a line as AnchorLine writes it. Its quotes are what tells
// it from the path of a request that a stranger made up: within a value both logs escape them.
var anchorLine = regexp.MustCompile(`(?:msg="audit anchor" |"msg": ?"audit anchor", ?|^audit anchor )"?seq"?[=:] ?(\d+)[ ,]+"?mac"?[=:] ?"?([0-9a-f]{64})\b`)

// AnchorLine is an anchor as text, to be kept where nobody can change it who may change the database.
func AnchorLine(a audit.Anchor) string {
	return fmt.Sprintf("audit anchor seq=%d mac=%s", a.Seq, hex.EncodeToString(a.MAC[:]))
}

// ReadAnchors finds the anchors in any text, such as the log of a server.
func ReadAnchors(text io.Reader) ([]audit.Anchor, error) {
	var all []audit.Anchor
	lines := bufio.NewReader(text)
	for {
		line, err := lines.ReadString('\n')
		for _, m := range anchorLine.FindAllStringSubmatch(line, -1) {
			seq, tooLarge := strconv.ParseInt(m[1], 10, 64)
			mac, odd := hex.DecodeString(m[2])
			if tooLarge == nil && odd == nil {
				all = append(all, audit.Anchor{Seq: seq, MAC: [32]byte(mac)})
			}
		}
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return all, err
		}
	}
}

// VerifyTrail follows the whole audit trail and returns its head. It tells each page that is good to progress. The error
// is an *audit.BrokenError for the first event that is not what was recorded, or that an anchor remembers differently
// (AD-10, AD-15).
func (s *Service) VerifyTrail(ctx context.Context, anchors []audit.Anchor, progress func(done, all int64)) (audit.Anchor, error) {
	remembered := map[int64][]audit.Anchor{}
	for _, a := range anchors {
		remembered[a.Seq] = append(remembered[a.Seq], a)
	}
	end, err := s.TrailHead(ctx)
	if err != nil {
		return end, err
	}
	var at audit.Anchor
	var back string // what is to be said of a restore: anchors of before it remember events that it took away
	size := trailPage
	strays, err := s.trailPart(ctx, audit.BeforeFirst)
	if err == nil {
		err = audit.VerifyBegin(strays)
	}
	if err != nil {
		return at, err
	}
	for {
		events, err := s.trailPart(ctx, audit.Query{After: at.Seq, Limit: size})
		switch {
		case ctx.Err() != nil:
			return at, ctx.Err()
		case errors.Is(err, ports.ErrUnavailable): // says nothing of the event
			return at, fmt.Errorf("the audit trail is whole up to event %d, and what follows cannot be read now: %w: look at the disk, and verify again", at.Seq, err)
		case err != nil && size > 1:
			size = 1 // what was changed may not even be readable: find out which one it is
			continue
		case err != nil:
			return at, &audit.BrokenError{Seq: at.Seq + 1, Why: "cannot be read: " + err.Error()}
		}
		good, err := audit.Verify(at, events, s.Chain)
		for _, e := range events {
			if e.Seq <= good.Seq && (e.Kind == audit.Restored || e.Kind == audit.RolledBack) {
				back = fmt.Sprintf(". Event %d (%s, %s) put an older copy back: of anchors from before then, those of event %d and later fit no more",
					e.Seq, e.Kind, e.At.UTC().Format(time.RFC3339), e.Seq)
			}
			if e.Seq <= good.Seq && differs(remembered[e.Seq], e.MAC) {
				return at, &audit.BrokenError{Seq: e.Seq, Why: "is not the one that an anchor remembers: the trail from here on, or before, was replaced" + back}
			}
			delete(remembered, e.Seq)
		}
		if err != nil {
			return good, err
		}
		at = good
		if len(events) < size {
			break
		}
		progress(at.Seq, end.Seq)
	}
	for _, all := range remembered {
		for _, a := range all {
			if a.Seq > at.Seq {
				return at, &audit.BrokenError{Seq: at.Seq + 1, Why: fmt.Sprintf(
					"is missing: the trail ends before event %d, which an anchor remembers. Events were cut off, or an older copy of the database was put back%s", a.Seq, back)}
			}
		}
	}
	return at, nil
}

func (s *Service) trailPart(ctx context.Context, q audit.Query) (events []audit.Event, err error) {
	err = s.Store.View(ctx, func(r ports.Reader) (err error) {
		events, err = r.Events(q)
		return err
	})
	return events, err
}

func differs(anchors []audit.Anchor, mac [32]byte) bool {
	for _, a := range anchors {
		if a.MAC != mac {
			return true
		}
	}
	return false
}
