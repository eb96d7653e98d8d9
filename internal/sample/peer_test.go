package sample

import (
	"fmt"
	"math"
	"math/big"
	"slices"
	"testing"
	"time"

	"github.com/google/differential-privacy/go/v2/noise"
)

// peer is the integer noise of the library that most Go users know, at the same
// scale.
type peer struct {
	family
	draw func(scale int64) (int64, error)
}

var peers = []peer{
	{families[0], func(scale int64) (int64, error) { return noise.Laplace().AddNoiseInt64(0, 1, scale, 1, 0) }},
	{families[1], func(scale int64) (int64, error) {
		return noise.Gaussian().AddNoiseInt64(0, 1, scale, gaussEpsilon, 1e-5)
	}},
}

// gaussEpsilon gives the peer's Gaussian a sigma of its sensitivity, within 1 %.
const gaussEpsilon = 5.5

var peerScales = []int64{1, 4, 16, 1000, 1 << 20, 1 << 40}

// ratio measures our time for a draw as a part of the peer's: both take turns
// in slices of a fraction of a millisecond, and the tenth percentiles are
// compared, so that what else runs on the machine falls out.
func ratio(t testing.TB, p peer, scale int64) float64 {
	t.Helper()
	l, err := p.make(big.NewRat(scale, 1))
	if err != nil {
		t.Fatal(err)
	}
	s, dst := NewSource(), make([]int64, 1000)
	var ours, theirs []time.Duration
	for range 101 {
		ours = append(ours, elapsed(func() {
			for range 5 {
				l.Fill(s, dst)
			}
		}))
		theirs = append(theirs, elapsed(func() {
			for range 50 {
				if _, err := p.draw(scale); err != nil {
					t.Fatal(err)
				}
			}
		}))
	}
	slices.Sort(ours)
	slices.Sort(theirs)
	return float64(ours[10]) / 5000 / (float64(theirs[10]) / 50)
}

func elapsed(do func()) time.Duration {
	start := time.Now()
	do()
	return time.Since(start)
}

func BenchmarkLaplace(b *testing.B)  { benchmarkBeside(b, peers[0]) }
func BenchmarkGaussian(b *testing.B) { benchmarkBeside(b, peers[1]) }

// benchmarkBeside prints our time for a draw, the peer's, and ours as a part of
// the peer's, measured in turns.
func benchmarkBeside(b *testing.B, p peer) {
	for _, scale := range peerScales {
		name := fmt.Sprint(scale)
		if scale > 1000 {
			name = fmt.Sprintf("2^%.0f", math.Log2(float64(scale)))
		}
		l, err := p.make(big.NewRat(scale, 1))
		if err != nil {
			b.Fatal(err)
		}
		b.Run(name+"/equipoise", func(b *testing.B) {
			s, dst := NewSource(), make([]int64, 1024)
			b.ReportAllocs()
			b.ResetTimer()
			for n := b.N; n > 0; n -= len(dst) {
				l.Fill(s, dst[:min(n, len(dst))])
			}
			b.StopTimer()
			b.ReportMetric(1/ratio(b, p, scale), "times-faster")
		})
		b.Run(name+"/google", func(b *testing.B) {
			b.ReportAllocs()
			for range b.N {
				if _, err := p.draw(scale); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkSource(b *testing.B) {
	s := NewSource()
	b.SetBytes(8)
	for range b.N {
		s.Uint64()
	}
}

// BenchmarkNew is what a law costs before its first draw.
func BenchmarkNew(b *testing.B) {
	for _, f := range families {
		for _, scale := range []int64{1, 16, 1 << 40} {
			b.Run(fmt.Sprintf("%s/%d", f.name, scale), func(b *testing.B) {
				for range b.N {
					if _, err := f.make(big.NewRat(scale, 1)); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
	b.Run("TruncatedGeometric", func(b *testing.B) {
		for range b.N {
			if _, err := NewTruncatedGeometric(rat("1/10"), rat("1/1000000")); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkKeep(b *testing.B) {
	k, err := NewTruncatedGeometric(rat("1/10"), rat("1/1000000"))
	if err != nil {
		b.Fatal(err)
	}
	s := NewSource()
	for range b.N {
		k.Keep(s, 100)
	}
}

func BenchmarkChoose(b *testing.B) {
	segments := make([]Segment, 1000)
	for i := range segments {
		segments[i] = Segment{10, int64(max(i-500, 500-i))}
	}
	s, d := NewSource(), decay(b, "1/10")
	for range b.N {
		if _, _, err := d.Choose(s, segments); err != nil {
			b.Fatal(err)
		}
	}
}
