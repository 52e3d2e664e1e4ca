package doctor

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"latchkey/domain/oauth"
)

func (j *judge) administrators() {
	var names, disabled, alone []string
	for _, a := range j.File.Administrators {
		if a.Disabled {
			disabled = append(disabled, a.Username)
			continue
		}
		names = append(names, a.Username)
		if !a.SecondFactor {
			alone = append(alone, a.Username)
		}
	}
	switch {
	case len(names) == 0 && len(disabled) == 0:
		j.add(Warning, "admin.none", "There is no administrator.", "Nobody can administer the provider in a browser, and the set-up page stays open to whoever holds its link.",
			"Make one.", j.Subject.withKey("user add admin --admin"))
		return
	case len(names) == 0:
		j.add(Warning, "admin.none", "Every administrator is disabled: "+list(disabled)+".", "Nobody can administer the provider in a browser.",
			"Get back in from this machine.", j.Subject.issued("recover-admin "+quote(disabled[0])))
		return
	}
	switch {
	case len(alone) == 0:
		j.ok("admin.factor", "Every administrator has a second factor.")
	case j.File.Schema < j.File.Known:
		j.add(Note, "admin.factor", fmt.Sprintf("Whether administrators have a second factor is not known: %s.", list(alone)),
			"The database is of a release that had none.", "Upgrade it, then let each of them add one.")
	default:
		page := "/account/totp"
		if j.Subject.Issuer != "" {
			page = strings.TrimSuffix(j.Subject.Issuer, "/") + page
		}
		j.add(Warning, "admin.factor", fmt.Sprintf("These administrators have no second factor: %s.", list(alone)),
			"Whoever has such a password can add a second factor of their own, and then administer the provider.",
			"Let each of them sign in and add one at "+page+". Whoever does not need to administer can be an ordinary user.",
			j.Subject.withKey("user edit "+quote(alone[0])+" --no-admin"))
	}
}

const (
	mostGrace       = 10 * time.Second
	longAccessToken = time.Hour
	longCode        = 2 * time.Minute
	oldSecret       = 365 * 24 * time.Hour
)

// clients judges the rules in which clients are looser than they have to be. A profile may ask for that, so most are notes.
func (j *judge) clients() {
	before := len(j.findings)
	for _, c := range j.Contents.Clients {
		j.client(c)
	}
	if len(j.findings) == before {
		j.ok("client", "No client has relaxed rules, of %d.", len(j.Contents.Clients))
	}
}

func (j *judge) client(c oauth.Client) {
	name, r := fmt.Sprintf("Client %q", c.ID), c.Rules
	if !c.DisabledAt.IsZero() {
		j.add(Note, "client.disabled", fmt.Sprintf("%s is disabled since %s.", name, date(c.DisabledAt)), "Its users cannot sign in through it.",
			"Delete it if it does not come back.", j.Subject.on("client delete "+quote(string(c.ID))))
		return
	}
	edit := func(s Severity, id, found, why, mend, flags string) {
		j.add(s, id, name+" "+found, why, "See that the application can do without it, then "+mend+".", j.Subject.withKey("client edit "+quote(string(c.ID))+flags))
	}
	relaxed := func(s Severity, id, found, why, member, value string) {
		edit(s, id, found, why, "set "+member+" to "+value, " --set "+member+"="+value)
	}
	code := c.MayUse(oauth.GrantTypeCode)
	if code && r.AllowNoBinding {
		relaxed(Warning, "client.binding", "may send neither PKCE nor a nonce.", "A stolen code can be put into another browser's sign-in (RFC 9700 section 4.5).",
			"dangerously_allow_neither_pkce_nor_nonce", "false")
	} else if code && !r.RequirePKCE {
		relaxed(Note, "client.pkce", "need not use PKCE.", "Its codes are bound by a nonce alone, which the application itself has to check (RFC 9700 section 2.1.1).", "require_pkce", "true")
	}
	if code && r.AllowPlain {
		relaxed(Warning, "client.plain", "may use the PKCE method plain.", "Whoever sees the authorization request can redeem the code (RFC 7636 section 4.2).", "allow_plain_pkce", "false")
	}
	if insecure := slices.DeleteFunc(slices.Clone(c.RedirectURIs), secureRedirect); len(insecure) > 0 {
		var flags strings.Builder
		for _, uri := range insecure {
			fmt.Fprintf(&flags, " --remove %s --add %s", quote("redirect_uris="+uri), quote("redirect_uris=https"+uri[len("http"):]))
		}
		edit(Error, "client.redirect", "is sent its codes over plain HTTP: "+list(insecure)+".", "Everybody on the way can read the code.",
			"register its https addresses, and set the same in the application", flags.String())
	}
	if c.MayUse(oauth.GrantTypeRefresh) && !r.RotateRefreshTokens {
		relaxed(Warning, "client.rotation", "keeps one refresh token for good.", "A stolen one works unnoticed beside the real one (RFC 9700 section 4.14.2).", "rotate_refresh_tokens", "true")
	}
	if r.RefreshGrace > mostGrace {
		relaxed(Warning, "client.grace", fmt.Sprintf("may use an old refresh token for %.0f seconds more.", r.RefreshGrace.Seconds()),
			"A thief has as long to use a token that was already replaced.", "refresh_token_grace", "10")
	}
	if r.AccessTokenLifetime > longAccessToken {
		relaxed(Warning, "client.lifetime", fmt.Sprintf("gets access tokens that live %s.", span(r.AccessTokenLifetime)),
			"Applications that check tokens themselves accept them until then, whatever is revoked here.", "access_token_lifetime", "3600")
	}
	if code && r.CodeLifetime > longCode {
		relaxed(Note, "client.code", fmt.Sprintf("may redeem codes for %s.", span(r.CodeLifetime)), "A code that leaks, into a log for one, is good for as long.", "code_lifetime", "120")
	}
	if !c.Public() && !c.UpdatedAt.IsZero() && j.now.Sub(c.UpdatedAt) > oldSecret {
		j.add(Note, "client.secret", fmt.Sprintf("%s has a secret that is at least %s old.", name, span(j.now.Sub(c.UpdatedAt))),
			"Secrets end up in old configurations, backups and chats.", "Make a new one and give it to the application.", j.Subject.withKey("client rotate-secret "+quote(string(c.ID))))
	}
}

func secureRedirect(s string) bool {
	u, err := url.Parse(s)
	return err != nil || !strings.EqualFold(u.Scheme, "http") || oauth.IsLoopbackHost(u.Hostname())
}
