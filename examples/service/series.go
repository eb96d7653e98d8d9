package main

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"time"

	"github.com/equipoise-dp/equipoise/aggregate"
	"github.com/equipoise-dp/equipoise/dp"
)

// nightly is who asks for the series: this program, and no person.
const nightly = "nightly"

// A series is customers and dollars of every month, and to date. It is paid for once, beside
// the questions of people and from a limit of its own.
type series struct {
	plan      *aggregate.SeriesPlan[purchase, string, string]
	customers aggregate.Column[int64]
	dollars   aggregate.Column[float64]
}

func newSeries(months []string, said aggregate.ConsentSource[string]) (*series, error) {
	first, err := aggregate.Month.Parse(months[0])
	if err != nil {
		return nil, err
	}
	q := &aggregate.Query[purchase, string, string]{
		Dataset: dataset, UnitName: unit, Consent: &aggregate.Consent[string]{Mode: aggregate.OptOut, Purpose: trend, Source: said},
		Unit:      func(p purchase) string { return p.Customer },
		MaxGroups: min(6, len(months)), MaxRowsPerGroup: math.MaxInt,
	}
	spent := aggregate.PerUnit(q, "dollars", func(p purchase) float64 { return p.Dollars }, aggregate.Bounds[float64]{Lower: 0, Upper: 200, Step: 0.01})
	s := &series{customers: q.Units(), dollars: spent.Sum()}
	declared := &aggregate.Series[purchase, string, string]{
		Query: q, Time: purchase.time, Zone: time.UTC, Step: aggregate.Month, First: first, Periods: len(months),
		Views: []aggregate.View{aggregate.EachPeriod(1), aggregate.ToDate(1)},
	}
	s.plan, err = declared.Plan(dp.Approx{Epsilon: 1, Delta: 1e-7}, s.customers, s.dollars)
	return s, err
}

// over is how many months are over.
func (s *series) over(now time.Time) (n int) {
	for _, name := range s.plan.Periods() {
		if begins, err := aggregate.Month.Parse(name); err != nil || begins.AddDate(0, 1, 0).After(now) {
			break
		}
		n++
	}
	return n
}

// A month is what the series says of one.
type month struct {
	Month     string               `json:"month"`
	Customers dp.Estimate[int64]   `json:"customers"`
	Dollars   dp.Estimate[float64] `json:"dollars"`
}

// advance releases, between two ticks, the months that are over and not released yet, and returns all.
func (s *series) advance(ctx context.Context, service *service) ([]month, error) {
	ctx = as(ctx, nightly)
	through := s.over(time.Now())
	if through == 0 {
		return []month{}, nil
	}
	t, err := aggregate.Advance(ctx, s.plan, service.ledger, aggregate.Request{Key: nightly + "/" + trend, Purpose: trend, Analyst: nightly}, through, service.heldRows(ctx))
	if err != nil {
		return nil, err
	}
	months := make([]month, 0, through)
	for i, name := range t.Periods() {
		cell, err := t.Over(aggregate.Stretch[string]{From: i, To: i + 1})
		if err != nil {
			return nil, fmt.Errorf("month %s: %w", name, err)
		}
		months = append(months, month{name, s.customers.Of(cell), s.dollars.Of(cell)})
	}
	return months, nil
}

// nights advances the series and verifies the ledger: now, and every night.
func (s *service) nights(ctx context.Context) {
	for {
		s.night(ctx)
		next := time.Now().UTC().Truncate(day).Add(s.nightly)
		for !next.After(time.Now()) {
			next = next.Add(day)
		}
		if !wait(ctx, next) {
			return
		}
	}
}

func (s *service) night(ctx context.Context) {
	months, err := s.series.advance(ctx, s)
	s.state.says(&s.state.seriesFailed, err)
	if err == nil {
		s.nextTrend.Store(&months) // shown from the next tick on
	}
	_, unsound := s.ledger.Verify(ctx)
	s.state.soundAt(time.Now(), unsound)
	if unsound == nil {
		unsound = s.ledger.writeAnchor(ctx, s.anchors)
		s.state.says(&s.state.unsound, unsound)
	}
	s.log.Info("a night's work is done", slog.String("equipoise.series", kindOf(err)), slog.String("equipoise.ledger", kindOf(unsound)))
}
