package sample

import (
	"math/big"
	"math/rand/v2"
	"testing"
)

// pow2Terms repeats the coefficients of pow2, the constant term first.
var pow2Terms = []uint64{
	0xffffffffffffffff, 0xb17217f7d1cf78f3, 0x3d7f7bff058af4db, 0xe35846b824ce464,
	0x276556df721edfc, 0x5761ff9d199e7e, 0xa1848931b8f01, 0xffe5f07c6a8a,
	0x162be68b6472, 0x1b4feeb762f, 0x1e28d1a3c0, 0x1d28970e4, 0x1401d369,
}

// pow2 is the polynomial with these coefficients, each product rounded down.
// Twelve roundings of at most 1, of which each counts at most once as the
// argument is below 1, leave pow2Slack-12 for the polynomial itself.
func TestPow2IsThePolynomial(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for range 10_000 {
		f := r.Uint64()
		want := new(big.Int)
		for i := len(pow2Terms) - 1; i >= 0; i-- {
			want.Mul(want, new(big.Int).SetUint64(f)).Rsh(want, 64)
			want.Sub(new(big.Int).SetUint64(pow2Terms[i]), want)
		}
		if want.Uint64() != pow2(f) {
			t.Fatalf("pow2(%#x) is %#x, want %#x", f, pow2(f), want)
		}
	}
}

// The polynomial differs from 2^-x by less than (pow2Slack-12)/2^64 on [0, 1].
// Proof by computation: around each of 64 centres both are expanded in powers
// of h, |h| <= 1/128, and the differences of the coefficients are summed. The
// part of 2^-x above degree 12 is below 2^-120.
func TestThePolynomialIsAsNearAsItsSlack(t *testing.T) {
	const prec = 400
	number := func(x float64) *big.Float { return new(big.Float).SetPrec(prec).SetFloat64(x) }
	ln2Bounds := ln2(prec)
	log := new(big.Float).SetPrec(prec).SetInt(ln2Bounds.lo)
	log.SetMantExp(log, -prec)
	root := number(0.5) // 2^(-1/128)
	for range 7 {
		root.Sqrt(root)
	}
	power := new(big.Float).Copy(root) // 2^-centre
	worst := number(0)
	for centre := 1; centre < 128; centre += 2 {
		bound, coefficient := number(0), new(big.Float).Copy(power)
		for k := range pow2Terms {
			diff := new(big.Float).Sub(polynomialTerm(k, float64(centre)/128, prec), coefficient)
			term := new(big.Float).SetMantExp(diff.Abs(diff), -7*k)
			bound.Add(bound, term)
			coefficient.Mul(coefficient, log)
			coefficient.Quo(coefficient.Neg(coefficient), number(float64(k+1)))
		}
		if bound.Cmp(worst) > 0 {
			worst = bound
		}
		power.Mul(power, root).Mul(power, root)
	}
	worst.SetMantExp(worst, 64)
	t.Logf("the polynomial is off by at most %.3g units", worst)
	if worst.Cmp(number(pow2Slack-13)) > 0 {
		t.Errorf("the polynomial is off by %.3g units, want at most %d", worst, pow2Slack-13)
	}
}

// polynomialTerm is the k-th Taylor coefficient of the polynomial around x.
func polynomialTerm(k int, x float64, prec uint) *big.Float {
	sum := new(big.Float).SetPrec(prec)
	for j := len(pow2Terms) - 1; j >= k; j-- {
		c := new(big.Float).SetPrec(prec).SetUint64(pow2Terms[j])
		c.Mul(c, new(big.Float).SetInt(new(big.Int).Binomial(int64(j), int64(k))))
		if j%2 == 1 {
			c.Neg(c)
		}
		sum.Mul(sum, new(big.Float).SetPrec(prec).SetFloat64(x)).Add(sum, c)
	}
	return sum.SetMantExp(sum, -64)
}

// expVectors are floor(2^256 exp(-r)), made with mpmath 1.3.
var expVectors = []struct{ r, want string }{
	{"1/1", "5e2d58d8b3bcdf1abadec7829054f90dda9805aab56c77333024b9d0a507daed"},
	{"1/10", "e7a36ccea959d40151e5380f2cede803b3319390a1726976bfd31c43e9b1886a"},
	{"10/1", "2f9af36ac8f93538b648eaa1310e5f2bdf1d29cb282668b9a7147cc4dc89a"},
	{"355/113", "b10110c29b1415a97dc04fdde4d4727702a538b29d59545489b911661d8fea7"},
	{"1/1099511627776", "ffffffffff00000000007fffffffffd5555555555ffffffffffdddddddddde38"},
	{"100/3", "f08b9e46d486353bc4be227fb349fb289eddaf91c7381d40b68f"},
	{"1024/7", "1f00b5dc0f4c"},
}

func TestExpNegBracketsTheTruth(t *testing.T) {
	for _, v := range expVectors {
		want, _ := new(big.Int).SetString(v.want, 16)
		for _, p := range []uint{64, 100, 256} {
			got, w := expNeg(rat(v.r), p), new(big.Int).Rsh(want, 256-p)
			up := new(big.Int).Add(w, one)
			if got.lo.Cmp(w) > 0 || got.hi.Cmp(up) < 0 {
				t.Errorf("exp(-%s) to %d bits is [%x, %x], want %x", v.r, p, got.lo, got.hi, w)
			}
			if width := new(big.Int).Sub(got.hi, got.lo); width.Cmp(big.NewInt(2)) > 0 {
				t.Errorf("exp(-%s) to %d bits is %v units wide, want at most 2", v.r, p, width)
			}
		}
	}
	want, _ := new(big.Int).SetString("b17217f7d1cf79abc9e3b39803f2f6af40f343267298b62d8a0d175b8baafa2b", 16)
	got := ln2(256)
	if got.lo.Cmp(want) > 0 || got.hi.Cmp(want) <= 0 {
		t.Errorf("ln 2 is in [%x, %x], want %x", got.lo, got.hi, want)
	}
}

// within tells whether the truth, known to p bits, overlaps [lo, hi]/2^64.
func within(truth interval, p uint, lo, hi uint64) bool {
	l := new(big.Int).Lsh(new(big.Int).SetUint64(lo), p-64)
	h := new(big.Int).Lsh(new(big.Int).SetUint64(hi), p-64)
	return truth.lo.Cmp(l) >= 0 && truth.hi.Cmp(h.Add(h, new(big.Int).Lsh(one, p-64))) <= 0
}

func TestWeightBoundsHold(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	for i := range 3000 {
		rate := big.NewRat(r.Int64()>>(r.Uint64()%63)+1, r.Int64()>>(r.Uint64()%63)+1)
		d, err := NewDecay(rate)
		if err != nil {
			t.Fatal(err)
		}
		n := r.Uint64() >> (r.Uint64() % 64)
		if i%2 == 0 { // exponents of the size that matters
			x := new(big.Rat).Quo(big.NewRat(r.Int64N(100), 1), rate)
			if q := new(big.Int).Quo(x.Num(), x.Denom()); q.IsUint64() {
				n = q.Uint64()
			}
		}
		k, m := d.weight(n)
		truth := d.power(n)(320)
		if k == 255 {
			if truth.hi.BitLen() > 320-255+1 {
				t.Fatalf("rate %v, n %d: said to be below 2^-255, is %x", rate, n, truth.hi)
			}
			continue
		}
		scaled := interval{truth.lo.Lsh(truth.lo, k), new(big.Int).Lsh(truth.hi, k)}
		if !within(scaled, 320, cutSub(m, decaySlack), upShift(m, decaySlack, 0)) {
			t.Fatalf("rate %v, n %d: bounds of weight 2^-%d * %#x miss the truth", rate, n, k, m)
		}
	}
}

func TestAcceptBoundsHold(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	for _, text := range []string{"4", "7.999", "8", "100.1", "123456789.123", "1099511627775.5", "1099511627776"} {
		g, err := NewGaussian(rat(text))
		if err != nil {
			t.Fatal(err)
		}
		if len(g.table) >= 128 {
			t.Fatalf("sigma %s: the table has %d entries, acceptBounds holds below 128", text, len(g.table))
		}
		for i := range 400 {
			base, offset := r.Uint64N(uint64(len(g.table)+1)), r.Uint64()&g.mask
			switch i {
			case 0:
				offset = 0
			case 1:
				base, offset = uint64(len(g.table)), g.mask
			}
			lo, hi := g.acceptBounds(base, offset)
			if truth := g.acceptance(base, offset>>(64-g.shift))(256); !within(truth, 256, lo, hi) {
				t.Fatalf("sigma %s, base %d, offset %#x: [%#x, %#x] misses the truth", text, base, offset, lo, hi)
			}
			if hi-lo > 2*gaussSlack+2 {
				t.Fatalf("sigma %s: bounds %d apart", text, hi-lo)
			}
		}
	}
}
