package aggregate

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/equipoise-dp/equipoise/internal/matrix"
)

// A Series declares a report for periods to come, or for many at once: which numbers of
// every period, for how long, and which sums over periods will be read. It is priced
// and paid for once, as a whole, and then released period by period. Every field but
// Arrived, Wait, AtOnce and Level is required.
//
// Noise is shared over the periods as serves the views best. Everything that is read
// comes from the same noisy numbers, so weeks add up to months and groups to all.
//
// Sums over periods are sums of what was counted in each: units of four weeks are
// unit-weeks, and a customer of two of them is two.
type Series[Row any, Unit, Group comparable] struct {
	// Query says whose privacy is protected and what the groups are, which are
	// given in Query.Groups, or none. In a series MaxGroups is how often a unit can be
	// there: in how many pairs of a group and a period, over the whole life of the
	// series. Noise grows with it about as its square root. If a unit is in more, some are chosen at
	// random with AtOnce, and the first ones otherwise: then later periods leave out whoever
	// was there so often before, and fall for that reason alone where many are. If it is all of them, groups times
	// Periods, nothing is ever left out. MaxRowsPerGroup is how many rows of a unit count in
	// one pair: the first that are read, or some at random with AtOnce.
	//
	// With a Retention nothing is released any more once rows of the first period are too
	// old, by Time and whatever Retention.Time says: past rows are read again, and a
	// series without some of them would show by how much others changed.
	Query *Query[Row, Unit, Group]

	// Time returns when a row happened: the data's own time. Rows outside the series
	// are left out.
	Time func(Row) time.Time

	// Zone is where days begin and end.
	Zone *time.Location

	// Step is the length of a period.
	Step Step

	// First is any moment of the first period.
	First time.Time

	// Periods is how many periods there are, at most 3,660. A series that has ended is
	// prolonged by a new one, which is paid for by itself.
	Periods int

	// Views are the numbers that people will read, with weights that say how much it
	// matters how exact they are. Noise is shared so that the mean of their variances
	// is least, each beside what it would be with independent noise. Other sums can be
	// read too.
	Views []View

	// Arrived returns when a row became known, and Wait how long after the end of its period
	// that may be: a row that arrived later never counts, and a stream does not advance to
	// a period before that time is over. So nobody turns up in a period that was released. If
	// Arrived is nil, the program sees to that, as [Advance] says.
	Arrived func(Row) time.Time
	Wait    time.Duration

	// AtOnce says that all periods are at hand and are released together. Where
	// units can be in all pairs, that has much less noise.
	AtOnce bool

	// Level says that noise may be shared by a strategy in which a unit moves the releases as much
	// whenever it is there; otherwise units of the last periods move less, and are
	// protected better than they need be. It has a little less noise, in totals above all, and takes MaxGroups 1
	// and at most 400 periods. A series that was declared without it stays as it is.
	Level bool
}

// check returns every mistake of the declaration, joined.
func (s *Series[Row, Unit, Group]) check() error {
	var errs []error
	fail := func(format string, args ...any) { errs = append(errs, fmt.Errorf("aggregate: "+format, args...)) }
	if s.Query == nil {
		fail("Series.Query is nil; it must say whose privacy is protected")
	} else {
		errs = append(errs, s.Query.check(), s.checkQuery())
	}
	errs = append(errs, s.schedule().check(), s.checkLevel())
	if len(s.Views) == 0 {
		fail("Series.Views is empty; say what will be read, such as EachPeriod(1)")
	}
	for i, v := range s.Views {
		errs = append(errs, v.check(i, s.Step))
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	return s.checkRetention()
}

// checkLevel reports what a level strategy is not for.
func (s *Series[Row, Unit, Group]) checkLevel() error {
	var errs []error
	if s.Level && s.Periods > matrix.MostLevel {
		errs = append(errs, fmt.Errorf("aggregate: Series.Level is set and Series.Periods is %d, must be at most %d; use longer periods, or leave Level out", s.Periods, matrix.MostLevel))
	}
	if s.Level && s.Query != nil && s.Query.MaxGroups != 1 {
		errs = append(errs, fmt.Errorf("aggregate: Series.Level is set and Query.MaxGroups is %d, must be 1; leave Level out where a unit counts more often", s.Query.MaxGroups))
	}
	return errors.Join(errs...)
}

func (s *Series[Row, Unit, Group]) schedule() *schedule[Row] {
	return &schedule[Row]{"Series", s.Time, s.Zone, s.Step, s.First, s.Periods, s.Arrived, s.Wait}
}

// checkRetention returns an error if rows would be too old before the series ends. It
// needs the other fields.
func (s *Series[Row, Unit, Group]) checkRetention() error {
	r := s.Query.Retention
	if r == nil {
		return nil
	}
	on := s.schedule()
	begins, ends := s.Step.begins(on.first(), s.Zone), on.closes(s.Periods-1)
	if begins.Before(r.first(ends)) {
		return fmt.Errorf("aggregate: Query.Retention.Days is %d, and the series of %s reads its first rows again at its end, when they are %d days old; declare a series that ends before, and a new one after it",
			r.Days, plural(s.Periods, s.Step.String()), int(math.Ceil(ends.Sub(begins).Hours()/24)))
	}
	return nil
}

// checkQuery reports what a query may not have in a series.
func (s *Series[Row, Unit, Group]) checkQuery() error {
	var errs []error
	fail := func(format string, args ...any) { errs = append(errs, fmt.Errorf("aggregate: "+format, args...)) }
	if s.Query.selects() {
		fail("Series.Query has Group and no Groups; list the groups in Query.Groups: those of a series are not selected, since which there are would be decided in every period, at a price for each")
	}
	if groups := len(s.Query.given()); s.Periods > 0 && groups > mostPairs/s.Periods {
		fail("Series has %d groups in %d periods, must have at most %d pairs; use fewer groups or longer periods", groups, s.Periods, mostPairs)
	}
	return errors.Join(errs...)
}

// mostPairs is how many pairs of a group and a period a series can have.
const mostPairs = 1 << 20

// A View is a number that people will read at every period, such as the total to date, or
// of every calendar unit. [EachPeriod], [RollingWindow], [ToDate] and [CalendarTotals] make one.
type View struct {
	kind   viewKind
	length int  // of a rolling window
	step   Step // of calendar totals
	weight float64
}

type viewKind int

const (
	viewEach viewKind = 1 + iota
	viewRolling
	viewToDate
	viewCalendar
)

// EachPeriod is the view of every period by itself.
func EachPeriod(weight float64) View { return View{kind: viewEach, length: 1, weight: weight} }

// RollingWindow is the view of the last periods, so many, at every period. The first
// windows are as long as there are periods.
func RollingWindow(periods int, weight float64) View {
	return View{kind: viewRolling, length: periods, weight: weight}
}

// ToDate is the view of everything since the first period, at every period.
func ToDate(weight float64) View { return View{kind: viewToDate, weight: weight} }

// CalendarTotals is the view of every week, month, quarter or year that the series
// touches. A week belongs to the month, quarter and year of its Thursday.
func CalendarTotals(step Step, weight float64) View {
	return View{kind: viewCalendar, step: step, weight: weight}
}

// name says in words what the view shows.
func (v View) name() string {
	switch v.kind {
	case viewEach:
		return "each period"
	case viewRolling:
		return fmt.Sprintf("last %s", plural(v.length, "period"))
	case viewToDate:
		return "to date"
	case viewCalendar:
		return "each " + v.step.String()
	}
	return "no view"
}

func (v View) check(i int, step Step) error {
	var errs []error
	fail := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf("aggregate: Series.Views[%d] "+format, append([]any{i}, args...)...))
	}
	if v.kind == 0 {
		fail("is the zero View; EachPeriod, RollingWindow, ToDate and CalendarTotals make one")
		return errors.Join(errs...)
	}
	if !(v.weight > 0) || math.IsInf(v.weight, 1) {
		fail("has weight %v, must be positive and finite", v.weight)
	}
	if v.kind == viewRolling && v.length < 1 {
		fail("is of %d periods, must be of at least 1", v.length)
	}
	if v.kind == viewCalendar && (!v.step.valid() || v.step <= step) {
		fail("is of every %v, must be of a longer one than a period, which is a %v", v.step, step)
	}
	return errors.Join(errs...)
}
