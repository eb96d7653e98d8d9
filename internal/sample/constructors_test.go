package sample

import (
	"math/big"
	"strings"
	"testing"
	"time"
)

func TestConstructorsRefuseWhatIsNoLaw(t *testing.T) {
	huge := new(big.Rat).SetInt(new(big.Int).Lsh(one, 5000))
	for _, f := range families {
		for _, scale := range []*big.Rat{nil, new(big.Rat), rat("-1"), rat("1/1025"), rat("1099511627777"), huge} {
			_, err := f.make(scale)
			if err == nil {
				t.Errorf("%s accepts %v", f.name, scale)
				continue
			}
			if text := err.Error(); !strings.Contains(text, "must be in [2^-10, 2^40]") || len(text) > 120 {
				t.Errorf("%s says %q", f.name, text)
			}
		}
	}
	_, err := NewLaplace(new(big.Rat))
	if want := "sample: scale is 0, must be in [2^-10, 2^40]"; err == nil || err.Error() != want {
		t.Errorf("the error is %v, want %s", err, want)
	}
	if _, err := NewDecay(rat("-1/2")); err == nil {
		t.Error("a negative rate is accepted")
	}
	for _, c := range [][2]string{{"0", "1/10"}, {"-1", "1/10"}, {"1025", "1/10"}, {"1", "0"}, {"1", "-1"}, {"1", "1/2"}} {
		if _, err := NewTruncatedGeometric(rat(c[0]), rat(c[1])); err == nil {
			t.Errorf("epsilon %s and delta %s are accepted", c[0], c[1])
		}
	}
	if _, err := NewTruncatedGeometric(nil, nil); err == nil {
		t.Error("nil is accepted")
	}
}

// FuzzConstructors: any rational gives a law or an error within a second.
func FuzzConstructors(f *testing.F) {
	f.Add([]byte{1}, []byte{1}, []byte{10})
	f.Add([]byte{0}, []byte{0}, []byte{0})
	f.Add([]byte{1, 0, 0, 0, 0, 0}, []byte{1}, []byte{255, 255})
	f.Add([]byte{1}, []byte{4, 0}, []byte{1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0})
	f.Add([]byte{255, 255, 255, 255, 255, 255, 255, 255, 1}, []byte{255, 255, 255, 255, 255, 255, 255, 255}, []byte{3})
	f.Fuzz(func(t *testing.T, num, den, other []byte) {
		if len(num)+len(den)+len(other) > 600 {
			return
		}
		a, b := new(big.Int).SetBytes(num), new(big.Int).SetBytes(den)
		if b.Sign() == 0 {
			b.SetInt64(1)
		}
		x, start := new(big.Rat).SetFrac(a, b), time.Now()
		s, dst := NewSource(), make([]int64, 10)
		for _, fam := range families {
			if l, err := fam.make(x); err == nil {
				l.Fill(s, dst)
			}
		}
		delta := new(big.Rat).SetFrac(one, new(big.Int).Add(new(big.Int).SetBytes(other), big.NewInt(3)))
		if k, err := NewTruncatedGeometric(x, delta); err == nil {
			k.Keep(s, 1)
		}
		if d, err := NewDecay(x); err == nil {
			d.Bernoulli(s, uint64(len(other)))
		}
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("x = %v, delta = %v took %v", x, delta, took)
		}
	})
}
