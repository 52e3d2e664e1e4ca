package web

import (
	"net/http"
	"strconv"
	"strings"

	"latchkey/adapters/web/page"
	"latchkey/domain/oidc"
	"latchkey/ports"
)

const deliveriesPath = adminPath + "/logout"

// mostDeliveries bounds the page; the command line lists more.
const mostDeliveries = 100

// showDeliveries shows how far the logout messages are.
func (s *server) showDeliveries(w http.ResponseWriter, r *request) error {
	notices, err := s.Notices.LogoutNotices(r.Context(), mostDeliveries)
	if err != nil {
		return err
	}
	p := page.Deliveries{Deliveries: make([]page.DeliveryCard, len(notices))}
	if len(notices) == mostDeliveries {
		p.More = mostDeliveries
	}
	for i, n := range notices {
		p.Deliveries[i] = s.deliveryCard(n)
	}
	return s.show(w, r, http.StatusOK, p)
}

func (s *server) deliveryCard(n ports.NoticeInfo) page.DeliveryCard {
	c := page.DeliveryCard{Name: n.ClientName, Client: string(n.Client), URL: s.refusalsURL(string(n.Client)), User: n.User, Subject: string(n.Subject),
		State: n.State, Attempts: n.Attempts, SignedOut: page.MomentOf(n.CreatedAt, ""), Problem: problemOf(n.LastError)}
	switch n.State {
	case oidc.Delivered:
		c.Changed = page.MomentOf(n.DeliveredAt, "")
	case oidc.Failed:
		c.Changed = page.MomentOf(n.FailedAt, "")
	default:
		if n.Attempts > 0 {
			c.Changed = page.MomentOf(n.NextAt, "")
		}
	}
	return c
}

// deliveryProblems are the messages for what the record says of an attempt that failed.
var deliveryProblems = map[string]page.Message{
	ports.ErrAddressDenied.Error():                                     page.MsgDeliveryDenied,
	ports.ErrPortDenied.Error():                                        page.MsgDeliveryPort,
	ports.ErrUntrusted.Error():                                         page.MsgDeliveryUntrusted,
	ports.ErrNoAnswer.Error():                                          page.MsgDeliveryNoAnswer,
	"the client is disabled or has no backchannel_logout_uri any more": page.MsgDeliveryWithdrawn,
}

// problemOf puts what the record says into words of the page's language.
func problemOf(recorded string) page.DeliveryProblem {
	if id, ok := deliveryProblems[recorded]; ok {
		return page.DeliveryProblem{Message: id}
	}
	answer, found := strings.CutPrefix(recorded, "the application answered with status ")
	number, _, _ := strings.Cut(answer, ",")
	if status, err := strconv.Atoi(number); found && err == nil {
		return page.DeliveryProblem{Message: page.MsgDeliveryStatus, Status: status}
	}
	return page.DeliveryProblem{Other: recorded}
}
