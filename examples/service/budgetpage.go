package main

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/equipoise-dp/equipoise/aggregate"
	"github.com/equipoise-dp/equipoise/budget"
	"github.com/equipoise-dp/equipoise/dp"
)

// A purse says what the account has.
type purse struct {
	Account string  `json:"account"`
	Unit    string  `json:"unit"`
	Frozen  string  `json:"frozen,omitempty"` // why
	Whole   amount  `json:"whole"`
	Shares  []share `json:"purposes"`
	Fits    []more  `json:"fits"` // how many more of each question, for who asks

	// Pace is how much was spent a day, over the last thirty, and Lasts the day on which all is
	// spent if that goes on; it is empty if nothing was spent.
	Pace  float64 `json:"epsilon_a_day"`
	Lasts string  `json:"lasts_until,omitempty"`
}

// An amount is what a limit has.
type amount struct {
	Limit string  `json:"limit"`
	Spent string  `json:"spent"`
	Left  string  `json:"left"`
	Part  float64 `json:"part_spent"` // of ε, from 0 to 1
}

// A share is what the policy lets a purpose have.
type share struct {
	Purpose string   `json:"purpose"`
	Reason  string   `json:"reason"`
	Held    []string `json:"held_by"` // who may ask
	Until   string   `json:"until"`
	Ended   bool     `json:"withdrawn,omitempty"`
	amount
}

func amountOf(limit, spent dp.Loss) amount {
	of, is := dp.PartsOf(limit), dp.PartsOf(spent)
	a := amount{Limit: dp.FormatLoss(limit), Spent: written(is.Epsilon, is.Delta), Left: written(of.Epsilon-is.Epsilon, of.Delta-is.Delta)}
	if of.Epsilon > 0 {
		a.Part = min(1, is.Epsilon/of.Epsilon)
	}
	return a
}

// written writes a loss, without what adding floats leaves behind.
func written(epsilon, delta float64) string {
	epsilon, delta = short(max(0, epsilon)), short(max(0, delta))
	switch {
	case delta > 0:
		return dp.FormatLoss(dp.Approx{Epsilon: epsilon, Delta: delta})
	case epsilon > 0:
		return dp.FormatLoss(dp.Pure{Epsilon: epsilon})
	}
	return dp.FormatLoss(nil)
}

// purse reads it from the ledger.
func (s *service) purse(r *http.Request, who caller) (*purse, error) {
	ctx := r.Context()
	st, err := s.ledger.Status(ctx)
	if err != nil {
		return nil, err
	}
	p := &purse{Account: st.Account, Unit: unit, Whole: amountOf(st.Whole.Limit, st.Whole.Spent)}
	if st.Frozen {
		p.Frozen = st.Reason
	}
	if p.Shares, err = s.shares(ctx); err != nil {
		return nil, err
	}
	if p.Fits, err = s.more(r, who); err != nil {
		return nil, err
	}
	return p, s.pace(ctx, p, st)
}

// shares lists the purposes of the policy, and adds up what charges for them declared, as the
// policy does.
func (s *service) shares(ctx context.Context) ([]share, error) {
	now, err := s.ledger.Policy(ctx)
	if err != nil || now == nil {
		return []share{}, err
	}
	spent, err := s.declared(ctx)
	if err != nil {
		return nil, err
	}
	shares := []share{}
	for name, u := range now.Policy.Purposes {
		shares = append(shares, share{
			Purpose: name, Reason: u.Reason, Held: u.Askers, Until: u.Until.Format(time.DateOnly), Ended: slices.Contains(now.Withdrawn, name),
			amount: amountOf(u.Limit, spent[name]),
		})
	}
	slices.SortFunc(shares, func(a, b share) int { return strings.Compare(a.Purpose, b.Purpose) })
	return shares, nil
}

// declared adds up the losses that charges declare, by purpose.
func (s *service) declared(ctx context.Context) (map[string]dp.Approx, error) {
	spent := map[string]dp.Approx{}
	for e, err := range s.ledger.Entries(ctx) {
		if err != nil {
			return nil, err
		}
		if paysFor(e) {
			l, p := spent[e.Charge.Purpose], dp.PartsOf(e.Charge.Loss)
			spent[e.Charge.Purpose] = dp.Approx{Epsilon: l.Epsilon + p.Epsilon, Delta: l.Delta + p.Delta}
		}
	}
	return spent, nil
}

// paysFor says whether an entry costs something.
func paysFor(e budget.Entry) bool { return e.Kind == budget.KindSpend || e.Kind == budget.KindReserve }

// short has nine digits of a number. Below 1e-12 it is what adding floats leaves behind.
func short(x float64) float64 {
	if x < 1e-12 {
		return 0
	}
	y, err := strconv.ParseFloat(strconv.FormatFloat(x, 'g', 9, 64), 64)
	if err != nil {
		return x
	}
	return y
}

// more says how many more of each question fit, of those that a caller may ask.
func (s *service) more(r *http.Request, who caller) ([]more, error) {
	fits := []more{}
	for _, q := range s.catalogue {
		if !who.may(q.Purpose) {
			continue
		}
		n, _, err := s.ledger.HowMany(r.Context(), q.charge(aggregate.Request{Key: keyOf(who, "more"), Purpose: q.Purpose, Analyst: who.Name}))
		if err != nil {
			return nil, err
		}
		fits = append(fits, more{q.Name, n})
	}
	return fits, nil
}

// The pace is over so many days, or those since the first question; over few it tells nothing.
const recent, few = 30, 7

// pace adds up what questions declared in the last days. The series is paid for once, and so has no
// pace.
func (s *service) pace(ctx context.Context, p *purse, st budget.Status) error {
	now, first, spent := time.Now(), time.Now(), 0.0
	for e, err := range s.ledger.Entries(ctx) {
		if err != nil {
			return err
		}
		if e.Kind == budget.KindSpend && now.Sub(e.At) < recent*day {
			spent += dp.PartsOf(e.Charge.Loss).Epsilon
			if e.At.Before(first) {
				first = e.At
			}
		}
	}
	if spent == 0 {
		return nil
	}
	p.Pace = spent / max(few, now.Sub(first).Hours()/24)
	left := min(dp.PartsOf(st.Whole.Left).Epsilon/p.Pace, 100*365)
	p.Lasts = now.Add(time.Duration(left * float64(day))).UTC().Format(time.DateOnly)
	return nil
}

func (s *service) getBudget(w http.ResponseWriter, r *http.Request, who caller) error {
	p, err := s.purse(r, who)
	if err != nil {
		return err
	}
	if wantsPage(r) {
		return page(w, http.StatusOK, "budget", p)
	}
	return send(w, http.StatusOK, p)
}

func (s *service) questions(w http.ResponseWriter, _ *http.Request, who caller) error {
	own := []question{}
	for _, q := range s.catalogue {
		if who.may(q.Purpose) {
			own = append(own, q)
		}
	}
	return send(w, http.StatusOK, map[string]any{"questions": own})
}
