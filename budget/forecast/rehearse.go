package forecast

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/equipoise-dp/equipoise/aggregate"
	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/internal/rehearsal"
)

// A Shape says what made-up rows are like.
type Shape[Row any] struct {
	Units  int // how many there are
	Groups int // that they are in
	Each   int // in how many of them each unit is
	Rows   int // of a unit in each of its groups

	// Skew says how unequal groups are: the units in the g-th are as 1/g^Skew. If 0,
	// groups are of one size.
	Skew float64

	// Row makes a row of a unit in a group. Both are numbered from 0. x is in (0, 1), and
	// evenly spread over the rows of a group: a program makes of it whatever values it
	// expects. It must not look at a row of anybody.
	Row func(unit, group int, x float64) Row
}

// Rehearsed is the account, the purpose and the request key in the receipt of a
// rehearsal.
const Rehearsed = rehearsal.Mark

// Rehearse runs a plan on made-up rows, all the way: rows are read and cut off at the caps,
// noise is drawn, groups are selected, and what comes out can be shown by the program that
// will show releases. Nobody pays, and nothing is kept.
//
// It is for made-up rows only, and makes them itself: what it returns of the rows of
// people would be protected like a release, and nobody would have paid for it. Receipts
// say [Rehearsed] where those of releases have their account, their purpose and their
// key, also when they are stored as JSON; no account has an entry of that hash. Printed, the
// mark comes first, and as JSON the whole and each of its groups has it.
//
// A plan that asks units for their consent is an error: made-up ones have none to give.
// Rehearse the same query without it.
func Rehearse[Row any, Unit, Group comparable](ctx context.Context, plan *aggregate.Plan[Row, Unit, Group], s Shape[Row]) (*aggregate.Release[Group], error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	return plan.Run(ctx, new(stage), aggregate.Request{Key: Rehearsed, Purpose: Rehearsed}, s.rows())
}

func (s Shape[Row]) check() error {
	var errs []error
	fail := func(format string, args ...any) { errs = append(errs, fmt.Errorf("forecast: Shape."+format, args...)) }
	for _, f := range []struct {
		name string
		x    int
	}{{"Units", s.Units}, {"Groups", s.Groups}, {"Each", s.Each}, {"Rows", s.Rows}} {
		if f.x < 1 || f.x > mostMadeUp {
			fail("%s is %d, must be 1 to %d", f.name, f.x, mostMadeUp)
		}
	}
	if s.Each > s.Groups {
		fail("Each is %d, must be at most Groups, which is %d", s.Each, s.Groups)
	}
	if !(s.Skew >= 0 && s.Skew <= 10) {
		fail("Skew is %v, must be 0 to 10", s.Skew)
	}
	if s.Row == nil {
		fail("Row is nil; it must make a row")
	}
	return errors.Join(errs...)
}

const mostMadeUp = 1 << 30

// rows makes the rows, the same ones each time.
func (s Shape[Row]) rows() iter.Seq2[Row, error] {
	ends := s.ends()
	return func(yield func(Row, error) bool) {
		for unit := range s.Units {
			for _, group := range s.groupsOf(unit, ends) {
				for i := range s.Rows {
					if !yield(s.Row(unit, group, spread(unit*s.Rows+i, math.Sqrt2)), nil) {
						return
					}
				}
			}
		}
	}
}

// ends returns up to where in [0, 1) each group reaches.
func (s Shape[Row]) ends() []float64 {
	ends, sum := make([]float64, s.Groups), 0.0
	for g := range ends {
		sum += math.Pow(float64(g+1), -s.Skew)
		ends[g] = sum
	}
	for g := range ends {
		ends[g] /= sum
	}
	return ends
}

// groupsOf returns the groups of a unit. Two in the same group would be one: the second
// goes to the next that is free.
func (s Shape[Row]) groupsOf(unit int, ends []float64) []int {
	var groups []int
	for i := range s.Each {
		at, _ := slices.BinarySearch(ends, spread(unit*s.Each+i, math.Phi))
		for at = min(at, s.Groups-1); slices.Contains(groups, at); {
			at = (at + 1) % s.Groups
		}
		groups = append(groups, at)
	}
	return groups
}

// spread returns numbers in (0, 1) that are evenly spread, whenever one stops: multiples
// of an irrational number. Those of another one are spread evenly beside them.
func spread(i int, irrational float64) float64 {
	x := (float64(i) + 0.5) * (irrational - 1)
	return min(max(x-math.Floor(x), 1e-9), 1-1e-9)
}

// A stage is the budget of one rehearsal.
type stage struct {
	mu   sync.Mutex
	kept []byte
}

func (*stage) Afford(context.Context, dp.Charge) error { return nil }

func (s *stage) Spend(context.Context, dp.Charge) (dp.Payment, error) {
	return dp.Payment{Account: Rehearsed, At: time.Unix(0, 0).UTC()}, nil
}

func (s *stage) Keep(_ context.Context, _ dp.Charge, release []byte) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.kept == nil {
		s.kept = release
	}
	return s.kept, nil
}

func (s *stage) Kept(context.Context, dp.Charge) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.kept, nil
}
