package aggregate

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/equipoise-dp/equipoise/internal/core"
)

// What is skipped on the way is no better: the layout is that of all that are tried, by what
// they cost, the first of the best.
func TestTheLayoutIsTheBestOfAll(t *testing.T) {
	r := rand.New(rand.NewPCG(17, 9))
	for n := range 40 {
		q := question{weights: map[want]*big.Rat{}, l0: 1 + r.Int64N(20), groups: 2 + r.IntN(400)}
		ws := []want{{form: formUnits}}
		for range r.IntN(4) {
			v := &value{perUnit: true, lower: big.NewRat(r.Int64N(50)-25, 1), upper: big.NewRat(26+r.Int64N(500), 1)}
			ws = append(ws, want{formTotal, v})
		}
		for _, w := range ws {
			q.weights[w] = big.NewRat(1+r.Int64N(30), 1+r.Int64N(30))
		}
		q.wants = ws
		best, least := layout{}, math.Inf(1)
		read, weights := q.lengthened(ws)
		everyLayout(q, ws, func(l layout) {
			if cost := q.cost(read, weights, l, true); cost < least {
				best, least = l, cost
			}
		})
		got := q.layout(ws, core.Gaussian, true)
		if got.count != best.count || got.take != best.take || got.people != best.people || got.norm != best.norm {
			t.Errorf("question %d: the layout is %+v, must be %+v", n, got, best)
		}
	}
}

func everyLayout(q question, ws []want, try func(layout)) {
	values, squares := q.lengths(ws), 0.0
	for _, length := range values {
		squares += length * length
	}
	for quarters := 1; quarters <= mostQuarters; quarters++ {
		l := layout{count: float64(quarters) / 4, values: values}
		record := l.count*l.count + squares
		l.norm = math.Sqrt(record)
		try(l)
		for sixteenths := 1; sixteenths <= mostSixteenths; sixteenths++ {
			l.take = l.count * float64(sixteenths) / 16
			in, away := record+l.take*(l.take-2*l.count), l.take*l.take
			groups := float64(q.groups)*away + max(in-away, (in-away)*float64(q.l0))
			for step := range 4*mostOctaves + 1 {
				l.people = math.Sqrt(groups) * math.Exp2(-float64(step)/4)
				l.norm = math.Sqrt(groups + l.people*l.people)
				try(l)
			}
		}
	}
}
