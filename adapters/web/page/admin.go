package page

// Admin is the first page of administration.
type Admin struct {
	Refusals []RefusalCard
}

func (Admin) look() look {
	return look{template: "admin", wide: true}
}

// RefusalCard is one refusal in a list.
type RefusalCard struct {
	Ref, Client, Code, Summary string
	URL                        string // of its explanation
	When                       Moment
}
