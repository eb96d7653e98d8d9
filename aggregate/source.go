package aggregate

import "strings"

// A source is where noise came from: a measure of a release, in one group, or in all of
// them where they share some of it. Estimates with a source in common are not independent,
// and package dp is told so.
type source struct {
	release any // the hash of its entry in the ledger or, where it has none, what it is in memory
	measure string
	group   int // or everyGroup
}

const everyGroup = -1

// releaseOf returns what names a release: the hash of its entry, so that one that is read
// twice is known again, or what it is in memory if nobody wrote it down.
func releaseOf(hash string, memory any) any {
	if strings.Trim(hash, "0") == "" {
		return memory
	}
	return hash
}

// sources returns where the noise of an answer came from.
func (cell Cell) sources(a answer) []any {
	if cell.of.sources != nil {
		return cell.of.sources(a)
	}
	s := source{releaseOf(cell.of.hash, cell.of), a.measure.String(), cell.at}
	if j := a.measure.joint; j != nil && j.centre != nil {
		s.group = everyGroup
	}
	return []any{s}
}

// sources returns where the noise of sums over groups of a series came from.
func (t *Trend[Group]) sources(groups ...int) func(answer) []any {
	return func(a answer) (all []any) {
		for _, g := range groups {
			all = append(all, source{releaseOf(t.receipts[0].Hash, t), a.measure.String(), g})
		}
		return all
	}
}
