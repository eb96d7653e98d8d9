package aggregate

import (
	"math/big"
	"slices"
)

// A want is a measure that is asked for and not calibrated yet.
type want struct {
	form  form
	value *value
}

// wants returns the measures that answer the columns, each of them once, and
// their weights.
func wants(columns []column, weights map[column]*big.Rat, selects bool) ([]want, map[want]*big.Rat) {
	var ws []want
	weight := make(map[want]*big.Rat)
	if selects && len(columns) > 0 {
		ws = append(ws, want{formUnits, nil})
	}
	for _, c := range columns {
		w := wantOf(columns, c, selects)
		if !slices.Contains(ws, w) {
			ws = append(ws, w)
		}
		if weight[w] == nil || weights[c].Cmp(weight[w]) > 0 {
			weight[w] = weights[c]
		}
	}
	return ws, weight
}

// wantOf returns the measure that answers a column.
func wantOf(columns []column, c column, selects bool) want {
	v := c.value
	switch {
	case c.kind == kindQuantile:
		return want{formRanks, v}
	case c.kind == kindDistinct:
		return want{formDistinct, v}
	case c.kind == kindUnits && selects:
		return want{formUnits, nil}
	case v == nil:
		v = counter(columns, c.kind == kindUnits)
	}
	switch {
	case v != nil:
		return want{momentForms(columns)[v], v}
	case c.kind == kindUnits:
		return want{formUnits, nil}
	}
	return want{formRows, nil}
}

// momentForms returns the form that answers all moments that are asked of a
// value.
func momentForms(columns []column) map[*value]form {
	forms := make(map[*value]form)
	need := map[kind]form{kindSum: formTotal, kindMean: formPair, kindVariance: formTriple, kindStdDev: formTriple}
	for _, c := range columns {
		forms[c.value] = max(forms[c.value], need[c.kind])
	}
	return forms
}

// counter returns the value whose mean or variance also counts the rows, or the
// units, of a group.
func counter(columns []column, units bool) *value {
	for _, c := range columns {
		if c.kind >= kindMean && c.kind <= kindStdDev && c.value.perUnit == units {
			return c.value
		}
	}
	return nil
}

func valuesOf(columns []column) []*value {
	var values []*value
	for _, c := range columns {
		if c.value != nil && !slices.Contains(values, c.value) {
			values = append(values, c.value)
		}
	}
	return values
}
