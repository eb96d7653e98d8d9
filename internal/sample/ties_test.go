package sample

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
)

// scripted is a source that gives these words first.
func scripted(words ...uint64) *Source {
	s := NewSource()
	s.refill(bufferWords)
	s.pos = len(s.buf) - len(words)
	copy(s.buf[s.pos:], words)
	return s
}

var tieScales = []string{"1/1024", "1/3", "1", "10/7", "16", "1000", "1099511627776"}

// Any words: the fast path, where it decides, says what the exact one says.
func TestFastPathsAgreeWithExactOnes(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	near := func(table []uint64) uint64 {
		if len(table) == 0 || r.Uint64()%2 == 0 {
			return r.Uint64()
		}
		return table[r.IntN(len(table))] + r.Uint64N(3) - 1
	}
	for _, text := range tieScales {
		d := newDigits(new(big.Rat).Inv(rat(text)))
		for range 40 {
			w := []uint64{near(d.top)}
			for i := range d.low {
				w = append(w, near(d.low[i][:]))
			}
			value, tie := d.draw(w)
			if exact := d.exact(NewSource(), w); tie == 0 && value != exact {
				t.Fatalf("scale %s, words %#x: %d, exact %d", text, w, value, exact)
			}
		}
		g, err := NewGaussian(rat(text))
		if err != nil {
			t.Fatal(err)
		}
		for range 20 {
			checkGaussianWords(t, g, near(g.table), r.Uint64(), r.Uint64())
		}
	}
}

func checkGaussianWords(t *testing.T, g *Gaussian, base, offset, accept uint64) {
	t.Helper()
	if g.shift == 0 {
		x, tie := scan(g.table, base)
		if exact := g.exactBase(newUniform(NewSource(), base)); tie == 0 && x != exact {
			t.Fatalf("word %#x: %d, exact %d", base, x, exact)
		}
		return
	}
	x, ok, tie := g.trial(base, offset, accept)
	exact, exactOK := g.exactTrial(NewSource(), base, offset, accept)
	if tie == 0 && (ok != exactOK || ok == 1 && x != exact) {
		t.Fatalf("shift %d, words %#x %#x %#x: %d %d, exact %d %d", g.shift, base, offset, accept, int64(x), ok, int64(exact), exactOK)
	}
}

// Enumeration of all random words: a digit changes at its thresholds only
// (checked here through draw), so the words that give a value can be counted.
// The counts with and without the ties enclose the true law, 2^-58 apart.
func TestGeometricByEnumeration(t *testing.T) {
	for _, text := range []string{"1/3", "1", "10/7", "3"} {
		d := newDigits(new(big.Rat).Inv(rat(text)))
		checkSteps(t, d)
		for x := range uint64(40) {
			least, most := d.countWords(x)
			p := uint(64 * d.words())
			q := expNeg(d.rate, p)
			truth := wholeInterval(1, p).sub(q).mul(d.power(x)(p), p)
			if truth.lo.Cmp(most) > 0 || truth.hi.Cmp(least) < 0 {
				t.Errorf("scale %s: P(%d) is outside its count of words", text, x)
			}
			if gap := most.Sub(most, least); gap.BitLen() > int(p)-58 {
				t.Errorf("scale %s: P(%d) is known to %d bits only", text, x, int(p)-gap.BitLen())
			}
		}
	}
}

func (d *digits) power(x uint64) real {
	r := new(big.Rat).SetInt(new(big.Int).SetUint64(x))
	r.Mul(r, d.rate)
	return func(p uint) interval { return expNeg(r, p) }
}

// countWords counts the word strings that give x, without and with ties.
func (d *digits) countWords(x uint64) (least, most *big.Int) {
	least, most = big.NewInt(1), big.NewInt(1)
	for i := len(d.low) - 1; i >= 0; i-- {
		d.countDigit(d.low[i][:], x%digitBase, least, most)
		x /= digitBase
	}
	d.countDigit(d.top, x, least, most)
	return least, most
}

func (d *digits) countDigit(table []uint64, digit uint64, least, most *big.Int) {
	entry := func(j uint64) *big.Int {
		switch {
		case j == 0:
			return new(big.Int).Lsh(one, 64)
		case j > uint64(len(table)):
			return big.NewInt(-1)
		}
		return new(big.Int).SetUint64(table[j-1])
	}
	between := new(big.Int).Sub(entry(digit), entry(digit+1))
	least.Mul(least, cut(new(big.Int).Sub(between, one)))
	most.Mul(most, between.Add(between, one))
}

// checkSteps walks each word across each threshold.
func checkSteps(t *testing.T, d *digits) {
	t.Helper()
	weight := uint64(1)
	for i := d.words() - 1; i >= 0; i-- {
		table := d.top
		if i > 0 {
			table = d.low[i-1][:]
		}
		for _, threshold := range table {
			if threshold == 0 {
				continue
			}
			w := make([]uint64, d.words())
			for k := range w {
				w[k] = 1<<63 + 12345
			}
			draw := func(r uint64) (uint64, uint64) { w[i] = r; return d.draw(w) }
			under, tie1 := draw(threshold - 1)
			_, tie2 := draw(threshold)
			over, tie3 := draw(threshold + 1)
			if tie1 != 0 || tie2 == 0 || tie3 != 0 || under-over != weight {
				t.Fatalf("word %d around %#x: %d, %d, ties %d %d %d", i, threshold, under, over, tie1, tie2, tie3)
			}
		}
		weight *= digitBase
	}
}

// A tie is settled by the next bits of the threshold: one below the next word
// and one above it give different digits.
func TestTiesAreSettledExactly(t *testing.T) {
	for _, text := range tieScales {
		d := newDigits(new(big.Rat).Inv(rat(text)))
		for row := range d.low {
			for j := 1; j < digitBase; j++ {
				next := nextWord(d.tail(len(d.low)-1-row, j))
				u := d.low[row][j-1]
				below := newUniform(scripted(next-1), u).less(d.tail(len(d.low)-1-row, j))
				above := newUniform(scripted(next+1), u).less(d.tail(len(d.low)-1-row, j))
				if !below || above {
					t.Errorf("scale %s, row %d, digit %d: %v below the threshold, %v above", text, row, j, below, above)
				}
			}
		}
	}
}

// nextWord returns bits 64 to 127 of x.
func nextWord(x real) uint64 {
	b := x(256)
	return new(big.Int).And(new(big.Int).Rsh(b.lo, 128), new(big.Int).SetUint64(math.MaxUint64)).Uint64()
}

// The word 0 means a magnitude beyond the table. What comes out is settled by
// as many words as it takes, and is large.
func TestBeyondTheTable(t *testing.T) {
	l, err := NewLaplace(rat("1000"))
	if err != nil {
		t.Fatal(err)
	}
	words := make([]uint64, 2+l.magnitude.words())
	words[0] = 1 // signs, then the word of x != 0, then the digits
	dst := make([]int64, 1)
	l.Fill(scripted(words...), dst)
	if least := int64(44 * 1000); -dst[0] < least || -dst[0] > 10*least {
		t.Errorf("the least words give %d, want between %d and %d", dst[0], -10*least, -least)
	}
	g, err := NewGaussian(rat("1000"))
	if err != nil {
		t.Fatal(err)
	}
	g.Fill(scripted(0, 0, 0), dst)
	if dst[0] < 8*1000 || dst[0] > 40*1000 {
		t.Errorf("the least words give %d, want between 8000 and 40000", dst[0])
	}
}
