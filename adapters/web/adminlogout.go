package web

import (
	"net/http"
	"strconv"
	"strings"

	"latchkey/domain/oidc"
	"latchkey/ports"
)

const deliveriesPath = adminPath + "/logout"

// mostDeliveries bounds the page; the command line lists more.
const mostDeliveries = 100

// deliveriesPage lists what applications were told of sign-outs, newest first.
type deliveriesPage struct {
	Deliveries []deliveryCard
	More       int // how many are shown of a list that may go on; 0: these are all
}

// deliveryCard is one application that was told, or is still to be told, that one session ended.
type deliveryCard struct {
	Name, Client, URL string // URL lists the refusals of the client
	User, Subject     string // User is empty when nobody has the subject any more
	State             oidc.DeliveryState
	Attempts          int
	SignedOut         moment
	Changed           moment // when it arrived, was given up, or is tried again
	Problem           problemWords
}

// problemWords is why the last attempt failed.
type problemWords struct {
	Message messageID
	Status  int    // of the answer, in Message
	Other   string // the record's own words, where there is no message
}

// showDeliveries shows how far the logout messages are.
func (s *server) showDeliveries(w http.ResponseWriter, r *request) error {
	notices, err := s.Notices.LogoutNotices(r.Context(), mostDeliveries)
	if err != nil {
		return err
	}
	p := deliveriesPage{Deliveries: make([]deliveryCard, len(notices))}
	if len(notices) == mostDeliveries {
		p.More = mostDeliveries
	}
	for i, n := range notices {
		p.Deliveries[i] = s.deliveryCard(n)
	}
	s.pages.render(w, http.StatusOK, s.frame(r), p)
	return nil
}

func (s *server) deliveryCard(n ports.NoticeInfo) deliveryCard {
	c := deliveryCard{Name: n.ClientName, Client: string(n.Client), URL: s.refusalsURL(string(n.Client)), User: n.User, Subject: string(n.Subject),
		State: n.State, Attempts: n.Attempts, SignedOut: momentOf(n.CreatedAt, ""), Problem: problemOf(n.LastError)}
	switch n.State {
	case oidc.Delivered:
		c.Changed = momentOf(n.DeliveredAt, "")
	case oidc.Failed:
		c.Changed = momentOf(n.FailedAt, "")
	default:
		if n.Attempts > 0 {
			c.Changed = momentOf(n.NextAt, "")
		}
	}
	return c
}

// deliveryProblems are the messages for what the record says of an attempt that failed.
var deliveryProblems = map[string]messageID{
	ports.ErrAddressDenied.Error():                                     msgDeliveryDenied,
	ports.ErrUntrusted.Error():                                         msgDeliveryUntrusted,
	ports.ErrNoAnswer.Error():                                          msgDeliveryNoAnswer,
	"the client is disabled or has no backchannel_logout_uri any more": msgDeliveryWithdrawn,
}

// problemOf puts what the record says into words of the page's language.
func problemOf(recorded string) problemWords {
	if id, ok := deliveryProblems[recorded]; ok {
		return problemWords{Message: id}
	}
	answer, found := strings.CutPrefix(recorded, "the application answered with status ")
	number, _, _ := strings.Cut(answer, ",")
	if status, err := strconv.Atoi(number); found && err == nil {
		return problemWords{Message: msgDeliveryStatus, Status: status}
	}
	return problemWords{Other: recorded}
}
