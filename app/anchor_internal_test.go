package app

import (
	"errors"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"latchkey/adapters/memory"
	"latchkey/app/admin"
	"latchkey/domain/audit"
	"latchkey/ports"
)

// AD-15: an anchor goes to the log at start, when a quarter of an hour or ten thousand events have passed, and at the end;
// never twice for one head.
func TestAnchors(t *testing.T) {
	store, log := memory.New(), &strings.Builder{}
	a := &anchors{admin: &admin.Service{Store: store}, log: slog.New(slog.NewTextHandler(log, nil))}
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	record := func(n int) {
		t.Helper()
		err := store.Update(t.Context(), func(tx ports.Tx) (err error) {
			for range n {
				err = errors.Join(err, tx.Record(audit.Event{At: now, Kind: audit.LoginFailed}))
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, step := range []struct {
		what   string
		after  time.Duration
		events int
		always bool
		logged int // so far
	}{
		{"a new trail", 0, 0, false, 0},
		{"its first event", 0, 1, false, 1},
		{"the same head", time.Hour, 0, false, 1},
		{"events after the time has come", 0, 1, false, 2},
		{"before the time", anchorEvery - time.Millisecond, anchorEvents - 1, false, 2},
		{"many events", 0, 1, false, 3},
		{"one more", 0, 1, false, 3},
		{"the time", anchorEvery, 0, false, 4},
		{"the end", 0, 1, true, 5},
		{"the end again", 0, 0, true, 5},
	} {
		now = now.Add(step.after)
		record(step.events)
		if err := a.look(t.Context(), now, step.always); err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(log.String(), "audit anchor"); n != step.logged {
			t.Errorf("%s: %d anchors, want %d", step.what, n, step.logged)
		}
	}
	head, err := a.admin.TrailHead(t.Context())
	found, err2 := admin.ReadAnchors(strings.NewReader(log.String() + `{"msg":"audit anchor","seq":7,"mac":"` + strings.Repeat("0", 64) + `"}` + "\n" +
		"audit anchor seq=99999999999999999999 mac=" + strings.Repeat("0", 64) + "\naudit anchor seq=1 mac=00"))
	if err := errors.Join(err, err2); err != nil || len(found) != 6 || found[4] != head || found[5].Seq != 7 {
		t.Errorf("read back: %v, %v, head %v", found, err, head)
	}
}

// AD-15: strangers choose what a log says of their requests. None of it is an anchor, or one request would make the trail look
// replaced.
func TestAnchorsThatStrangersWrote(t *testing.T) {
	const forged = "audit anchor seq=1 mac="
	zeros := strings.Repeat("0", 64)
	values := []string{forged + zeros, "/\n" + forged + zeros, `msg="audit anchor" seq=1 mac=` + zeros, `","msg":"audit anchor","seq":1,"mac":"` + zeros + `"`,
		`\","msg":"audit anchor","seq":1,"mac":"` + zeros, `msg=\"audit anchor\" seq=1 mac=` + zeros}
	for _, handler := range []func(io.Writer) slog.Handler{
		func(w io.Writer) slog.Handler { return slog.NewTextHandler(w, nil) },
		func(w io.Writer) slog.Handler { return slog.NewJSONHandler(w, nil) },
	} {
		var log strings.Builder
		l := slog.New(handler(&log))
		for _, value := range values {
			l.Info("request", "path", value, "ip", value)
		}
		if found, err := admin.ReadAnchors(strings.NewReader(log.String())); len(found) > 0 || err != nil {
			t.Errorf("%v, %v in %s", found, err, log.String())
		}
		l.Info("audit anchor", "seq", 7, "mac", zeros)
		if found, err := admin.ReadAnchors(strings.NewReader(log.String())); len(found) != 1 || found[0].Seq != 7 || err != nil {
			t.Errorf("ours among them: %v, %v", found, err)
		}
	}
}
