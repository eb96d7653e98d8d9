package filter

import (
	"maps"
	"math/big"
	"slices"

	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/internal/exact"
)

// A Setup is what the filters of an account share.
type Setup struct {
	rule   Rule
	share  *big.Rat  // of δ that is kept for events with a δ of their own
	orders []float64 // increasing
	cache  *cache
}

// DefaultShare is the part of δ for events under Default.
const DefaultShare = 0.25

// NewSetup returns the setup of a rule. An eventShare of 0 stands for that of
// the rule. Stars are the orders with most weight, one for each limit that has one.
func NewSetup(rule Rule, eventShare float64, stars map[string]float64) *Setup {
	s := &Setup{rule: rule, share: exact.Decimal(eventShare), cache: newCache()}
	if eventShare == 0 && rule == Default {
		s.share = exact.Decimal(DefaultShare)
	}
	s.orders = slices.AppendSeq(slices.Clone(renyiOrders), maps.Values(stars))
	slices.Sort(s.orders)
	s.orders = slices.Compact(s.orders)
	return s
}

// Star returns the order that has most weight in a filter of the rule with this
// limit, if there is one.
func Star(rule Rule, l dp.Loss) (order float64, ok bool) {
	parts := dp.PartsOf(l)
	if parts.Delta == 0 || parts.Rho > 0 || rule != Default {
		return 0, false
	}
	return starOrder(parts.Epsilon, parts.Delta*(1-DefaultShare)), true
}

// New returns an empty filter. star is the order with most weight. Of no limit, which is
// nil, it is an odometer, if the rule is Basic or ZCDP.
func (s *Setup) New(l dp.Loss, star float64) Filter {
	switch l := l.(type) {
	case nil:
		return newOdometer(s.rule)
	case dp.Pure:
		return newBasic(l)
	case dp.Concentrated:
		return newRho(l)
	case dp.Approx:
		switch s.rule {
		case Basic:
			return newBasic(l)
		case GDP:
			return newGDP(l, s.share)
		case ZCDP:
			return newZCDP(l, s.share)
		}
		return newDefault(l, s, star)
	}
	panic("budget: internal error: a limit of unknown kind was let through")
}

// Price returns the price of a charge that was checked, and remembers it.
func (s *Setup) Price(c *dp.Charge) *Price { return s.cache.of(c, s.orders) }

// FreshPrice is Price for a charge that will not come again.
func (s *Setup) FreshPrice(c *dp.Charge) *Price { return priceOf(c, s.orders) }
