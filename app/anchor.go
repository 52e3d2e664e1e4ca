package app

import (
	"context"
	"encoding/hex"
	"log/slog"
	"time"

	"latchkey/app/admin"
	"latchkey/domain/audit"
)

// How often the head of the audit trail goes to the log, where whoever changes the database cannot change it too. Between
// two anchors newer events can be cut off unseen.
const (
	anchorLook   = time.Second
	anchorEvery  = 15 * time.Minute
	anchorEvents = 10_000
)

// anchors logs the head of the audit trail: at start, when enough happened, and at the end.
type anchors struct {
	admin *admin.Service
	log   *slog.Logger
	last  audit.Anchor // logged
	at    time.Time    // when it was
}

// look logs an anchor when one is due at now; always says that any new event makes it due.
func (a *anchors) look(ctx context.Context, now time.Time, always bool) error {
	head, err := a.admin.TrailHead(ctx)
	if err != nil {
		return err
	}
	late := now.Sub(a.at) >= anchorEvery
	if head == a.last || !(always || late || head.Seq >= a.last.Seq+anchorEvents) {
		return nil
	}
	a.log.Info("audit anchor", "seq", head.Seq, "mac", hex.EncodeToString(head.MAC[:]))
	a.last, a.at = head, now
	return nil
}

// run logs anchors until ctx is done.
func (a *anchors) run(ctx context.Context) {
	look := func() error { return a.look(ctx, time.Now(), false) }
	look() // a failure comes again at once, and is logged then
	every(ctx, anchorLook, a.log, "audit anchor", look)
}
