package aggregate

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"runtime/pprof"
	"time"

	"github.com/equipoise-dp/equipoise/dp"
)

// A Budget pays for releases and keeps them. No answer of it depends on rows.
//
// An account of package budget is a Budget.
type Budget interface {
	// Afford returns nil if the charge would be accepted now. It spends nothing.
	Afford(context.Context, dp.Charge) error

	// Spend is durable before it returns nil, and there is no refund. If the
	// charge's key was paid for before, it spends nothing and returns that
	// payment, with what was kept for it, if anything was.
	Spend(context.Context, dp.Charge) (dp.Payment, error)

	// Keep stores the release of a charge that was paid for, unless there is
	// one; it returns the one that is there afterwards. Of two callers that
	// race, both get the same. The release is not nil.
	Keep(ctx context.Context, c dp.Charge, release []byte) ([]byte, error)

	// Kept returns the release that was kept for a charge, or nil if the charge
	// was not paid for or nothing was kept. It keeps nothing. The error of a key that
	// was paid for another question wraps [dp.ErrOtherQuestion].
	Kept(ctx context.Context, c dp.Charge) ([]byte, error)
}

// Run returns the stored release if the request was answered before. Otherwise
// it asks what b can afford, reads rows, bounds and sums them, pays, adds noise,
// keeps and releases.
//
// It fails if rows cannot be read, if b refuses or fails to answer, or soon after
// ctx is done: until the release is paid for, and from then on only where noise is drawn
// of hundreds of groups, which takes its time. If it fails,
// nothing is released; only if b failed to answer or noise was being drawn may something be paid, and then
// running again with the same request does not pay again.
func (p *Plan[Row, Unit, Group]) Run(ctx context.Context, b Budget, r Request, rows iter.Seq2[Row, error]) (*Release[Group], error) {
	return p.RunFrom(ctx, b, r, func(ctx context.Context, p *Plan[Row, Unit, Group]) (*Partial[Group], error) {
		return p.Collect(ctx, rows)
	})
}

// RunFrom is [Plan.Run] for rows that something else collects, such as package
// aggregate/sqlagg in a database: it asks what b can afford, calls collect, which must be for the plan that
// it is given, pays, adds noise, keeps and releases. If the request was answered before, collect is not called. It wipes
// what collect returns.
func (p *Plan[Row, Unit, Group]) RunFrom(ctx context.Context, b Budget, r Request, collect func(context.Context, *Plan[Row, Unit, Group]) (*Partial[Group], error)) (*Release[Group], error) {
	if err := errors.Join(check(b, r), p.query.Consent.checkPurpose(r)); err != nil {
		return nil, err
	}
	kept, other, err := p.keptEarlier(ctx, b, r)
	if err != nil {
		return nil, fmt.Errorf("aggregate: looking for the stored release: %w", err)
	} else if kept != nil {
		return decode[Group](p.compiled, kept)
	}
	charge := p.Charge(r)
	if kept, err := b.Kept(ctx, charge); errors.Is(err, dp.ErrOtherQuestion) && p.earlier != nil && !other {
		return p.earlier.RunFrom(ctx, b, r, collect) // which was paid for and not kept
	} else if err != nil {
		return nil, fmt.Errorf("aggregate: looking for the stored release: %w", err)
	} else if kept != nil {
		return decode[Group](p.compiled, kept)
	}
	if err := b.Afford(ctx, charge); errors.Is(err, dp.ErrOtherNoise) && p.earlier != nil {
		return p.earlier.RunFrom(ctx, b, r, collect)
	} else if err != nil {
		return nil, fmt.Errorf("aggregate: %w", err)
	}
	partial, err := collect(ctx, p)
	if err != nil {
		return nil, err
	}
	defer partial.Wipe()
	return p.release(ctx, b, charge, true, partial)
}

// Release is the second half of [Plan.Run]: it pays, adds noise, keeps and
// releases. No unit may be in two of the partials, as [Plan.Merge] says; if they are shards, all
// must be there. Where the query has Consent or Retention, which were asked when rows were collected,
// it refuses what was collected more than 24 hours ago: who said no within that time, and rows that became too old
// in it, are still counted.
//
// What it returns is private in the sense of the plan's loss. It has been paid
// for durably before noise was drawn, and kept durably before it was returned.
func (p *Plan[Row, Unit, Group]) Release(ctx context.Context, b Budget, r Request, partials ...*Partial[Group]) (*Release[Group], error) {
	if err := errors.Join(check(b, r), p.query.Consent.checkPurpose(r)); err != nil {
		return nil, err
	}
	return p.release(ctx, b, p.Charge(r), false, partials...)
}

// release pays and adds noise. That the caller wipes the partials afterwards stands in the receipt.
func (p *Plan[Row, Unit, Group]) release(ctx context.Context, b Budget, charge dp.Charge, wiped bool, partials ...*Partial[Group]) (*Release[Group], error) {
	addingNoise, err := p.merged(ctx, partials)
	if err != nil {
		return nil, err
	}
	payment, err := b.Spend(ctx, charge)
	if err != nil {
		return nil, fmt.Errorf("aggregate: %w", err)
	}
	if payment.Kept != nil {
		return decode[Group](p.compiled, payment.Kept)
	}
	released, cells, err := addingNoise(ctx)
	if err != nil {
		return nil, fmt.Errorf("aggregate: drawing noise: the release is paid for but was not made; run again with the same key, at no cost: %w", err)
	}
	receipt := p.receipt(charge, payment)
	receipt.Wiped = wiped
	var release []byte
	pprof.Do(ctx, pprof.Labels(phaseLabel, phaseEncoding), func(context.Context) { release = encode(p.compiled, receipt, released, cells) })
	kept, err := b.Keep(context.WithoutCancel(ctx), charge, release)
	if err != nil {
		return nil, fmt.Errorf("aggregate: the release is paid for but could not be kept, so it is not shown; run again with the same key, at no cost: %w", err)
	}
	if bytes.Equal(kept, release) {
		return newRelease(receipt, released, cells), nil // what decode would read
	}
	return decode[Group](p.compiled, kept)
}

// merged returns what adds noise to partials of this plan, once it is paid for.
func (p *Plan[Row, Unit, Group]) merged(ctx context.Context, partials []*Partial[Group]) (addingNoise func(context.Context) ([]Group, *results, error), err error) {
	states, err := p.checkPartials(partials)
	if err == nil {
		err = checkDated(states, time.Now())
	}
	if err != nil {
		return nil, err
	}
	sums, err := p.merge(ctx, states)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) (released []Group, shown *results, err error) {
		if len(partials) > 1 {
			defer sums.wipe()
		}
		draw := addNoise[Group]
		switch {
		case p.finder != nil:
			draw = find[Group]
		case p.top != nil:
			draw = pick[Group]
		}
		pprof.Do(ctx, pprof.Labels(phaseLabel, phaseDrawing), func(ctx context.Context) { released, shown, err = draw(ctx, p.compiled, sums) })
		return released, shown, err
	}, complete(sums.origins)
}
