package main

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"regexp"
	"strings"
	"time"
)

// Config describes one OpenID Provider under test.
type Config struct {
	Name       string     `json:"name"`
	Issuer     string     `json:"issuer"`
	Durability Durability `json:"durability"`
	// Clients by role: "code" runs the code flow, "refresh" owns refresh chains
	// (default: code), "cc" uses client_credentials, "resource" authenticates
	// introspection (default: cc, then code).
	Clients map[string]OAuthClient `json:"clients"`
	Users   []User                 `json:"users"` // worker i signs in as user i modulo their number
	// Accept is a regular expression on id, value and text of the button that
	// means yes. The default fits English pages.
	Accept string `json:"accept"`
	// RefreshParams are added to the authorization request of a grant that must
	// yield a refresh token.
	RefreshParams     map[string]string `json:"refresh_authorize_params"`
	RevokePoolSeconds int               `json:"revoke_pool_seconds"` // time given to minting tokens to revoke (default 10)
	RawURL            string            `json:"raw_url"`             // scenario "raw": GET this URL, 200 expected

	endpoints Endpoints
	mint      time.Duration // RevokePoolSeconds
	accept    *regexp.Regexp
}

// Durability is what the operator of the run states about the storage. It is
// copied into every result so that a durable provider and one in memory are not
// compared by accident.
type Durability struct {
	Durable bool   `json:"durable"` // an acknowledged token survives a power cut
	Storage string `json:"storage"` // e.g. "SQLite WAL synchronous=FULL"
}

// Endpoints are read from the discovery document (OpenID Connect Discovery 1.0,
// section 3; RFC 8414, section 2).
type Endpoints struct {
	Authorization string `json:"authorization_endpoint"`
	Token         string `json:"token_endpoint"`
	JWKS          string `json:"jwks_uri"`
	Introspection string `json:"introspection_endpoint"`
	Userinfo      string `json:"userinfo_endpoint"`
	Revocation    string `json:"revocation_endpoint"`
}

// OAuthClient is one registered OAuth client.
type OAuthClient struct {
	ID          string `json:"id"`
	Secret      string `json:"secret"`
	Auth        string `json:"auth"` // "basic" (default), "post" or "none"
	Scope       string `json:"scope"`
	RedirectURI string `json:"redirect_uri"` // nothing needs to listen there: the generator stops at it
}

// User is one person who signs in.
type User struct {
	Name     string `json:"name"`
	Password string `json:"password"`
}

// authHeader is the Authorization value of client_secret_basic, else "". Both
// parts are form-encoded first (RFC 6749, section 2.3.1).
func (c *OAuthClient) authHeader() string {
	if c.Auth == "post" || c.Auth == "none" {
		return ""
	}
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(url.QueryEscape(c.ID)+":"+url.QueryEscape(c.Secret)))
}

// form adds the credentials that travel in the body.
func (c *OAuthClient) form(v url.Values) url.Values {
	switch c.Auth {
	case "post":
		v.Set("client_id", c.ID)
		v.Set("client_secret", c.Secret)
	case "none":
		v.Set("client_id", c.ID)
	}
	return v
}

// client returns the first of the roles that is configured, or nil.
func (c *Config) client(roles ...string) *OAuthClient {
	for _, r := range roles {
		if cl, ok := c.Clients[r]; ok {
			return &cl
		}
	}
	return nil
}

func (c *Config) user(i int) User {
	if len(c.Users) == 0 {
		return User{}
	}
	return c.Users[i%len(c.Users)]
}

// loadConfig reads the description of a provider; unknown members are errors.
func loadConfig(path string) (*Config, error) {
	if path == "" {
		return nil, errors.New("say what to measure: -bench -server BINARY, or -config FILE")
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	c := &Config{}
	d := json.NewDecoder(f)
	d.DisallowUnknownFields()
	if err := d.Decode(c); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	for role, cl := range c.Clients {
		switch cl.Auth {
		case "", "basic", "post", "none":
		default:
			return nil, fmt.Errorf("%s: client %q: auth %q is none of basic, post, none", path, role, cl.Auth)
		}
	}
	return c, c.complete()
}

const defaultAccept = `(?i)accept|allow|approve|grant|continue|authori[sz]e|yes|sign.?in|log.?in|submit`

// complete sets the defaults.
func (c *Config) complete() (err error) {
	if c.Accept == "" {
		c.Accept = defaultAccept
	}
	if c.RevokePoolSeconds == 0 {
		c.RevokePoolSeconds = 10
	}
	c.mint = time.Duration(c.RevokePoolSeconds) * time.Second
	c.accept, err = regexp.Compile(c.Accept)
	return err
}

func (c *Config) discoveryURL() string {
	return strings.TrimSuffix(c.Issuer, "/") + "/.well-known/openid-configuration"
}

// discover reads the endpoints and returns the discovery document.
func (c *Config) discover() ([]byte, error) {
	h := NewClient()
	defer h.Close()
	t, err := parseTarget(c.discoveryURL())
	if err != nil {
		return nil, err
	}
	r, err := h.Do(Request{Method: "GET", To: t})
	if err != nil {
		return nil, err
	}
	if r.Status != 200 {
		return nil, fmt.Errorf("discovery answered %d", r.Status)
	}
	var d struct {
		Issuer string `json:"issuer"`
		Endpoints
	}
	if err := json.Unmarshal(r.Body, &d); err != nil {
		return nil, fmt.Errorf("discovery: %w", err)
	}
	if d.Issuer != c.Issuer {
		return nil, fmt.Errorf("discovery says issuer %q, expected %q", d.Issuer, c.Issuer)
	}
	c.endpoints = d.Endpoints
	return r.Body, nil
}
