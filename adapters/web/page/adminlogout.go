package page

import "latchkey/domain/oidc"

// Deliveries lists what applications were told of sign-outs, newest first.
type Deliveries struct {
	Deliveries []DeliveryCard
	More       int // how many are shown of a list that may go on; 0: these are all
}

func (Deliveries) look() look {
	return look{template: "admin_logout", wide: true}
}

// DeliveryCard is one application that was told, or is still to be told, that one session ended.
type DeliveryCard struct {
	Name, Client, URL string // URL lists the refusals of the client
	User, Subject     string // User is empty when nobody has the subject any more
	State             oidc.DeliveryState
	Attempts          int
	SignedOut         Moment
	Changed           Moment // when it arrived, was given up, or is tried again
	Problem           DeliveryProblem
}

// DeliveryProblem is why the last attempt failed.
type DeliveryProblem struct {
	Message Message
	Status  int    // of the answer, in Message
	Other   string // the record's own words, where there is no message
}
