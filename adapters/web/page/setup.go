package page

// Setup makes an administrator. Its fields are `token`, `csrf`, `username`, `email`, `password` and
// `password_again`; passwords are never sent back to the page.
type Setup struct {
	Action, Token, CSRF string
	Username, Email     string
	Issuer              string
	ProblemSet
}

func (p Setup) look() look {
	return look{template: "setup", failed: p.failed()}
}
