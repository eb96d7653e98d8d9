package beamagg

import (
	"context"
	"flag"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"testing"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/runners/prism"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/runners/universal/extworker"

	"github.com/equipoise-dp/equipoise/aggregate"
	"github.com/equipoise-dp/equipoise/dp"
)

// A Sale is a row of the tests.
type Sale struct {
	Customer uint64
	City     string
	Euros    float64
	Items    int64
}

var cities = []string{"Bern", "Graz", "Lyon", "Oslo", "Rome", "Łódź"}

// made returns rows, the same ones every time. Of most customers caps cut many off, and some numbers are none.
func made(n int) []Sale {
	rows := make([]Sale, n)
	for i := range rows {
		rows[i] = saleAt(i, n)
	}
	return rows
}

func saleAt(i, n int) Sale {
	rng := rand.New(rand.NewPCG(16, uint64(i)))
	s := Sale{uint64(rng.ExpFloat64() * float64(n) / 40), cities[rng.IntN(len(cities))], 40 * rng.NormFloat64(), rng.Int64N(30) - 15}
	if i%101 == 0 {
		s.Euros *= math.Inf(1)
	}
	if i%103 == 0 {
		s.Euros = math.NaN()
	}
	return s
}

// makeFn makes the rows of one of some parts.
type makeFn struct{ Rows, Parts int }

func (f *makeFn) ProcessElement(part int, emit func(Sale)) {
	for i := part; i < f.Rows; i += f.Parts {
		emit(saleAt(i, f.Rows))
	}
}

type salesPlan = aggregate.Plan[Sale, uint64, string]

// The plans of the tests, by name. Of "whole" caps cut nothing off.
var salesPlans = map[string]*salesPlan{}

// Columns of theirs.
var counts, means = map[string]aggregate.Column[int64]{}, map[string]aggregate.Column[float64]{}

// planned returns a plan. Of another program it has other bounds.
func planned(name string, another bool) (*salesPlan, error) {
	q := &aggregate.Query[Sale, uint64, string]{
		Dataset: "sales", UnitName: "customer", MaxGroups: 2, MaxRowsPerGroup: 3,
		Unit: func(s Sale) uint64 { return s.Customer }, Group: func(s Sale) string { return s.City },
	}
	most := 90.0
	if another {
		most = 1000
	}
	if name == "whole" {
		q.MaxGroups, q.MaxRowsPerGroup = len(cities), 1<<20
	}
	if name == "given" {
		q.Groups = []string{"Rome", "Bern", "Nowhere", "Łódź"}
	}
	euros := aggregate.PerRow(q, "euros", func(s Sale) float64 { return s.Euros }, aggregate.Bounds[float64]{Lower: -10, Upper: most})
	items := aggregate.PerUnit(q, "items", func(s Sale) int64 { return s.Items }, aggregate.Bounds[int64]{Lower: -20, Upper: 20})
	counts[name], means[name] = q.Count(), euros.Mean()
	switch name {
	case "groups":
		return q.Plan(dp.Approx{Epsilon: 1, Delta: 1e-6})
	case "quantiles":
		return q.Plan(dp.Approx{Epsilon: 1, Delta: 1e-6}, q.Units(), euros.Quantile(0.5), euros.Mean())
	case "given":
		return q.Plan(dp.Concentrated{Rho: 0.5}, counts[name], q.Units(), means[name], items.Sum())
	case "limited":
		p, err := q.Plan(dp.Approx{Epsilon: 1, Delta: 1e-6}, q.Count(), euros.Sum())
		if err != nil {
			return nil, err
		}
		need, err := p.Needs(aggregate.Size{Rows: 1e5, Units: 1e4, Pairs: 2e4, Groups: len(cities), Sources: 1})
		if err != nil {
			return nil, err
		}
		return p.Within(aggregate.Memory{Most: need.Least})
	}
	return q.Plan(dp.Approx{Epsilon: 1, Delta: 1e-6}, q.Count(), q.Units(), euros.Sum(), euros.Mean(), euros.Quantile(0.9), items.Sum())
}

func init() {
	register.DoFn2x0[int, func(Sale)](&makeFn{})
	register.Emitter1[Sale]()
	for _, name := range []string{"cut", "whole", "given", "quantiles", "groups", "limited"} {
		p, err := planned(name, os.Getenv(isAnother) != "")
		if err == nil {
			salesPlans[name] = p
			err = Register(name, p)
		}
		if err != nil {
			panic(err)
		}
	}
}

// Where these are set the program of the tests is a server of prism, or a pool of workers, or one whose
// plans are others.
const (
	prismAt   = "BEAMAGG_PRISM"
	workersAt = "BEAMAGG_WORKERS"
	isAnother = "BEAMAGG_ANOTHER"
)

func TestMain(m *testing.M) {
	flag.Parse()
	beam.Init()
	var port int
	serve := func(at string, start func() error) {
		if _, err := fmt.Sscan(os.Getenv(at), &port); err != nil {
			return
		}
		err := start()
		fmt.Println("started", err)
		io.Copy(io.Discard, os.Stdin) // until whoever started it ends
		os.Exit(0)
	}
	serve(prismAt, func() error {
		_, err := prism.CreateJobServer(context.Background(), prism.Options{Port: port})
		return err
	})
	serve(workersAt, func() error {
		_, err := extworker.StartLoopback(context.Background(), port)
		return err
	})
	os.Exit(alone(m))
}

// alone runs the tests with a folder of their own for temporary files, of which Beam leaves some.
func alone(m *testing.M) int {
	folder, err := os.MkdirTemp("", "beamagg")
	if err == nil {
		err = os.Setenv("TMPDIR", folder)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(folder)
	return m.Run()
}

// served starts this program as a server, and returns where it is.
func served(t testing.TB, at string, env ...string) string {
	t.Helper()
	port := freePort(t)
	server := exec.Command(os.Args[0])
	server.Env = append(append(os.Environ(), fmt.Sprintf("%s=%d", at, port)), env...)
	in, err1 := server.StdinPipe()
	out, err2 := server.StdoutPipe()
	if err1 != nil || err2 != nil || server.Start() != nil {
		t.Fatal(err1, err2, "no server")
	}
	t.Cleanup(func() {
		in.Close()
		server.Wait()
	})
	var started, failed string
	if _, err := fmt.Fscan(out, &started, &failed); err != nil || failed != "<nil>" {
		t.Fatal(started, failed, err)
	}
	return fmt.Sprintf("localhost:%d", port)
}

func freePort(t testing.TB) int {
	l, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}
