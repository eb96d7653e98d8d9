package main

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"

	"github.com/equipoise-dp/equipoise/budget"
	"github.com/equipoise-dp/equipoise/dp"
)

// A told is the statement for the public: what was published and how well each person is
// hidden. "ledger statement" writes a longer one, from the same ledger.
type told struct {
	Dataset  string      `json:"dataset"`
	About    string      `json:"about,omitempty"`
	Unit     string      `json:"unit"`
	Means    string      `json:"unit_means,omitempty"`
	Frozen   string      `json:"frozen,omitempty"`
	Now      string      `json:"odds_factor_now"`  // by which odds about one unit can have changed at most
	Most     string      `json:"odds_factor_most"` // after all that may ever be published
	Except   string      `json:"except,omitempty"` // the probability that they change by more
	Purposes []share     `json:"purposes"`
	List     []published `json:"published"` // the latest first
	Anchor   string      `json:"anchor"`    // of the last record of the ledger
}

// A published is one entry of the ledger. It does not say which caller asked under which key.
type published struct {
	Day     string `json:"day"`
	Purpose string `json:"purpose"`
	What    string `json:"what"`
	Loss    string `json:"loss"`
}

// statement shows the statement as of the last tick: else the number of the ledger's last record would
// tell everybody when something was released.
func (s *service) statement(w http.ResponseWriter, r *http.Request) {
	t := s.public.Load()
	var err error
	if t == nil {
		err = no("unavailable", "").after(s.board.every)
	}
	switch {
	case err != nil:
		s.fail(w, r, err)
	case wantsPage(r):
		s.fail(w, r, page(w, http.StatusOK, "statement", t))
	default:
		s.fail(w, r, send(w, http.StatusOK, t))
	}
}

func (s *service) told(ctx context.Context) (*told, error) {
	st, err1 := s.ledger.Status(ctx)
	shares, err2 := s.shares(ctx)
	now, err3 := s.ledger.Policy(ctx)
	anchor, err4 := s.ledger.Anchor(ctx)
	for _, err := range []error{err1, err2, err3, err4} {
		if err != nil {
			return nil, err
		}
	}
	t := &told{Dataset: st.Account, Unit: unit, Now: factor(st.Whole.Spent), Most: factor(st.Whole.Limit), Purposes: shares, List: []published{}, Anchor: anchor.String()}
	if now != nil {
		t.About, t.Means = now.Policy.About, now.Policy.Means
	}
	if st.Frozen {
		t.Frozen = st.Reason
	}
	if delta := dp.PartsOf(st.Whole.Limit).Delta; delta > 0 {
		t.Except = strconv.FormatFloat(delta, 'f', -1, 64)
	}
	for e, err := range s.ledger.Entries(ctx) {
		if err != nil {
			return nil, err
		}
		if paysFor(e) {
			t.List = append(t.List, published{e.At.UTC().Format("2 January 2006"), e.Charge.Purpose, s.called(e), dp.FormatLoss(e.Charge.Loss)})
		}
	}
	slices.Reverse(t.List)
	return t, nil
}

// called says in words what an entry paid for.
func (s *service) called(e budget.Entry) string {
	if q, ok := s.catalogue.asked(*e.Charge); ok {
		return q.About
	}
	if e.Kind == budget.KindReserve {
		return "Customers and what they spent, of every month and to date."
	}
	return "A question that this program does not ask any more."
}

// factor is by how much the odds of anything that is suspected about one unit can change:
// e^ε (Wasserman, Zhou 2010, Theorem 2.4), rounded up.
func factor(l dp.Loss) string {
	return fmt.Sprintf("%.2f", math.Ceil(100*math.Exp(dp.PartsOf(l).Epsilon))/100)
}
