package sqlite

import (
	"slices"

	"latchkey/domain/oauth"
)

const clientColumns = `id, secret, name, redirect_uris, post_logout_redirect_uris, allowed_origins, grant_types, response_types, scope,
	auth_method, default_max_age, client_uri, logo_uri, policy_uri, tos_uri, contacts, profile, rules, created_at, updated_at, disabled_at,
	back_channel_logout_uri, back_channel_logout_session, front_channel_logout_uri, front_channel_logout_session`

func scanClient(r *row) (c oauth.Client) {
	c.ID = oauth.ClientID(r.text())
	r.blob(c.Secret[:])
	c.Name = r.text()
	c.RedirectURIs, c.PostLogoutRedirectURIs, c.AllowedOrigins = r.list(), r.list(), r.list()
	c.GrantTypes, c.ResponseTypes = r.list(), r.list()
	c.Scope = oauth.Scope(r.text())
	c.AuthMethod = oauth.AuthMethod(r.text())
	c.DefaultMaxAge = r.duration()
	c.ClientURI, c.LogoURI, c.PolicyURI, c.TOSURI = r.text(), r.text(), r.text(), r.text()
	c.Contacts = r.list()
	c.Profile = oauth.Profile(r.text())
	r.json(&c.Rules)
	c.CreatedAt, c.UpdatedAt, c.DisabledAt = r.time(), r.time(), r.time()
	c.BackChannelLogoutURI, c.BackChannelLogoutSession = r.text(), r.bool()
	c.FrontChannelLogoutURI, c.FrontChannelLogoutSession = r.text(), r.bool()
	return c
}

func cloneClient(c oauth.Client) oauth.Client {
	for _, list := range []*[]string{&c.RedirectURIs, &c.PostLogoutRedirectURIs, &c.AllowedOrigins, &c.GrantTypes, &c.ResponseTypes, &c.Contacts} {
		*list = slices.Clone(*list)
	}
	return c
}

func (r *reader) Client(id oauth.ClientID) (oauth.Client, error) {
	if c, ok := r.memo.client(id); ok {
		return c, nil
	}
	c, err := one(r, scanClient, "SELECT "+clientColumns+" FROM client WHERE id = ?", string(id))
	if err == nil {
		r.memo.keepClient(c)
	}
	return c, err
}

func (r *reader) Clients() ([]oauth.Client, error) {
	return many(r, scanClient, "SELECT "+clientColumns+" FROM client ORDER BY id")
}

var saveClient = upsert("client", "id", clientColumns)

func (t *tx) SaveClient(c oauth.Client) error {
	return t.configure(saveClient, string(c.ID), c.Secret[:], c.Name,
		list(c.RedirectURIs), list(c.PostLogoutRedirectURIs), list(c.AllowedOrigins), list(c.GrantTypes), list(c.ResponseTypes),
		string(c.Scope), string(c.AuthMethod), c.DefaultMaxAge.Milliseconds(), c.ClientURI, c.LogoURI, c.PolicyURI, c.TOSURI,
		list(c.Contacts), string(c.Profile), jsonText(c.Rules), ms(c.CreatedAt), ms(c.UpdatedAt), ms(c.DisabledAt),
		c.BackChannelLogoutURI, c.BackChannelLogoutSession, c.FrontChannelLogoutURI, c.FrontChannelLogoutSession)
}

func (t *tx) DeleteClient(id oauth.ClientID) error {
	if err := t.configure("DELETE FROM client WHERE id = ?", string(id)); err != nil { // grants and families follow
		return err
	}
	for _, table := range []string{"code", "session_client", "logout_notice"} {
		if err := t.save("DELETE FROM "+table+" WHERE client = ?", string(id)); err != nil {
			return err
		}
	}
	return nil
}
