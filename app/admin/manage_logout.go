package admin

import (
	"context"
	"errors"

	"latchkey/ports"
)

var _ ports.Notices = (*Service)(nil)

// LogoutNotices lists which applications were told, or are still to be told, that a session ended. The notices of a client
// go with it; those of a user stay.
func (s *Service) LogoutNotices(ctx context.Context, limit int) ([]ports.NoticeInfo, error) {
	all := []ports.NoticeInfo{}
	err := s.Store.View(ctx, func(r ports.Reader) error {
		notices, err := r.LogoutNotices(limit)
		if err != nil {
			return err
		}
		for _, n := range notices {
			client, err := r.Client(n.Client)
			if err != nil {
				return err
			}
			user, err := r.User(n.Sub)
			if err != nil && !errors.Is(err, ports.ErrNotFound) {
				return err
			}
			all = append(all, ports.NoticeInfo{Client: n.Client, ClientName: client.DisplayName(), User: user.Username, Subject: n.Sub, Session: n.Session,
				State: n.State(), Attempts: n.Attempts, CreatedAt: n.CreatedAt, NextAt: n.NextAt, DeliveredAt: n.DeliveredAt, FailedAt: n.FailedAt,
				LastError: n.LastError})
		}
		return nil
	})
	return all, err
}
