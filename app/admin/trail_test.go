package admin_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"latchkey/app/admin"
	"latchkey/domain/audit"
	"latchkey/ports"
	"latchkey/ports/storetest"
)

// failing is a trail that a disk does not give out.
type failing struct {
	ports.Store
	err error
}

func (s failing) View(ctx context.Context, fn func(ports.Reader) error) error {
	return fn(failingReader{err: s.err})
}

type failingReader struct {
	ports.Reader
	err error
}

func (r failingReader) TrailHead() (audit.Anchor, error) { return audit.Anchor{Seq: 3}, nil }

func (r failingReader) Events(q audit.Query) ([]audit.Event, error) {
	if q.Before == 1 {
		return nil, nil
	}
	return nil, r.err
}

// AD-10: what cannot be read now is no event that was changed, and the other way round.
func TestVerifyTellsFaultsFromChanges(t *testing.T) {
	passing := fmt.Errorf("%w: disk I/O error", ports.ErrUnavailable)
	for err, broken := range map[error]bool{passing: false, errors.New("column 3 is not a string"): true} {
		s := admin.Service{Store: failing{err: err}, Chain: storetest.Tag}
		_, got := s.VerifyTrail(t.Context(), nil, func(int64, int64) {})
		var event *audit.BrokenError
		if errors.As(got, &event) != broken || !strings.Contains(got.Error(), err.Error()) {
			t.Errorf("%v: got %v, want an event that is blamed: %t", err, got, broken)
		}
	}
}
