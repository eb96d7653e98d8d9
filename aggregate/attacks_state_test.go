package aggregate_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/gob"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"iter"
	"log/slog"
	"math"
	mathrand "math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/equipoise-dp/equipoise/aggregate"
	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/dp/dptest"
)

var question = aggregate.Request{Key: "may", Purpose: "attack"}

// everything is a plan with a column of every type, and what reads it.
func everything(t testing.TB, keys []int, loss dp.Loss) (*aggregate.Plan[bill, int, int], func(aggregate.Cell) []float64) {
	t.Helper()
	q := bills(keys, 2, 2)
	x := aggregate.PerRow(q, "x", amount, aggregate.Bounds[float64]{Lower: -1, Upper: 3, Step: 0.25})
	n := aggregate.PerUnit(q, "n", whole, aggregate.Bounds[int64]{Lower: -7, Upper: 7})
	floats := []aggregate.Column[float64]{x.Sum(), x.Mean(), x.Variance(), x.StdDev(), x.Quantile(0.5), n.Mean()}
	ints := []aggregate.Column[int64]{q.Count(), q.Units(), n.Sum(), n.Quantile(0.9)}
	var columns []aggregate.AnyColumn
	for _, c := range floats {
		columns = append(columns, c)
	}
	for _, c := range ints {
		columns = append(columns, c)
	}
	return plan(t, q, loss, columns...), func(cell aggregate.Cell) []float64 {
		var all []float64
		for _, c := range floats {
			all = append(append(all, value(c)(cell)...), c.Of(cell).StdDev)
		}
		for _, c := range ints {
			all = append(append(all, value(c)(cell)...), c.Of(cell).StdDev)
		}
		return all
	}
}

func collect(t testing.TB, p *aggregate.Plan[bill, int, int], rows []bill) *aggregate.Partial[int] {
	t.Helper()
	part, err := p.Collect(t.Context(), aggregate.Slice(rows))
	if err != nil {
		t.Fatal(err)
	}
	return part
}

func texts(t testing.TB, r *aggregate.Release[int], read func(aggregate.Cell) []float64) string {
	t.Helper()
	var b strings.Builder
	for key, cell := range r.All() {
		fmt.Fprintln(&b, key, read(cell))
	}
	return b.String()
}

// D1, D2, D3, D8: a partial answers once for one request: again, through a copy, after
// an error of its store, and to 64 at the same time, it is the same answer, and one
// payment.
func TestARequestHasOneAnswer(t *testing.T) {
	p, read := everything(t, group, pure)
	part := collect(t, p, payers(1, 2, 3))
	twin := *part
	b := newPurse()
	first, err := p.Release(t.Context(), b, question, part)
	if err != nil {
		t.Fatal(err)
	}
	want := texts(t, first, read)
	var all sync.WaitGroup
	answers := make([]string, 64)
	for i := range answers {
		all.Go(func() {
			from := part
			if i%2 == 1 {
				from = &twin
			}
			r, err := p.Release(t.Context(), b, question, from)
			if err != nil {
				answers[i] = err.Error()
				return
			}
			answers[i] = texts(t, r, read)
		})
	}
	all.Wait()
	for _, got := range answers {
		if got != want {
			t.Fatalf("another answer to the same request:\n%s\n%s", got, want)
		}
	}
	fresh := newPurse()
	racing := make([]string, 64)
	for i := range racing {
		all.Go(func() {
			if r, err := p.Release(t.Context(), fresh, question, part); err == nil {
				racing[i] = texts(t, r, read)
			}
		})
	}
	all.Wait()
	if slices.Sort(racing); racing[0] != racing[63] || racing[0] == "" {
		t.Error("of 64 at the same time some got other answers")
	}
}

// D4: partials of another plan, none, empty ones, and the same one twice are refused
// before anything is paid.
func TestPartialsThatDoNotBelongTogetherAreRefused(t *testing.T) {
	p, _ := everything(t, group, pure)
	other, _ := everything(t, group, dp.Pure{Epsilon: 2})
	part := collect(t, p, payers(1))
	twin := *part
	for name, parts := range map[string][]*aggregate.Partial[int]{
		"none": nil, "nil": {nil}, "zero": {new(aggregate.Partial[int])}, "another plan": {collect(t, other, nil)}, "one of another plan": {part, collect(t, other, nil)},
		"the same twice": {part, part}, "a copy": {part, &twin},
	} {
		b := newPurse()
		if _, err := p.Release(t.Context(), b, question, parts...); err == nil || len(b.charges) > 0 {
			t.Errorf("%s: %v, %d charges", name, err, len(b.charges))
		}
	}
}

// D6, D7, D13, F1: no exported function of dp and aggregate takes randomness, noise or
// a hook on what is not noisy yet; values that promise to be immutable have no
// field to set.
func TestNothingCanBeInjected(t *testing.T) {
	for _, typ := range []reflect.Type{reflect.TypeFor[dp.Noise](), reflect.TypeFor[aggregate.Plan[bill, int, int]](), reflect.TypeFor[aggregate.Partial[int]](), reflect.TypeFor[aggregate.Release[int]](), reflect.TypeFor[aggregate.Cell](), reflect.TypeFor[aggregate.Column[int]](), reflect.TypeFor[aggregate.Value[int]]()} {
		for _, f := range reflect.VisibleFields(typ) {
			if f.IsExported() {
				t.Errorf("%v has the exported field %s", typ, f.Name)
			}
		}
	}
	functions := 0
	for _, dir := range []string{".", filepath.Join("..", "dp")} {
		for _, f := range parsed(t, dir) {
			for _, d := range f.Decls {
				fn, ok := d.(*ast.FuncDecl)
				if !ok || !fn.Name.IsExported() {
					continue
				}
				functions++
				for _, param := range fn.Type.Params.List {
					text := strings.ToLower(fmt.Sprint(types(param.Type)))
					for _, bad := range []string{"reader", "rand", "seed", "source", "noise"} {
						if strings.Contains(text, bad) {
							t.Errorf("%s takes %s", fn.Name.Name, text)
						}
					}
				}
			}
		}
	}
	if functions < 50 {
		t.Errorf("%d exported functions were looked at, want at least 50", functions)
	}
}

// types lists the identifiers in a type.
func types(e ast.Expr) (names []string) {
	ast.Inspect(e, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok {
			names = append(names, id.Name)
		}
		return true
	})
	return names
}

// parsed returns the files of a package, without tests. It fails if there are
// none.
func parsed(t testing.TB, dir string) []*ast.File {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	var files []*ast.File
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	if len(files) == 0 {
		t.Fatalf("%s has no Go files", dir)
	}
	return files
}

// F4, G4: one build, one generator: no file that draws, sums or releases has a build
// tag; and none logs.
func TestThereAreNoBuildTagsAndNoLogs(t *testing.T) {
	for _, dir := range []string{".", "../dp", "../internal/core", "../internal/sample", "../internal/bound", "../internal/grid", "../internal/exact", "../internal/ranktree"} {
		for _, f := range parsed(t, dir) {
			for _, c := range f.Comments {
				if strings.HasPrefix(c.List[0].Text, "//go:build") {
					t.Errorf("%s: %s", dir, c.List[0].Text)
				}
			}
			ast.Inspect(f, func(n ast.Node) bool {
				s, ok := n.(*ast.SelectorExpr)
				if !ok {
					return true
				}
				pkg, ok := s.X.(*ast.Ident)
				if ok && (pkg.Name == "log" || pkg.Name == "slog" && !slices.Contains([]string{"Value", "StringValue"}, s.Sel.Name) || pkg.Name == "fmt" && strings.HasPrefix(s.Sel.Name, "Print") || pkg.Name == "os" && s.Sel.Name == "Stderr") {
					t.Errorf("%s calls %s.%s", dir, pkg.Name, s.Sel.Name)
				}
				return true
			})
		}
	}
}

// C12: everything that a release and its receipt offer is on this list, and none of
// it counts what was dropped, read or clamped.
func TestReleasesOfferNoCountsOfWhatWasDropped(t *testing.T) {
	offered := map[reflect.Type][]string{
		reflect.TypeFor[*aggregate.Release[int]](): {"All", "Cell", "Len", "MarshalJSON", "Receipt", "String", "UnmarshalJSON"},
		reflect.TypeFor[*aggregate.Partial[int]](): {"Format", "LogValue", "MarshalText", "Seal", "Wipe"},
		reflect.TypeFor[aggregate.Cell]():          {"Noisy"},
	}
	for typ, want := range offered {
		var got []string
		for i := range typ.NumMethod() {
			got = append(got, typ.Method(i).Name)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%v offers %v, reviewed are %v", typ, got, want)
		}
	}
	var fields []string
	for _, f := range reflect.VisibleFields(reflect.TypeFor[aggregate.Receipt]()) {
		fields = append(fields, f.Name)
	}
	for _, f := range fields {
		for _, bad := range []string{"Dropped", "Read", "Clamped", "Skipped", "Seen"} {
			if strings.Contains(f, bad) {
				t.Errorf("a receipt has %s", f)
			}
		}
	}
}

// C8: the order of selected groups is that of their keys, in 100 orders of the rows,
// and that of given ones is as given.
func TestGroupsComeInAnOrderOfTheirOwn(t *testing.T) {
	dptest.NoNoise(t)
	r := mathrand.New(mathrand.NewPCG(8, 8))
	selected, given := bills(nil, 50, 1), bills([]int{3, 1, 2}, 50, 1)
	var rows []bill
	for i := range 60 {
		rows = append(rows, bill{i, i % 20, 1})
	}
	for _, p := range []*aggregate.Plan[bill, int, int]{plan(t, selected, dp.Approx{Epsilon: 1, Delta: 0.01}, selected.Count()), plan(t, given, pure, given.Count())} {
		var want []int
		for range 100 {
			r.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
			var got []int
			for key := range run(t, p, rows).All() {
				got = append(got, key)
			}
			if want == nil {
				want = got
			}
			if !slices.Equal(got, want) || len(got) < 3 {
				t.Fatalf("groups come as %v and as %v", got, want)
			}
		}
	}
}

// C9: a given group without rows has noise: of 60 counts some differ, but for a
// probability below 1e-19 (each is 0 with probability 0.47 at most).
func TestEmptyGivenGroupsHaveNoise(t *testing.T) {
	q := bills([]int{0, 1}, 1, 1)
	p := plan(t, q, pure, q.Count())
	for range 60 {
		cell, ok := run(t, p, []bill{{0, 0, 1}}).Cell(1)
		if !ok {
			t.Fatal("an empty group is missing")
		}
		if numberOf(q.Count().Of(cell)) != 0 {
			return
		}
	}
	t.Error("an empty group has no noise")
}

// B15: without bounds there is no plan.
func TestBoundsAreRequired(t *testing.T) {
	for _, b := range []aggregate.Bounds[float64]{{}, {Lower: 1, Upper: 1}, {Lower: 2, Upper: 1}, {Lower: math.NaN(), Upper: 1}, {Upper: math.Inf(1)}, {Upper: math.NaN()}, {Upper: 1, Step: math.NaN()}, {Upper: 1, Step: -1}} {
		q := bills(group, 1, 1)
		if _, err := q.Plan(pure, aggregate.PerRow(q, "x", amount, b).Sum()); err == nil {
			t.Errorf("%+v is accepted", b)
		}
	}
}

// A5, A13: what is released of a float sum is on the public grid, and no float of any
// column is NaN, infinite or -0, whatever the rows and the noise. Deterministic.
func TestFloatsAreOnThePublicGrid(t *testing.T) {
	q := bills(group, 1, 1)
	v := aggregate.PerRow(q, "x", amount, aggregate.Bounds[float64]{Lower: -1, Upper: 3, Step: 0.25})
	sum := plan(t, q, pure, v.Sum())
	all, read := everything(t, group, pure)
	for i := range 3000 {
		rows := payers(1.0/3, math.NaN(), -1e300, math.Inf(1), 0.1)[:i%6]
		cell, _ := run(t, sum, rows).Cell(0)
		if x := numberOf(v.Sum().Of(cell)); math.Remainder(x, 0.25) != 0 || x == 0 && math.Signbit(x) {
			t.Fatalf("%v is on no multiple of 0.25", x)
		}
		if i%10 > 0 {
			continue
		}
		cell, _ = run(t, all, rows).Cell(0)
		for j, x := range read(cell) {
			if math.IsNaN(x) || math.IsInf(x, 0) || x == 0 && math.Signbit(x) {
				t.Fatalf("number %d of everything is %v", j, x)
			}
		}
	}
}

// D11: no verb, encoder or logger prints what is not public. The amount and the name
// of the only row are looked for in everything.
func TestPrivateStatePrintsNothing(t *testing.T) {
	const secret = 765432101234 // long enough not to be seen in addresses
	q := &aggregate.Query[bill, string, string]{
		Dataset: "d", UnitName: "u", Unit: func(bill) string { return "unit765432101234" }, Group: func(bill) string { return "key765432101234" }, MaxGroups: 1, MaxRowsPerGroup: 1,
	}
	v := aggregate.PerRow(q, "x", whole, aggregate.Bounds[int64]{Lower: 0, Upper: 1e12})
	p, err := q.Plan(dp.Approx{Epsilon: 1, Delta: 1e-6}, v.Sum(), q.Units())
	if err != nil {
		t.Fatal(err)
	}
	part, err := p.Collect(t.Context(), aggregate.Slice([]bill{{1, 1, secret}}))
	if err != nil {
		t.Fatal(err)
	}
	twin := *part
	for _, x := range []any{part, twin, &twin, []any{part}, struct{ P *aggregate.Partial[string] }{part}, map[string]any{"p": twin}, p, *p, q, v} {
		var out bytes.Buffer
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%d", "%x", "%q"} {
			fmt.Fprintf(&out, verb, x)
		}
		if text, err := json.Marshal(x); err == nil {
			out.Write(text)
		}
		_ = gob.NewEncoder(&out).Encode(x) // may refuse, which is well
		slog.New(slog.NewTextHandler(&out, nil)).Info("x", "x", x)
		slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "x", x)
		if strings.Contains(out.String(), fmt.Sprint(secret)) || strings.Contains(out.String(), fmt.Sprintf("%x", secret)) {
			t.Errorf("%T prints what is private: %s", x, out.String())
		}
	}
	if _, err := json.Marshal(part); err == nil {
		t.Error("a partial is encoded as JSON")
	}
}

// D12: estimates and intervals are functions of the kept text: read twice, they are
// the same, and the text is that of the noisy integers alone.
func TestEstimatesAreFunctionsOfTheKeptText(t *testing.T) {
	p, read := everything(t, group, pure)
	b := newPurse()
	r, err := p.Run(t.Context(), b, question, aggregate.Slice(payers(1, 2)))
	if err != nil {
		t.Fatal(err)
	}
	twin, again := everything(t, group, pure) // another plan of the same question, that has seen no row
	for range 3 {
		second, err := twin.Run(t.Context(), b, question, func(func(bill, error) bool) { t.Error("rows are read") })
		if err != nil {
			t.Fatal(err)
		}
		if got, want := texts(t, second, again), texts(t, r, read); got != want {
			t.Errorf("the kept text reads as\n%sand as\n%s", want, got)
		}
	}
}

// faulty keeps or does not keep, and says that it failed.
type faulty struct {
	*purse
	persists bool
	fails    int
}

func (f *faulty) Keep(ctx context.Context, c dp.Charge, release []byte) ([]byte, error) {
	if f.fails == 0 {
		return f.purse.Keep(ctx, c, release)
	}
	f.fails--
	if f.persists {
		if _, err := f.purse.Keep(ctx, c, release); err != nil {
			return nil, err
		}
	}
	return nil, errors.New("disk full")
}

// D14, E16: if keeping fails after noise was drawn, nothing is shown; asked again,
// there is one answer: the kept one if it was kept after all. It stays paid for.
func TestAFailureAfterNoiseShowsNothing(t *testing.T) {
	for _, persists := range []bool{false, true} {
		p, read := everything(t, group, pure)
		b := &faulty{newPurse(), persists, 2}
		for b.fails > 0 {
			before := b.fails
			r, err := p.Run(t.Context(), b, question, aggregate.Slice(payers(1)))
			if before > b.fails && (err == nil || r != nil) {
				t.Fatalf("persists %t: a release that could not be kept is shown", persists)
			}
			if persists {
				break
			}
		}
		kept := b.kept[question.Key]
		r, err := p.Run(t.Context(), b, question, aggregate.Slice(payers(1)))
		if err != nil || len(b.charges) == 0 {
			t.Fatalf("persists %t: %v, %d charges", persists, err, len(b.charges))
		}
		if persists && !bytes.Equal(kept, b.kept[question.Key]) {
			t.Error("what was kept is not what is shown")
		}
		again, err := p.Run(t.Context(), b, question, aggregate.Slice(payers(1)))
		if err != nil || texts(t, again, read) != texts(t, r, read) {
			t.Errorf("persists %t: asked again, the answer is another: %v", persists, err)
		}
	}
}

// F5: if there is no randomness, the process ends: paid, and nothing shown.
func TestWithoutRandomnessNothingIsShown(t *testing.T) {
	const child = "EQUIPOISE_TEST_NO_RANDOMNESS"
	if os.Getenv(child) != "" {
		p, _ := everything(t, group, pure)
		rand.Reader = dry{}
		b := loud{newPurse()}
		r, err := p.Run(t.Context(), b, question, aggregate.Slice(payers(1)))
		fmt.Println("shown", r, err)
		return
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestWithoutRandomnessNothingIsShown$", "-test.v")
	cmd.Env = append(os.Environ(), child+"=1")
	out, err := cmd.CombinedOutput()
	if err == nil || !bytes.Contains(out, []byte("paid")) || bytes.Contains(out, []byte("shown")) {
		t.Errorf("without randomness: %v\n%s", err, out)
	}
}

type dry struct{}

func (dry) Read([]byte) (int, error) { return 0, errors.New("no randomness") }

type loud struct{ *purse }

func (l loud) Spend(ctx context.Context, c dp.Charge) (dp.Payment, error) {
	fmt.Println("paid")
	return l.purse.Spend(ctx, c)
}

// G3: the kept text has the same shape for all rows: the same fields, and numbers
// that are as long as noise makes them.
func TestTheKeptTextHasOneShape(t *testing.T) {
	p, _ := everything(t, []int{0, 1}, pure)
	shape := func(rows []bill) string {
		b := newPurse()
		if _, err := p.Run(t.Context(), b, question, aggregate.Slice(rows)); err != nil {
			t.Fatal(err)
		}
		return strings.Map(func(r rune) rune {
			if r >= '0' && r <= '9' || r == '-' {
				return -1
			}
			return r
		}, string(b.kept[question.Key]))
	}
	if a, b := shape(nil), shape(payers(1, 2, math.NaN(), 1e300)); a != b {
		t.Errorf("the kept text of nobody and somebody differ:\n%s\n%s", a, b)
	}
}

// C13, D10: whatever the rows, a plan that exists answers, within a second: no error,
// panic or hang depends on data.
func FuzzRowsNeverFail(f *testing.F) {
	for _, x := range []float64{0, 1, math.NaN(), math.Inf(1), math.Inf(-1), math.MaxFloat64, -math.SmallestNonzeroFloat64, 0.1} {
		f.Add(x, -x, int64(1), 0, 7)
		f.Add(x, 1/x, int64(1000), 1, -3)
	}
	plans := map[string]*aggregate.Plan[bill, int, int]{}
	for name, loss := range map[string]dp.Loss{"pure": pure, "concentrated": concentrated, "tight": dp.Pure{Epsilon: 1e-5}, "wide": dp.Pure{Epsilon: 1e6}} {
		plans[name], _ = everything(f, []int{0, 1}, loss)
	}
	plans["selected"], _ = everything(f, nil, dp.Approx{Epsilon: 1, Delta: 1e-3})
	f.Fuzz(func(t *testing.T, x, y float64, n int64, who, where int) {
		var rows []bill
		for i := range int(min(max(n, 0), 1000)) {
			rows = append(rows, bill{who + i%7, where + i%3, x}, bill{who, where, y})
		}
		for name, p := range plans {
			quickly(t, func() {
				if _, err := p.Run(t.Context(), till{}, question, aggregate.Slice(rows)); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			})
		}
	})
}

// quickly fails t if f takes a second, three times: the machine may be busy.
func quickly(t testing.TB, f func()) {
	t.Helper()
	for range 3 {
		start := time.Now()
		if f(); time.Since(start) < time.Second {
			return
		}
	}
	t.Error("took more than a second, three times")
}

// A12, C13: whatever the parameters, there is a plan or an error within a second; and
// a plan that exists can be run, printed and priced, and what it shows is finite.
func FuzzParametersArePlannedOrRefused(f *testing.F) {
	odd := []float64{0, 1, -1, 0.5, 1e-9, 1e9, 1e-300, math.SmallestNonzeroFloat64, math.MaxFloat64, -math.MaxFloat64, math.NaN(), math.Inf(1), 0x1p62, 1 - 0x1p-53}
	ints := []int{0, 1, 2, -1, 1000, 1 << 31, math.MaxInt64, math.MinInt64}
	for i, x := range odd {
		f.Add(uint8(i), 1.0, 1e-6, 1, 1, x, 2.0, 0.0, 0.5)
		f.Add(uint8(i), x, 1e-6, 1, 2, 0.0, odd[(i+1)%len(odd)], 0.0, 0.5)
		f.Add(uint8(i), 1.0, x, 2, 1, 0.0, 1.0, odd[(i+3)%len(odd)], 0.5)
		f.Add(uint8(i), 1.0, 1e-3, ints[i%len(ints)], ints[i*3%len(ints)], -1.0, 1.0, 0.0, x)
	}
	f.Fuzz(func(t *testing.T, kind uint8, x, y float64, maxGroups, maxRows int, lower, upper, step, rank float64) {
		loss := []dp.Loss{dp.Pure{Epsilon: x}, dp.Approx{Epsilon: x, Delta: y}, dp.Concentrated{Rho: x}}[kind%3]
		keys := []int{0, 1}
		if kind&4 > 0 {
			keys = nil
		}
		q := bills(keys, maxGroups, maxRows)
		v := aggregate.PerRow(q, "x", amount, aggregate.Bounds[float64]{Lower: lower, Upper: upper, Step: step})
		n := aggregate.PerUnit(q, "n", whole, aggregate.Bounds[int64]{Lower: int64(lower), Upper: int64(upper)})
		var p *aggregate.Plan[bill, int, int]
		sets := [][]aggregate.AnyColumn{{q.Count(), v.Sum()}, {v.Mean(), v.Quantile(rank)}, {n.Variance(), n.Sum()}, {n.Quantile(rank)}}
		quickly(t, func() { p, _ = q.Plan(loss, sets[kind>>3%4]...) })
		if p == nil {
			return
		}
		quickly(t, func() {
			if p.String() == "" || len(p.Prices()) == 0 {
				t.Error("a plan has no prices")
			}
			for _, rows := range [][]bill{nil, payers(lower, upper, math.NaN(), 1)} {
				if _, err := p.Run(t.Context(), till{}, question, aggregate.Slice(rows)); err != nil {
					t.Errorf("a plan cannot be run: %v", err)
				}
			}
		})
	})
}

// returns is a budget that returns stored bytes of anybody's making.
type returns struct {
	till
	text []byte
}

func (r returns) Keep(context.Context, dp.Charge, []byte) ([]byte, error) { return r.text, nil }
func (r returns) Kept(context.Context, dp.Charge) ([]byte, error)         { return r.text, nil }

// D5: stored releases that are torn, flipped, huge or of another plan are refused or
// read, within a second, and reading what was read does not panic.
func FuzzStoredReleasesAreReadOrRefused(f *testing.F) {
	p, read := everything(f, group, pure)
	b := newPurse()
	if _, err := p.Run(f.Context(), b, question, aggregate.Slice(payers(1))); err != nil {
		f.Fatal(err)
	}
	good := b.kept[question.Key]
	for i := 0; i < len(good); i += 1 + len(good)/40 {
		f.Add(good[:i])
		flipped := bytes.Clone(good)
		flipped[i] ^= 1 << (i % 8)
		f.Add(flipped)
	}
	f.Add(bytes.ReplaceAll(good, []byte(`"point":`), []byte(`"point":-999999999999999999`)))
	f.Add(bytes.ReplaceAll(good, []byte(`"sums":[`), []byte(`"sums":[null,`)))
	f.Add(bytes.ReplaceAll(good, []byte(`"sums":[`), []byte(`"sums":[`+strings.Repeat("9", 400)+",")))
	f.Fuzz(func(t *testing.T, text []byte) {
		if len(text) == 0 {
			return
		}
		quickly(t, func() {
			r, err := p.Run(t.Context(), returns{text: text}, question, func(func(bill, error) bool) {})
			if err != nil {
				return
			}
			for _, cell := range r.All() {
				read(cell)
			}
		})
	})
}

// D9, D10: an error about rows is the caller's own, and says nothing that it did not
// say.
func TestErrorsSayNothingOfRows(t *testing.T) {
	p, _ := everything(t, group, pure)
	mine := errors.New("connection lost")
	rows := func(n int) iter.Seq2[bill, error] {
		return func(yield func(bill, error) bool) {
			for i := range n {
				if !yield(bill{i, 0, 1e300}, nil) {
					return
				}
			}
			yield(bill{}, mine)
		}
	}
	_, one := p.Collect(t.Context(), rows(1))
	_, many := p.Collect(t.Context(), rows(5000))
	if !errors.Is(one, mine) || fmt.Sprint(one) != fmt.Sprint(many) {
		t.Errorf("errors are %v and %v", one, many)
	}
	done, cancel := context.WithCancel(t.Context())
	cancel()
	_, none := p.Collect(done, aggregate.Slice[bill](nil))
	_, some := p.Collect(done, aggregate.Slice(payers(1, 2, 3)))
	if fmt.Sprint(none) != fmt.Sprint(some) || none == nil {
		t.Errorf("when ctx is done, nobody gives %v and somebody %v", none, some)
	}
}
