package aggregate

import (
	"context"
	"runtime/pprof"
)

// The phases of a release, as profiles show them under the label "equipoise": goroutine and CPU profiles of a service say
// by it what its time goes to. A label is one of these words and says nothing of rows.
const (
	phaseReading  = "reading rows"
	phaseAdding   = "adding up rows"
	phaseListing  = "listing groups"
	phaseMerging  = "adding up Partials"
	phaseSorting  = "sorting groups"
	phaseDrawing  = "drawing noise"
	phaseEncoding = "encoding a release"
)

const phaseLabel = "equipoise"

// during does something under the label of a phase, which goroutines that are started by it inherit. Afterwards the goroutine has
// the labels of ctx again, as after [pprof.Do].
func during[T any](ctx context.Context, phase string, do func(context.Context) (T, error)) (of T, err error) {
	pprof.Do(ctx, pprof.Labels(phaseLabel, phase), func(ctx context.Context) { of, err = do(ctx) })
	return of, err
}
