package main

import "testing"

// A session that the command line ends is told to its applications; what is not delivered yet is listed.
func TestLogoutList(t *testing.T) {
	inHousehold(t)
	signedIn(t, "sari")
	signedIn(t, "tio")
	declared := `{"clients": [{"client_id": "wiki", "redirect_uris": ["https://wiki.example.org/cb"], "backchannel_logout_uri": "https://wiki.example.org/out"}]}`
	if r := latchkey(t, declared, "apply", "-"); r.code != exitOK {
		t.Fatalf("%+v", r)
	}
	take(t,
		step{"", "logout list", exitOK, `^SIGNED OUT +APPLICATION[^\n]*\n$`, `^$`},
		step{"", "logout list --json", exitOK, `^\[\]\n$`, `^$`},
		step{"", "session revoke sid_sari", exitOK, `^$`, `Signed out`},
		step{"", "logout list", exitOK, `\n20\S+ +wiki +sari +sid_sari +pending +0 +- +-\n$`, `^$`},
		step{"", "logout list --json", exitOK, `"client_id": "wiki",\n *"client_name": "[^"]+",\n *"username": "sari",[^$]*"sid": "sid_sari",\n *"state": "pending",\n *"attempts": 0`, `^$`},
		step{"", "user disable tio --yes", exitOK, ``, ``},
		step{"", "logout list", exitOK, `wiki +tio +sid_tio +pending[^$]*wiki +sari`, `^$`},
		step{"", "client show wiki", exitOK, `backchannel_logout_uri +"https://wiki.example.org/out"`, ``},
	)
}
