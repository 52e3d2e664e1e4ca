package main

// Scenario is one kind of work.
type Scenario struct {
	Name    string
	Doc     string
	Missing func(f *Flow) string // why the provider cannot run it, or ""
	Setup   func(w *worker) error
	Op      func(w *worker) error
	PreMint bool // tokens are minted before measuring; there is no warm-up, and it ends when they are spent
	Resetup bool // an error loses the worker's state: Setup runs again
}

func scenarioNamed(name string) *Scenario {
	for _, s := range scenarios() {
		if s.Name == name {
			return s
		}
	}
	return nil
}

func scenarios() []*Scenario {
	return []*Scenario{
		{Name: "raw", Doc: "GET raw_url: the ceiling of any HTTP server",
			Missing: needs("raw_url", func(f *Flow) target { return f.tRaw }),
			Op: func(w *worker) error {
				return w.document("raw", w.f.tRaw, func([]byte) error { return nil })
			}},
		{Name: "discovery", Doc: "GET the discovery document",
			Missing: needs("discovery document", func(f *Flow) target { return f.tDiscovery }),
			Op:      func(w *worker) error { return w.document("discovery", w.f.tDiscovery, w.f.checkDiscovery) }},
		{Name: "jwks", Doc: "GET the JSON Web Key Set",
			Missing: needs("jwks_uri", func(f *Flow) target { return f.tJWKS }),
			Op:      func(w *worker) error { return w.document("jwks", w.f.tJWKS, checkJWKS) }},
		{Name: "client_credentials", Doc: "POST token, grant_type client_credentials",
			Missing: func(f *Flow) string {
				if f.cc == nil {
					return `no client "cc" in the configuration`
				}
				return ""
			},
			Op: func(w *worker) error { _, err := w.f.ClientCredentials(w.h); return err }},
		{Name: "introspection", Doc: "POST introspection of an active access token",
			Missing: both(needs("introspection endpoint", func(f *Flow) target { return f.tIntro }), needToken),
			Setup: func(w *worker) (err error) {
				w.token, _, err = w.accessToken()
				w.h.Jar = nil
				return err
			},
			Op: func(w *worker) error {
				active, err := w.f.Introspect(w.h, w.token)
				if err == nil && !active {
					err = &statusError{"introspection: active token reported inactive", ""}
				}
				return err
			}},
		{Name: "userinfo", Doc: "GET userinfo with a bearer token",
			Missing: both(needs("userinfo endpoint", func(f *Flow) target { return f.tUserinfo }), needCode),
			Setup: func(w *worker) error {
				t, err := w.login(w.f.code, false)
				w.token, w.h.Jar = "Bearer "+t.Access, nil
				return err
			},
			Op: func(w *worker) error { return w.f.Userinfo(w.h, w.token) }},
		{Name: "refresh", Doc: "POST token, grant_type refresh_token: every worker spends its own chain of rotating tokens",
			Missing: needCode, Resetup: true,
			Setup: func(w *worker) error {
				t, err := w.login(w.f.rt, true)
				w.rt, w.h.Jar = t.Refresh, nil
				return err
			},
			Op: func(w *worker) error {
				t, err := w.f.Refresh(w.h, w.rt)
				if err == nil {
					w.rt = t.Refresh
				}
				return err
			}},
		{Name: "code_session", Doc: "authorize -> code -> token (PKCE S256) with a live session and consent given; no page may appear",
			Missing: needCode, Resetup: true,
			Setup: func(w *worker) error { _, err := w.login(w.f.code, false); return err },
			Op: func(w *worker) error {
				_, err := w.f.Code(w.h, codeOpts{client: w.f.code, user: w.user, authorize: &w.steps.authorize, token: &w.steps.token})
				return err
			}},
		{Name: "code_login", Doc: "the same from a fresh browser: login page, consent page unless remembered, code, token",
			Missing: needCode,
			Op: func(w *worker) error {
				w.h.Jar = &Jar{}
				_, err := w.f.Code(w.h, codeOpts{client: w.f.code, user: w.user, interactive: true,
					authorize: &w.steps.authorize, token: &w.steps.token, pages: &w.pages})
				return err
			}},
		{Name: "revocation", Doc: "POST revocation of a live access token",
			Missing: both(needs("revocation endpoint", func(f *Flow) target { return f.tRevoke }), needToken),
			PreMint: true,
			Op: func(w *worker) error {
				t, ok := w.pool.take()
				if !ok {
					return errDrained
				}
				owner := w.f.cc
				if owner == nil {
					owner = w.f.code
				}
				return w.f.Revoke(w.h, owner, t)
			}},
	}
}

func needs(what string, get func(f *Flow) target) func(*Flow) string {
	return func(f *Flow) string {
		if get(f).origin == "" {
			return "no " + what
		}
		return ""
	}
}

func needCode(f *Flow) string {
	if f.code == nil {
		return `no client "code" in the configuration`
	}
	if f.cfg.endpoints.Authorization == "" {
		return "no authorization endpoint"
	}
	return ""
}

func needToken(f *Flow) string {
	if f.cc != nil {
		return ""
	}
	return needCode(f)
}

func both(a, b func(*Flow) string) func(*Flow) string {
	return func(f *Flow) string {
		if s := a(f); s != "" {
			return s
		}
		return b(f)
	}
}
