package web

import (
	"log/slog"
	"maps"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"latchkey/adapters/web/page"
	"latchkey/domain/oidc"
	"latchkey/ports"
)

// Config is what the handler is made of. Every field is required except Demo.
type Config struct {
	Issuer         string
	TrustedProxies []netip.Prefix
	Log            *slog.Logger
	Now            ports.Clock
	Secrets        ports.Secrets
	Keychain       ports.Keychain // for CSRF tokens
	Limits         ports.RateLimiter
	Metrics        ports.Metrics
	Health         ports.Health

	Authorization ports.AuthorizationEndpoint
	Token         ports.TokenEndpoint
	UserInfo      ports.UserInfoEndpoint
	Revocation    ports.RevocationEndpoint
	Introspection ports.IntrospectionEndpoint
	Logout        ports.LogoutEndpoint
	SingleLogout  ports.SingleLogout
	Publications  ports.Publications
	Sessions      ports.SessionEndpoint
	Account       ports.AccountEndpoint
	Setup         ports.SetupEndpoint
	Reset         ports.ResetEndpoint
	Denials       ports.Denials

	Challenges ports.ChallengeEndpoint
	Factors    ports.FactorEndpoint
	Passkeys   ports.PasskeyEndpoint

	Administrators ports.Administrators
	Explainer      ports.Explainer
	Notices        ports.Notices

	Demo string // path of the demonstration application, for a link; empty: there is none
}

// Paths of the endpoints that metadata names.
var Paths = oidc.Endpoints{Authorization: "/authorize", Token: "/token", UserInfo: "/userinfo", JWKS: "/.well-known/jwks.json",
	Revocation: "/revocation", Introspection: "/introspect", EndSession: "/connect/logout", CheckSession: "/connect/checksession"}

// server answers requests.
type server struct {
	Config
	secure         bool   // the issuer is https
	origin         string // of the issuer: where our own forms come from
	base           string // path of the issuer, usually empty
	pages          *page.Pages
	frameOfSession page.CheckSession
	routes         map[string]route
	request        requestIDs
}

// handler answers one request, or returns the error to answer with.
type handler func(http.ResponseWriter, *request) error

// route is one path.
type route struct {
	methods map[string]handler
	machine bool // called by programs: JSON errors, CORS for registered origins, no cookies
	public  bool // machine, and readable from any origin
	shared  bool // a page that browser applications call too, with a token: CORS as for machine
	quiet   bool // not worth a log line when it goes well
	clients bool // charged by the use case, which knows whether a client authenticated

	endpoint ports.Endpoint // what all its paths are counted as
}

// New returns the handler of the whole provider.
func New(cfg Config) (http.Handler, error) {
	issuer, err := url.Parse(cfg.Issuer)
	if err != nil {
		return nil, err
	}
	s := &server{Config: cfg, secure: issuer.Scheme == "https", origin: issuer.Scheme + "://" + issuer.Host, base: issuer.Path}
	if s.pages, err = page.New(s.origin + s.base); err != nil {
		return nil, err
	}
	s.frameOfSession = page.NewCheckSession(s.cookieName(cookieState))
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

	groups := []struct {
		paths []string
		route route
	}{
		{[]string{"/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"},
			route{methods: document(s.metadata), machine: true, public: true, quiet: true, endpoint: ports.EndpointDiscovery}},
		{[]string{Paths.JWKS, "/jwks", "/jwk.json"}, route{methods: document(s.keySet), machine: true, public: true, quiet: true, endpoint: ports.EndpointJWKS}},
		{[]string{Paths.Token, "/oauth2/token", "/connect/token", "/access_tokens"}, route{methods: post(s.token), machine: true, endpoint: ports.EndpointToken, clients: true}},
		{[]string{Paths.UserInfo, "/connect/userinfo", "/user_info"}, route{methods: both(s.userInfo), machine: true, endpoint: ports.EndpointUserInfo}},
		{[]string{Paths.Revocation, "/oauth/revoke", "/oauth2/revocation"}, route{methods: post(s.revokeSilently), machine: true, endpoint: ports.EndpointRevocation, clients: true}},
		{[]string{"/revoke", "/connect/revocation"}, route{methods: post(s.revoke), machine: true, endpoint: ports.EndpointRevocation, clients: true}},
		{[]string{Paths.Introspection, "/oauth2/introspect", "/connect/introspect"}, route{methods: post(s.introspect), machine: true, endpoint: ports.EndpointIntrospection, clients: true}},

		{[]string{Paths.Authorization, "/oauth2/authorize", "/connect/authorize", "/authorizations/new"}, route{methods: both(s.authorize), endpoint: ports.EndpointAuthorize}},
		{[]string{"/login"}, route{methods: form(s.showLogin, s.login), endpoint: ports.EndpointLogin}},
		{[]string{"/select-account"}, route{methods: form(s.showInteraction, s.selectAccount), endpoint: ports.EndpointConsent}},
		{[]string{"/consent"}, route{methods: form(s.showInteraction, s.consent), endpoint: ports.EndpointConsent}},
		{[]string{"/authorizations"}, route{methods: post(s.consent), endpoint: ports.EndpointConsent}},
		{[]string{"/logout"}, route{methods: post(s.signOut), endpoint: ports.EndpointLogout}},
		{[]string{Paths.EndSession, "/connect/endsession"}, route{methods: both(s.logout), shared: true, endpoint: ports.EndpointLogout}},
		{[]string{frontChannelPath}, route{methods: get(s.frontChannel), shared: true, endpoint: ports.EndpointFrontChannel}},
		{[]string{"/connect/register-session"}, route{methods: post(s.registerSession), machine: true, endpoint: ports.EndpointRegisterSession}},
		{[]string{Paths.CheckSession}, route{methods: document(s.checkSession), machine: true, public: true, quiet: true, endpoint: ports.EndpointStatic}},
		{[]string{confirmLogoutPath}, route{methods: post(s.confirmLogout), endpoint: ports.EndpointLogout}},
		{[]string{"/account"}, route{methods: get(s.own(s.showAccount)), endpoint: ports.EndpointPage}},
		{[]string{"/account/password"}, route{methods: form(s.own(s.showPassword), s.own(s.changePassword)), endpoint: ports.EndpointLogin}},
		{[]string{"/account/email"}, route{methods: form(s.own(s.showEmail), s.own(s.changeEmail)), endpoint: ports.EndpointAccount}},
		{[]string{"/account/sessions"}, route{methods: form(s.backToAccount, s.own(s.endSession)), endpoint: ports.EndpointAccount}},
		{[]string{activityPath}, route{methods: get(s.own(s.showActivity)), endpoint: ports.EndpointPage}},
		{[]string{"/account/applications"}, route{methods: form(s.own(s.showApplication), s.own(s.disconnect)), endpoint: ports.EndpointAccount}},
		{[]string{factorPath}, route{methods: form(s.showFactor, s.answerFactor), endpoint: ports.EndpointLogin}},
		{[]string{totpPath}, route{methods: form(s.own(s.showTOTP), s.own(s.confirmTOTP)), endpoint: ports.EndpointLogin}},
		{[]string{offerForm.path}, route{methods: form(s.toTOTP, s.own(s.offerTOTP)), endpoint: ports.EndpointAccount}},
		{[]string{renameForm.path}, route{methods: form(s.own(s.showFactors), s.own(s.renameFactor)), endpoint: ports.EndpointAccount}},
		{[]string{removeForm.path}, route{methods: form(s.backToAccount, s.own(s.removeFactor)), endpoint: ports.EndpointLogin}},
		{[]string{recoveryForm.path}, route{methods: form(s.backToAccount, s.own(s.makeCodes)), endpoint: ports.EndpointAccount}},
		{[]string{savedForm.path}, route{methods: form(s.backToAccount, s.own(s.saveCodes)), endpoint: ports.EndpointAccount}},
		{[]string{passkeysPath}, route{methods: form(s.own(s.showPasskeys), s.own(s.addPasskey)), endpoint: ports.EndpointAccount}},
		{[]string{"/login/passkey"}, route{methods: post(s.askSignIn), endpoint: ports.EndpointPage}},
		{[]string{factorPath + "/passkey"}, route{methods: post(s.askFactor), endpoint: ports.EndpointPage}},
		{[]string{passkeysPath + "/challenge"}, route{methods: post(s.askNew), endpoint: ports.EndpointPage}},
		{[]string{removeForm.path + "/passkey"}, route{methods: post(s.askRemoval), endpoint: ports.EndpointPage}},
		{[]string{page.PasskeyScript.Path}, route{methods: document(s.serve(page.PasskeyScript)), quiet: true, endpoint: ports.EndpointStatic}},
		{[]string{"/.well-known/passkey-endpoints"}, route{methods: get(s.passkeyEndpoints), endpoint: ports.EndpointPage}},
		{[]string{"/.well-known/change-password"}, route{methods: get(s.toPassword), endpoint: ports.EndpointPage}},
		{[]string{"/setup"}, route{methods: form(s.showSetup, s.setup), endpoint: ports.EndpointSetup}},
		{[]string{"/reset"}, route{methods: form(s.showReset, s.reset), endpoint: ports.EndpointSetup}},
		{[]string{"/"}, route{methods: get(s.home), endpoint: ports.EndpointPage}},
		{[]string{adminPath}, route{methods: get(s.showAdmin), endpoint: ports.EndpointPage}},
		{[]string{adminPath + "/explain"}, route{methods: get(s.showExplain), endpoint: ports.EndpointPage}},
		{[]string{deliveriesPath}, route{methods: get(s.showDeliveries), endpoint: ports.EndpointPage}},
		{[]string{"/errors"}, route{methods: get(s.errorCodes), endpoint: ports.EndpointPage}},
		{[]string{page.StyleSheet.Path}, route{methods: document(s.serve(page.StyleSheet)), quiet: true, endpoint: ports.EndpointStatic}},
		{[]string{"/healthz"}, route{methods: document(s.healthz), machine: true, public: true, endpoint: ports.EndpointHealth}},
		{[]string{"/readyz"}, route{methods: document(s.readyz), machine: true, public: true, endpoint: ports.EndpointHealth}},
	}
	table := map[string]route{}
	for _, g := range groups {
		for _, path := range g.paths {
			if underAdmin(path) {
				table[s.base+path] = s.guarded(g.route)
				continue
			}
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
