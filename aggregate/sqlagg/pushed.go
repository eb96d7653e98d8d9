package sqlagg

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"unicode/utf8"

	"github.com/equipoise-dp/equipoise/internal/engine"
)

// manyRows is a cap on rows that nobody reaches, so that none are chosen.
const manyRows = 1 << 40

// statementOf returns the statement of a plan, or every reason why it cannot be pushed down.
func statementOf[Unit, Group comparable](s Source, v *engine.View[Row, Unit, Group], b *binding, columns map[place]string) (*statement, []string) {
	not := append([]string(nil), v.Not...)
	st := &statement{
		d: s.Dialect, source: s.selected(), columns: columns, binding: b, args: append([]any(nil), s.Args...),
		maxGroups: v.MaxGroups, maxRows: v.MaxRows, people: v.People,
		cutsRows: len(v.Values) > 0 && v.MaxRows < manyRows, cutsGroups: v.Given == nil || v.MaxGroups < len(v.Given),
	}
	for i, value := range v.Values {
		g, err := newGauge(s.Dialect, value, i, min(v.MaxRows, manyRows))
		if err != nil {
			not = append(not, err.Error())
		}
		st.gauges = append(st.gauges, g)
	}
	if v.Group != nil && v.Given != nil {
		given, err := givenJSON(v.Given)
		if err != nil {
			not = append(not, err.Error())
		}
		st.given = given
	}
	return st, not
}

// givenJSON writes groups as a JSON array of arrays.
func givenJSON[Group comparable](groups []Group) (string, error) {
	all := make([][]any, len(groups))
	for i := range groups {
		for _, leaf := range leaves(reflect.ValueOf(&groups[i]).Elem(), nil) {
			if leaf.Kind() != reflect.String {
				all[i] = append(all[i], leaf.Int())
				continue
			}
			if text := leaf.String(); !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
				return "", errors.New("a group that is given is not valid UTF-8, or has a zero byte")
			}
			all[i] = append(all[i], leaf.String())
		}
	}
	text, err := json.Marshal(all)
	return string(text), err
}
