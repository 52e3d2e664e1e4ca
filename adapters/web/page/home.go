package page

// Home says what this server is, and who is signed in. Signing out posts `csrf` to /logout.
type Home struct {
	Issuer, DiscoveryURL string
	Account, CSRF        string
	SignedIn, Admin      bool
	Demo                 string // path of the demonstration application; empty: there is none
}

func (Home) look() look {
	return look{template: "home"}
}
