package main

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"latchkey/app"
	"latchkey/domain/audit"
	"latchkey/domain/identity"
	"latchkey/domain/oauth"
	"latchkey/ports"
)

const people = `{"users": [
 {"username": "sari", "password": "` + goodPassword + `", "email": "sari@example.org", "groups": ["staff"], "claims": {"name": "Sari Dewi"}, "admin": true},
 {"username": "tio", "password": "` + goodPassword + `"}],
 "clients": [{"client_id": "wiki", "client_name": "Wiki", "client_secret": "` + goodSecret + `", "redirect_uris": ["https://wiki.example/cb"], "profile": "standard"},
  {"client_id": "spa", "token_endpoint_auth_method": "none", "redirect_uris": ["https://spa.example/cb"]}]}`

// inHousehold makes a folder with a database of two users and two clients the current one.
func inHousehold(t *testing.T) {
	t.Helper()
	inFolder(t)
	if r := latchkey(t, people, "apply", "-"); r.code != exitOK {
		t.Fatalf("%+v", r)
	}
}

// signedIn gives a user of the folder's database a session and a line of tokens at wiki.
func signedIn(t *testing.T, username string) (identity.SessionID, oauth.FamilyID) {
	t.Helper()
	a, err := app.New(t.Context(), app.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	now := a.Admin.Now()
	session, family := identity.SessionID("sid_"+username), oauth.FamilyID("g"+username+".f")
	err = a.Store.Update(t.Context(), func(tx ports.Tx) error {
		u, err := tx.UserByLogin(username)
		if err != nil {
			return err
		}
		s := identity.NewSession(session, oauth.Secret(username).Digest(), u, []string{"pwd"}, "", now)
		s.IP, s.UserAgent = "192.0.2.7", "Browser \x1b[31m"
		g := oauth.Grant{ID: oauth.GrantID("g" + username), Client: "wiki", User: u.ID, Scope: "openid", CreatedAt: now, UpdatedAt: now}
		f := oauth.TokenFamily{ID: family, Grant: g.ID, Client: "wiki", User: u.ID, Session: session, Scope: "openid", Refresh: true, Generation: 2,
			CreatedAt: now, RotatedAt: now, ExpiresAt: now.Add(oauth.RefreshAbsolute)}
		for _, save := range []error{tx.SaveSession(s), tx.SaveGrant(g), tx.SaveTokenFamily(f), tx.JoinSession(session, "wiki")} {
			if save != nil {
				return save
			}
		}
		for _, kind := range []audit.Kind{audit.CodeRedeemed, audit.TokenIssued, audit.TokenRefreshed} {
			if err := tx.Record(audit.Event{At: now, Kind: kind, Client: "wiki", User: string(u.ID), Session: string(session), Family: string(family),
				Caller: audit.Caller{RequestID: "req_" + username, IP: "192.0.2.7", UserAgent: "=cmd()\x1b[2J"}, Facts: map[string]string{"scope": "openid"}}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return session, family
}

// step is one run of the program and what it is to do; stdout and stderr are regular expressions.
type step struct {
	stdin, args    string
	code           int
	stdout, stderr string
}

func take(t *testing.T, steps ...step) {
	t.Helper()
	for _, s := range steps {
		r := latchkey(t, s.stdin, strings.Fields(s.args)...)
		if r.code != s.code || !regexp.MustCompile(s.stdout).MatchString(r.stdout) || !regexp.MustCompile(s.stderr).MatchString(r.stderr) {
			t.Errorf("latchkey %s: exit code %d, want %d\nstdout, want %s:\n%s\nstderr, want %s:\n%s", s.args, r.code, s.code, s.stdout, r.stdout, s.stderr, r.stderr)
		}
		// AD-04, AD-07: nothing prints a hash, or a secret that went in.
		for _, secret := range []string{goodPassword, goodSecret, "$pbkdf2", "\x1b"} {
			if strings.Contains(r.stdout+r.stderr, secret) {
				t.Errorf("latchkey %s prints %q:\n%s%s", s.args, secret, r.stdout, r.stderr)
			}
		}
	}
}

func TestUserCommands(t *testing.T) {
	inHousehold(t)
	signedIn(t, "sari")
	take(t,
		step{"", "user list", exitOK, `USERNAME +NAME +E-MAIL.*\nsari +Sari Dewi +sari@example.org +staff +administrator\ntio +- +- +- +-\n$`, `^$`},
		step{"", "user list --json", exitOK, `"username": "sari",\n    "sub": "usr_`, `^$`},
		step{"", "user show sari", exitOK, `e-mail +sari@example.org \(not verified\)[^$]*sessions: 1\n  sid_sari +192.0.2.7[^$]*connected applications: 1\n  wiki since[^$]*family gsari.f`, `^$`},
		step{"", "user show SARI --json", exitOK, `"families": \[\n        "gsari.f"`, `^$`},
		step{"", "user show srai", exitNotFound, `^$`, `there is no user "srai".*did you mean sari\?`},
		step{"", "user show somebody", exitNotFound, `^$`, `latchkey user list shows`},

		step{"", "user edit tio --email tio@example.org --name Tio --group a --group b --admin", exitOK, `~ user "tio" email: "" -> "tio@example.org"[^$]*groups: \[\] -> \["a","b"\]`, `Changed`},
		step{"", "user edit tio --group= --no-admin", exitOK, `groups: \["a","b"\] -> \[\]`, `Changed`},
		step{"", "user edit tio --name Tio --json", exitOK, `"action": "unchanged"`, `^$`},
		step{"", "user edit tio --name Tio", exitOK, `unchanged`, `Nothing to change`},
		step{"", "user edit tio", exitUsage, `^$`, `nothing to change was named`},
		step{"", "user edit tio --admin --no-admin", exitUsage, `^$`, `not both`},
		step{"", "user edit tio --email x", exitUsage, `^$`, `--email "x"`},
		step{"", "user edit sari --no-admin", exitOK, `admin: true -> false\n    1 session ends`, `no administrator is left.*recover-admin`},

		step{goodPassword, "user passwd tio --password-stdin", exitOK, `~ user "tio" password: changed`, `password is set`},
		step{"short", "user passwd tio --password-stdin", exitUsage, `^$`, `at least 15`},
		step{"", "user passwd tio", exitUsage, `^$`, `no terminal`},
		step{"", "user passwd tyo", exitNotFound, `^$`, `did you mean tio`},
		step{"", "user passwd tio --password x", exitUsage, `^$`, `every user of this machine can read arguments`},

		step{"", "user unlock tio", exitOK, `^$`, `Unlocked`},
		step{"", "user unlock ito", exitNotFound, `^$`, `did you mean tio`},
		step{"", "user disable tio", exitRefused, `^$`, `This will happen:\n~ user "tio" disabled: false -> true\n.*add --yes`},
		step{"", "user show tio", exitOK, `state +-\n`, `^$`},
		step{"", "user disable tio --yes", exitOK, `disabled: false -> true`, `Disabled. Next, to undo it: latchkey user enable tio`},
		step{"", "user disable tio", exitOK, `unchanged`, `Nothing to change`},
		step{"", "user reset-link tio --issuer https://id.example.org", exitRefused, `^$`, `latchkey user enable tio`},
		step{"", "user enable tio", exitOK, `disabled: true -> false`, `Enabled`},
		step{"", "user reset-link tio --issuer https://id.example.org", exitOK, `^https://id.example.org/reset\?token=[A-Z2-7]{52}\n$`, `works once, until 20`},
		step{"", "user reset-link tio --issuer https://id.example.org --json", exitOK, `"expires_at": "20`, `^$`},
		step{"", "user reset-link tio", exitUsage, `^$`, `issuer: is missing`},
		step{"", "user reset-link tao --issuer https://id.example.org", exitNotFound, `^$`, `did you mean tio`},

		step{"", "user delete sari", exitRefused, `^$`, `- user "sari"\n    1 grant is revoked\n    1 line of tokens[^$]*add --yes`},
		step{"", "user delete sari --yes", exitOK, `^- user "sari"`, `Deleted`},
		step{"", "user delete sari --yes", exitNotFound, `^$`, `no user "sari"`},
		step{"", "audit query --kind user.deleted", exitOK, `user.deleted .*name=sari`, `^$`},
	)
}

func TestClientCommands(t *testing.T) {
	inHousehold(t)
	signedIn(t, "sari")
	take(t,
		step{"", "client list", exitOK, `spa +- +strict +public +0 +-\nwiki +Wiki +standard +- +3 +20`, `^$`},
		step{"", "client list --json", exitOK, `"relaxed": \[\n      "require_pkce"`, `^$`},
		step{"", "client show wiki", exitOK, `require_pkce +false    relaxed\n[^$]*last used +20[^$]*people +1\n$`, `3 rules are relaxed: require_pkce`},
		step{"", "client show wiki --json", exitOK, `"redirect_uris": \[`, `^$`},
		step{"", "client show wikki", exitNotFound, `^$`, `no client "wikki".*did you mean wiki`},
		step{"", "client edit wiki --add redirect_uris=https://wiki.example/new --set require_pkce=true", exitOK, `redirect_uris: \[.*,"https://wiki.example/new"\]\n~ client "wiki" require_pkce: false -> true`, `Changed`},
		step{"", "client edit wiki --set require_pkce=true --json", exitOK, `"action": "unchanged"`, `^$`},
		step{"", "client edit wiki --set require_pkce=perhaps", exitRefused, `^$`, `require_pkce: must be true or false`},
		step{"", "client edit wiki --set require_pkce", exitUsage, `^$`, `"require_pkce" is not MEMBER=VALUE`},
		step{"", "client edit wiki --set require_pcke=true", exitRefused, `^$`, `no member "require_pcke"`},
		step{"", "client edit wiki --set client_secret=" + goodSecret, exitRefused, `^$`, `seen by others`},
		step{"", "client edit wiki", exitUsage, `^$`, `nothing to change was named`},
		step{"", "client edit wiky --set client_name=x", exitNotFound, `^$`, `did you mean wiki`},
		step{"", "client edit wiki --remove grant_types=refresh_token", exitRefused, `^$`, `1 line of tokens is revoked[^$]*--yes`},
		step{"", "client rotate-secret wiki", exitRefused, `^$`, `The secret of "wiki" is replaced[^$]*--yes`},
		step{"", "client rotate-secret wiki --yes", exitOK, `^client_id      wiki\nclient_secret  [A-Z2-7]{52}\n$`, `shown only now`},
		step{"", "client rotate-secret wiki --yes --json", exitOK, `"client_secret": "[A-Z2-7]{52}"`, ``},
		step{"", "client rotate-secret spa --yes", exitRefused, `^$`, `public and has no secret`},
		step{"", "client rotate-secret spo --yes", exitNotFound, `^$`, `did you mean spa`},
		step{"", "client disable wiki", exitRefused, `^$`, `1 grant is revoked`},
		step{"", "client disable wiki --yes", exitOK, `disabled: false -> true`, `client enable wiki`},
		step{"", "client enable wiki", exitOK, `disabled: true -> false`, `Enabled`},
		step{"", "client enable wyki", exitNotFound, `^$`, `did you mean wiki`},
		step{"", "client delete wiki", exitRefused, `^$`, `- client "wiki"`},
		step{"", "client delete wiki --yes", exitOK, `^- client "wiki"`, `Deleted`},
		step{"", "client delete wiki --yes", exitNotFound, `^$`, `no client "wiki"`},
	)
}

func TestKeyCommands(t *testing.T) {
	inFolder(t)
	keys := func() (all []struct{ Kid, Alg, State string }) {
		t.Helper()
		if err := json.Unmarshal([]byte(latchkey(t, "", "key", "list", "--json").stdout), &all); err != nil {
			t.Fatal(err)
		}
		return all
	}
	before := keys()
	if len(before) != 2 || before[0].Alg != "ES256" || before[0].State != "active" {
		t.Fatalf("%+v", before)
	}
	kid := before[0].Kid
	take(t,
		step{"", "key list", exitOK, `KID +ALG +STATE +CREATED +ACTIVE FROM +ERASED AT\n` + kid + ` +ES256 +active`, `^$`},
		step{"", "key revoke " + kid, exitRefused, `^$`, `Another key signs at once[^$]*--yes`},
		step{"", "key revoke " + kid + " --yes", exitOK, `^$`, `Revoked ` + kid + `\.\n.* signs with ES256 now`},
		step{"", "key revoke " + kid + " --yes", exitNotFound, `^$`, `no signing key.*latchkey key list`},
		step{"", "key revoke --yes " + before[1].Kid[1:], exitNotFound, `^$`, `did you mean ` + before[1].Kid},
		step{"", "key rotate", exitOK, `upcoming[^$]*upcoming`, `next ES256 key signs from 20.*\n.*next RS256 key signs from 20`},
		step{"", "audit query --kind key.revoked", exitOK, `key.revoked alg=ES256 kid=` + kid, `^$`},
	)
	if after := keys(); len(after) != 4 || after[0].Kid == kid || after[1].Kid == kid {
		t.Errorf("%+v", after)
	}
}

func TestSessionAndFamilyCommands(t *testing.T) {
	inHousehold(t)
	sid, family := signedIn(t, "sari")
	signedIn(t, "tio")
	take(t,
		step{"", "session list", exitOK, `SID +USER[^$]*sid_tio +tio +192.0.2.7[^$]*sid_sari +sari`, `^$`},
		step{"", "session list --user sari --json", exitOK, `^\[\n  \{\n    "sid": "sid_sari"`, `^$`},
		step{"", "session list --user sary", exitNotFound, `^$`, `did you mean sari`},
		step{"", "session revoke", exitUsage, `^$`, `name one session, or one user`},
		step{"", "session revoke a --user b", exitUsage, `^$`, `name one session`},
		step{"", "session revoke sid_tao", exitNotFound, `^$`, `no live session "sid_tao".*did you mean sid_tio`},
		step{"", "session revoke sid_tio", exitOK, `^$`, `Signed out`},
		step{"", "session revoke " + string(sid[:3]), exitNotFound, `^$`, `session list shows`},
		step{"", "family show " + string(family), exitOK, `family +gsari.f\nclient +wiki\nuser +sari[^$]*newest is number 2[^$]*code.redeemed[^$]*token.refresh`, `^$`},
		step{"", "family show gsari.x", exitNotFound, `^$`, `no token family "gsari.x".*user show NAME`},
		step{"", "family revoke " + string(family), exitOK, `^$`, `Revoked`},
		step{"", "family revoke " + string(family), exitOK, `^$`, `revoked before`},
		step{"", "family show --json " + string(family), exitOK, `"revoke_reason": "revoked by an administrator"[^$]*"kind": "grant.revoked"`, `^$`},
		step{"", "family revoke nothing", exitNotFound, `^$`, `no token family`},
		step{"", "session revoke --user sari", exitRefused, `^$`, `sessions that end: 1[^$]*--yes`},
		step{"", "session revoke --user sari --yes", exitOK, `^$`, `Sessions that ended: 1`},
		step{"", "session list --json", exitOK, `^\[\]\n$`, `^$`},
	)
}

func TestRecoverAdmin(t *testing.T) {
	inHousehold(t)
	take(t,
		step{"", "user disable sari --yes", exitOK, ``, `no administrator is left who can sign in. Next: latchkey recover-admin`},
		step{"", "recover-admin sari", exitUsage, `^$`, `issuer: is missing`},
		step{"", "recover-admin sari tio --issuer https://id.example.org", exitUsage, `^$`, `"tio" is one too many`},
		step{"", "recover-admin sarii --issuer https://id.example.org", exitNotFound, `^$`, `did you mean sari`},
		step{"", "recover-admin sari --issuer https://id.example.org", exitOK, `^https://id.example.org/reset\?token=[A-Z2-7]{52}\n$`, `sari is an administrator.*Every session of theirs has ended, and their password works no more.*works once`},
		step{"", "user show sari", exitOK, `state +administrator\n[^$]*reset link +works until`, `^$`},
		step{"", "recover-admin --issuer https://id.example.org", exitOK, `^https://id.example.org/setup\?token=[A-Z2-7]{52}\n$`, `A new administrator: the link works once`},
		step{"", "recover-admin --issuer https://id.example.org --json", exitOK, `"link": "https://id.example.org/setup`, `^$`},
		step{"", "audit query --kind admin.recovered", exitOK, `admin.recovered user=sari changed="disabled, password"\n.*admin.recovered with="a set-up link"`, `^$`},
	)
}

// What is missing altogether is not found, whichever command looks for it.
func TestNothingThere(t *testing.T) {
	inEmptyFolder(t)
	for line, says := range map[string]string{"rollback": "latchkey.db does not exist", "upgrade": "latchkey.db does not exist", "user list": "latchkey.db does not exist",
		"restore backup.db": "", "backup copy.db": "latchkey.db does not exist", "backup verify copy.db": ""} {
		if r := latchkey(t, "", strings.Fields(line)...); r.code != exitNotFound || !strings.Contains(r.stderr, says) {
			t.Errorf("%s: %+v", line, r)
		}
	}
}
