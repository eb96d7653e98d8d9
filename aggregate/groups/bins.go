package groups

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"sort"

	"github.com/equipoise-dp/equipoise/dp"
)

// NoNumber is the name of the bin of NaN.
const NoNumber = "no number"

// Bins divide numbers at edges: each bin begins with its edge and ends before the next one. The
// first bin has all numbers below the first edge, and the last all from the last edge on, so
// that every number is in one. Make them with NewBins; the zero Bins has one, without a
// name.
type Bins[T dp.Number] struct {
	edges []T
	names []string // one more than edges
}

// NewBins returns the bins between edges that rise. They are named by their numbers, such
// as "below 18", "18 to 29" and "65 or more", for fractions "1.5 to under 2.5"; or by the names
// given, of which there must be one more than edges. Every mistake is named.
func NewBins[T dp.Number](edges []T, names ...string) (Bins[T], error) {
	b := Bins[T]{edges: slices.Clone(edges), names: slices.Clone(names)}
	if err := errors.Join(b.checkEdges(), b.checkNames()); err != nil {
		return Bins[T]{}, err
	}
	if len(names) == 0 {
		b.names = named(b.edges)
	}
	return b, nil
}

func (b Bins[T]) checkEdges() error {
	var errs []error
	if len(b.edges) == 0 {
		errs = append(errs, errors.New("groups: bins have no edges, need at least one"))
	}
	for i, edge := range b.edges {
		if x := float64(edge); math.IsNaN(x) || math.IsInf(x, 0) {
			errs = append(errs, fmt.Errorf("groups: edge %d of bins is %v, must be finite; numbers beyond the edges have bins of their own", i+1, edge))
		} else if i > 0 && !(edge > b.edges[i-1]) {
			errs = append(errs, fmt.Errorf("groups: edge %d of bins is %v, must be above the one before, %v", i+1, edge, b.edges[i-1]))
		}
	}
	return errors.Join(errs...)
}

func (b Bins[T]) checkNames() error {
	if len(b.names) == 0 {
		return nil
	}
	var errs []error
	if want := len(b.edges) + 1; len(b.names) != want {
		errs = append(errs, fmt.Errorf("groups: %d bins have %d names; the first is below the first edge, the last from the last edge on", want, len(b.names)))
	}
	for i, name := range b.names {
		switch {
		case name == NoNumber:
			errs = append(errs, fmt.Errorf("groups: name %d of bins is %q, which is the bin of NaN; use another", i+1, name))
		case slices.Contains(b.names[:i], name):
			errs = append(errs, fmt.Errorf("groups: name %d of bins is %q, which another bin has; names must differ", i+1, name))
		}
	}
	return errors.Join(errs...)
}

// named returns the names of the bins between edges.
func named[T dp.Number](edges []T) []string {
	names := []string{fmt.Sprint("below ", edges[0])}
	for i, from := range edges[:len(edges)-1] {
		names = append(names, between(from, edges[i+1]))
	}
	return append(names, fmt.Sprint(edges[len(edges)-1], " or more"))
}

// between names the bin from one edge to the next.
func between[T dp.Number](from, to T) string {
	_, speaks := any(from).(fmt.Stringer) // such as a time.Duration, of which nobody says the last nanosecond
	switch {
	case speaks || fractions[T]():
		return fmt.Sprint(from, " to under ", to)
	case from+1 == to:
		return fmt.Sprint(from)
	}
	return fmt.Sprint(from, " to ", to-1)
}

// fractions says whether T has numbers between integers.
func fractions[T dp.Number]() bool {
	half := 0.5
	return T(half) != 0
}

// Of returns the name of the bin that a number is in.
func (b Bins[T]) Of(x T) string {
	if x != x {
		return NoNumber
	}
	if len(b.names) == 0 {
		return ""
	}
	return b.names[sort.Search(len(b.edges), func(i int) bool { return b.edges[i] > x })]
}

// Names returns the names of all bins, from the lowest on; the last one of fractions is
// NoNumber.
func (b Bins[T]) Names() []string {
	names := slices.Clone(b.names)
	if fractions[T]() {
		names = append(names, NoNumber)
	}
	return names
}
