package page

// Factor asks for `code`.
type Factor struct {
	Action, Interaction, CSRF string
	Account                   string
	OtherURL                  string // signing in as somebody else
	SwapURL                   string // the other kind of code; empty: there is none
	URL                       string // of this page
	Recovery                  bool   // a recovery code is asked for
	Late                      bool   // the clock of the phone may be wrong
	Problem                   Message
	RetryMinutes              int
	App                       bool           // an app can make a code
	Passkey                   *PasskeyButton // nil: the user has none, or browsers make none for this server
}

func (p Factor) look() look {
	return look{template: "second_factor", leaves: true, failed: p.Problem != "", scripted: p.Passkey != nil}
}

// Mistyped tells whether the problem is in the field, which is then marked.
func (p Factor) Mistyped() bool {
	return (p.App || p.Recovery) && (p.Problem == MsgCodeWrong || p.Problem == MsgRecoveryWrong)
}

// Minutes to wait, at least one.
func (p Factor) Minutes() int { return max(1, p.RetryMinutes) }
