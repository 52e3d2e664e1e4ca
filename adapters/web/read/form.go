package read

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"latchkey/domain/oauth"
)

// Bounds on what a stranger can make us read. They are far above what real applications send.
const (
	MaxBody       = 64 << 10
	maxParameters = 100
	maxValue      = 4 << 10
)

// Form is a parsed query or form body. It keeps repeated values, because a few of our own fields repeat.
type Form struct {
	Values map[string][]string
}

// Get returns the value of a field that occurs once; a repeated field has none.
func (f Form) Get(name string) string {
	if v := f.Values[name]; len(v) == 1 {
		return v[0]
	}
	return ""
}

// Parameters returns the form as the parameters of a protocol request.
func (f Form) Parameters() oauth.Parameters {
	p := oauth.Parameters{Values: make(map[string]string, len(f.Values))}
	for name, values := range f.Values {
		p.Values[name] = values[0]
		if len(values) > 1 {
			p.Repeated = append(p.Repeated, name)
		}
	}
	slices.Sort(p.Repeated)
	return p
}

// Query reads application/x-www-form-urlencoded text strictly: bad escapes, bytes that are not UTF-8, NUL, too many
// parameters and long values are refused, in time linear in the input.
func Query(text string) (Form, *oauth.Error) {
	f := Form{Values: map[string][]string{}}
	if len(text) > MaxBody {
		return f, oauth.Refuse(oauth.InvalidRequest, "the request is larger than 64 KiB")
	}
	count := 0
	for text != "" {
		var pair string
		pair, text, _ = strings.Cut(text, "&")
		if pair == "" {
			continue
		}
		if count++; count > maxParameters {
			return f, oauth.Refuse(oauth.InvalidRequest, "the request has more than 100 parameters")
		}
		rawName, rawValue, _ := strings.Cut(pair, "=")
		name, err := unescape(rawName)
		value, err2 := unescape(rawValue)
		if err != nil || err2 != nil {
			return f, oauth.Refuse(oauth.InvalidRequest, "the request is not properly form-encoded UTF-8").With("received", known(rawName))
		}
		if len(name) > 256 || len(value) > maxValue {
			return f, oauth.Refuse(oauth.InvalidRequest, "a parameter is longer than 4 KiB").With("received", known(name))
		}
		f.Values[name] = append(f.Values[name], value)
	}
	return f, nil
}

// known is the name of a parameter that refusals may name. Anything else may be a body in another format, with whatever
// secrets are in it.
func known(name string) string {
	if slices.Contains(tokenParameters, name) || oauth.IsAuthorizationParameter(name) {
		return name
	}
	return "a parameter without a known name"
}

var errText = errors.New("not text")

func unescape(s string) (string, error) {
	if strings.IndexByte(s, '%') >= 0 || strings.IndexByte(s, '+') >= 0 {
		var err error
		if s, err = url.QueryUnescape(s); err != nil {
			return "", err
		}
	}
	if !isText(s) {
		return "", errText
	}
	return s, nil
}

// isText reports whether s is UTF-8 without NUL, which is all that is looked up, logged or kept.
func isText(s string) bool { return utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 }

// Body reads the form of a POST body. Nothing is taken from the query: what travels there ends up in logs.
func Body(r *http.Request) (Form, *oauth.Error) {
	if !isForm(r) {
		return Form{}, oauth.Refuse(oauth.InvalidRequest, "send the parameters as application/x-www-form-urlencoded").
			With("received", r.Header.Get("Content-Type")).With("expected", "application/x-www-form-urlencoded")
	}
	if r.Header.Get("Content-Encoding") != "" {
		return Form{}, oauth.Refuse(oauth.InvalidRequest, "a request body with Content-Encoding is not read").
			With("received", r.Header.Get("Content-Encoding"))
	}
	body, err := io.ReadAll(r.Body)
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return Form{}, ErrTooLarge
	case err != nil:
		return Form{}, oauth.Refuse(oauth.InvalidRequest, "the request body could not be read")
	}
	f, refusal := Query(string(body))
	r.PostForm = f.Values // for the record of a refusal
	return f, refusal
}

// isForm reports whether the body says that it is a form.
func isForm(r *http.Request) bool {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return err == nil && kind == "application/x-www-form-urlencoded"
}

// ErrTooLarge is answered with 413.
var ErrTooLarge = oauth.Refuse(oauth.InvalidRequest, "the request is larger than 64 KiB")
