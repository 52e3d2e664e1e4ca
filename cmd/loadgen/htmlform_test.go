package main

import (
	"regexp"
	"testing"
)

func TestForms(t *testing.T) {
	page := `<html><script>var x="<form action='/no'>"</script><!-- <form action="/no2"> -->
<form action="/search"><input name=q></form>
<form method=post action="/login?a=1&amp;b=2"><input type=hidden name="csrf" value="x&quot;y"/>
<input type="text" name="login"><input type='password' name='pw'><button type=submit name=act value=go>Log in</button>
<button name=act value=cancel>Cancel</button></form></html>`
	fs := parseForms(page)
	if len(fs) != 2 {
		t.Fatalf("%d forms", len(fs))
	}
	re := regexp.MustCompile(defaultAccept)
	f := pickForm(fs, re)
	if f.Action != "/login?a=1&b=2" || f.Method != "POST" {
		t.Errorf("%+v", f)
	}
	if got := f.values(User{"bob", "pw1"}, re).Encode(); got != "act=go&csrf=x%22y&login=bob&pw=pw1" {
		t.Error(got)
	}
}

// The button that refuses comes first and its text contains the word of the
// other: it must never be pressed.
func TestConsentButton(t *testing.T) {
	const deny = `<button id="consent-deny" name="approved" value="false">Don&#39;t allow</button>`
	const allow = `<button id="consent-allow" name="approved" value="true"><svg class="no-print"></svg>Allow</button>`
	for name, c := range map[string]struct {
		accept, body, want string
	}{
		"words":       {defaultAccept, deny + allow, "approved=true"},
		"ids":         {`^consent-allow$`, deny + allow, "approved=true"},
		"other order": {`^consent-allow$`, allow + deny, "approved=true"},
		"scopes": {`^consent-allow$`, `<input type=checkbox name=scope value=email checked><input type=checkbox name=scope value=profile>
<input type=checkbox name=remember>` + deny + allow, "approved=true&scope=email&scope=profile"},
		"only a refusal":  {defaultAccept, deny, ""},
		"a single button": {`^consent-allow$`, `<button name=go value=1>OK</button>`, "go=1"},
		"no button":       {defaultAccept, `<input name=x>`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			re := regexp.MustCompile(c.accept)
			got := ""
			if f := pickForm(parseForms(`<form method="post">`+c.body+`</form>`), re); f != nil {
				got = f.values(User{}, re).Encode()
			}
			if got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

func FuzzForms(f *testing.F) {
	f.Add(`<form action=x><input name=a value='b'><button id=y>Allow</form>`)
	f.Add(`<!-- <form`)
	f.Add(`<form><textarea name=t>x</textarea><script>`)
	re := regexp.MustCompile(defaultAccept)
	f.Fuzz(func(t *testing.T, page string) {
		if form := pickForm(parseForms(page), re); form != nil && !form.hasPassword() && form.button(re) < 0 {
			t.Errorf("picked a form that cannot be sent: %+v", form)
		}
	})
}
