package aggregate

import (
	"cmp"
	"slices"
)

// addSize adds the forecast of a group of so many units to those of its size.
func (s *Seen[Group]) addSize(units int, f Forecast) {
	least, most := 0, 0
	if units > 0 {
		for least, most = 1, 9; most < units; most = 10*least - 1 {
			least *= 10
		}
	}
	at := slices.IndexFunc(s.Sizes, func(z SeenSize) bool { return z.Least == least })
	if at < 0 {
		at = len(s.Sizes)
		s.Sizes = append(s.Sizes, SeenSize{Least: least, Most: most})
	}
	z := &s.Sizes[at]
	z.Groups++
	z.Shown += f.Shown
	if z.Columns == nil {
		z.Columns = make([]Expected, len(f.Columns))
	}
	for i, c := range f.Columns {
		z.Columns[i].Column = c.Column
		z.Columns[i].Value += c.Value
		z.Columns[i].PlusMinus += c.PlusMinus
	}
}

// meanSizes makes means of what was added up, and puts sizes in order.
func (s *Seen[Group]) meanSizes() {
	slices.SortFunc(s.Sizes, func(a, b SeenSize) int { return cmp.Compare(a.Least, b.Least) })
	for _, z := range s.Sizes {
		for i := range z.Columns {
			z.Columns[i].Value /= float64(z.Groups)
			z.Columns[i].PlusMinus /= float64(z.Groups)
		}
	}
}
