package admin

import (
	"context"
	"errors"
	"time"

	"latchkey/domain/identity"
	"latchkey/domain/oauth"
	"latchkey/domain/oidc"
	"latchkey/ports"
)

// NoticeInfo is what is shown of a logout notice.
type NoticeInfo struct {
	Client      oauth.ClientID     `json:"client_id"`
	User        string             `json:"username,omitempty"` // empty: deleted
	Subject     identity.UserID    `json:"sub"`
	Session     identity.SessionID `json:"sid"`
	State       oidc.DeliveryState `json:"state"`
	Attempts    int                `json:"attempts"`
	CreatedAt   time.Time          `json:"created_at"`
	NextAt      time.Time          `json:"next_at,omitzero"`
	DeliveredAt time.Time          `json:"delivered_at,omitzero"`
	FailedAt    time.Time          `json:"failed_at,omitzero"`
	LastError   string             `json:"last_error,omitempty"`
}

// mostNotices bounds a list that is meant for people.
const mostNotices = 1000

// LogoutNotices lists which applications were told, or are still to be told, that a session ended: newest first, at most a
// thousand.
func (s *Service) LogoutNotices(ctx context.Context) ([]NoticeInfo, error) {
	all := []NoticeInfo{}
	err := s.Store.View(ctx, func(r ports.Reader) error {
		notices, err := r.LogoutNotices(mostNotices)
		if err != nil {
			return err
		}
		for _, n := range notices {
			user, err := r.User(n.Sub)
			if err != nil && !errors.Is(err, ports.ErrNotFound) {
				return err
			}
			all = append(all, NoticeInfo{Client: n.Client, User: user.Username, Subject: n.Sub, Session: n.Session, State: n.State(), Attempts: n.Attempts,
				CreatedAt: n.CreatedAt, NextAt: n.NextAt, DeliveredAt: n.DeliveredAt, FailedAt: n.FailedAt, LastError: n.LastError})
		}
		return nil
	})
	return all, err
}
