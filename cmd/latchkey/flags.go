package main

import (
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"strings"

	"latchkey/app"
)

// flag is something a command may be told. It is a switch when it has no value.
type flag struct {
	name  string
	value string // what help calls its value
	help  string
	env   bool // has a twin in the environment
	many  bool // may be repeated
}

const twinPrefix = "LATCHKEY_"

// twin is the name of the flag in the environment.
func (f flag) twin() string {
	return twinPrefix + strings.ToUpper(strings.ReplaceAll(f.name, "-", "_"))
}

// values are the flags that were given, by name.
type values map[string][]string

func (v values) text(name string) string {
	if len(v[name]) == 0 {
		return ""
	}
	return v[name][0]
}

func (v values) has(name string) bool { return len(v[name]) > 0 }

// secretsInArguments are flags that do not exist, and why.
var secretsInArguments = []string{"password", "client-secret", "secret"}

// environment reads what os.Environ returns.
func environment(lines []string) map[string]string {
	env := make(map[string]string, len(lines))
	for _, line := range lines {
		name, value, _ := strings.Cut(line, "=")
		env[name] = value
	}
	return env
}

// misspelt finds variables that were meant for us and are the twin of no flag: a server that leaves LATCHKEY_TRUSTED_PROXY out
// of account runs, and counts every visitor as the proxy. What is not like any twin belongs to somebody else.
func misspelt(env map[string]string) error {
	twins := map[string]bool{}
	for _, cmd := range commands() {
		for _, f := range cmd.flags {
			if f.env {
				twins[f.twin()] = true
			}
		}
	}
	var problems []error
	for _, name := range slices.Sorted(maps.Keys(env)) {
		if !strings.HasPrefix(name, twinPrefix) || twins[name] {
			continue
		}
		for _, twin := range slices.Sorted(maps.Keys(twins)) {
			if own := strings.TrimPrefix(twin, twinPrefix); 4*distance(strings.TrimPrefix(name, twinPrefix), own) <= len(own) {
				problems = append(problems, fmt.Errorf("%s in the environment is no setting: did you mean %s?", name, twin))
			}
		}
	}
	return errors.Join(problems...)
}

// parseArguments reads flags, which may stand anywhere, and positional arguments. A flag wins over the environment.
func parseArguments(known []flag, args []string, env map[string]string) (values, []string, error) {
	given := values{}
	var positional []string
	var problems []error
	for len(args) > 0 {
		arg := args[0]
		args = args[1:]
		if arg == "--" {
			positional = append(positional, args...)
			break
		}
		if arg == "-" || !strings.HasPrefix(arg, "-") {
			positional = append(positional, arg)
			continue
		}
		name, value, inline := strings.Cut(strings.TrimLeft(arg, "-"), "=")
		if slices.Contains(secretsInArguments, name) {
			return nil, nil, usage("--%[1]s does not exist: every user of this machine can read arguments, and the shell keeps them. "+
				"Use --%[1]s-stdin or --%[1]s-file", name)
		}
		i := slices.IndexFunc(known, func(f flag) bool { return f.name == name })
		if i < 0 {
			problems = append(problems, unknownFlag(name, known))
			continue
		}
		f := known[i]
		switch {
		case f.value == "" && inline && value != "true":
			problems = append(problems, fmt.Errorf("--%s takes no value", name))
			continue
		case f.value == "":
			value = "true"
		case !inline && (len(args) == 0 || (strings.HasPrefix(args[0], "--"))):
			problems = append(problems, fmt.Errorf("--%s needs a value: --%s %s", name, name, f.value))
			continue
		case !inline:
			value, args = args[0], args[1:]
		}
		if len(given[name]) > 0 && !f.many {
			problems = append(problems, fmt.Errorf("--%s is given twice", name))
			continue
		}
		given[name] = append(given[name], value)
	}
	for _, f := range known {
		if value := env[f.twin()]; f.env && value != "" && !given.has(f.name) {
			given[f.name] = []string{value}
		}
	}
	return given, positional, errors.Join(problems...)
}

func unknownFlag(name string, known []flag) error {
	names := make([]string, len(known))
	for i, f := range known {
		names[i] = f.name
	}
	if near := nearest(name, names); near != "" {
		return fmt.Errorf("there is no flag --%s: did you mean --%s?", name, near)
	}
	return fmt.Errorf("there is no flag --%s", name)
}

// nearest returns the name that a typing mistake may have meant, or "".
func nearest(typed string, names []string) string {
	best, least := "", 3
	for _, name := range names {
		if d := distance(typed, name); d < least && d < len(name) {
			best, least = name, d
		}
	}
	return best
}

// distance counts the letters to insert, delete, replace or swap with the next to come from a to b.
func distance(a, b string) int {
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
		for j := range rows[i] {
			if i == 0 {
				rows[0][j] = j
				continue
			}
			if j == 0 {
				continue
			}
			replaced := rows[i-1][j-1]
			if a[i-1] != b[j-1] {
				replaced++
			}
			rows[i][j] = min(replaced, rows[i-1][j]+1, rows[i][j-1]+1)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(a)][len(b)]
}

// The flags that several commands share.
var (
	dbFlag        = flag{name: "db", value: "FILE", env: true, help: "the database (default ./" + app.DefaultDatabase + ")"}
	masterKeyFlag = flag{name: "master-key", value: "FILE", env: true, help: "the master key (default: the database's name with .key added)"}
	issuerFlag    = flag{name: "issuer", value: "URL", env: true, help: "the URL of this provider, https, without a slash at its end"}
	listenFlag    = flag{name: "listen", value: "HOST:PORT", env: true, help: "where to listen (default " + app.DefaultListen + ")"}
	scaleFlag     = flag{name: "rate-limit-scale", value: "NUMBER", env: true, help: "multiplies every rate limit; 0 turns them off (default 1)"}
	clientsFlag   = flag{name: "client-rate-limit", value: "NUMBER", env: true, help: "requests a minute of each application that authenticates (default " + strconv.Itoa(app.DefaultClientRateLimit) + ")"}
	metricsFlag   = flag{name: "metrics", value: "HOST:PORT", env: true, help: "serve /metrics, /healthz and /readyz on this loopback address (default: nowhere)"}
	egressFlag    = flag{name: "egress-allow", value: "NETWORKS", env: true, help: "networks of applications that are told of sign-outs and are private, or not at port 443, such as 10.1.0.0/16"}
	egressCAFlag  = flag{name: "egress-ca", value: "FILE", env: true, help: "authorities, in PEM, of the certificates of such applications"}
	jsonFlag      = flag{name: "json", help: "print the result as JSON on stdout"}
)

// config returns the configuration that the flags give, and what is wrong with them as values.
func (c *call) config() (app.Config, error) {
	cfg := app.Config{
		Database:       c.values.text("db"),
		MasterKey:      c.values.text("master-key"),
		Issuer:         c.values.text("issuer"),
		Listen:         c.values.text("listen"),
		TLSCert:        c.values.text("tls-cert"),
		TLSKey:         c.values.text("tls-key"),
		Metrics:        c.values.text("metrics"),
		EgressCA:       c.values.text("egress-ca"),
		RateLimitScale: 1,
		Log:            slog.New(slog.DiscardHandler),
	}.WithDefaults()
	var problems []error
	if text := c.values.text("rate-limit-scale"); text != "" {
		n, err := strconv.ParseFloat(text, 64)
		if err != nil {
			problems = append(problems, fmt.Errorf("rate-limit-scale: %q is not a number", text))
		} else {
			cfg.RateLimitScale = n
		}
	}
	if text := c.values.text("client-rate-limit"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n == 0 { // 0 would stand for the default
			problems = append(problems, fmt.Errorf("client-rate-limit: %q is not a number of requests from 1", text))
		} else {
			cfg.ClientRateLimit = n
		}
	}
	proxies, err := app.ParseProxies(c.values.text("trusted-proxies"))
	cfg.TrustedProxies = proxies
	egress, err2 := app.ParseEgress(c.values.text("egress-allow"))
	cfg.EgressAllow = egress
	return cfg, errors.Join(append(problems, err, err2)...)
}

// database returns the configuration for a command that works on an existing file, beside a running server or without one.
func (c *call) database() (app.Config, error) {
	cfg, err := c.config()
	if err := errors.Join(err, cfg.Validate()); err != nil {
		return cfg, usageError{err}
	}
	return cfg, cfg.FilesExist()
}
