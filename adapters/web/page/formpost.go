package page

import (
	"crypto/sha256"
	"encoding/base64"
	"html/template"
	"net/http"

	"latchkey/domain/oauth"
)

// formPostScript sends the form by itself; without scripts the button does (OAuth 2.0 Form Post Response Mode §2).
const formPostScript = `document.forms[0].submit()`

var formPostTemplate = template.Must(template.New("form_post").Parse(`<!doctype html>
<html lang="{{.Locale}}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">
<title>{{.Title}}</title></head>
<body><main><form method="post" action="{{.Action}}">
{{range .Fields}}<input type="hidden" name="{{.Name}}" value="{{.Value}}">
{{end}}<button>{{.Title}}</button></form></main><script>` + formPostScript + `</script></body></html>
`))

// The one page with a script: the policy allows exactly that script. It has no form-action, because the form leads to
// the application, which may redirect on.
var formPostPolicy = func() string {
	sum := sha256.Sum256([]byte(formPostScript))
	return "default-src 'none'; script-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; base-uri 'none'; frame-ancestors 'none'"
}()

// FormPost sends a response through a form of the browser.
func FormPost(w http.ResponseWriter, l Locale, a oauth.AuthorizationResponse) {
	title, err := l.Text(MsgLinkContinue)
	if err != nil {
		title = string(MsgLinkContinue)
	}
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", formPostPolicy)
	h.Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(http.StatusOK)
	// The URI is registered and checked; html/template would refuse the private-use schemes of native applications.
	formPostTemplate.Execute(w, struct {
		Locale Locale
		Title  string
		Action template.URL
		Fields []oauth.Parameter
	}{l, title, template.URL(a.URI), a.Parameters})
}
