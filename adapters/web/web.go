package web

import (
	"log/slog"
	"maps"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"latchkey/domain/oidc"
	"latchkey/ports"
)

// Config is what the handler is made of. Every field is required.
type Config struct {
	Issuer         string
	TrustedProxies []netip.Prefix
	Log            *slog.Logger
	Now            ports.Clock
	Secrets        ports.Secrets
	Keychain       ports.Keychain // for CSRF tokens

	Authorization ports.AuthorizationEndpoint
	Token         ports.TokenEndpoint
	UserInfo      ports.UserInfoEndpoint
	Publications  ports.Publications
	Sessions      ports.SessionEndpoint
	Account       ports.AccountEndpoint
	Setup         ports.SetupEndpoint
	Denials       ports.Denials
}

// Paths of the endpoints that metadata names.
var Paths = oidc.Endpoints{Authorization: "/authorize", Token: "/token", UserInfo: "/userinfo", JWKS: "/.well-known/jwks.json"}

// server answers requests.
type server struct {
	Config
	secure  bool   // the issuer is https
	origin  string // of the issuer: where our own forms come from
	base    string // path of the issuer, usually empty
	pages   *pages
	routes  map[string]route
	request requestIDs
}

// handler answers one request, or returns the error to answer with.
type handler func(http.ResponseWriter, *request) error

// route is one path.
type route struct {
	methods map[string]handler
	machine bool // called by programs: JSON errors, CORS for registered origins, no cookies
	public  bool // machine, and readable from any origin
	quiet   bool // not worth a log line when it goes well
}

// New returns the handler of the whole provider.
func New(cfg Config) (http.Handler, error) {
	issuer, err := url.Parse(cfg.Issuer)
	if err != nil {
		return nil, err
	}
	pages, err := newPages()
	if err != nil {
		return nil, err
	}
	s := &server{Config: cfg, secure: issuer.Scheme == "https", origin: issuer.Scheme + "://" + issuer.Host, base: issuer.Path, pages: pages}
	s.routes = s.table()
	s.request.seed()
	return s, nil
}

// table is the whole URL map. An alias shares its endpoint's handler and with it every rule.
func (s *server) table() map[string]route {
	get := func(h handler) map[string]handler { return map[string]handler{"GET": h} }
	post := func(h handler) map[string]handler { return map[string]handler{"POST": h} }
	both := func(h handler) map[string]handler { return map[string]handler{"GET": h, "POST": h} }
	form := func(show, submit handler) map[string]handler { return map[string]handler{"GET": show, "POST": submit} }
	document := func(h handler) map[string]handler { return map[string]handler{"GET": h, "HEAD": h} }
	style, _ := s.pages.style()

	groups := []struct {
		paths []string
		route route
	}{
		{[]string{"/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"},
			route{methods: document(s.metadata), machine: true, public: true, quiet: true}},
		{[]string{Paths.JWKS, "/jwks", "/jwk.json"}, route{methods: document(s.keySet), machine: true, public: true, quiet: true}},
		{[]string{Paths.Token, "/oauth2/token", "/connect/token", "/access_tokens"}, route{methods: post(s.token), machine: true}},
		{[]string{Paths.UserInfo, "/connect/userinfo", "/user_info"}, route{methods: both(s.userInfo), machine: true}},

		{[]string{Paths.Authorization, "/oauth2/authorize", "/connect/authorize", "/authorizations/new"}, route{methods: both(s.authorize)}},
		{[]string{"/login"}, route{methods: form(s.showLogin, s.login)}},
		{[]string{"/select-account"}, route{methods: form(s.showInteraction, s.selectAccount)}},
		{[]string{"/consent"}, route{methods: form(s.showInteraction, s.consent)}},
		{[]string{"/authorizations"}, route{methods: post(s.consent)}},
		{[]string{"/logout"}, route{methods: post(s.signOut)}},
		{[]string{"/account"}, route{methods: get(s.own(s.showAccount))}},
		{[]string{"/account/password"}, route{methods: form(s.own(s.showPassword), s.own(s.changePassword))}},
		{[]string{"/account/email"}, route{methods: form(s.own(s.showEmail), s.own(s.changeEmail))}},
		{[]string{"/account/sessions"}, route{methods: form(s.backToAccount, s.own(s.endSession))}},
		{[]string{"/account/applications"}, route{methods: form(s.backToAccount, s.own(s.disconnect))}},
		{[]string{"/.well-known/change-password"}, route{methods: get(s.toPassword)}},
		{[]string{"/setup"}, route{methods: form(s.showSetup, s.setup)}},
		{[]string{"/"}, route{methods: get(s.home)}},
		{[]string{"/errors"}, route{methods: get(s.errorCodes)}},
		{[]string{style}, route{methods: document(s.styleSheet), quiet: true}},
	}
	table := map[string]route{}
	for _, g := range groups {
		for _, path := range g.paths {
			table[s.base+path] = g.route
			// With a path in the issuer, RFC 8414 §3.1 puts the well-known part before it.
			if strings.HasPrefix(path, "/.well-known/o") {
				table[path+s.base] = g.route
			}
		}
	}
	return table
}

// allowed lists the methods of a route for the Allow header.
func (r route) allowed() string {
	return strings.Join(slices.Sorted(maps.Keys(r.methods)), ", ")
}

// path returns the path of a page of ours as browsers see it.
func (s *server) path(p string) string { return s.base + p }
