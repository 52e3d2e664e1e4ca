package admin

import (
	"context"
	"errors"
	"slices"
	"time"

	"latchkey/app/session"
	"latchkey/domain/audit"
	"latchkey/domain/identity"
	"latchkey/domain/oauth"
	"latchkey/ports"
)

// SessionInfo is what is shown of a session.
type SessionInfo struct {
	ID         identity.SessionID `json:"sid"`
	User       string             `json:"username"`
	IP         string             `json:"ip"`
	UserAgent  string             `json:"user_agent"`
	AuthTime   time.Time          `json:"auth_time"`
	LastSeenAt time.Time          `json:"last_seen_at"`
	ExpiresAt  time.Time          `json:"expires_at"`
}

// mostSessions bounds a list that is meant for people.
const mostSessions = 1000

// Sessions lists the live sessions, newest first, at most a thousand: those of one user or, without a name, of everybody.
func (s *Service) Sessions(ctx context.Context, username string) ([]SessionInfo, error) {
	all, now := []SessionInfo{}, s.Now()
	err := s.Store.View(ctx, func(r ports.Reader) error {
		if username != "" {
			user, err := s.findUser(r, username)
			if err != nil {
				return err
			}
			all, err = sessionsOf(r, user, now)
			return err
		}
		sessions, err := r.Sessions(now, mostSessions)
		if err != nil {
			return err
		}
		for _, x := range sessions {
			user, err := r.User(x.User)
			if err != nil && !errors.Is(err, ports.ErrNotFound) {
				return err
			}
			all = append(all, sessionInfo(x, user))
		}
		return nil
	})
	return all, err
}

func sessionsOf(r ports.Reader, user identity.User, now time.Time) ([]SessionInfo, error) {
	all := []SessionInfo{}
	sessions, err := r.SessionsOfUser(user.ID)
	for i := len(sessions) - 1; i >= 0; i-- {
		if sessions[i].Live(now) {
			all = append(all, sessionInfo(sessions[i], user))
		}
	}
	return all, err
}

func sessionInfo(x identity.Session, user identity.User) SessionInfo {
	return SessionInfo{ID: x.ID, User: user.Username, IP: x.IP, UserAgent: x.UserAgent, AuthTime: x.AuthTime, LastSeenAt: x.LastSeenAt, ExpiresAt: x.ExpiresAt}
}

// EndSession signs one browser out, as its user would: tokens for use while the user is away live on.
func (s *Service) EndSession(ctx context.Context, caller audit.Caller, id identity.SessionID) error {
	now := s.Now()
	return s.Store.Update(ctx, func(tx ports.Tx) error {
		x, err := tx.Session(id)
		if errors.Is(err, ports.ErrNotFound) || (err == nil && !x.Live(now)) {
			return unknownSession(tx, id, now)
		}
		if err != nil {
			return err
		}
		return session.End(tx, x, caller, now)
	})
}

func unknownSession(r ports.Reader, id identity.SessionID, now time.Time) error {
	live, err := r.Sessions(now, mostNames)
	if err != nil {
		return err
	}
	unknown := &UnknownError{Object: "live session", Name: string(id)}
	for _, x := range live {
		unknown.Known = append(unknown.Known, string(x.ID))
	}
	return unknown
}

// EndSessions signs a user out everywhere and returns how many sessions that were. With planOnly it only counts.
func (s *Service) EndSessions(ctx context.Context, caller audit.Caller, username string, planOnly bool) (n int, err error) {
	now := s.Now()
	if planOnly {
		all, err := s.Sessions(ctx, username)
		return len(all), err
	}
	err = s.Store.Update(ctx, func(tx ports.Tx) error {
		user, err := s.findUser(tx, username)
		if err != nil {
			return err
		}
		sessions, err := tx.SessionsOfUser(user.ID)
		if err != nil {
			return err
		}
		n = 0
		for _, x := range sessions {
			if !x.Live(now) {
				continue
			}
			n++
			if err := session.End(tx, x, caller, now); err != nil {
				return err
			}
		}
		return nil
	})
	return n, err
}

// FamilyInfo is what is shown of a token family: what was issued from one sign-in at one application, and everything that
// became of it. It holds no token.
type FamilyInfo struct {
	ID           oauth.FamilyID     `json:"family"`
	Client       oauth.ClientID     `json:"client_id"`
	User         string             `json:"username,omitempty"`
	Subject      identity.UserID    `json:"sub"`
	Session      identity.SessionID `json:"sid"`
	Scope        oauth.Scope        `json:"scope"`
	Refresh      bool               `json:"refresh_tokens"`
	Generation   int                `json:"generation"`
	CreatedAt    time.Time          `json:"created_at"`
	RotatedAt    time.Time          `json:"rotated_at"`
	ExpiresAt    time.Time          `json:"expires_at"`
	RevokedAt    time.Time          `json:"revoked_at,omitzero"`
	RevokeReason string             `json:"revoke_reason,omitempty"`
	Timeline     []audit.Event      `json:"-"`
}

// mostTimeline bounds the events of one family that are shown: the newest.
const mostTimeline = 1000

// Family shows one token family with its events, oldest first.
func (s *Service) Family(ctx context.Context, id oauth.FamilyID) (FamilyInfo, error) {
	var info FamilyInfo
	err := s.Store.View(ctx, func(r ports.Reader) error {
		f, err := r.TokenFamily(id)
		if errors.Is(err, ports.ErrNotFound) {
			return &UnknownError{Object: "token family", Name: string(id)}
		}
		if err != nil {
			return err
		}
		user, err := r.User(f.User)
		if err != nil && !errors.Is(err, ports.ErrNotFound) {
			return err
		}
		info = FamilyInfo{ID: f.ID, Client: f.Client, User: user.Username, Subject: f.User, Session: f.Session, Scope: f.Scope, Refresh: f.Refresh,
			Generation: f.Generation, CreatedAt: f.CreatedAt, RotatedAt: f.RotatedAt, ExpiresAt: f.ExpiresAt,
			RevokedAt: f.RevokedAt, RevokeReason: f.RevokeReason}
		info.Timeline, err = r.Events(audit.Query{Family: string(id), Newest: true, Limit: mostTimeline})
		slices.Reverse(info.Timeline)
		return err
	})
	return info, err
}

// RevokeFamily ends every token of a family. It reports false when that had happened before.
func (s *Service) RevokeFamily(ctx context.Context, caller audit.Caller, id oauth.FamilyID) (revoked bool, err error) {
	err = s.Store.Update(ctx, func(tx ports.Tx) error {
		f, err := tx.TokenFamily(id)
		if errors.Is(err, ports.ErrNotFound) {
			return &UnknownError{Object: "token family", Name: string(id)}
		}
		if revoked = err == nil && f.RevokedAt.IsZero(); !revoked {
			return err
		}
		return session.RevokeFamilies(tx, []oauth.TokenFamily{f}, "revoked by an administrator", caller, s.Now())
	})
	return revoked, err
}
