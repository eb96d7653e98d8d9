package matrix

import (
	"math"
	"math/rand/v2"
	"testing"
)

// What a strategy costs is the mean over the views of what its reader says of their sums,
// times what a person does to its rows: written plainly, span by span.
func TestACostIsTheMeanOverTheViews(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 8))
	for range 60 {
		periods := 2 + r.IntN(30)
		k := 1 + r.IntN(periods)
		views := []View{Each(periods, 1+r.Float64()), Rolling(periods, 1+r.IntN(periods), r.Float64()), ToDate(periods, r.Float64()), {Spans: []Span{{1, 2}, {0, periods}, {periods / 2, periods}}, Weight: 0.5}}
		m := mixture{r.IntN(500), r.IntN(500), r.IntN(500), r.IntN(500), r.IntN(500), r.IntN(500)}
		s := m.strategy(periods)
		reader := s.Reader()
		sum, all := 0.0, 0.0
		for _, v := range views {
			variance, length := 0.0, 0.0
			for _, span := range v.Spans {
				variance += reader.Covariance(span, span)
				length += float64(span.To - span.From)
			}
			sum, all = sum+v.Weight*variance/length, all+v.Weight
		}
		squares, _ := s.Squares(k, true).Float64()
		want := sum / all * squares / one / one / float64(k)
		c := &chooser{periods, k, views}
		if got := c.costOf(m); math.Abs(got/want-1) > 1e-3 { // coefficients are rounded to the grid
			t.Fatalf("%d periods, %d of a person: %v costs %v, must cost %v", periods, k, m, got, want)
		}
	}
}

// Coefficients must not rise, so the second is at most the first.
func TestMixturesThatRiseAreNoStrategies(t *testing.T) {
	c := &chooser{8, 3, []View{Each(8, 1)}}
	if x := c.costOf(mixture{5: 4096}); math.IsInf(x, 1) || !(x > 0) {
		t.Errorf("running totals cost %v", x)
	}
	if x := c.costOf(mixture{5: 4097}); !math.IsInf(x, 1) {
		t.Errorf("a mixture that rises costs %v", x)
	}
}
