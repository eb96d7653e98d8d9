package main

import "github.com/equipoise-dp/equipoise/aggregate"

// A change is the difference of a quantity between two consecutive periods of
// one group.
type change struct {
	figure
	Verdict verdictOfChange
}

type verdictOfChange string

// What an interval for a difference can say.
const (
	rose    verdictOfChange = "rose"
	fell    verdictOfChange = "fell"
	unclear verdictOfChange = "no clear change" // the noise can explain it
)

// compare returns the change of a quantity. It rose or fell if the 95 % interval
// of the difference does not contain 0. Two overlapping intervals of the cells
// would say less: the noises of two cells seldom conspire.
func (q quantity) compare(before, after aggregate.Cell) change {
	d := q.change(before, after)
	switch {
	case d.Low > 0:
		return change{d, rose}
	case d.High < 0:
		return change{d, fell}
	}
	return change{d, unclear}
}

// clear reports whether the noise cannot explain the change.
func (c change) clear() bool { return c.Verdict != unclear }
