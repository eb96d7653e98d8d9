package core

import (
	"math"
	"math/big"
	"slices"
	"sync"
	"testing"
)

// F2: a session that has ended gives no more noise: its key is gone.
func TestAnEndedSessionDrawsNothing(t *testing.T) {
	law, err := NewLaw(Laplace, big.NewRat(3, 1))
	if err != nil {
		t.Fatal(err)
	}
	var s *Session
	InSession(func(session *Session) {
		s = session
		s.Draw(law, make([]int64, 1))
	})
	defer func() {
		if recover() == nil {
			t.Error("noise was drawn after the end")
		}
	}()
	s.Draw(law, make([]int64, 1000))
}

// The half-width of one draw holds what it says, by the exact sum of the discrete
// law, and hardly more where the law is fine.
func TestHalfWidthsHoldWhatTheySay(t *testing.T) {
	for _, scale := range []int64{1, 3, 40} {
		for f, pmf := range map[Family]func(x, s float64) float64{
			Laplace:  func(x, s float64) float64 { return math.Exp(-math.Abs(x) / s) },
			Gaussian: func(x, s float64) float64 { return math.Exp(-x * x / (2 * s * s)) },
		} {
			law, err := NewLaw(f, big.NewRat(scale, 1))
			if err != nil {
				t.Fatal(err)
			}
			for _, confidence := range []float64{0.5, 0.9, 0.95, 0.999} {
				inside, all := 0.0, 0.0
				half := law.HalfWidth(confidence)
				for x := -100.0 * float64(scale); x <= 100*float64(scale); x++ {
					p := pmf(x, float64(scale))
					all += p
					if math.Abs(x) <= half {
						inside += p
					}
				}
				if inside/all < confidence-1e-9 || scale == 40 && inside/all > confidence+0.02*(1-confidence)+0.02 {
					t.Errorf("%v of scale %d: ±%v holds %.5f, asked for %v", f, scale, half, inside/all, confidence)
				}
			}
		}
	}
}

// Noise that a session lends is wiped when the next is lent and when the session
// ends, also beyond what the next needs.
func TestNoiseThatIsLentIsWiped(t *testing.T) {
	law, err := NewLaw(Laplace, big.NewRat(1<<30, 1))
	if err != nil {
		t.Fatal(err)
	}
	for _, next := range []func(*Session){(*Session).End, func(s *Session) { s.Noise(law, 0) }, func(s *Session) { s.Noise(law, 100) }} {
		s := Begin()
		noise := s.Noise(law, 10)
		before := slices.Clone(noise)
		if len(noise) != 10 || !slices.ContainsFunc(noise, func(x int64) bool { return x != 0 }) {
			t.Fatalf("noise is %v", noise)
		}
		next(s)
		for i, x := range noise {
			if x == before[i] && x != 0 {
				t.Errorf("draw %d is still %d", i, x)
			}
		}
	}
	s := Begin()
	long := s.Noise(law, 10)
	s.Noise(law, 2)
	if slices.ContainsFunc(long[2:], func(x int64) bool { return x != 0 }) {
		t.Errorf("after two draws more, %v is left of ten", long[2:])
	}
}

// Without noise a group is kept if it has units.
func TestWithoutNoiseGroupsThatHaveUnitsAreKept(t *testing.T) {
	SetNoiseless(true)
	defer SetNoiseless(false)
	for n, want := range map[int64]bool{0: false, 1: true, 5: true} {
		if got := new(Session).Keep(nil, n); got != want {
			t.Errorf("a group of %d is kept: %v, want %v", n, got, want)
		}
	}
}

// A scale that no sampler takes is refused when the law is made, not when it is drawn from.
func TestAScaleOutOfRangeIsRefusedBeforeAnythingIsDrawn(t *testing.T) {
	for _, scale := range []*big.Rat{big.NewRat(1, 1<<11), big.NewRat(1<<41, 1), big.NewRat(-1, 1)} {
		for _, f := range []Family{Laplace, Gaussian, OneSided} {
			if l, err := NewLaw(f, scale); l != nil || err == nil {
				t.Errorf("%v of scale %v is %v, %v", f, scale, l, err)
			}
		}
		if l, err := NewCube(2, scale); l != nil || err == nil {
			t.Errorf("a cube of scale %v is %v, %v", scale, l, err)
		}
	}
}

// A law that several draw from at once for the first time draws for all of them.
func TestALawIsDrawnFromByManyAtOnce(t *testing.T) {
	law, err := NewLaw(Gaussian, big.NewRat(1000, 1))
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			InSession(func(s *Session) {
				if noise := s.Noise(law, 64); slices.Max(noise) == slices.Min(noise) {
					t.Errorf("noise is %v", noise)
				}
			})
		})
	}
	all.Wait()
}
