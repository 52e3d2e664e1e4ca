package doctor

import (
	"bytes"
	"flag"
	"fmt"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey/domain/oauth"
	"latchkey/domain/oidc"
	"latchkey/ports"
)

var now = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

const day = 24 * time.Hour

// healthy returns the facts of an installation of which there is nothing to say but that no second factors exist yet.
func healthy() Facts {
	file := func(path string) ports.File {
		return ports.File{Path: path, Exists: true, Regular: true, Mode: 0o600, Owner: 7, Size: 1 << 20}
	}
	rules, _ := oauth.Strict.Rules()
	leaf := ports.Certificate{Names: []string{"id.example.org"}, Issuer: "An Authority", NotBefore: now.Add(-day), NotAfter: now.Add(80 * day)}
	const issuer = "https://id.example.org"
	return Facts{
		Subject: Subject{Database: "/data/latchkey.db", MasterKey: "/data/latchkey.db.key", Issuer: issuer, Listen: "127.0.0.1:8080", RateLimitScale: 1,
			TrustedProxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32"), netip.MustParsePrefix("10.1.0.0/16"), netip.MustParsePrefix("::1/128")}},
		User:     7,
		Folder:   ports.File{Path: "/data", Exists: true, Folder: true, Mode: 0o700, Owner: 7},
		Volume:   ports.Volume{Type: "ext4", Free: 50 << 30},
		Database: file("/data/latchkey.db"), Log: file("/data/latchkey.db-wal"), Index: file("/data/latchkey.db-shm"), MasterKey: file("/data/latchkey.db.key"),
		Serving: true,
		File: ports.Examination{SQLite: "3.53.0", Schema: 2, Known: 2, Settings: []ports.DatabaseSetting{{Name: "synchronous", Got: "2", Want: "2"}},
			Administrators: []ports.Administrator{{Username: "sari"}}},
		Contents: Contents{Read: true, Newest: now.Add(-time.Minute), ClockSeen: now, BackupMade: now.Add(-day), BackupVerified: now.Add(-day),
			Keys: oidc.KeyRing{{ID: "e1", Algorithm: oauth.ES256, ActiveAt: now.Add(-20 * day)}, {ID: "r1", Algorithm: oauth.RS256, ActiveAt: now.Add(-20 * day)}},
			Clients: []oauth.Client{{ID: "wiki", RedirectURIs: []string{"https://wiki.example/cb", "http://127.0.0.1/cb", "com.example.app:/cb"}, Rules: rules, UpdatedAt: now.Add(-day),
				GrantTypes: []string{oauth.GrantTypeCode, oauth.GrantTypeRefresh}}},
			Trail: Trail{From: 1, To: 30, Verified: true, First: now.Add(-20 * day), Since: now.Add(-20 * day), Read: 30, Bytes: 30 * 250}},
		Asked: true,
		Discovery: ports.Answer{URL: issuer + discoveryPath, Status: 200, Date: now, At: now,
			TLS: &ports.Handshake{Leaf: leaf, Sent: 2, Trusted: true, Named: true}},
		Published: &oidc.Metadata{Issuer: issuer, JWKSURI: issuer + "/jwks"},
		KeySet:    &ports.Answer{Status: 200, Body: []byte(`{"keys":[{"kid":"e1"},{"kid":"r1"}]}`)},
	}
}

// cases are the findings that Judge can come to: what is changed of healthy facts, what is said then and how it is mended.
var cases = []struct {
	name string
	harm func(*Facts)
	want string // "severity id" of all that is not right, worst first
	mend string // in the commands of the first
}{
	{"nothing", func(f *Facts) {}, "warning admin.factor", ""},
	{"invalid flag", func(f *Facts) { f.Subject.Invalid = []string{"listen: no"} }, "error config.invalid", "latchkey serve --help"},
	{"issuer at an address", func(f *Facts) {
		f.Subject.Issuer, f.Asked, f.Discovery.TLS = "https://192.0.2.7:8443", false, nil
	}, "note issuer.address", "latchkey serve --db /data/latchkey.db --issuer https://id.example.org"},
	{"issuer at an address of this machine", func(f *Facts) { f.Subject.Issuer, f.Asked = "http://127.0.0.1:8080", false },
		"note issuer.address, note issuer.local", "--issuer http://localhost:8080 --listen localhost:8080"},
	{"issuer at an address of version 6", func(f *Facts) { f.Subject.Issuer, f.Asked = "https://[2001:db8::1]", false },
		"note issuer.address", "latchkey serve"},
	{"a large file that is mostly trail", func(f *Facts) { f.Database.Size, f.Contents.Trail.To = 2<<30, 5_000_000 }, "warning audit.size", "latchkey audit query --refused --limit 100 --db /data/latchkey.db"},
	{"a large file of something else", func(f *Facts) { f.Database.Size, f.Contents.Trail.To = 4<<30, 5_000_000 }, "warning admin.factor", ""},
	{"stopped", func(f *Facts) { f.Serving = false }, "note server.stopped", "latchkey serve --db /data/latchkey.db --issuer https://id.example.org --listen 127.0.0.1:8080 --trusted-proxies"},

	{"ST-06 a changed file", func(f *Facts) { f.Sum = ports.SumDiffers }, "error database.changed", "rm /data/latchkey.db.sum"},
	{"ST-06 a sum that cannot be read", func(f *Facts) { f.SumProblem = "permission denied" }, "error database.sum", "chmod 600 /data/latchkey.db.sum"},
	{"the lock of somebody else", func(f *Facts) { f.LockFile = ports.File{Path: "/data/latchkey.db.lock", Exists: true, Owner: 0} }, "error file.owner", "chown --reference=/data/latchkey.db /data/latchkey.db.lock"},
	{"ST-06 a large file", func(f *Facts) { f.Sum = ports.SumTooLarge }, "note database.sum", "latchkey doctor --deep"},
	{"ST-06 the sum of somebody else", func(f *Facts) { f.SumFile = ports.File{Path: "/data/latchkey.db.sum", Exists: true, Owner: 0} }, "error file.owner", "chown --reference=/data/latchkey.db /data/latchkey.db.sum"},

	{"AD-08 database for all", func(f *Facts) { f.Database.Mode = 0o644 }, "error file.database.mode", "chmod 600 /data/latchkey.db"},
	{"AD-08 log for the group", func(f *Facts) { f.Log.Mode = 0o640 }, "warning file.database.mode", "chmod 600 /data/latchkey.db-wal"},
	{"AD-08 index for all", func(f *Facts) { f.Index.Mode = 0o666 }, "error file.database.mode", "chmod 600 /data/latchkey.db-shm"},
	{"AD-08 a backup for all", func(f *Facts) {
		f.Copies = []ports.File{{Path: "/data/latchkey.db.it's", Exists: true, Regular: true, Mode: 0o604, Owner: 7}}
	}, "error file.backup.mode", `chmod 600 '/data/latchkey.db.it'\''s'`},
	{"key of the certificate for all", func(f *Facts) { f.TLSKeyFile = ports.File{Path: "/k.pem", Exists: true, Mode: 0o644} }, "error file.tls.mode", "chmod 600 /k.pem"},
	{"key of the certificate for all to change", func(f *Facts) { f.TLSKeyFile = ports.File{Path: "/k.pem", Exists: true, Mode: 0o602} }, "error file.tls.mode", "chmod 600 /k.pem"},
	{"AD-08 folder readable", func(f *Facts) { f.Folder.Mode = 0o755 }, "warning folder.mode", "chmod 700 /data"},
	{"AD-08 folder writable", func(f *Facts) { f.Folder.Mode = 0o777 }, "error folder.mode", "chmod 700 /data"},
	{"folder read-only", func(f *Facts) { f.Folder.Mode = 0o500 }, "error folder.readonly", "chmod 700 /data"},
	{"file read-only", func(f *Facts) { f.Database.Mode = 0o400 }, "error file.database.readonly", "chmod 600 /data/latchkey.db"},
	{"left by root", func(f *Facts) { f.Log.Owner, f.User = 0, 0 }, "error file.owner", "chown --reference=/data/latchkey.db /data/latchkey.db-wal"},
	{"key of another beside it", func(f *Facts) { f.MasterKey.Owner = 8 }, "error file.owner", "chown --reference=/data/latchkey.db /data/latchkey.db.key"},
	{"key of another elsewhere", func(f *Facts) { f.MasterKey = ports.File{Path: "/etc/k", Exists: true, Regular: true, Mode: 0o600} }, "warning admin.factor", ""},
	{"as another user", func(f *Facts) { f.User = 9 }, "warning file.owner", "sudo -u '#7' latchkey doctor --db /data/latchkey.db"},
	{"cannot be looked at", func(f *Facts) { f.Database = ports.File{Problem: "permission denied"}; f.Contents.Read = false }, "error file.database.closed", "sudo -u"},

	{"network file system", func(f *Facts) { f.Volume = ports.Volume{Type: "nfs", Network: true, Free: 9 << 30} }, "error volume.network", "latchkey backup FILE"},
	{"tmpfs", func(f *Facts) { f.Volume.Type, f.Volume.Passing = "tmpfs", true }, "warning volume.passing", "latchkey backup FILE"},
	{"not Linux", func(f *Facts) { f.Volume = ports.Volume{Problem: "unknown"} }, "note volume.unknown", "df -hT /data"},
	{"disk full", func(f *Facts) { f.Volume.Free = 1 << 20 }, "error volume.full", "du -xh /data"},
	{"disk nearly full", func(f *Facts) { f.Volume.Free = 900 << 20 }, "warning volume.full", "df -h /data"},
	{"disk small for the file", func(f *Facts) { f.Database.Size, f.Volume.Free = 4<<30, 7<<30 }, "warning volume.full", "df -h /data"},
	{"log does not end", func(f *Facts) { f.Log.Size = 300 << 20 }, "warning database.log", "fuser -v /data/latchkey.db"},

	{"no database", func(f *Facts) { f.Database = ports.File{}; f.Contents.Read = false; f.MasterKey = ports.File{} }, "error database.missing", "latchkey init --db /data/latchkey.db"},
	{"a folder in its place", func(f *Facts) { f.Database.Regular = false; f.Contents.Read = false }, "error database.kind", "ls -ld /data/latchkey.db"},
	{"empty", func(f *Facts) { f.Database.Size = 0; f.Contents.Read = false }, "error database.empty", "latchkey restore FILE --db /data/latchkey.db"},
	{"another application's", func(f *Facts) { f.File.Condition, f.Contents.Read = ports.ConditionForeign, false }, "error database.foreign", "ls -l"},
	{"closed", func(f *Facts) { f.File.Condition, f.Contents.Read = ports.ConditionClosed, false }, "error database.closed", "ls -l"},
	{"ST-06 not a database", func(f *Facts) { f.File.Condition, f.Contents.Read = ports.ConditionDamaged, false }, "error database.damaged", "latchkey restore FILE"},
	{"broken page", func(f *Facts) { f.File.Damage = []string{"page 7"}; f.Contents.Read = false }, "error database.damaged", "latchkey restore FILE --db /data/latchkey.db --yes"},
	{"OP-04 newer", func(f *Facts) { f.File.Schema, f.Contents.Read = 3, false }, "error database.newer", "latchkey rollback --db /data/latchkey.db --yes"},
	{"pending", func(f *Facts) { f.File.Schema, f.Contents.Read = 1, false }, "warning database.pending", "latchkey upgrade --db /data/latchkey.db"},
	{"contents cannot be read", func(f *Facts) { f.Contents = Contents{Problem: "no such column"} }, "error database.contents", "latchkey doctor --deep"},
	{"ST-24 SQLite", func(f *Facts) { f.File.Outdated = true }, "error sqlite.version", "latchkey version"},
	{"ST-24 extensions", func(f *Facts) { f.File.Extensions = true }, "error sqlite.extensions", "sqlite_omit_load_extension"},
	{"ST-24 settings", func(f *Facts) { f.File.Settings[0].Got = "1" }, "error sqlite.settings", "latchkey serve"},

	{"no key", func(f *Facts) { f.MasterKey = ports.File{} }, "error masterkey.missing", "install -m 600 FILE /data/latchkey.db.key"},
	{"AD-08 key for all", func(f *Facts) { f.MasterKey.Mode, f.KeyProblem = 0o644, "mode" }, "error masterkey.mode", "latchkey master-key rotate --db /data/latchkey.db"},
	{"AD-08 key for all that is the root", func(f *Facts) {
		f.MasterKey.Mode, f.KeyProblem, f.Contents.Inherited = 0o644, "mode", true
	}, "error masterkey.mode", "chmod 600 /data/latchkey.db.key"},
	{"a systemd credential", func(f *Facts) { f.MasterKey.Mode = 0o440 }, "warning admin.factor", ""},
	{"not a key", func(f *Facts) { f.KeyProblem = "not a key" }, "error masterkey.unusable", "install -m 600"},
	{"wrong key", func(f *Facts) { f.KeyForeign, f.Contents.Trail.Broken = true, "1" }, "error masterkey.foreign", "latchkey doctor --db /data/latchkey.db --master-key FILE"},
	{"an algorithm without a key", func(f *Facts) { f.Contents.Keys = f.Contents.Keys[:1] }, "error signing.missing", "latchkey key rotate"},
	{"rotation overdue", func(f *Facts) { f.Contents.Keys[0].ActiveAt = now.Add(-91 * day) }, "warning signing.overdue", "latchkey key rotate --db /data/latchkey.db"},
	{"rotation under way", func(f *Facts) {
		f.Contents.Keys[0].ActiveAt = now.Add(-90 * day)
		f.Contents.Keys = append(f.Contents.Keys, oidc.SigningKey{ID: "e2", Algorithm: oauth.ES256, ActiveAt: now.Add(time.Hour)})
		f.KeySet.Body = []byte(`{"keys":[{"kid":"e1"},{"kid":"r1"},{"kid":"e2"}]}`)
	}, "warning admin.factor", ""},
	{"OP-05 clock set back", func(f *Facts) { f.Contents.Newest = now.Add(time.Hour) }, "error clock.back", "timedatectl set-ntp true"},
	{"OP-05 clock behind what was seen", func(f *Facts) { f.Contents.ClockSeen = now.Add(time.Hour) }, "error clock.back", "timedatectl status"},
	{"AD-10 trail", func(f *Facts) { f.Contents.Trail.Broken = "audit event 5 is missing" }, "error audit.broken", "latchkey audit verify"},
	{"no backup", func(f *Facts) { f.Contents.BackupMade, f.Contents.BackupVerified = time.Time{}, time.Time{} }, "warning backup.never",
		"latchkey backup FILE --db /data/latchkey.db && latchkey backup verify FILE"},
	{"backup not verified", func(f *Facts) { f.Contents.BackupVerified = time.Time{} }, "warning backup.unverified", "latchkey backup verify FILE"},
	{"old backup", func(f *Facts) { f.Contents.BackupVerified = now.Add(-8 * day) }, "warning backup.old", "latchkey backup FILE"},

	{"no administrator", func(f *Facts) { f.File.Administrators = nil }, "warning admin.none", "latchkey user add admin --admin --db"},
	{"administrators disabled", func(f *Facts) { f.File.Administrators[0].Disabled = true }, "warning admin.none", "latchkey recover-admin sari --db /data/latchkey.db --issuer https://id.example.org"},
	{"no binding", func(f *Facts) { f.client().AllowNoBinding = true }, "warning client.binding", "latchkey client edit wiki --set dangerously_allow_neither_pkce_nor_nonce=false"},
	{"no PKCE", func(f *Facts) { f.client().RequirePKCE = false }, "warning admin.factor, note client.pkce", ""},
	{"plain PKCE", func(f *Facts) { f.client().AllowPlain = true }, "warning client.plain", "--set allow_plain_pkce=false"},
	{"http redirect", func(f *Facts) {
		f.Contents.Clients[0].RedirectURIs = []string{"http://wiki.example/cb"}
	}, "error client.redirect", "--remove redirect_uris=http://wiki.example/cb --add redirect_uris=https://wiki.example/cb"},
	{"no rotation", func(f *Facts) { f.client().RotateRefreshTokens = false }, "warning client.rotation", "--set rotate_refresh_tokens=true"},
	{"long grace", func(f *Facts) { f.client().RefreshGrace = time.Minute }, "warning client.grace", "--set refresh_token_grace=10"},
	{"long access token", func(f *Facts) { f.client().AccessTokenLifetime = day }, "warning client.lifetime", "--set access_token_lifetime=3600"},
	{"long code", func(f *Facts) { f.client().CodeLifetime = 10 * time.Minute }, "warning admin.factor, note client.code", ""},
	{"old secret", func(f *Facts) { f.Contents.Clients[0].UpdatedAt = now.Add(-400 * day) }, "warning admin.factor, note client.secret", "latchkey client rotate-secret wiki"},
	{"disabled client", func(f *Facts) { f.Contents.Clients[0].DisabledAt = now }, "warning admin.factor, note client.disabled", "latchkey client delete wiki"},

	{"issuer not told", func(f *Facts) { f.Subject.Issuer, f.Asked = "", false }, "warning admin.factor, note issuer.missing", "latchkey doctor --db /data/latchkey.db --issuer https://id.example.org"},
	{"AD-09 issuer with a slash", func(f *Facts) {
		f.Subject.Issuer, f.Asked, f.Subject.IssuerProblems = "https://id.example.org/", false, []string{"ends in a slash"}
	}, "error issuer.syntax", "--issuer https://id.example.org --listen"},
	{"issuer http with TLS", func(f *Facts) {
		f.Subject.Issuer, f.Asked = "http://localhost:8443", false
		f.Subject.TLSCert, f.Subject.TLSKey, f.Certificate.Leaf = "c", "k", f.Discovery.TLS.Leaf
	}, "error issuer.http", "--issuer https://localhost:8443"},
	{"issuer for this machine", func(f *Facts) { f.Subject.Issuer, f.Asked = "http://localhost:8080", false }, "warning admin.factor, note issuer.local", "latchkey serve"},
	{"no address", func(f *Facts) { f.Discovery = failed(ports.FailedName) }, "error discovery.unreachable", "getent hosts id.example.org"},
	{"nobody listens", func(f *Facts) { f.Discovery = failed(ports.FailedRefused) }, "error discovery.unreachable", "ss -ltnp"},
	{"nobody listens and none serves", func(f *Facts) { f.Discovery, f.Serving = failed(ports.FailedRefused), false }, "warning discovery.unreachable, note server.stopped", "latchkey serve"},
	{"no answer", func(f *Facts) { f.Discovery = failed(ports.FailedTime) }, "error discovery.unreachable", "curl -v --max-time 10 https://id.example.org/.well-known"},
	{"no TLS", func(f *Facts) { f.Discovery = failed(ports.FailedTLS) }, "error discovery.unreachable", "--tls-cert fullchain.pem --tls-key privkey.pem"},
	{"something else", func(f *Facts) { f.Discovery = failed(ports.FailedOther) }, "error discovery.unreachable", "curl -v"},
	{"redirected", func(f *Facts) {
		f.Discovery.Status, f.Discovery.Location = 301, "https://www.example.org"+discoveryPath
	}, "error discovery.redirect", "--issuer https://www.example.org --listen"},
	{"redirected to a page", func(f *Facts) { f.Discovery.Status, f.Discovery.Location = 302, "https://id.example.org/login" }, "error discovery.redirect", "curl -i"},
	{"502", func(f *Facts) { f.Discovery.Status = 502 }, "error discovery.status", "curl -i"},
	{"a page", func(f *Facts) { f.Published = nil }, "error discovery.json", "curl -i"},
	{"OP-06 another issuer", func(f *Facts) { f.Published.Issuer = "https://id.example.org/" }, "error discovery.issuer", "curl -s"},
	{"keys elsewhere", func(f *Facts) { f.Published.JWKSURI = "https://evil.example/jwks" }, "error discovery.keys", "curl -s"},
	{"keys not served", func(f *Facts) { f.KeySet.Status = 404 }, "error discovery.keys", "curl -i https://id.example.org/jwks"},
	{"keys of another", func(f *Facts) { f.KeySet.Body = []byte(`{"keys":[{"kid":"e1"}]}`) }, "error discovery.foreign", "latchkey serve --db /data/latchkey.db"},
	{"clock ahead", func(f *Facts) { f.Discovery.Date = now.Add(-time.Minute) }, "warning clock.skew", "timedatectl status"},
	{"clock far behind", func(f *Facts) { f.Discovery.Date = now.Add(time.Hour) }, "error clock.skew", "timedatectl set-ntp true"},

	{"self-signed", func(f *Facts) { f.refuse().Trusted, f.Discovery.TLS.SelfSigned = false, true }, "error tls.selfsigned", "openssl s_client -connect id.example.org:443"},
	{"chain cut", func(f *Facts) { f.refuse().Trusted, f.Discovery.TLS.Sent = false, 1 }, "error tls.chain", "--tls-cert fullchain.pem"},
	{"unknown authority", func(f *Facts) { f.refuse().Trusted = false }, "error tls.untrusted", "openssl s_client"},
	{"OP-07 wrong host", func(f *Facts) { f.refuse().Named = false }, "error tls.name", "openssl s_client"},
	{"OP-07 expired", func(f *Facts) { f.refuse().Leaf.NotAfter = now.Add(-day) }, "error tls.expired", "openssl s_client"},
	{"not yet good", func(f *Facts) { f.refuse().Leaf.NotBefore = now.Add(day) }, "error tls.early", "timedatectl status"},
	{"expires in two days", func(f *Facts) { f.Discovery.TLS.Leaf.NotAfter = now.Add(2 * day) }, "error tls.expiring", "openssl s_client"},
	{"expires in twenty days", func(f *Facts) { f.Discovery.TLS.Leaf.NotAfter = now.Add(20 * day) }, "warning tls.expiring", "openssl s_client"},
	{"expired file", func(f *Facts) { f.serveTLS().NotAfter = now.Add(-day) }, "error certificate.expired", "openssl x509 -noout -dates -subject -in /c.pem"},
	{"file expires", func(f *Facts) { f.serveTLS().NotAfter = now.Add(20 * day) }, "warning certificate.expiring", "openssl x509"},
	{"file expires at once", func(f *Facts) { f.serveTLS().NotAfter = now.Add(day) }, "error certificate.expiring", "openssl x509"},
	{"file not yet good", func(f *Facts) { f.serveTLS().NotBefore = now.Add(day) }, "error certificate.early", "timedatectl"},
	{"key of another certificate", func(f *Facts) { f.serveTLS(); f.Certificate = ports.CertificateFile{Problem: "no match"} }, "error certificate.unusable", "openssl pkey -pubout -in /k.pem"},
	{"certificate without key", func(f *Facts) { f.serveTLS(); f.Subject.TLSKey = "" }, "error certificate.unusable", "--tls-cert /c.pem --tls-key privkey.pem"},
	{"own certificate", func(f *Facts) { f.serveTLS() }, "warning admin.factor", ""},

	{"RL-03 no proxy", func(f *Facts) { f.Subject.TrustedProxies = nil }, "warning proxy.none", "--trusted-proxies 127.0.0.1/32"},
	{"RL-03 private network", func(f *Facts) { f.proxy("10.0.0.0/8") }, "warning proxy.wide", "--trusted-proxies 127.0.0.1/32"},
	{"RL-03 public network", func(f *Facts) { f.proxy("203.0.0.0/16") }, "warning proxy.wide", "--trusted-proxies"},
	{"RL-03 public IPv6 network", func(f *Facts) { f.proxy("2001:db8::/32") }, "warning proxy.wide", "--trusted-proxies"},
	{"RL-03 one public proxy", func(f *Facts) { f.proxy("203.0.113.7/32") }, "warning admin.factor", ""},
	{"limits off", func(f *Facts) { f.Subject.RateLimitScale = 0 }, "warning limits.off", "latchkey serve --db /data/latchkey.db"},
	{"limits high", func(f *Facts) { f.Subject.RateLimitScale = 100 }, "warning limits.high", "latchkey serve"},
}

func (f *Facts) client() *oauth.Rules { return &f.Contents.Clients[0].Rules }

func failed(why ports.Failure) ports.Answer {
	return ports.Answer{URL: "https://id.example.org" + discoveryPath, Failure: why, Detail: "as it was said"}
}

// refuse makes the handshake fail.
func (f *Facts) refuse() *ports.Handshake {
	t := f.Discovery.TLS
	f.Discovery, f.Published, f.KeySet = failed(ports.FailedTLS), nil, nil
	f.Discovery.TLS = t
	return t
}

func (f *Facts) serveTLS() *ports.Certificate {
	f.Subject.TLSCert, f.Subject.TLSKey, f.Certificate.Leaf = "/c.pem", "/k.pem", f.Discovery.TLS.Leaf
	return &f.Certificate.Leaf
}

func (f *Facts) proxy(network string) {
	f.Subject.TrustedProxies = []netip.Prefix{netip.MustParsePrefix(network)}
}

func TestJudge(t *testing.T) {
	for _, tt := range cases {
		t.Run(tt.name, func(t *testing.T) {
			f := healthy()
			tt.harm(&f)
			findings := Judge(f, now)
			var got []string
			for _, f := range findings {
				if f.Found == "" || f.Severity != OK && (f.Why == "" || f.Mend == "") || (f.Severity == Error || f.Severity == Warning) && len(f.Commands) == 0 {
					t.Errorf("a finding is not whole: %+v", f)
				}
				// Every administrator lacks a second factor; the rows that have nothing worse say so.
				if f.Severity != OK && (f.ID != "admin.factor" || strings.Contains(tt.want, f.ID)) {
					got = append(got, string(f.Severity)+" "+f.ID)
				}
			}
			slices.Sort(got)
			want := strings.Split(tt.want, ", ")
			slices.Sort(want)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
			// What is mended is the row's own finding, which comes after what every row has.
			_, id, _ := strings.Cut(want[0], " ")
			if id == "admin.factor" {
				_, id, _ = strings.Cut(want[len(want)-1], " ")
			}
			i := slices.IndexFunc(findings, func(f Finding) bool { return f.ID == id })
			if commands := strings.Join(findings[max(i, 0)].Commands, "\n"); !strings.Contains(commands, tt.mend) {
				t.Errorf("commands do not hold %q:\n%s", tt.mend, commands)
			}
		})
	}
}

var update = flag.Bool("update", false, "write testdata again")

// declaredFindings are the ids that the sources of this package name where they add a finding.
func declaredFindings(t *testing.T) (ids []string) {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		for _, m := range regexp.MustCompile(`j\.(?:add\(\w+, |ok\()("[a-z.]+")`).FindAllStringSubmatch(string(text), -1) {
			ids = append(ids, strings.Trim(m[1], `"`))
		}
	}
	if len(ids) < 60 {
		t.Fatalf("%d findings are declared", len(ids))
	}
	return ids
}

// The commands that advice names are kept in a file, which the command line's own test checks against its table.
func TestCommands(t *testing.T) {
	commands, ids := map[string]bool{}, map[string]bool{}
	for _, tt := range cases {
		f := healthy()
		tt.harm(&f)
		for _, f := range Judge(f, now) {
			ids[f.ID] = true
			for _, line := range f.Commands {
				for part := range strings.SplitSeq(line, " && ") {
					if i := strings.Index(" "+part, " latchkey "); i >= 0 {
						commands[part[i:]] = true
					}
				}
			}
		}
	}
	for _, id := range declaredFindings(t) {
		if !ids[id] {
			t.Errorf("no case comes to %s, so that its commands are not looked at", id)
		}
	}
	var text bytes.Buffer
	for _, line := range slices.Sorted(maps.Keys(commands)) {
		fmt.Fprintln(&text, line)
	}
	const name = "testdata/commands.txt"
	if *update {
		if err := os.WriteFile(name, text.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	kept, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(kept), text.String()); diff != "" {
		t.Errorf("%s (-kept +given), -update writes it again:\n%s", name, diff)
	}
}

// A finding shows no secret, whatever the facts hold of them.
func TestNoSecret(t *testing.T) {
	secret := oauth.Secret("a client secret that nobody may see").Digest()
	for _, tt := range cases {
		f := healthy()
		f.Contents.Clients[0].Secret = secret
		f.Contents.Keys[0].Sealed = secret[:]
		tt.harm(&f)
		if text := fmt.Sprintf("%+v", Judge(f, now)); strings.Contains(text, fmt.Sprint(secret)) || strings.Contains(text, fmt.Sprintf("%x", secret)) || strings.Contains(text, string(secret[:])) {
			t.Errorf("%s: a secret is shown", tt.name)
		}
	}
}

// Nobody finds a server for this machine alone anywhere but at its issuer.
func TestServeCommandOfALocalIssuer(t *testing.T) {
	f := healthy()
	f.Subject.Issuer = "http://localhost:9000"
	if got := f.Subject.serve(nil); !strings.Contains(got, "--issuer http://localhost:9000 --listen localhost:9000") {
		t.Error(got)
	}
}

func TestQuote(t *testing.T) {
	for in, want := range map[string]string{
		"/var/lib/x.db": "/var/lib/x.db", "a b": "'a b'", "": "''", "it's": `'it'\''s'`, "$(x)": "'$(x)'", "-rf": "'-rf'", "a;b": "'a;b'", "https://[::1]:8": "'https://[::1]:8'",
	} {
		if got := quote(in); got != want {
			t.Errorf("quote(%q) = %s, want %s", in, got, want)
		}
	}
}

// Who administers with a password alone is named, and where to mend it.
func TestAdministratorsWithoutSecondFactor(t *testing.T) {
	for _, c := range []struct {
		name     string
		admins   []ports.Administrator
		schema   int
		severity Severity
		says     string
	}{
		{"all have one", []ports.Administrator{{Username: "sari", SecondFactor: true}, {Username: "tio", Disabled: true}}, 4, OK, "Every administrator"},
		{"one has none", []ports.Administrator{{Username: "sari", SecondFactor: true}, {Username: "tio"}}, 4, Warning, "no second factor: tio."},
		{"a file from before there were any", []ports.Administrator{{Username: "sari"}}, 3, Note, "not known: sari."},
	} {
		f := healthy()
		f.File.Administrators, f.File.Schema, f.File.Known = c.admins, c.schema, 4
		findings := Judge(f, now)
		i := slices.IndexFunc(findings, func(f Finding) bool { return f.ID == "admin.factor" })
		if i < 0 || findings[i].Severity != c.severity || !strings.Contains(findings[i].Found, c.says) {
			t.Errorf("%s: %+v", c.name, findings[max(i, 0)])
		}
		if c.severity == Warning && (!strings.Contains(findings[i].Mend, "https://id.example.org/account/totp") || findings[i].Commands[0] != "latchkey user edit tio --no-admin --db /data/latchkey.db") {
			t.Errorf("%s is mended by %s %q", c.name, findings[i].Mend, findings[i].Commands)
		}
	}
}

// What the trail takes up and how it grows is said of any database.
func TestTrailSize(t *testing.T) {
	for _, c := range []struct {
		name  string
		trail Trail
		says  string
	}{
		{"none", Trail{}, ""},
		{"of an hour", Trail{To: 10, Read: 10, Bytes: 2500, First: now.Add(-time.Hour), Since: now.Add(-time.Hour)}, "10 events since 2026-05-01, about 2.4 KB."},
		{"of a year, the newest read", Trail{To: 1_000_000, Read: 10_000, Bytes: 2_560_000, First: now.Add(-365 * day), Since: now.Add(-10 * day)},
			"1000000 events since 2025-05-01, about 244.1 MB; it grows by about 7.3 MB a month."},
	} {
		f := healthy()
		f.Contents.Trail, f.Contents.Newest = c.trail, now
		findings := Judge(f, now)
		i := slices.IndexFunc(findings, func(f Finding) bool { return f.ID == "audit.size" })
		if i < 0 {
			if c.says != "" {
				t.Errorf("%s: nothing is said", c.name)
			}
			continue
		}
		if !strings.HasSuffix(findings[i].Found, c.says) || findings[i].Severity != OK {
			t.Errorf("%s: %+v", c.name, findings[i])
		}
	}
}
