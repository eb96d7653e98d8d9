package aggregate

import (
	"fmt"

	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/internal/matrix"
)

// Smooth returns a line through a count or a sum over time, one number for each period
// of a stretch: what is expected of it if the truth moves from period to period by
// normal steps, as a model has it (the local level model; Harvey 1989), and the noise is what
// it is known to be. It is worked out from what was released, so it costs nothing.
//
// It is a picture to see a direction in, and no answer: the model may be wrong, a sudden
// change is spread over its neighbours, and no interval is promised. Show it marked, beside
// the estimates, and never in their place. A stretch has at most 1,000 periods.
func Smooth[T dp.Number, Group comparable](t *Trend[Group], c Column[T], s Stretch[Group]) ([]float64, error) {
	two, err := t.compare(c.column, s, s)
	if err != nil {
		return nil, err
	}
	if n := s.To - s.From; n > matrix.MostSmoothed {
		return nil, fmt.Errorf("aggregate: Stretch has %d periods, at most %d can be smoothed; take the last ones", n, matrix.MostSmoothed)
	}
	period := func(i int) matrix.Span { return matrix.Span{From: s.From + i, To: s.From + i + 1} }
	noisy, unit, m := make([]float64, s.To-s.From), 0.0, t.core.sharedOf(two.answer)
	for i := range noisy {
		cell := t.cell(two.plus, nil, period(i), matrix.Span{})
		l := cell.linear(cell.plan().answers[two.answer])
		noisy[i], _ = l.value.Float64()
		if v := m.variance(two.plus, nil, period(i), matrix.Span{}); v > 0 {
			unit = max(unit, l.stdDev*l.stdDev/v)
		}
	}
	smooth, err := matrix.Smooth(noisy, func(i, j int) float64 {
		return unit * m.covariance(two.plus, two.plus, period(i), period(j))
	})
	if within := t.core.answers[two.answer].within; within.least != nil {
		least, _ := within.least.Float64()
		for i := range smooth {
			smooth[i] = max(smooth[i], least)
		}
	}
	return smooth, err
}
