package main

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/equipoise-dp/equipoise/budget"
	"github.com/equipoise-dp/equipoise/dp"
)

// pointsOf reads the points of a line.
func pointsOf(t *testing.T, line string) (all [][2]float64) {
	t.Helper()
	for _, p := range strings.Fields(line) {
		var x, y float64
		if _, err := fmt.Sscanf(p, "%f,%f", &x, &y); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		all = append(all, [2]float64{x, y})
	}
	return all
}

// Whatever was spent when, the line begins at nothing, goes to the right and up, has the
// part of the limit that was used today, and goes on to the limit.
func TestTheLifeOfAnAccountGoesUpToWhatWasUsed(t *testing.T) {
	for seed := range 200 {
		r := rand.New(rand.NewPCG(uint64(seed), 17))
		now := time.Date(2026, 6, 1, 10, 0, 0, 0, time.UTC)
		at := now.AddDate(0, 0, -400)
		limit, spent := dp.Pure{Epsilon: 10}, 0.0
		var entries []budget.Entry
		var totals []dp.Loss
		for i := range 1 + r.IntN(30) {
			if i > 0 && r.IntN(4) > 0 && spent < 9 {
				spent += 0.25 * float64(r.IntN(3))
			}
			entries = append(entries, budget.Entry{Seq: uint64(i), At: at})
			totals = append(totals, dp.Parts{Epsilon: spent}.Loss())
			at = at.Add(time.Duration(r.IntN(13*24)) * time.Hour)
		}
		whole := budget.ScopeStatus{Limit: limit, Spent: dp.Parts{Epsilon: spent}.Loss()}
		ends := now.AddDate(0, 0, r.IntN(3000)+1)
		l := lifeOf(entries, totals, whole, &ends, now)
		if spent == 0 {
			if l != nil {
				t.Fatalf("seed %d: nothing was spent, and has a life", seed)
			}
			continue
		}
		line := pointsOf(t, l.Line())
		for i := range line[1:] {
			if line[i+1][0] < line[i][0] || line[i+1][1] > line[i][1] {
				t.Fatalf("seed %d: the line goes back or down: %s", seed, l.Line())
			}
		}
		today, want := line[len(line)-1], lifeHeight*(1-spent/10)
		if line[0] != [2]float64{0, lifeHeight} || abs(today[1]-want) > 0.1 {
			t.Errorf("seed %d: from %v to %v, want to the height %v", seed, line[0], today, want)
		}
		ahead := pointsOf(t, l.Ahead())
		reaches := ends.Sub(now) <= 2*now.Sub(entries[0].At)
		if ahead[0] != today || ahead[1][0] != lifeWidth || (abs(ahead[1][1]) < 0.1) != reaches {
			t.Errorf("seed %d: goes on from %v to %v, and reaches the limit: %t", seed, ahead[0], ahead[1], reaches)
		}
		if days := slices.CompactFunc(slices.Clone(l.Days), func(a, b lifeDay) bool { return a.Day == b.Day || a.Used == b.Used }); len(days) != len(l.Days) {
			t.Errorf("seed %d: a day or an amount is there twice: %v", seed, l.Days)
		}
	}
}

func abs(x float64) float64 { return max(x, -x) }

func TestALifeWithoutAnEndOrALimit(t *testing.T) {
	now := time.Date(2026, 6, 1, 10, 0, 0, 0, time.UTC)
	entries := []budget.Entry{{At: now.AddDate(0, 0, -10)}, {At: now.AddDate(0, 0, -5)}}
	totals := []dp.Loss{nil, dp.Pure{Epsilon: 3}}
	l := lifeOf(entries, totals, budget.ScopeStatus{Spent: dp.Pure{Epsilon: 3}}, nil, now)
	if l.Limit || l.Ahead() != "" || l.Last() != "" || l.Line() != "0.0,200.0 0.0,200.0 0.0,200.0 500.0,200.0 500.0,0.0 1000.0,0.0" {
		t.Errorf("%q %q %+v", l.Line(), l.Ahead(), l)
	}
	if lifeOf(nil, nil, budget.ScopeStatus{}, nil, now) != nil || lifeOf(entries, nil, budget.ScopeStatus{Limit: dp.Pure{Epsilon: 1}}, nil, now) != nil {
		t.Error("what has no entries, or spent nothing, has a life")
	}
}
