package explain

import "strings"

// application is a relying party that is known by the path of its callback, and the setting it makes that address from.
type application struct{ name, path, setting string }

// applications are looked for in this order; a path that ends with * is the beginning of one.
var applications = []application{
	{"Grafana", "/login/generic_oauth", "root_url in [server] (GF_SERVER_ROOT_URL)"},
	{"Nextcloud (user_oidc)", "/apps/user_oidc/code", "overwriteprotocol, overwritehost, trusted_proxies in config.php"},
	{"Nextcloud (oidc_login)", "/apps/oidc_login/oidc", "overwriteprotocol, overwritehost, trusted_proxies in config.php"},
	{"Nextcloud (sociallogin)", "/apps/sociallogin/custom_oidc/*", "overwriteprotocol, overwritehost, trusted_proxies in config.php"},
	{"oauth2-proxy", "/oauth2/callback", "--redirect-url (OAUTH2_PROXY_REDIRECT_URL)"},
	{"Auth.js (NextAuth)", "/api/auth/callback/*", "NEXTAUTH_URL (AUTH_URL)"},
	{"mod_auth_openidc", "/redirect_uri", "OIDCRedirectURI"},
	{"mod_auth_openidc", "/oauth2callback", "OIDCRedirectURI"},
	{"Gitea or Forgejo", "/user/oauth2/*", "ROOT_URL in [server]"},
	{"GitLab", "/users/auth/openid_connect/callback", "external_url and redirect_uri in gitlab.rb"},
	{"Argo CD", "/auth/callback", "url in argocd-cm"},
	{"Spring Security", "/login/oauth2/code/*", "server.forward-headers-strategy"},
	{"ASP.NET Core", "/signin-oidc", "ForwardedHeaders (ASPNETCORE_FORWARDEDHEADERS_ENABLED)"},
	{"Miniflux", "/oauth2/oidc/callback", "OAUTH2_REDIRECT_URL"},
	{"Outline", "/auth/oidc.callback", "URL"},
	{"Open WebUI", "/oauth/oidc/callback", "WEBUI_URL"},
	{"Vaultwarden", "/identity/connect/oidc-signin", "DOMAIN"},
	{"Django (allauth)", "/accounts/oidc/*", "PAPERLESS_URL, or SECURE_PROXY_SSL_HEADER"},
}

// recognise finds the application by the address it sent, or else by the one it was registered with: of a wrong path only
// the registered one tells.
func recognise(addresses ...string) (application, bool) {
	for _, address := range addresses {
		_, rest, _ := strings.Cut(address, "://")
		_, path, found := strings.Cut(rest, "/")
		path, _, _ = strings.Cut(path, "?")
		path = strings.TrimSuffix(strings.ToLower("/"+strings.TrimLeft(path, "/")), "/")
		for _, a := range applications {
			beginning, open := strings.CutSuffix(a.path, "*")
			// An application often lives below a path of its own.
			if found && (!open && strings.HasSuffix(path, a.path) || open && strings.Contains(path+"/", beginning)) {
				return a, true
			}
		}
	}
	return application{}, false
}
