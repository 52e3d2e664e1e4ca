package main

import (
	"strconv"
	"strings"
	"time"
)

// Jar is a small per-worker cookie jar keyed by host (ports share cookies, as
// in browsers) and path. Secure is ignored: all traffic is loopback.
type Jar struct{ list []cookie }

type cookie struct{ host, path, name, value string }

func hostOnly(h string) string {
	if i := strings.LastIndexByte(h, ':'); i >= 0 && !strings.HasSuffix(h, "]") {
		return h[:i]
	}
	return h
}

func pathMatch(req, ck string) bool {
	if i := strings.IndexByte(req, '?'); i >= 0 {
		req = req[:i]
	}
	if !strings.HasPrefix(req, ck) {
		return false
	}
	return len(req) == len(ck) || strings.HasSuffix(ck, "/") || req[len(ck)] == '/'
}

func (j *Jar) appendHeader(w []byte, t target) []byte {
	host, first := hostOnly(t.host), true
	for i := range j.list {
		k := &j.list[i]
		if (k.host != host && !strings.HasSuffix(host, "."+k.host)) || !pathMatch(t.path, k.path) {
			continue
		}
		if first {
			w = append(w, "Cookie: "...)
			first = false
		} else {
			w = append(w, "; "...)
		}
		w = append(w, k.name...)
		w = append(w, '=')
		w = append(w, k.value...)
	}
	if !first {
		w = append(w, '\r', '\n')
	}
	return w
}

func (j *Jar) set(t target, line string) {
	parts := strings.Split(line, ";")
	name, value, ok := strings.Cut(strings.TrimSpace(parts[0]), "=")
	if !ok {
		return
	}
	p := t.path
	if i := strings.IndexByte(p, '?'); i >= 0 {
		p = p[:i]
	}
	if i := strings.LastIndexByte(p, '/'); i > 0 {
		p = p[:i]
	} else {
		p = "/"
	}
	k := cookie{host: hostOnly(t.host), path: p, name: name, value: value}
	dead, haveAge := false, false
	for _, a := range parts[1:] {
		an, av, _ := strings.Cut(strings.TrimSpace(a), "=")
		switch strings.ToLower(an) {
		case "path":
			if strings.HasPrefix(av, "/") {
				k.path = av
			}
		case "domain":
			if av != "" {
				k.host = strings.TrimPrefix(av, ".")
			}
		case "max-age":
			n, err := strconv.ParseInt(av, 10, 64)
			haveAge = err == nil
			dead = haveAge && n <= 0
		case "expires":
			if !haveAge {
				for _, f := range []string{time.RFC1123, "Mon, 02-Jan-2006 15:04:05 MST", time.RFC850, time.ANSIC} {
					if e, err := time.Parse(f, av); err == nil {
						dead = e.Before(time.Now())
						break
					}
				}
			}
		}
	}
	for i := range j.list {
		if j.list[i].host == k.host && j.list[i].path == k.path && j.list[i].name == k.name {
			if dead {
				j.list = append(j.list[:i], j.list[i+1:]...)
			} else {
				j.list[i] = k
			}
			return
		}
	}
	if !dead {
		j.list = append(j.list, k)
	}
}
