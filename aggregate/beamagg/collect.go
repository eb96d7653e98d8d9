package beamagg

import (
	"errors"
	"fmt"
	"reflect"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/graph/window"

	"github.com/equipoise-dp/equipoise/aggregate"
)

// Collect adds to a pipeline what collects its rows for a plan, as [aggregate.Plan.CollectShard] does, all shards
// together. When the pipeline has ended, [Open] gives what was collected, on the side that has the private key. Rows are a
// bounded PCollection of the plan's row type; windows that they have count for nothing.
//
// What is collected is exact and private, and only sealed parts leave the workers. Where caps cut nothing it is what
// Plan.Collect returns, and where they cut what one process collects with the same secret. Nothing about the rows can
// make it fail, but for the memory that they take.
//
// Queries with Consent or Retention are refused: leave out rows that do not count before.
func Collect[Row any, Unit, Group comparable](s beam.Scope, p *aggregate.Plan[Row, Unit, Group], j Job, rows beam.PCollection) error {
	t, _, err := tasked(p, j)
	if err := errors.Join(err, checkRows[Row](rows)); err != nil {
		return err
	}
	return collect[Row](s.Scope("beamagg.Collect"), t, rows)
}

func checkRows[Row any](rows beam.PCollection) error {
	if !rows.IsValid() {
		return errors.New("beamagg: rows are no PCollection")
	}
	if want := reflect.TypeFor[Row](); rows.Type().Type() != want {
		return fmt.Errorf("beamagg: rows are of type %v, the plan reads %v", rows.Type(), want)
	}
	return nil
}

// collect adds the steps.
func collect[Row any](s beam.Scope, t task, rows beam.PCollection) error {
	if rows.WindowingStrategy().Fn.Kind != window.GlobalWindows {
		rows = beam.WindowInto(s, window.NewGlobalWindows(), rows)
	}
	to := &steps{s: s}
	placed := to.flatten(to.parDo(&placeFn[Row]{Task: t}, rows), to.parDo(&everyFn{Shards: t.Shards}, beam.Impulse(s)))
	collected := to.parDo(&collectFn{Task: t}, to.groupByKey(placed))
	sealed := to.parDo(&sealFn{Task: t}, to.combinePerKey(&mergeFn{}, collected))
	to.parDo0(&listFn{Task: t}, to.groupByKey(sealed))
	return to.err
}

// steps are added until one cannot be.
type steps struct {
	s   beam.Scope
	err error
}

func (to *steps) parDo(fn any, from beam.PCollection) (out beam.PCollection) {
	if all := to.all(fn, from); len(all) == 1 {
		return all[0]
	}
	return out
}

func (to *steps) parDo0(fn any, from beam.PCollection) { to.all(fn, from) }

func (to *steps) all(fn any, from beam.PCollection) (out []beam.PCollection) {
	if to.err == nil {
		out, to.err = beam.TryParDo(to.s, fn, from)
	}
	return out
}

func (to *steps) flatten(from ...beam.PCollection) (out beam.PCollection) {
	if to.err == nil {
		out, to.err = beam.TryFlatten(to.s, from...)
	}
	return out
}

func (to *steps) groupByKey(from beam.PCollection) (out beam.PCollection) {
	if to.err == nil {
		out, to.err = beam.TryGroupByKey(to.s, from)
	}
	return out
}

func (to *steps) combinePerKey(fn any, from beam.PCollection) (out beam.PCollection) {
	if to.err == nil {
		out, to.err = beam.TryCombinePerKey(to.s, fn, from)
	}
	return out
}
