package questioner

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A planted mistake is what a careless change could make of the code: the
// questioner must find each.
type planted struct {
	name  string
	in    string   // the folder whose code it is in, whatever the file
	edits []string // in pairs: what stands there, once, and what is planted
	tests string   // that must find it
}

const (
	answers = "TestAnswersAreThoseOfTheReference"
	ranges  = "TestEstimatesStayInTheirRange"
	lengths = "TestIntervalsAreAsLongAsTheirNoiseAsksFor"
	steps   = "TestStepsThatNoiseForbidsAreRefused"
	noise   = "TestNoiseIsThatOfTheSensitivity"
	vectors = "TestNoiseOfVectorsIsThatOfTheirSensitivity"
	files   = "TestRandomFilesAreCountedAsTheReferenceDoes"
)

var mistakes = []planted{
	{"sums of shares are rounded before they are compared", "internal/filter",
		[]string{"const longest = 2048", "const longest = 1", "big.NewInt(400)", "big.NewInt(40)"}, answers},
	{"weighted shares are compared after rounding up", "internal/filter",
		[]string{"const longest = 2048", "const longest = 4", "big.NewInt(400)", "big.NewInt(40)"}, answers},
	{"every row of a unit is rounded, and not their sum", "aggregate",
		[]string{"return int64(math.Float64bits(float64(of(r))))", "return int64(math.Float64bits(math.Round(float64(of(r)))))"}, answers},
	{"every row of a unit is clamped, and not their sum", "aggregate",
		[]string{"return func(r Row) int64 { return clampedInt(of(r)) }", "return func(r Row) int64 { return max(clampedInt(of(r)), 0) }"}, answers},
	{"at most 1000 rows of a unit are read", "examples/trends",
		[]string{"maxRowsRead = math.MaxInt", "maxRowsRead = 1000 + 0*math.MaxInt8"}, files},
	{"numbers beyond their range are shown", "aggregate",
		[]string{"e.value = e.within.clamp(e.value)", "_ = e.within.clamp(e.value)"}, ranges},
	{"intervals go beyond the range", "aggregate",
		[]string{"return e.within.overlap(interval(confidence))", "return interval(confidence)"}, ranges},
	{"an interval of which nothing is left is a point", "aggregate",
		[]string{"if lo != nil && hi != nil && lo.Cmp(hi) > 0 {\n\t\treturn s.least, s.most", "if lo != nil && hi != nil && lo.Cmp(hi) > 0 {\n\t\treturn s.clamp(lo), s.clamp(lo)"}, ranges},
	{"a mean of hidden records is called known", "aggregate",
		[]string{"return !(n > noise)", "return n < 0"}, answers},
	{"counts may be negative", "aggregate",
		[]string{"m.countWeights(), span{least: new(big.Rat)}", "m.countWeights(), span{}"}, ranges},
	{"sums of positive values may be negative", "aggregate",
		[]string{"if values.least.Sign() >= 0 {", "if values.least.Sign() > 1 {"}, ranges},
	{"sums of negative values may be positive", "aggregate",
		[]string{"if values.most.Sign() <= 0 {", "if values.most.Sign() < -1 {"}, ranges},
	{"intervals of sums are a fifth too short", "aggregate",
		[]string{"half := exact.Float(law.Combined(confidence, floats...))", "half := exact.Float(0.8 * law.Combined(confidence, floats...))"}, lengths},
	{"intervals of sums are half as long again", "aggregate",
		[]string{"half := exact.Float(law.Combined(confidence, floats...))", "half := exact.Float(1.5 * law.Combined(confidence, floats...))"}, lengths},
	{"intervals of means are a fifth too short", "aggregate",
		[]string{"return o.law.Combined(confidence, o.scaled(o.shifted(at))...)", "return 0.8 * o.law.Combined(confidence, o.scaled(o.shifted(at))...)"}, lengths},
	{"intervals of means are half as long again", "aggregate",
		[]string{"return o.law.Combined(confidence, o.scaled(o.shifted(at))...)", "return 1.5 * o.law.Combined(confidence, o.scaled(o.shifted(at))...)"}, lengths},
	{"intervals of variances are a fifth too short", "aggregate",
		[]string{"half := exact.Float(area * o.law.Combined(confidence, gradient...))", "half := exact.Float(0.8 * area * o.law.Combined(confidence, gradient...))"}, lengths},
	{"intervals of variances are half as long again", "aggregate",
		[]string{"half := exact.Float(area * o.law.Combined(confidence, gradient...))", "half := exact.Float(1.5 * area * o.law.Combined(confidence, gradient...))"}, lengths},

	// What bounds cut.
	{"nothing below the bounds is cut", "aggregate",
		[]string{"point == least || point == most", "point == most && point != least"}, answers},
	{"the upper bound itself is cut", "aggregate",
		[]string{"new(big.Rat).Add(v.upper, step), step)", "v.upper, step)"}, answers},
	{"sums of units are cut row by row", "aggregate",
		[]string{"return in.grid.Int(in.isCut(t.point(in.summed())))", "return in.grid.Int(t.ints.Clamp() & 1)"}, answers},
	{"amounts of a Cut are added up as integers", "aggregate",
		[]string{"return input{in.of, in.around}", "return input{&value{integer: true}, in.around}"}, answers},

	// Distinct values.
	{"all distinct values of a unit count", "internal/bound",
		[]string{"if len(values) <= n {", "if len(values) <= n || n > 0 {"}, answers},
	{"a value counts once for each unit that has it", "aggregate",
		[]string{"if at == begin || l.points[at] != l.points[at-1] {", "if at >= begin || l.points[at] != l.points[at-1] {"}, answers},
	{"distinct values of a unit are charged as one", "aggregate",
		[]string{"return min(int64(m.value.most), rows)", "return min(1, int64(m.value.most), rows)"}, noise},
	{"distinct values are charged for all rows of a unit", "aggregate",
		[]string{"return min(int64(m.value.most), rows)", "return max(int64(m.value.most), rows)"}, noise},

	// Each branch of aggregate/measure.go.
	{"a value per unit is counted per row", "aggregate",
		[]string{"return m.form == formUnits || m.value != nil && m.value.perUnit", "return m.form == formUnits"}, answers},
	{"units are counted per row", "aggregate",
		[]string{"return m.form == formUnits || m.value != nil && m.value.perUnit", "return m.value != nil && m.value.perUnit"}, answers},
	{"the norm of a sum is 1", "aggregate",
		[]string{"return big.NewInt(m.grid.Largest())", "return big.NewInt(1)"}, noise},
	{"the norm of a pair is half of what it is", "aggregate",
		[]string{"case formPair:\n\t\treturn big.NewInt(m.grid.Cells)", "case formPair:\n\t\treturn big.NewInt((m.grid.Cells + 1) / 2)"}, noise},
	{"the norm of a triple is not squared", "aggregate",
		[]string{"return w.Mul(w, w)", "return w"}, noise},
	{"the norm of a count is 2", "aggregate",
		[]string{"return w.Mul(w, w)\n\t}\n\treturn big.NewInt(1)", "return w.Mul(w, w)\n\t}\n\treturn big.NewInt(2)"}, noise},
	{"a tree is charged for one level", "aggregate",
		[]string{"return int64(m.shape.Height)", "return 1"}, noise},
	{"a count adds two", "aggregate",
		[]string{"parts[0] = parts[0].Add(exact.Int(1))", "parts[0] = parts[0].Add(exact.Int(2))"}, answers},
	{"a sum starts at its lower bound", "aggregate",
		[]string{"Add(exact.Int(m.grid.First() + point))", "Add(exact.Int(point))"}, answers},
	{"the first part of a pair is nothing", "aggregate",
		[]string{"Add(exact.Int(m.grid.Cells - point))", "Add(exact.Int(0 * point))"}, answers},
	{"the second part of a pair is nothing", "aggregate",
		[]string{"parts[1] = parts[1].Add(exact.Int(point))", "parts[1] = parts[1].Add(exact.Int(0))"}, answers},
	{"a triple lacks its parts", "aggregate",
		[]string{"parts[i] = parts[i].Add(x)", "parts[0*i] = parts[0*i].Add(x)"}, answers},
	{"Bernstein's basis has a wrong middle", "aggregate",
		[]string{"exact.Mul(2*x, w-x)", "exact.Mul(x, w-x)"}, answers},
	{"Lagrange's basis has a wrong middle", "aggregate",
		[]string{"exact.Mul(4*x, w-x)", "exact.Mul(2*x, w-x)"}, answers},
	{"Lagrange's basis is taken for Bernstein's", "aggregate",
		[]string{"if f == core.Laplace {\n\t\treturn [3]exact.Int128", "if f == core.Gaussian {\n\t\treturn [3]exact.Int128"}, answers},
	{"pairs are not in records", "aggregate",
		[]string{"if m.form == formPair || m.form == formTriple {", "if m.form == formTriple {"}, answers},
	{"triples are not in records", "aggregate",
		[]string{"if m.form == formPair || m.form == formTriple {", "if m.form == formPair {"}, answers},
	{"the step that is asked for is not taken", "aggregate",
		[]string{"if v.asked != nil {\n\t\tg := grid.New", "if v.asked != nil && v.integer {\n\t\tg := grid.New"}, answers},
	{"a step that is too fine is taken", "aggregate",
		[]string{"if !fits(g, forms, times, big.NewRat(1<<40, 1)) {\n", "if !fits(g, forms, times, big.NewRat(1<<40, 1)) && false {\n"}, steps},
	{"steps are finer than noise needs", "aggregate",
		[]string{"!fits(g, forms, big.NewRat(1, 1), big.NewRat(finest, 1)) {", "!fits(g, forms, big.NewRat(1, 1), big.NewRat(finest<<8, 1)) {"}, answers},
	{"a value may have one step", "aggregate",
		[]string{"if g.Cells < 2 && !v.integer {", "if g.Cells < 1 && !v.integer {"}, steps},
	{"integers have finer steps than 1", "aggregate",
		[]string{"if v.integer {\n\t\treturn 0", "if v.integer {\n\t\treturn -1"}, answers},
	{"the finest step is far too coarse", "aggregate",
		[]string{"math.Ilogb(width)-31", "math.Ilogb(width)+1"}, answers},
	{"grids that do not fit are taken", "aggregate",
		[]string{"if norm.Mul(norm, times).Cmp(limit) > 0 {\n\t\t\treturn false", "if norm.Mul(norm, times).Cmp(limit) > 0 {\n\t\t\treturn true"}, answers},

	// Each part of a vector, in aggregate/joint.go.
	{"the count of a vector is half of what its charge allows", "aggregate",
		[]string{"j.times = []int64{part(l.count)}", "j.times = []int64{part(l.count / 2)}"}, vectors},
	{"a cube is charged for one row of a unit", "aggregate",
		[]string{"length /= records.Int64()", "length /= min(records.Int64(), 1)"}, vectors},
	{"a Gaussian vector is charged for one row of a unit", "aggregate",
		[]string{"change.LInf.Mul(change.LInf, records)", "_ = records"}, vectors},
	{"the norm of a vector is that of its count", "aggregate",
		[]string{"\t\tif i > 0 {\n\t\t\tlength.Mul(length", "\t\tif i > 0 {\n\t\t\tcontinue\n\t\t\tlength.Mul(length"}, vectors},
	{"the middle of a vector's bounds is off by a step", "aggregate",
		[]string{"g.Value(big.NewRat(g.Cells, 2))", "g.Value(big.NewRat(g.Cells+2, 2))"}, answers},
	{"a vector's values count in whole steps", "aggregate",
		[]string{"exact.Mul(j.times[i+1], 2*point(j.inputs[i])-g.Cells)", "exact.Mul(j.times[i+1], point(j.inputs[i])-g.Cells/2)"}, answers},
	{"a vector's count adds two", "aggregate",
		[]string{"exact.Int(j.times[0])", "exact.Int(2 * j.times[0])"}, answers},
	{"a value of a vector is read from another's number", "aggregate",
		[]string{"weights[i+1].SetFrac(", "weights[max(i, 1)].SetFrac("}, answers},

	// Each part of a centre, in aggregate/centre.go.
	{"the number of units in any group is not charged", "aggregate",
		[]string{"sum := square(c.times)", "sum := square(0 * c.times)"}, vectors},
	{"groups that a unit is not in are not charged", "aggregate",
		[]string{"away.Mul(away, big.NewInt(groups-l0))", "away.Mul(away, big.NewInt(0*(groups-l0)))"}, vectors},
	{"groups that a unit is in are charged without what is taken", "aggregate",
		[]string{"in.Add(in, square(count-c.take))", "in.Add(in, square(count))"}, vectors},
	{"a unit with a centre is charged for one group", "aggregate",
		[]string{"if in.Cmp(away) < 0 {", "if in.Cmp(away) != 0 {"}, vectors},
	{"half of what a centre takes is put back", "aggregate",
		[]string{"back := big.NewRat(c.take, c.times)", "back := big.NewRat(c.take, 2*c.times)"}, answers},
}

// root of the module.
func moduleRoot(t *testing.T) string {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	return root
}

// find returns the file that has a piece of code.
func (p planted) find(t *testing.T, code string) (file string) {
	t.Helper()
	all, err := filepath.Glob(filepath.Join(moduleRoot(t), filepath.FromSlash(p.in), "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	times := 0
	for _, f := range all {
		if n := strings.Count(read(t, f), code); n > 0 && !strings.HasSuffix(f, "_test.go") {
			times += n
			file = f
		}
	}
	if times != 1 {
		t.Fatalf("%s: %q is %d times in %s, must be there once; plant the mistake in what stands there now", p.name, code, times, p.in)
	}
	return file
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Every mistake can be planted in the code as it is.
func TestMistakesCanBePlanted(t *testing.T) {
	for _, p := range mistakes {
		t.Run(p.name, func(t *testing.T) { p.edited(t) })
	}
}

// With -long every planted mistake is found.
func TestPlantedMistakesAreFound(t *testing.T) {
	if !*long {
		t.Skip("runs a test for each mistake; runs with -long")
	}
	g := newGarden(t)
	for _, tests := range []string{answers, ranges, lengths, steps, noise, vectors, files} {
		t.Run("nothing is planted for "+tests, func(t *testing.T) {
			if out, err := g.run(planted{tests: tests}, g.program(planted{tests: tests}.tester(), 0), 0).CombinedOutput(); err != nil {
				t.Fatalf("what finds nothing finds something: %v\n%s", err, out)
			}
		})
	}
	for n, p := range mistakes {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			p.mustBeFound(t, g.command(t, n))
		})
	}
}

// mustBeFound runs the test that must find a mistake.
func (p planted) mustBeFound(t *testing.T, c *exec.Cmd) {
	out, err := c.CombinedOutput()
	switch {
	case err == nil:
		t.Errorf("%s does not find it", p.tests)
	case !strings.Contains(string(out), "--- FAIL: "+p.tests) && !strings.Contains(string(out), "panic: "):
		t.Errorf("the test does not run: %v\n%s", err, out)
	}
}

// tester returns the package whose test must find a mistake.
func (p planted) tester() string {
	if p.tests == files {
		return "examples/trends"
	}
	return "internal/questioner"
}
