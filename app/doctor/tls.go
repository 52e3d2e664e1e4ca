package doctor

import (
	"fmt"
	"time"

	"latchkey/ports"
)

// Certificates are renewed weeks before they end: with less left, the renewal does not work.
const (
	renewSoon = 21 * 24 * time.Hour
	renewNow  = 3 * 24 * time.Hour
)

// handshake judges the certificate that a client meets at the issuer's URL.
func (j *judge) handshake(a ports.Answer) {
	t := a.TLS
	if t == nil {
		return
	}
	host, why := hostOf(a.URL), "Browsers warn people away and applications refuse to connect."
	look := "openssl s_client -connect " + quote(authority(a.URL)) + " -servername " + quote(host) + " </dev/null"
	served := j.Subject.serve(func(s *Subject) { s.TLSCert, s.TLSKey = "fullchain.pem", "privkey.pem" })
	switch {
	case t.Trusted:
	case t.SelfSigned:
		j.add(Error, "tls.selfsigned", "The certificate of "+host+" vouches for itself.", why,
			"Get one from an authority that browsers know, and serve it; or give the roots of every machine yours.", look, served)
	case t.Sent == 1:
		j.add(Error, "tls.chain", fmt.Sprintf("The certificate of %s is by %q, which this machine does not know, and no other came with it.", host, t.Leaf.Issuer),
			why+" Mostly the chain is cut: the certificate alone is served.", "Serve the full chain, which certificate tools call fullchain.pem.", look, served)
	default:
		j.add(Error, "tls.untrusted", fmt.Sprintf("The certificate of %s is by %q, which this machine does not know.", host, t.Leaf.Issuer), why,
			"Get one from an authority that browsers know; or, for an authority of your own, add its root to every machine.", look, served)
	}
	if !t.Named {
		j.add(Error, "tls.name", fmt.Sprintf("The certificate at %s is for %s.", host, names(t.Leaf)), why,
			"Get one for "+host+", or let the proxy choose the right one by name.", look, served)
	}
	sound := t.Trusted && t.Named
	if j.life("tls", "The certificate of "+host, t.Leaf, look) && sound {
		j.ok("tls", "The certificate of %s is trusted and ends in %s.", host, span(t.Leaf.NotAfter.Sub(j.now)))
	}
}

// certificateFile judges the certificate that serve is given.
func (j *judge) certificateFile() {
	s, c := j.Subject, j.Certificate
	switch {
	case s.TLSCert == "" && s.TLSKey == "":
		return
	case s.TLSCert == "" || s.TLSKey == "":
		j.add(Error, "certificate.unusable", "tls-cert and tls-key go together, and one is missing.", "No server starts with one of them.", "Give both.",
			s.serve(func(s *Subject) {
				if s.TLSCert == "" {
					s.TLSCert = "fullchain.pem"
				} else {
					s.TLSKey = "privkey.pem"
				}
			}))
		return
	case c.Problem != "":
		j.add(Error, "certificate.unusable", fmt.Sprintf("%s and %s cannot be served: %s.", s.TLSCert, s.TLSKey, c.Problem), "No server starts with them, and a running one keeps the old ones.",
			"Put the chain and the key that belongs to it there: a running server takes them within seconds.", "openssl x509 -noout -pubkey -in "+quote(s.TLSCert), "openssl pkey -pubout -in "+quote(s.TLSKey))
		return
	}
	if j.life("certificate", s.TLSCert, c.Leaf, "openssl x509 -noout -dates -subject -in "+quote(s.TLSCert)) {
		j.ok("certificate", "%s fits its key and ends in %s.", s.TLSCert, span(c.Leaf.NotAfter.Sub(j.now)))
	}
}

// life judges how long a certificate is still good, and reports whether there is nothing to say.
func (j *judge) life(id, name string, c ports.Certificate, look string) bool {
	why := "When it ends, browsers warn people away and applications refuse to connect."
	mend := "Renew it; a server of ours takes the new files within seconds. Certificates are renewed weeks before: see why yours was not."
	left := c.NotAfter.Sub(j.now)
	switch {
	case j.now.Before(c.NotBefore):
		j.add(Error, id+".early", fmt.Sprintf("%s is good from %s on only.", name, date(c.NotBefore)), "Until then browsers warn people away and applications refuse to connect.",
			"Wait, or set this machine's clock right.", "timedatectl status", look)
	case left <= 0:
		j.add(Error, id+".expired", fmt.Sprintf("%s ended %s ago.", name, span(left)), "Browsers warn people away and applications refuse to connect.", mend, look)
	case left < renewNow:
		j.add(Error, id+".expiring", fmt.Sprintf("%s ends in %s.", name, span(left)), why, mend, look)
	case left < renewSoon:
		j.add(Warning, id+".expiring", fmt.Sprintf("%s ends in %s.", name, span(left)), why, mend, look)
	default:
		return true
	}
	return false
}

func names(c ports.Certificate) string {
	if len(c.Names) == 0 {
		return "no name at all"
	}
	return list(c.Names)
}
