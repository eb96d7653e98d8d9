package matrix

// Each is the view of every period by itself.
func Each(periods int, weight float64) View { return Rolling(periods, 1, weight) }

// Rolling is the view of the last n periods, at every period. The first windows are as
// long as there are periods.
func Rolling(periods, n int, weight float64) View {
	v := View{Weight: weight}
	for t := range periods {
		v.Spans = append(v.Spans, Span{max(t+1-n, 0), t + 1})
	}
	return v
}

// ToDate is the view of the total since the first period, at every period.
func ToDate(periods int, weight float64) View { return Rolling(periods, periods, weight) }
