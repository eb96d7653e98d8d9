package bound

import "slices"

// Distinct leaves of values that the unit has in the group that is yielded each once, and at most n of
// them: those with the smallest priorities, which are functions of the priority of the cell and of the value. So which
// are left depends on the seed, the unit, the group and the set of the values, and on nothing else. It writes to the values.
func (w *Worker[Unit, Key]) Distinct(values []int64, n int) []int64 {
	slices.Sort(values)
	values = slices.Compact(values)
	if len(values) <= n {
		return values
	}
	p := w.part
	base := p.priority(w.unit, w.group)
	p.priorities = p.priorities[:0]
	for _, v := range values {
		p.priorities = append(p.priorities, mix(base^mix(uint64(v)+0x9e3779b97f4a7c15)))
	}
	p.scratch = append(p.scratch[:0], p.priorities...)
	cut, kept := newCut(p.scratch, n), values[:0]
	for i, v := range values {
		if cut.keeps(p.priorities[i]) {
			kept = append(kept, v)
		}
	}
	return kept
}
