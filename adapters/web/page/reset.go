package page

// Reset sets a new password from a link. Its fields are `token`, `csrf`, `password` and `password_again`; passwords
// are never sent back to the page.
type Reset struct {
	Action, Token, CSRF string
	Username            string
	ProblemSet
}

func (p Reset) look() look {
	return look{template: "reset", failed: p.failed()}
}
