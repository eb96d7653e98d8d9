package sample

import (
	"cmp"
	"math"
	"slices"
	"testing"
	"time"
)

// timed is one draw: how long it took, and how large it was.
type timed struct {
	took time.Duration
	size int64
}

const timedDraws = 300_000

func timeDraws(draw func() int64) []timed {
	out := make([]timed, timedDraws)
	for i := range out {
		start := time.Now()
		x := draw()
		out[i] = timed{time.Since(start), max(x, -x)}
	}
	return out
}

// spearman drops the slowest twentieth and returns the rank correlation of time
// and size in units of its standard deviation under independence. Equal values
// share their mean rank.
func spearman(draws []timed) float64 {
	slices.SortFunc(draws, func(a, b timed) int { return cmp.Compare(a.took, b.took) })
	draws = draws[:len(draws)*19/20]
	took := ranks(len(draws), func(i int) int64 { return int64(draws[i].took) })
	size := ranks(len(draws), func(i int) int64 { return draws[i].size })
	mean := float64(len(draws)-1) / 2
	var xy, xx, yy float64
	for i := range took {
		x, y := took[i]-mean, size[i]-mean
		xy, xx, yy = xy+x*y, xx+x*x, yy+y*y
	}
	if xx == 0 || yy == 0 {
		return 0
	}
	return xy / math.Sqrt(xx*yy) * math.Sqrt(float64(len(draws)-1))
}

func ranks(n int, value func(int) int64) []float64 {
	order, out := make([]int, n), make([]float64, n)
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(value(a), value(b)) })
	for low := 0; low < n; {
		high := low
		for high < n && value(order[high]) == value(order[low]) {
			high++
		}
		for _, i := range order[low:high] {
			out[i] = float64(low+high-1) / 2
		}
		low = high
	}
	return out
}

// G1: the time of a draw tells nothing of its magnitude. 300,000 draws, one at a
// time; |z| stays below 6 with probability 1 - 2e-9 if they are independent.
func TestTimeTellsNothing(t *testing.T) {
	s, dst := NewSource(), make([]int64, 1)
	for _, f := range families {
		for _, text := range []string{"1", "16", "1000", "1099511627776"} {
			l, err := f.make(rat(text))
			if err != nil {
				t.Fatal(err)
			}
			z := spearman(timeDraws(func() int64 { l.Fill(s, dst); return dst[0] }))
			t.Logf("%s %s: z = %.1f", f.name, text, z)
			if !(math.Abs(z) < 6) {
				t.Errorf("%s %s: time and magnitude are correlated, z = %.1f, want below 6", f.name, text, z)
			}
		}
	}
}

// G1: the measurement would see a leak. The mutant draws its geometric variable
// by counting coins, as the oracle does.
func TestTheTimeOfCountedCoinsTells(t *testing.T) {
	s, d := NewSource(), decay(t, "1/2")
	z := spearman(timeDraws(func() int64 {
		n := int64(0)
		for d.Bernoulli(s, 1) {
			n++
		}
		return n
	}))
	if t.Logf("z = %.1f", z); z < 6 {
		t.Errorf("a sampler that counts coins has z = %.1f, want above 6", z)
	}
}
