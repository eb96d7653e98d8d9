package dp

import (
	"math"
	"math/rand/v2"
	"testing"
)

// Ratios and shares are in their intervals as often as the noise is in its own: of
// 600 draws of Gaussian noise at 90 %, between 492 and 582 are, but for a
// probability below 1e-9. Where the divisor may be 0 nothing is known.
func TestIntervalsOfRatiosAndSharesHoldAsOftenAsTheySay(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for _, c := range []struct{ a, b, noiseA, noiseB float64 }{
		{100, 80, 5, 5}, {100, 80, 20, 1}, {3, 400, 6, 30}, {0, 50, 4, 4}, {1000, 60, 1, 15}, {100, 0, 6, 6},
	} {
		held, shares, known := 0, 0, 0
		const runs = 600
		for range runs {
			a := noisy(c.a+c.noiseA*r.NormFloat64(), c.noiseA).Within(0, math.Inf(1))
			b := noisy(c.b+c.noiseB*r.NormFloat64(), c.noiseB).Within(0, math.Inf(1))
			ratio, share := a.Over(b), a.ShareWith(b)
			l, h := ratio.Interval(0.9)
			if c.b == 0 || l <= c.a/c.b && c.a/c.b <= h {
				held++
			}
			if l, h := share.Interval(0.9); l <= c.a/(c.a+c.b) && c.a/(c.a+c.b) <= h {
				shares++
			}
			if !ratio.Unknown {
				known++
			}
			if !ratio.Unknown && !(l <= ratio.Value && ratio.Value <= h) {
				t.Fatalf("%v is not in [%v, %v]", ratio.Value, l, h)
			}
		}
		atEnd := c.a == 0 || c.b == 0 // where intervals are cut off they may hold more often
		if held < 492 || shares < 492 || !atEnd && (held > 582 || shares > 582) {
			t.Errorf("%v: ratios hold %d times, shares %d times of %d", c, held, shares, runs)
		}
		if c.b >= 8*c.noiseB && known < runs || c.b == 0 && known > 60 {
			t.Errorf("%v: %d ratios are known", c, known)
		}
	}
}

// A share and that of the rest are 1 together, and so are the ends of their intervals.
func TestSharesAddUp(t *testing.T) {
	a, b := noisy(30, 3), noisy(70, 4)
	x, y := a.ShareWith(b), b.ShareWith(a)
	l, h := x.Interval(0.95)
	l2, h2 := y.Interval(0.95)
	if math.Abs(x.Value-0.3) > 1e-12 || math.Abs(x.Value+y.Value-1) > 1e-12 || math.Abs(l+h2-1) > 1e-9 || math.Abs(h+l2-1) > 1e-9 {
		t.Errorf("%v (%v to %v) and %v (%v to %v)", x.Value, l, h, y.Value, l2, h2)
	}
	if lo, hi := x.Interval(1); lo != 0 || hi != 1 {
		t.Errorf("a share is in [%v, %v]", lo, hi)
	}
	unknown := NewUnknown(0.0, 10)
	if !a.Over(unknown).Unknown || !unknown.Over(a).Unknown || !unknown.ShareWith(a).Unknown || !noisy(30, 3).Over(noisy(1, 4)).Unknown {
		t.Error("what is divided by or into something unknown is known")
	}
	if e := noisy(-30, 3).Over(noisy(60, 4)); math.Abs(e.Value+0.5) > 1e-12 || e.Unknown {
		t.Errorf("-30 of 60 is %v", e.Value)
	}
}

// Intervals that hold together miss no more often than one of them may.
func TestJointlyMissesNoMoreThanOneMay(t *testing.T) {
	if Jointly(0.95, 1) != 0.95 || math.Abs(Jointly(0.95, 10)-0.995) > 1e-12 || Jointly(0.5, 0) != 0.5 {
		t.Errorf("%v, %v, %v", Jointly(0.95, 1), Jointly(0.95, 10), Jointly(0.5, 0))
	}
	r := rand.New(rand.NewPCG(2, 2))
	const runs, n = 20_000, 12
	held := 0
	for range runs {
		all := true
		for range n {
			l, h := noisy(r.NormFloat64(), 1).Interval(Jointly(0.9, n))
			all = all && l <= 0 && 0 <= h
		}
		if all {
			held++
		}
	}
	if held < 17_600 || held > 18_500 {
		t.Errorf("bands of %d hold %d times of %d", n, held, runs)
	}
}
