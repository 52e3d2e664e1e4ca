package sqlite

import (
	"slices"

	"latchkey/domain/identity"
	"latchkey/ports"
)

const userColumns = `id, username, password, email, email_verified, claims, groups, admin, created_at, updated_at,
	password_changed_at, disabled_at`

func scanUser(r *row) (u identity.User) {
	u.ID = identity.UserID(r.text())
	u.Username, u.Password, u.Email, u.EmailVerified = r.text(), r.text(), r.text(), r.bool()
	r.json(&u.Claims)
	u.Groups, u.Admin = r.list(), r.bool()
	u.CreatedAt, u.UpdatedAt, u.PasswordChangedAt, u.DisabledAt = r.time(), r.time(), r.time(), r.time()
	return u
}

func cloneUser(u identity.User) identity.User {
	u.Groups = slices.Clone(u.Groups)
	if u.Claims.Address != nil {
		address := *u.Claims.Address
		u.Claims.Address = &address
	}
	return u
}

func (r *reader) User(id identity.UserID) (identity.User, error) {
	if u, ok := r.memo.user(id); ok {
		return u, nil
	}
	u, err := one(r, scanUser, "SELECT "+userColumns+" FROM user WHERE id = ?", string(id))
	if err == nil {
		r.memo.keepUser(u)
	}
	return u, err
}

func (r *reader) UserByLogin(canonical string) (identity.User, error) {
	u, err := one(r, scanUser, "SELECT "+userColumns+" FROM user WHERE username = ?", canonical)
	if err != ports.ErrNotFound {
		return u, err
	}
	// Two rows are enough to know that an address names nobody.
	users, err := many(r, scanUser, "SELECT "+userColumns+" FROM user WHERE email = ? AND email <> '' AND email_verified = 1 LIMIT 2", canonical)
	if err != nil {
		return identity.User{}, err
	}
	if len(users) != 1 {
		return identity.User{}, ports.ErrNotFound
	}
	return users[0], nil
}

func (r *reader) Users(after string, limit int) ([]identity.User, error) {
	return many(r, scanUser, "SELECT "+userColumns+" FROM user WHERE username > ? ORDER BY username LIMIT ?", after, int64(max(limit, 0)))
}

func (r *reader) HasAdmin() (bool, error) {
	return one(r, (*row).bool, "SELECT EXISTS (SELECT 1 FROM user WHERE admin = 1)")
}

var saveUser = upsert("user", "id", userColumns)

func (t *tx) SaveUser(u identity.User) error {
	return t.configure(saveUser, string(u.ID), u.Username, u.Password, u.Email, u.EmailVerified,
		jsonText(u.Claims), list(u.Groups), u.Admin, ms(u.CreatedAt), ms(u.UpdatedAt), ms(u.PasswordChangedAt), ms(u.DisabledAt))
}

func (t *tx) DeleteUser(id identity.UserID) error {
	if err := t.configure("DELETE FROM user WHERE id = ?", string(id)); err != nil { // sessions, grants and families follow
		return err
	}
	if err := t.save("DELETE FROM code WHERE user = ?", string(id)); err != nil {
		return err
	}
	return t.save("DELETE FROM ticket WHERE user = ? AND user <> ''", string(id))
}
