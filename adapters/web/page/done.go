package page

// Done says that something happened, and where to go from there.
type Done struct {
	Message  Message
	Args     []any
	LinkURL  string  // a path here or an application's address; anything else shows no link
	LinkText Message // empty: back to the application
}

func (Done) look() look {
	return look{template: "done"}
}
