package questioner

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"reflect"
	"time"

	"github.com/equipoise-dp/equipoise/dp"
)

// A draw makes random questions. The same seed makes the same question.
type draw struct{ *rand.Rand }

func drawQuestion(seed uint64) *question {
	d := draw{rand.New(rand.NewPCG(seed, 7))}
	q := &question{seed: seed, types: d.IntN(len(everyType)), keyed: d.chance(0.9)}
	q.loss = d.loss()
	if l, ok := q.loss.(dp.Concentrated); ok {
		other := draw{rand.New(rand.NewPCG(seed, 31))}
		l.Delta = pick(other, 0, 0, 1e-3, 1e-6, 1e-9, 0.01*other.Float64()+1e-15)
		q.loss = l
	}
	if q.keyed && (dp.PartsOf(q.loss).Delta == 0 || d.chance(0.5)) {
		q.given = d.Perm(everyType[q.types].keyCount())[:1+d.IntN(everyType[q.types].keyCount())]
	}
	for i := range d.IntN(4) {
		q.values = append(q.values, d.spec(i))
	}
	d.columns(q)
	if other := (draw{rand.New(rand.NewPCG(seed, 29))}); other.chance(0.2) {
		other.sums(q)
	}
	d.facts(q)
	d.caps(q)
	q.drawCuts()
	q.drawDistinct()
	return q
}

func (d draw) chance(p float64) bool { return d.Float64() < p }

func pick[T any](d draw, xs ...T) T { return xs[d.IntN(len(xs))] }

func (d draw) loss() dp.Loss {
	size := pick(d, 0.1, 0.25, 0.3, 0.7, 1, 1, 2, math.Ln2, 1.0/3, 5, 20, 0.05+d.Float64()*3)
	if d.chance(0.03) {
		size *= 1e-7 // noise far beyond the bounds
	}
	switch d.IntN(5) {
	case 0, 1:
		return dp.Pure{Epsilon: size}
	case 2:
		return dp.Concentrated{Rho: size / 4}
	}
	return dp.Approx{Epsilon: size, Delta: pick(d, 1e-3, 1e-6, 1e-6, 1e-9, 1e-12, 0.01*d.Float64()+1e-15)}
}

// spec draws a value: its type, its bounds and its step.
func (d draw) spec(i int) spec {
	s := spec{name: fmt.Sprintf("v%d", i), perUnit: d.chance(0.5)}
	if d.chance(0.5) {
		d.floats(&s)
		return s
	}
	d.integers(&s)
	return s
}

// floats draws bounds and a step of a float type.
func (d draw) floats(s *spec) {
	bounds := pick(d, [2]float64{0, 100}, [2]float64{-5, 5}, [2]float64{0.05, 0.95}, [2]float64{-1e6, 1e9}, [2]float64{10, 10.5},
		[2]float64{1e-9, 3e-9}, [2]float64{-20, -0.1}, [2]float64{-math.Pi, 1e-3}, [2]float64{0, 1}, [2]float64{-1e-3, 7e15})
	if d.chance(0.3) {
		a, b := d.decimal(-50, 50), d.decimal(-50, 50)
		bounds = [2]float64{min(a, b), max(a, b) + 0.01}
	}
	width := bounds[1] - bounds[0]
	step := pick(d, 0, 0, 0.01, 0.1, 0.25, 1, 0.5, 2, 0.007, 0.3, width, width/2, width/100, width/3)
	if written(step).Cmp(new(big.Rat).Sub(written(bounds[1]), written(bounds[0]))) > 0 || step < width*1e-7 {
		step = 0
	}
	if d.chance(0.2) {
		low, high, small := float32(bounds[0]), float32(bounds[1]), float32(step)
		if low < high && written(small).Cmp(new(big.Rat).Sub(written(high), written(low))) <= 0 {
			s.lower, s.upper, s.step = low, high, small
			return
		}
	}
	s.lower, s.upper, s.step = bounds[0], bounds[1], step
}

// decimal draws a number of a few digits, as people write them.
func (d draw) decimal(low, high float64) float64 {
	digits := math.Pow10(d.IntN(5))
	return math.Round((low+d.Float64()*(high-low))*digits) / digits
}

// integers draws bounds and a step of an integer type.
func (d draw) integers(s *spec) {
	like := pick[any](d, int(0), int8(0), int16(0), int32(0), int64(0), int64(0), uint(0), uint8(0), uint16(0), uint32(0), uint64(0), time.Duration(0), cents(0))
	least, most := ends(like)
	a, b := d.integer(least, most), d.integer(least, most)
	if a.Cmp(b) > 0 {
		a, b = b, a
	}
	if a.Cmp(b) == 0 {
		a, b = big.NewInt(0), big.NewInt(100)
	}
	s.lower, s.upper, s.step = as(like, new(big.Rat).SetInt(a)), as(like, new(big.Rat).SetInt(b)), as(like, new(big.Rat))
	step := new(big.Int).Lsh(big.NewInt(1), uint(pick(d, 0, 0, 1, 2, 5, 10)))
	if width := new(big.Int).Sub(b, a); d.chance(0.5) && step.Cmp(width) <= 0 && step.Cmp(most) <= 0 {
		s.step = as(like, new(big.Rat).SetInt(step))
	}
}

// ends returns the ends of what bounds of a type can be.
func ends(like any) (least, most *big.Int) {
	bits := reflect.TypeOf(like).Bits()
	if reflect.ValueOf(like).CanFloat() {
		return nil, nil
	}
	most = new(big.Int).Lsh(big.NewInt(1), uint(bits-1))
	most.Sub(most, big.NewInt(1))
	if reflect.ValueOf(like).CanUint() {
		if bits < 64 {
			most.Lsh(most, 1).Add(most, big.NewInt(1))
		}
		return new(big.Int), most
	}
	return new(big.Int).Sub(new(big.Int).Neg(most), big.NewInt(1)), most
}

func (d draw) integer(least, most *big.Int) *big.Int {
	x := big.NewInt(pick(d, 0, 0, 0, 1, 1, -1, 7, 100, 100, 255, 1000, 2500, -100, 1<<20, 1<<40, 1<<61, -1<<61, d.Int64N(1000)-500))
	if x.Cmp(least) < 0 {
		return least
	}
	if x.Cmp(most) > 0 {
		return most
	}
	return x
}

// columns draws what is asked.
func (d draw) columns(q *question) {
	var all []column
	for _, what := range []string{"count", "units"} {
		if d.chance(0.5) {
			all = append(all, column{what: what, value: -1})
		}
	}
	for i, s := range q.values {
		if d.chance(0.6) && summable(&s) {
			all = append(all, column{what: "sum", value: i})
		}
		for _, what := range []string{"mean", "variance", "deviation"} {
			if d.chance(0.3) {
				all = append(all, column{what: what, value: i})
			}
		}
		for range d.IntN(3) {
			all = append(all, column{what: "quantile", value: i, rank: pick(d, 0.5, 0.25, 0.75, 0.95, 0.1, 0.9, 1.0/3, 0.01, 0.99, 0.001+0.998*d.Float64())})
		}
	}
	if len(all) == 0 {
		all = append(all, column{what: "count", value: -1})
	}
	d.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	for i := range all {
		if d.chance(0.2) {
			all[i].weight = pick(d, 0.5, 2, 3, 0.1, 1.0/3, 1, 7)
		}
	}
	q.columns = all
}

// sums asks for little but counts and sums of one kind of record, which may be one vector.
func (d draw) sums(q *question) {
	counts := []string{"count", "units"}
	perUnit := d.IntN(2)
	q.columns = nil
	if d.chance(0.8) {
		q.columns = append(q.columns, column{what: counts[perUnit], value: -1})
	}
	if d.chance(0.2) {
		q.columns = append(q.columns, column{what: counts[1-perUnit], value: -1})
	}
	for i := range q.values {
		if s := &q.values[i]; summable(s) {
			s.perUnit = perUnit == 1
			q.columns = append(q.columns, column{what: "sum", value: i})
		}
	}
	if len(q.columns) == 0 {
		q.columns = []column{{what: "count", value: -1}}
	}
	d.Shuffle(len(q.columns), func(i, j int) { q.columns[i], q.columns[j] = q.columns[j], q.columns[i] })
	if d.chance(0.2) {
		q.columns[0].weight = 2
	}
}

// summable reports whether the type of a value can hold sums.
func summable(s *spec) bool {
	t := reflect.TypeOf(s.lower)
	return t.Kind() == reflect.Float32 || t.Bits() == 64
}

// facts draws the rows.
func (d draw) facts(q *question) {
	units := 1 + d.IntN(everyType[q.types].unitCount())
	keys := 1 + d.IntN(everyType[q.types].keyCount())
	for range pick(d, 0, 1, 2, 5, 10, 20, 40) {
		f := fact{unit: d.IntN(units), key: d.IntN(keys)}
		for i := range q.values {
			f.values = append(f.values, d.value(&q.values[i]))
		}
		q.facts = append(q.facts, f)
	}
}

// value draws the value of a row.
func (d draw) value(s *spec) any {
	if reflect.ValueOf(s.lower).CanFloat() {
		x := d.float(reflect.ValueOf(s.lower).Float(), reflect.ValueOf(s.upper).Float(), reflect.ValueOf(s.step).Float())
		if _, small := s.lower.(float32); small {
			return float32(x)
		}
		return x
	}
	least, most := ends(s.lower)
	if reflect.ValueOf(s.lower).CanUint() && d.chance(0.05) {
		return as(s.lower, new(big.Rat).SetInt(new(big.Int).SetUint64(math.MaxUint64))) // beyond what bounds can be
	}
	low, high := written(s.lower).Num(), written(s.upper).Num()
	switch d.IntN(8) {
	case 0:
		return as(s.lower, new(big.Rat).SetInt(pick(d, least, most, low, high)))
	case 1:
		return as(s.lower, new(big.Rat).SetInt(d.integer(least, most)))
	}
	width := new(big.Int).Sub(high, low)
	x := new(big.Int).Mul(width, big.NewInt(d.Int64N(1<<20)))
	return as(s.lower, new(big.Rat).SetInt(x.Rsh(x, 20).Add(x, low).Add(x, big.NewInt(d.Int64N(3)-1))))
}

func (d draw) float(low, high, step float64) float64 {
	width := high - low
	switch d.IntN(12) {
	case 0:
		return pick(d, math.NaN(), math.Inf(1), math.Inf(-1), math.Copysign(0, -1), math.SmallestNonzeroFloat64, -math.SmallestNonzeroFloat64,
			math.MaxFloat64, -math.MaxFloat64, 1e300, -1e300, 0x1p62, -0x1p62, 0x1p-1030)
	case 1:
		return pick(d, low, high, math.Nextafter(low, high), math.Nextafter(high, low), low-width/3, high+width/3)
	case 2, 3: // on the grid, and halfway between points
		if step > 0 {
			return low + step*float64(d.IntN(2*int(min(width/step, 1e6))+2))/2
		}
	case 4, 5, 6:
		return d.decimal(low, high)
	case 7: // small beside the step, so that several of them are not
		return low + (step+width/1000)*d.Float64()
	case 8:
		return d.decimal(0, 1)
	}
	return low - width/20 + d.Float64()*width*1.1
}

// caps draws caps that cut nothing, mostly, and some that do.
func (d draw) caps(q *question) {
	q.fitCaps()
	switch d.IntN(6) {
	case 0:
		q.maxKeys += d.IntN(5)
		q.maxRows += d.IntN(5)
	case 1:
		q.maxKeys = 1 + d.IntN(q.maxKeys)
	case 2:
		q.maxRows = 1 + d.IntN(q.maxRows)
	case 3:
		q.maxKeys, q.maxRows = 1+d.IntN(q.maxKeys), 1+d.IntN(q.maxRows)
	}
}

// fitCaps sets the caps to the least that cut nothing.
func (q *question) fitCaps() {
	q.maxKeys, q.maxRows = 1, 1
	for _, facts := range byUnit(q.wanted()) {
		groups := q.groups(facts)
		q.maxKeys = max(q.maxKeys, len(groups))
		for _, rows := range groups {
			q.maxRows = max(q.maxRows, len(rows))
		}
	}
}

// cuts reports whether the caps cut something off.
func (q *question) cuts() bool {
	for _, facts := range byUnit(q.wanted()) {
		groups := q.groups(facts)
		if len(groups) > q.maxKeys {
			return true
		}
		for _, rows := range groups {
			if len(rows) > q.maxRows {
				return true
			}
		}
	}
	return false
}
