package page

// Explain asks for `ref` or `client_id` and shows what they lead to.
type Explain struct {
	Action      string
	Ref, Client string // what was asked for
	NotFound    string // why there is nothing to show
	Explanation *Explanation
	Refusals    []RefusalCard
	Listed      bool // the refusals of Client were asked for
}

func (p Explain) look() look {
	return look{template: "admin_explain", wide: true, failed: p.NotFound != ""}
}

// Explanation is an explanation as pages show it: every text may hold what strangers sent.
type Explanation struct {
	Ref, RequestID                          string
	When                                    Moment
	Summary                                 string
	Client, ClientName                      string
	Code, Description                       string
	IP, Agent                               string
	Received, Nearest                       string
	Expected, Differences                   []string
	Rule, Section                           string
	Mistake, Fix, Command, Setting, Settled string
}
