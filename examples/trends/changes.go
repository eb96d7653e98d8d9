package main

import "github.com/equipoise-dp/equipoise/aggregate"

// A change is the difference of a quantity between two consecutive periods of
// one group, with its 95 % interval.
type change struct {
	figure
	Verdict verdictOfChange
}

type verdictOfChange string

// What can be said of a change. All of a report's rose and fell hold together, at
// 95 %: the chance that any one of them is wrong is at most 5 %. Each perhaps
// holds at 95 % by itself, so that of many some are wrong.
const (
	rose        verdictOfChange = "rose"
	fell        verdictOfChange = "fell"
	perhapsRose verdictOfChange = "perhaps rose"
	perhapsFell verdictOfChange = "perhaps fell"
	unclear     verdictOfChange = "no clear change" // the noise can explain it
)

// sure reports whether the change holds together with all other sure ones.
func (v verdictOfChange) sure() bool { return v == rose || v == fell }

// perhaps reports whether the change holds by itself.
func (v verdictOfChange) perhaps() bool { return v == perhapsRose || v == perhapsFell }

// mark returns what stands beside a number in a table.
func (v verdictOfChange) mark() string {
	return map[verdictOfChange]string{rose: "▲", fell: "▼", perhapsRose: "△", perhapsFell: "▽", unclear: "·"}[v]
}

// single is the confidence of one interval, and of all sure changes together.
const single = 0.95

// mostKnown is the largest confidence at which intervals of quantiles are known, since
// their ends are drawn with the release.
const mostKnown = 0.999

// A jury holds the confidence that a single change needs, so that all changes of
// a report that are called sure are right together.
//
// By Bonferroni's inequality the chance that any of m intervals misses is at most
// the sum of their chances, whatever they have to do with each other; the jury
// shares 5 % among them. Quantiles take 0.1 % each, or, where these add up to
// more than most of the 5 %, are never called sure and take nothing.
type jury struct{ totals, quantiles float64 }

func newJury(changes, quantiles int) jury {
	left := 1 - single
	taken := float64(quantiles) * (1 - mostKnown)
	if taken > 0.8*left || quantiles == changes && taken > left {
		return jury{1 - left/float64(max(changes-quantiles, 1)), 1}
	}
	return jury{1 - (left-taken)/float64(max(changes-quantiles, 1)), mostKnown}
}

// compare returns the change of a quantity. Its interval is that of the
// difference: two overlapping intervals of the cells would say less, since the
// noises of two cells seldom conspire.
func (j jury) compare(q quantity, before, after aggregate.Cell) change {
	needed := j.totals
	if q.Quantile {
		needed = j.quantiles
	}
	alone := q.change(before, after, single)
	together := alone
	if needed > single {
		together = q.change(before, after, needed)
	}
	return change{alone, judge(alone, together)}
}

// judge judges a change by its interval at 95 %, and by the wider one at which
// it must not be zero to be sure.
func judge(alone, together figure) verdictOfChange {
	switch {
	case together.Low > 0:
		return rose
	case together.High < 0:
		return fell
	case alone.Low > 0:
		return perhapsRose
	case alone.High < 0:
		return perhapsFell
	}
	return unclear
}
