package sqlite

import (
	"latchkey/domain/oidc"
	"latchkey/ports"
)

func scanSettings(r *row) oidc.Settings {
	return oidc.Settings{OrganisationName: r.text(), Support: r.text()}
}

func (r *reader) Settings() (oidc.Settings, error) {
	if r.memo != nil {
		if s := r.memo.settings.Load(); s != nil {
			return *s, nil
		}
	}
	s, err := one(r, scanSettings, "SELECT organisation_name, support FROM settings WHERE id = 1")
	if err != nil && err != ports.ErrNotFound {
		return s, err
	}
	if r.memo != nil {
		r.memo.settings.Store(&s)
	}
	return s, nil
}

func (t *tx) SaveSettings(s oidc.Settings) error {
	return t.configure("INSERT OR REPLACE INTO settings (id, organisation_name, support) VALUES (1, ?, ?)", s.OrganisationName, s.Support)
}
