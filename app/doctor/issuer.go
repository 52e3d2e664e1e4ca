package doctor

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"latchkey/ports"
)

// issuer judges the one name of the provider as a text.
func (j *judge) issuer() {
	s := j.Subject
	if s.Issuer == "" {
		j.add(Note, "issuer.missing", "doctor was not told the issuer.", "What people and applications see of this provider was not looked at.",
			"Say it as for serve, or with LATCHKEY_ISSUER.", s.withKey("doctor")+" --issuer https://id.example.org")
		return
	}
	for _, problem := range s.IssuerProblems {
		j.add(Error, "issuer.syntax", "The issuer "+problem+".", "Applications compare it byte by byte, and no server starts with it.",
			"Write it as "+betterIssuer(s.Issuer)+", here and in every application.", s.serve(nil))
	}
	switch {
	case strings.HasPrefix(s.Issuer, "http:") && s.usesTLS():
		j.add(Error, "issuer.http", s.Issuer+" is http, and a certificate is given.", "An issuer served with TLS begins with https.",
			"Write https.", s.serve(func(s *Subject) { s.Issuer = "https" + strings.TrimPrefix(s.Issuer, "http") }))
	case len(s.IssuerProblems) > 0:
	case strings.HasPrefix(s.Issuer, "http:"):
		j.add(Note, "issuer.local", s.Issuer+" is for this machine only.", "Nobody else can sign in, and nothing is encrypted.",
			"For more than a trial give it a name, and TLS or a proxy that ends it.", s.serve(func(s *Subject) { s.Issuer = "https://id.example.org" }))
	default:
		j.ok("issuer", "%s is written as it has to be.", s.Issuer)
	}
	j.address()
}

// address judges an issuer without a name: a passkey is made for a domain (Web Authentication Level 3 §5.1.2), so that none can
// be made for an IP address, and the pages offer none.
func (j *judge) address() {
	host := hostOf(j.Subject.Issuer)
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return
	}
	written := host
	if ip.Is6() {
		written = "[" + host + "]"
	}
	named := func(s *Subject) { s.Issuer = "https://id.example.org" }
	mend := "Give this machine a name in the DNS, with a certificate for it, and make that the issuer before applications and passkeys depend on this one."
	if strings.HasPrefix(j.Subject.Issuer, "http:") {
		mend = "For a trial with passkeys, say localhost instead of the address."
		named = func(s *Subject) { s.Issuer = strings.Replace(betterIssuer(s.Issuer), written, "localhost", 1) }
	}
	j.add(Note, "issuer.address", host+" is an IP address, and nobody can have a passkey here.",
		"A browser makes passkeys for names only. People sign in with passwords and codes of an authenticator app.", mend, j.Subject.serve(named))
}

// outside judges what a client sees at the issuer's URL.
func (j *judge) outside() {
	if !j.Asked {
		return
	}
	a := j.Discovery
	j.handshake(a)
	switch {
	case a.Failure == ports.FailedTLS && a.TLS != nil: // told by handshake
	case a.Failure != "":
		j.unreachable(a)
	case a.Status >= 300 && a.Status < 400:
		j.redirected(a)
	case a.Status != http.StatusOK:
		j.add(Error, "discovery.status", fmt.Sprintf("%s answers %d.", a.URL, a.Status), "Applications configure themselves from there. Something else answers at the address, such as a proxy without its provider or a path that it does not pass on.",
			"Let the proxy pass everything under the issuer to "+j.Subject.Listen+", and see that the server runs.", "curl -i "+quote(a.URL), j.Subject.serve(nil))
	case j.Published == nil:
		j.add(Error, "discovery.json", a.URL+" answers something that is not a discovery document.", "Applications configure themselves from there. Another server answers, such as a proxy's own page.",
			"Let the proxy pass everything under the issuer to "+j.Subject.Listen+".", "curl -i "+quote(a.URL))
	case len(j.Subject.IssuerProblems) > 0 && j.Published.Issuer == betterIssuer(j.Subject.Issuer): // told by issuer
	case j.Published.Issuer != j.Subject.Issuer:
		j.add(Error, "discovery.issuer", fmt.Sprintf("%s is answered by %q, and the issuer told here is %q%s.", a.URL, j.Published.Issuer, j.Subject.Issuer, difference(j.Published.Issuer, j.Subject.Issuer)),
			"Applications compare the two byte by byte and refuse every token when they differ (OIDC Discovery section 4.3).",
			"Serve with the one that applications know, or point the name at this server if another one answers.", j.Subject.serve(nil), "curl -s "+quote(a.URL))
	default:
		j.ok("discovery", "%s is reachable and names the same issuer.", a.URL)
		j.keySet()
	}
	if !a.Date.IsZero() {
		j.clockThere(a)
	}
}

func (j *judge) unreachable(a ports.Answer) {
	severity, why := Error, "Applications and browsers meet the same."
	if !j.Serving {
		severity = Warning // the server is known to be down, which is a finding of its own
	}
	host := hostOf(a.URL)
	add := func(found, mend string, commands ...string) {
		j.add(severity, "discovery.unreachable", found+" ("+a.Detail+")", why, mend, commands...)
	}
	switch a.Failure {
	case ports.FailedName:
		add(host+" has no address.", "Add the name to the DNS, or to /etc/hosts of this machine if only the world outside knows it.", "getent hosts "+quote(host))
	case ports.FailedRefused:
		found := "Nobody listens at " + j.Subject.Issuer + "."
		if j.Serving { // a second server on the file would only be refused
			add(found, "A server has the database and listens elsewhere: start the proxy in front of it, or start it again with the --issuer and --listen told here; when the proxy is elsewhere, open the port to this machine.", "ss -ltnp")
			return
		}
		add(found, "Start the server, or the proxy in front of it; when the proxy is elsewhere, open the port to this machine.", j.Subject.serve(nil), "ss -ltn")
	case ports.FailedTime:
		add(j.Subject.Issuer+" does not answer in time.", "Mostly a firewall, or a router that does not lead its own outer address back inside: add the name to /etc/hosts of this machine, or mend the route.",
			"curl -v --max-time 10 "+quote(a.URL))
	case ports.FailedTLS:
		add(j.Subject.Issuer+" does not speak TLS.", "Serve with a certificate, or let the proxy end TLS.",
			j.Subject.serve(func(s *Subject) { s.TLSCert, s.TLSKey = "fullchain.pem", "privkey.pem" }))
	default:
		add(j.Subject.Issuer+" cannot be reached.", "See what a request of your own meets.", "curl -v --max-time 10 "+quote(a.URL))
	}
}

func (j *judge) redirected(a ports.Answer) {
	mend := "Let the proxy answer under the issuer itself."
	commands := []string{"curl -i " + quote(a.URL)}
	if target, ok := strings.CutSuffix(a.Location, discoveryPath); ok && strings.HasPrefix(target, "https://") {
		mend += " Or, if " + target + " is the name people use, make it the issuer, here and in every application."
		commands = append(commands, j.Subject.serve(func(s *Subject) { s.Issuer = target }))
	}
	j.add(Error, "discovery.redirect", fmt.Sprintf("%s answers %d and leads to %s.", a.URL, a.Status, a.Location),
		"Many applications follow no redirect there, and those that do find another issuer than they asked for.", mend, commands...)
}

// keySet judges whether the keys at the issuer's URL are ours: another server, or one on a copy of the file, has others.
func (j *judge) keySet() {
	s, uri := j.Subject, j.Published.JWKSURI
	if !sameOrigin(uri, s.Issuer) {
		j.add(Error, "discovery.keys", fmt.Sprintf("The document names its keys at %q, which is not under the issuer.", uri), "Keys from another place are another's keys.",
			"Find out who answers under the issuer's name.", "curl -s "+quote(j.Discovery.URL))
		return
	}
	var set struct {
		Keys []struct {
			ID string `json:"kid"`
		} `json:"keys"`
	}
	a := j.KeySet
	if a == nil || a.Failure != "" || a.Status != http.StatusOK || json.Unmarshal(a.Body, &set) != nil {
		j.add(Error, "discovery.keys", "The keys at "+uri+" cannot be fetched.", "Applications check every token with them.",
			"Let the proxy pass everything under the issuer to "+s.Listen+".", "curl -i "+quote(uri))
		return
	}
	if !j.Contents.Read {
		return
	}
	var missing []string
	for _, k := range j.Contents.Keys {
		if !slices.ContainsFunc(set.Keys, func(p struct {
			ID string `json:"kid"`
		}) bool {
			return p.ID == string(k.ID)
		}) {
			missing = append(missing, string(k.ID))
		}
	}
	if len(missing) > 0 {
		j.add(Error, "discovery.foreign", fmt.Sprintf("The keys at %s are not those of %s: %s is not among them.", uri, s.Database, list(missing)),
			"The server that answers uses another database, such as a copy or the one from before a restore; or a cache in front keeps old keys.",
			"Start the server on this database, or name with --db the one that it uses.", s.serve(nil))
		return
	}
	j.ok("discovery.keys", "%s holds every key on file.", uri)
}

// mostSkew is what clients commonly forgive, twice what a healthy clock and a slow answer come to.
const mostSkew = 30 * time.Second

func (j *judge) clockThere(a ports.Answer) {
	switch skew := a.At.Sub(a.Date); {
	case skew.Abs() > mostSkew:
		severity := Warning
		if skew.Abs() > 5*time.Minute {
			severity = Error
		}
		direction := "ahead of"
		if skew < 0 {
			direction = "behind"
		}
		j.add(severity, "clock.skew", fmt.Sprintf("The clock is %s %s the one that answers at %s.", span(skew), direction, j.Subject.Issuer),
			"Applications refuse tokens from the future, and ours seem to expire early or late.", "Let both machines keep their time from the network.",
			"timedatectl status", "timedatectl set-ntp true")
	default:
		j.ok("clock.skew", "The clock agrees with the one that answers at %s.", j.Subject.Issuer)
	}
}

// difference says in words where two spellings of an issuer part.
func difference(a, b string) string {
	switch {
	case strings.TrimSuffix(a, "/") == strings.TrimSuffix(b, "/"):
		return ": they differ in the slash at the end"
	case strings.EqualFold(a, b):
		return ": they differ in upper and lower case"
	case strings.TrimPrefix(a, "https") == strings.TrimPrefix(b, "http"), strings.TrimPrefix(a, "http") == strings.TrimPrefix(b, "https"):
		return ": they differ in http and https"
	}
	return ""
}
