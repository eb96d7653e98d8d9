package rows

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"
)

// A sink sets the fields of one row, one after the other.
type sink struct {
	options *Options
	marks   *marker
	field   *field // that is being set
	skip    bool   // the row is left out
	faults  []string
	scratch []byte
}

func newSink(o *Options) *sink { return &sink{options: o, marks: newMarker(&o.Format)} }

func (s *sink) check(fault string) {
	if fault != "" {
		s.Refuse(fault)
	}
}

func (s *sink) Refuse(fault string) {
	s.faults = append(s.faults, fmt.Sprintf("column %q (%s) %s", s.field.column, s.options.called(s.field.name), fault))
}

// Null is for what is missing.
func (s *sink) Null() {
	if s.field.asis {
		s.check(s.field.text(nil))
		return
	}
	missing := s.options.called("Format.Missing")
	switch rule := s.options.Format.Missing; {
	case rule == Skip:
		s.skip = true
	case rule == Zero && s.field.zero:
		s.check(s.field.number([]byte{'0'}))
	case s.field.zero:
		s.Refuse(fmt.Sprintf("is blank, or marked as missing; %s zero counts it as 0, %s skip leaves out the row", missing, missing))
	default:
		s.Refuse(fmt.Sprintf("is blank, or marked as missing; %s skip leaves out the row, %s says what marks there are", missing, s.options.called("Format.Marks")))
	}
}

func (s *sink) Text(b []byte) {
	b = bytes.TrimSpace(b)
	if !s.field.asis && (len(b) == 0 || !s.field.named && s.marks.is(b)) {
		s.Null()
		return
	}
	s.check(s.field.text(b))
}

func (s *sink) Number(b []byte) { s.check(s.field.number(b)) }

func (s *sink) Int(i int64) {
	s.scratch = strconv.AppendInt(s.scratch[:0], i, 10)
	s.check(s.field.number(s.scratch))
}

// Float takes what is not a number for missing, as data frames write it.
func (s *sink) Float(x float64) {
	switch {
	case math.IsNaN(x):
		s.Null()
	case s.field.float != nil:
		s.check(s.field.float(x))
	case math.IsInf(x, 0):
		s.Refuse("is not a finite number")
	default:
		s.scratch = strconv.AppendFloat(s.scratch[:0], x, 'f', -1, 64)
		s.check(s.field.number(s.scratch))
	}
}

func (s *sink) Bool(b bool) {
	if s.field.zero {
		s.Refuse("is a truth value, and the field is a number; make it a bool")
		return
	}
	s.check(s.field.text(strconv.AppendBool(s.scratch[:0], b)))
}

func (s *sink) Time(t time.Time, wall bool) {
	if s.field.moment == nil {
		s.Refuse("is a time, and the field is none; make it a time.Time or a rows.Date")
		return
	}
	s.check(s.field.moment(moment{t, wall}))
}

// mistakes returns everything that is wrong with the row.
func (s *sink) mistakes(place string) error {
	var errs []error
	for _, fault := range s.faults {
		errs = append(errs, fmt.Errorf("%s of %s: %s", place, s.options.Name, fault))
	}
	return errors.Join(errs...)
}
