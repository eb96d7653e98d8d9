package matrix

import (
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// smoothedPlainly is the model written the other way round: the numbers x that make
// (noisy-x)'Σ⁻¹(noisy-x) + Σ(x[t+1]-x[t])²/q least, for a given q.
func smoothedPlainly(noisy []float64, covariance func(i, j int) float64, q float64) []float64 {
	n := len(noisy)
	sigma, precision := mat.NewDense(n, n, nil), mat.NewDense(n, n, nil)
	for i := range n {
		for j := range n {
			sigma.Set(i, j, covariance(i, j))
		}
	}
	if err := precision.Inverse(sigma); err != nil {
		panic(err)
	}
	right := mat.NewVecDense(n, nil)
	right.MulVec(precision, mat.NewVecDense(n, noisy))
	for t := range n - 1 {
		for _, e := range [][3]int{{t, t, 1}, {t + 1, t + 1, 1}, {t, t + 1, -1}, {t + 1, t, -1}} {
			precision.Set(e[0], e[1], precision.At(e[0], e[1])+float64(e[2])/q)
		}
	}
	x := mat.NewVecDense(n, nil)
	if err := x.SolveVec(precision, right); err != nil {
		panic(err)
	}
	return x.RawVector().Data
}

// likelihoodPlainly is that of the steps, from the density of a normal vector.
func likelihoodPlainly(noisy []float64, covariance func(i, j int) float64, q float64) float64 {
	n := len(noisy) - 1
	v, d := mat.NewDense(n, n, nil), mat.NewVecDense(n, nil)
	for i := range n {
		d.SetVec(i, noisy[i+1]-noisy[i])
		for j := range n {
			v.Set(i, j, covariance(i+1, j+1)-covariance(i+1, j)-covariance(i, j+1)+covariance(i, j))
		}
		v.Set(i, i, v.At(i, i)+q)
	}
	x := mat.NewVecDense(n, nil)
	if err := x.SolveVec(v, d); err != nil {
		panic(err)
	}
	det, _ := mat.LogDet(v)
	return -det - mat.Dot(d, x)
}

// The smoothed line is the one that is likeliest by the model, worked out another
// way, at a variance of steps that is likelier than those a third away.
func TestASmoothedLineIsTheLikeliest(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 25 {
		n := 3 + r.IntN(12)
		s := Power(n, 0.5*r.Float64()).Reader()
		scale := math.Exp(6 * r.Float64())
		covariance := func(i, j int) float64 { return scale * s.Covariance(Span{i, i + 1}, Span{j, j + 1}) }
		level, noisy := 1000*r.NormFloat64(), make([]float64, n)
		step := math.Exp(8*r.Float64() - 2)
		for i := range noisy {
			level += step * r.NormFloat64()
			noisy[i] = level + math.Sqrt(scale)*r.NormFloat64()
		}
		got, err := Smooth(noisy, covariance)
		if err != nil {
			t.Fatal(err)
		}
		best, found := math.Inf(-1), 0.0
		for i := -160; i <= 160; i++ {
			if q := scale * math.Pow(10, float64(i)/16); likelihoodPlainly(noisy, covariance, q) > best {
				best, found = likelihoodPlainly(noisy, covariance, q), q
			}
		}
		// Lines of two variances that are a third apart are near each other; which is
		// the nearest tells that the likeliest was found.
		nearest := math.Inf(1)
		for i := -8; i <= 8; i++ {
			nearest = min(nearest, distance(got, smoothedPlainly(noisy, covariance, found*math.Pow(10, float64(i)/32))))
		}
		if tell := distance(smoothedPlainly(noisy, covariance, found), smoothedPlainly(noisy, covariance, 1.35*found)); nearest > 1e-4*math.Sqrt(scale)+tell {
			t.Errorf("%d numbers: %g from the likeliest line, which moves by %g where its steps have a third more variance", n, nearest, tell)
		}
	}
}

// Where nothing moves, what is smoothed is nearer than what is noisy, and where the
// truth jumps by far more than the noise it follows.
func TestASmoothedLineFollowsWhatNoiseDoesNotHide(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	independent := func(i, j int) float64 {
		if i == j {
			return 100
		}
		return 0
	}
	still, noisy := make([]float64, 200), make([]float64, 200)
	for i := range noisy {
		noisy[i] = 10 * r.NormFloat64()
	}
	got, err := Smooth(noisy, independent)
	if err != nil || distance(got, still) > distance(noisy, still)/3 {
		t.Errorf("%v: still, smoothed is %g away and noisy %g", err, distance(got, still), distance(noisy, still))
	}
	for i := range noisy {
		still[i] = 1e4 * float64(i%7)
		noisy[i] += still[i]
	}
	got, err = Smooth(noisy, independent)
	if err != nil || distance(got, still) > 1.1*distance(noisy, still) {
		t.Errorf("%v: with jumps, smoothed is %g away and noisy %g", err, distance(got, still), distance(noisy, still))
	}
	for _, few := range [][]float64{nil, {5}, {3, 3}} {
		if got, err := Smooth(few, independent); err != nil || distance(got, few) > 1e-9 {
			t.Errorf("%v is smoothed to %v, %v", few, got, err)
		}
	}
}

func distance(a, b []float64) float64 {
	sum := 0.0
	for i := range a {
		sum += (a[i] - b[i]) * (a[i] - b[i])
	}
	return math.Sqrt(sum)
}
