package rows

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"reflect"
	"slices"
	"strings"
	"time"
)

// A field is one of a row, with what sets it. What sets it returns what is wrong with a
// value, or nothing.
type field struct {
	name, column string
	asis         bool // it takes also nothing, and marks of nothing
	named        bool // it is the name of a unit, of which only a blank one is missing: somebody may be called NA
	zero         bool // it is a number, which has a zero
	at           int  // the number of its column

	text   func(b []byte) string  // as people write it
	number func(b []byte) string  // as JSON and databases do
	float  func(x float64) string // or nil, which is as number
	moment func(m moment) string  // or nil, if it takes no time
	old    func() bool            // whether the time that it was set to is too long ago; nil if it is no time
}

// tag is the key of tags.
const tag = "rows"

// fieldsOf lists the fields of a row, and how the one row that they belong to is set. Every mistake
// in the type and in the options comes back.
func fieldsOf(row reflect.Value, o *Options) (all []*field, err error) {
	t := row.Type()
	if t.Kind() != reflect.Struct {
		return nil, fmt.Errorf("rows: a row is a %v, must be a struct", t)
	}
	var errs []error
	set := newSetter(o)
	for i := range t.NumField() {
		f, err := o.fieldOf(t.Field(i))
		if f != nil && err == nil {
			err = set.field(f, row.Field(i))
		}
		if err != nil {
			errs = append(errs, err)
		} else if f != nil {
			all = append(all, f)
		}
	}
	for _, name := range sortedKeys(o.Columns) {
		if f, ok := t.FieldByName(name); !ok || !f.IsExported() || len(f.Index) > 1 {
			errs = append(errs, fmt.Errorf("rows: Options.Columns has %q, must be exported fields of %v", name, t))
		}
	}
	if !o.Since.IsZero() && errs == nil {
		all, err = timeFirst(all)
		errs = append(errs, err)
	}
	if errs == nil && len(all) == 0 {
		errs = append(errs, fmt.Errorf("rows: %v has no field to read, must have one at least", t))
	}
	return all, errors.Join(errs...)
}

// timeFirst puts the one field that is a time before the others.
func timeFirst(all []*field) ([]*field, error) {
	var times, others []*field
	for _, f := range all {
		if f.old != nil {
			times = append(times, f)
		} else {
			others = append(others, f)
		}
	}
	if len(times) != 1 {
		return all, fmt.Errorf("rows: Options.Since is set, and a row has %d fields of type time.Time or rows.Date, must have one", len(times))
	}
	return append(times, others...), nil
}

func sortedKeys(m map[string]string) []string {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// fieldOf reads the name and the tag of a field, and returns nil if it is left alone.
func (o *Options) fieldOf(s reflect.StructField) (*field, error) {
	text, tagged := s.Tag.Lookup(tag)
	if !s.IsExported() {
		if tagged {
			return nil, fmt.Errorf("rows: field %s has a tag and is not exported; export it, or drop the tag", s.Name)
		}
		return nil, nil
	}
	column, option, _ := strings.Cut(text, ",")
	f := &field{name: s.Name, column: column, asis: option == "asis"}
	if option != "" && !f.asis {
		return nil, fmt.Errorf("rows: the tag of field %s has the option %q, must be asis or nothing; a column with a comma in its name stands in Options.Columns", s.Name, option)
	}
	given, ok := o.Columns[s.Name]
	switch {
	case ok && given == "" || !ok && text == "-":
		return nil, nil
	case ok:
		f.column = given
	case column == "":
		f.column = s.Name
	}
	f.column = Tidy(f.column)
	return f, nil
}

// A setter makes what sets fields of one source.
type setter struct {
	options *Options
	written notation
	clock   *clock
	id      func(name []byte) ID
}

func newSetter(o *Options) *setter {
	f := &o.Format
	s := &setter{options: o, written: notation{f.Decimal, f.Thousands, f.Currency}, clock: newClock(f)}
	if o.Secret != nil {
		s.id = o.Secret.hasher()
	}
	return s
}

// field makes what sets a field, by its type.
func (s *setter) field(f *field, v reflect.Value) error {
	if f.asis && v.Kind() != reflect.String {
		return fmt.Errorf("rows: field %s is a %v with the option asis, which is for strings", f.name, v.Type())
	}
	switch to := v.Addr().Interface().(type) {
	case *time.Time:
		f.text, f.moment = s.instant(to)
		f.number = f.text
		f.old = func() bool { return to.Before(s.options.Since) }
		return nil
	case *Date:
		f.text, f.moment = s.date(to)
		f.number = f.text
		first := s.clock.day(moment{s.options.Since, false})
		f.old = func() bool { return to.before(first) }
		return nil
	case *ID:
		if s.id == nil {
			return fmt.Errorf("rows: field %s is an ID and Options.Secret is not set; rows.NewSecret makes one for all sources of a run", f.name)
		}
		f.text = func(b []byte) string { *to = s.id(tidy(b)); return "" }
		f.number, f.named = f.text, true
		return nil
	}
	switch kind := v.Kind(); {
	case kind == reflect.String:
		f.text = s.string(pointer[string](v))
		f.number = f.text
	case kind == reflect.Bool:
		f.text = boolean(pointer[bool](v))
		f.number = f.text
	case kind == reflect.Float64:
		f.zero = true
		s.float64(f, pointer[float64](v))
	case kind == reflect.Float32:
		f.zero = true
		s.float32(f, pointer[float32](v))
	case v.CanInt(), v.CanUint():
		f.zero = true
		s.integer(f, v)
	default:
		return fmt.Errorf("rows: field %s is a %v, must be a string, a bool, a number or a type made of one, a time.Time, a rows.Date or a rows.ID; a field with the tag `%s:\"-\"` is left alone", f.name, v.Type(), tag)
	}
	return nil
}

// pointer returns where a value is that has T for its underlying type.
func pointer[T any](v reflect.Value) *T {
	return v.Addr().Convert(reflect.TypeFor[*T]()).Interface().(*T)
}

// string keeps equal texts that come often once.
func (s *setter) string(to *string) func([]byte) string {
	var seen texts
	return func(b []byte) string { *to = seen.of(tidy(b)); return "" }
}

func boolean(to *bool) func([]byte) string {
	return func(b []byte) string {
		switch strings.ToLower(string(b)) {
		case "true", "t", "yes", "y", "1":
			*to = true
		case "false", "f", "no", "n", "0":
			*to = false
		default:
			return "is not true or false, yes or no, 1 or 0"
		}
		return ""
	}
}

func (s *setter) float64(f *field, to *float64) {
	read := func(n *notation) func([]byte) string {
		return func(b []byte) (fault string) {
			x, ok := n.float(b)
			if *to = x; !ok {
				return s.howNumbersAreWritten(n)
			}
			return ""
		}
	}
	f.text, f.number = read(&s.written), read(&plain)
	f.float = func(x float64) string {
		if *to = x; math.IsInf(x, 0) || math.IsNaN(x) {
			return "is not a finite number"
		}
		return ""
	}
}

func (s *setter) float32(f *field, to *float32) {
	var wide float64
	s.float64(f, &wide)
	narrow := func(fault string) string {
		if *to = float32(wide); fault == "" && math.IsInf(float64(*to), 0) {
			return "is too large for a float32"
		}
		return fault
	}
	text, number, float := f.text, f.number, f.float
	f.text = func(b []byte) string { return narrow(text(b)) }
	f.number = func(b []byte) string { return narrow(number(b)) }
	f.float = func(x float64) string { return narrow(float(x)) }
}

// integer sets integers of any size.
func (s *setter) integer(f *field, v reflect.Value) {
	set := func(x int64) bool {
		if v.CanUint() {
			v.SetUint(uint64(x))
			return x >= 0 && !v.OverflowUint(uint64(x))
		}
		v.SetInt(x)
		return !v.OverflowInt(x)
	}
	large := func(x *big.Int) bool {
		if v.CanUint() && x.IsUint64() {
			v.SetUint(x.Uint64())
			return !v.OverflowUint(x.Uint64())
		}
		return x.IsInt64() && set(x.Int64())
	}
	read := func(n *notation) func([]byte) string {
		return func(b []byte) string {
			fits := false
			if x, places, negative, ok := short(b, n.decimal[0]); ok && places == 0 {
				if negative {
					x = -x
				}
				fits = set(x)
			} else if x, ok := n.integer(b); ok {
				fits = large(x)
			} else {
				return "is not a whole number; " + s.howNumbersAreWritten(n)
			}
			if !fits {
				return fmt.Sprintf("is too large or too small for the type %v", v.Type())
			}
			return ""
		}
	}
	f.text, f.number = read(&s.written), read(&plain)
}

func (s *setter) howNumbersAreWritten(n *notation) string {
	if n == &plain {
		return "is not a number"
	}
	like := "-1234" + n.decimal + "5"
	if n.thousands != "" {
		like = "-1" + n.thousands + "234" + n.decimal + "5"
	}
	called := s.options.called
	return fmt.Sprintf("is not a number such as %s; %s, %s and %s say how numbers are written, and signs such as %% are not read",
		like, called("Format.Decimal"), called("Format.Thousands"), called("Format.Currency"))
}

func (s *setter) instant(to *time.Time) (text func([]byte) string, at func(moment) string) {
	at = func(m moment) string { *to = s.clock.instant(m); return "" }
	return func(b []byte) string {
		m, ok := s.clock.moment(string(b))
		if !ok {
			return s.howTimesAreWritten()
		}
		return at(m)
	}, at
}

func (s *setter) date(to *Date) (text func([]byte) string, at func(moment) string) {
	return func(b []byte) (fault string) {
		d, ok := s.clock.date(b)
		if *to = d; !ok {
			return s.howTimesAreWritten()
		}
		return ""
	}, func(m moment) string { *to = s.clock.day(m); return "" }
}

func (s *setter) howTimesAreWritten() string {
	layout := s.options.called("Format.Layout")
	if l := s.options.Format.Layout; l != "" {
		return fmt.Sprintf("is not a time as %s %s says", layout, l)
	}
	return "is not a time in a layout that can be taken for no other; give " + layout + ", such as " + strings.Join(Layouts, ", ")
}
