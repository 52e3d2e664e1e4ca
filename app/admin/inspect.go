package admin

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"latchkey/domain/audit"
	"latchkey/domain/identity"
	"latchkey/domain/oauth"
	"latchkey/ports"
)

// What is shown of users and clients. Password hashes and secrets have no place in these types, so nothing that prints or
// exports them can leak one (AD-04).

// UserInfo is what is shown of a user.
type UserInfo struct {
	Username      string          `json:"username"`
	ID            identity.UserID `json:"sub"`
	Name          string          `json:"name,omitempty"`
	Email         string          `json:"email,omitempty"`
	EmailVerified bool            `json:"email_verified"`
	Groups        []string        `json:"groups"`
	Admin         bool            `json:"admin"`
	Disabled      bool            `json:"disabled"`
	CreatedAt     time.Time       `json:"created_at"`
}

func userInfo(u identity.User) UserInfo {
	return UserInfo{Username: u.Username, ID: u.ID, Name: u.Claims.Name, Email: u.Email, EmailVerified: u.EmailVerified,
		Groups: set(u.Groups), Admin: u.Admin, Disabled: u.Disabled(), CreatedAt: u.CreatedAt}
}

// UserDetail is one user with what hangs on the account.
type UserDetail struct {
	UserInfo
	Claims            identity.Claims   `json:"claims"`
	Password          bool              `json:"password"` // whether there is one
	PasswordChangedAt time.Time         `json:"password_changed_at,omitzero"`
	DisabledAt        time.Time         `json:"disabled_at,omitzero"`
	LockedUntil       time.Time         `json:"locked_until,omitzero"` // too many failed attempts, at either step
	ResetLinkUntil    time.Time         `json:"reset_link_until,omitzero"`
	Sessions          []SessionInfo     `json:"sessions"`
	Applications      []ApplicationInfo `json:"applications"`
}

// ApplicationInfo is an application that a user allowed something, and the lines of tokens it holds.
type ApplicationInfo struct {
	Client   oauth.ClientID   `json:"client_id"`
	Name     string           `json:"client_name,omitempty"`
	Scope    oauth.Scope      `json:"scope"`
	Since    time.Time        `json:"since"`
	Families []oauth.FamilyID `json:"families"`
}

// page is how many users one lookup returns.
const page = 500

// Users calls each for every user, by username.
func (s *Service) Users(ctx context.Context, each func(UserInfo) error) error {
	after := ""
	for {
		var users []identity.User
		err := s.Store.View(ctx, func(r ports.Reader) (err error) {
			users, err = r.Users(after, page)
			return err
		})
		if err != nil || len(users) == 0 {
			return err
		}
		for _, u := range users {
			if err := each(userInfo(u)); err != nil {
				return err
			}
		}
		after = users[len(users)-1].Username
	}
}

// HasAdmin reports whether an administrator can sign in.
func (s *Service) HasAdmin(ctx context.Context) (found bool, err error) {
	err = s.Users(ctx, func(u UserInfo) error {
		found = found || (u.Admin && !u.Disabled)
		return nil
	})
	return found, err
}

// User shows one user.
func (s *Service) User(ctx context.Context, username string) (UserDetail, error) {
	var d UserDetail
	now := s.Now()
	err := s.Store.View(ctx, func(r ports.Reader) error {
		u, err := s.findUser(r, username)
		if err != nil {
			return err
		}
		d = UserDetail{UserInfo: userInfo(u), Claims: u.Claims, Password: u.Password != "", PasswordChangedAt: u.PasswordChangedAt, DisabledAt: u.DisabledAt}
		for _, key := range []string{identity.AccountKey(u.ID), identity.FactorKey(u.ID)} {
			attempts, err := r.Attempts(key)
			if err != nil {
				return err
			}
			if end := now.Add(attempts.RetryAfter(now)); attempts.Locked(now) && end.After(d.LockedUntil) {
				d.LockedUntil = end
			}
		}
		tickets, err := r.TicketsOfUser(u.ID)
		if err != nil {
			return err
		}
		for _, t := range tickets {
			if t.Resets(u, now) {
				d.ResetLinkUntil = t.ExpiresAt
			}
		}
		if d.Sessions, err = sessionsOf(r, u, now); err != nil {
			return err
		}
		d.Applications, err = applicationsOf(r, u)
		return err
	})
	return d, err
}

func applicationsOf(r ports.Reader, u identity.User) ([]ApplicationInfo, error) {
	all := []ApplicationInfo{}
	grants, err := r.GrantsOfUser(u.ID)
	if err != nil {
		return all, err
	}
	for _, g := range grants {
		client, err := r.Client(g.Client)
		if err != nil && !errors.Is(err, ports.ErrNotFound) {
			return all, err
		}
		families, err := r.FamiliesOfGrant(g.ID)
		if err != nil {
			return all, err
		}
		a := ApplicationInfo{Client: g.Client, Name: client.Name, Scope: g.Scope, Since: g.CreatedAt, Families: []oauth.FamilyID{}}
		for _, f := range families {
			a.Families = append(a.Families, f.ID)
		}
		all = append(all, a)
	}
	return all, nil
}

// ClientInfo is what is shown of a client in a list.
type ClientInfo struct {
	ID       oauth.ClientID `json:"client_id"`
	Name     string         `json:"client_name,omitempty"`
	Profile  oauth.Profile  `json:"profile"`
	Public   bool           `json:"public"`
	Disabled bool           `json:"disabled"`
	Relaxed  []string       `json:"relaxed"`            // rules less strict than they could be
	LastUsed time.Time      `json:"last_used,omitzero"` // zero: not as far as the audit trail goes back
}

// ClientDetail is the registration of a client, member by member, as a document declares it.
type ClientDetail struct {
	ClientInfo
	CreatedAt time.Time
	UpdatedAt time.Time
	Grants    int // how many people use it
	Members   []Member
}

// Member is a member of a registration.
type Member struct {
	Name    string
	Value   json.RawMessage
	Relaxed bool
}

// MarshalJSON writes the registration as one object.
func (d ClientDetail) MarshalJSON() ([]byte, error) {
	all := map[string]any{"client_id": d.ID, "created_at": d.CreatedAt, "updated_at": d.UpdatedAt, "grants": d.Grants, "relaxed": d.Relaxed}
	if !d.LastUsed.IsZero() {
		all["last_used"] = d.LastUsed
	}
	for _, m := range d.Members {
		all[m.Name] = m.Value
	}
	return json.Marshal(all)
}

// Clients lists the clients by id.
func (s *Service) Clients(ctx context.Context) ([]ClientInfo, error) {
	all := []ClientInfo{}
	err := s.Store.View(ctx, func(r ports.Reader) error {
		clients, err := r.Clients()
		for _, c := range clients {
			info, err := clientInfo(r, c)
			if err != nil {
				return err
			}
			all = append(all, info)
		}
		return err
	})
	return all, err
}

// Client shows one client.
func (s *Service) Client(ctx context.Context, id oauth.ClientID) (ClientDetail, error) {
	var d ClientDetail
	err := s.Store.View(ctx, func(r ports.Reader) error {
		c, err := findClient(r, id)
		if err != nil {
			return err
		}
		grants, err := r.GrantsOfClient(id)
		if err != nil {
			return err
		}
		d = ClientDetail{CreatedAt: c.CreatedAt, UpdatedAt: c.UpdatedAt, Grants: len(grants)}
		if d.ClientInfo, err = clientInfo(r, c); err != nil {
			return err
		}
		for _, m := range clientMembers(c) {
			d.Members = append(d.Members, Member{m.name, encoded(m.value), slices.Contains(d.Relaxed, m.name)})
		}
		return nil
	})
	return d, err
}

// uses are what a client that works leaves in the audit trail.
var uses = []audit.Kind{audit.TokenIssued, audit.TokenRefreshed, audit.CodeIssued}

func clientInfo(r ports.Reader, c oauth.Client) (ClientInfo, error) {
	info := ClientInfo{ID: c.ID, Name: c.Name, Profile: c.Profile, Public: c.Public(), Disabled: !c.DisabledAt.IsZero(), Relaxed: relaxed(c)}
	last, err := r.Events(audit.Query{Kinds: uses, Client: string(c.ID), Newest: true, Limit: 1})
	if len(last) > 0 {
		info.LastUsed = last[0].At
	}
	return info, err
}

// relaxed names the rules in which a client is less strict than the strict profile: what an operator should be able to
// give a reason for.
func relaxed(c oauth.Client) []string {
	strict, _ := oauth.Strict.Rules()
	own := c.Rules
	names := []string{}
	for _, x := range []struct {
		name string
		is   bool
	}{
		{"require_pkce", strict.RequirePKCE && !own.RequirePKCE},
		{"allow_plain_pkce", own.AllowPlain},
		{"require_state", strict.RequireState && !own.RequireState},
		{"require_nonce", strict.RequireNonce && !own.RequireNonce},
		{"require_openid", strict.RequireOpenID && !own.RequireOpenID},
		{"dangerously_allow_neither_pkce_nor_nonce", own.AllowNoBinding},
		{"ignore_unknown_scopes", own.IgnoreUnknownScopes},
		{"refresh_without_offline_access", own.RefreshWithoutOffline},
		{"rotate_refresh_tokens", strict.RotateRefreshTokens && !own.RotateRefreshTokens},
		{"redirect_uri_optional_at_token", own.RedirectURIOptional},
		{"code_lifetime", own.CodeLifetime > strict.CodeLifetime},
		{"access_token_lifetime", own.AccessTokenLifetime > strict.AccessTokenLifetime},
		{"refresh_token_grace", own.RefreshGrace > strict.RefreshGrace},
	} {
		if x.is {
			names = append(names, x.name)
		}
	}
	return names
}
