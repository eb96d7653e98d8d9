package aggregate

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// inParallel does the tasks 0 … n-1 with so many workers, each of which begin makes. It
// returns when all are done. With one worker everything happens in the goroutine of the
// caller; and if a worker panics or ends its goroutine, then so does the caller.
func inParallel(workers, n int, begin func(worker int) (do func(task int))) {
	var next atomic.Int64
	work := func(worker int) {
		do := begin(worker)
		for task := int(next.Add(1)) - 1; task < n; task = int(next.Add(1)) - 1 {
			do(task)
		}
	}
	if workers == 1 {
		work(0)
		return
	}
	var all sync.WaitGroup
	ends := make([]end, workers)
	for i := range workers {
		all.Go(func() {
			defer ends[i].see()
			work(i)
			ends[i].done = true
		})
	}
	all.Wait()
	for i := range ends {
		ends[i].repeat()
	}
}

// An end is how the goroutine of a worker ended.
type end struct {
	done  bool
	panic any
}

func (e *end) see() {
	if !e.done {
		e.panic = recover()
	}
}

func (e *end) repeat() {
	switch {
	case e.done:
	case e.panic != nil:
		panic(e.panic)
	default:
		runtime.Goexit()
	}
}
