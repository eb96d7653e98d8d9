package aggregate

import (
	"context"
	"fmt"
	"iter"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/internal/hashed"
	"github.com/equipoise-dp/equipoise/internal/module"
)

// states says what the plan reads, for whoever decides whether it may.
func (p *Plan[Row, Unit, Group]) states() *dp.Statement {
	s := &dp.Statement{
		Event: p.query.UnitIsEvent, Grouped: p.query.Group != nil, Groups: p.query.GroupName, KeysGiven: p.query.Group != nil && !p.query.selects(), Module: module.Version(),
	}
	for _, in := range slices.Concat(p.inputs, p.query.states) {
		s.Columns = append(s.Columns, dp.StatedColumn{Name: in.name, Per: in.per(), Lower: in.lower.RatString(), Upper: in.upper.RatString(), Duration: in.duration})
	}
	s.LeftOut = asksWhoIsLeftOut[Row]()
	s.HashedIDs = hashed.Is(reflect.TypeFor[Unit]())
	s.Units = slices.ContainsFunc(p.answers, func(a answer) bool { return a.kind == kindUnits })
	if p.threshold != nil {
		s.LeastGroup = int(p.threshold.units())
	}
	if c := p.query.Consent; c != nil {
		s.Consent = c.Mode.String()
	}
	if r := p.query.Retention; r != nil {
		s.RetainDays = r.Days
	}
	return s
}

// states says what the series reads. Its groups are given, and so are its periods; the pairs
// of a group and a period are the library's.
func (p *SeriesPlan[Row, Unit, Group]) states() *dp.Statement {
	s, q := p.inner.states(), p.series.Query
	s.Grouped, s.KeysGiven, s.Event, s.Step = q.Group != nil, q.Group != nil, q.UnitIsEvent, p.step.String()
	if q.Consent != nil {
		s.Consent = q.Consent.Mode.String()
	}
	if q.Retention != nil {
		s.RetainDays = q.Retention.Days
	}
	return s
}

// conditions are what of the query tells one question from another and is not in every
// one: a question without them is written as before there were any.
func (q *Query[Row, Unit, Group]) conditions() string {
	var b strings.Builder
	if asksWhoIsLeftOut[Row]() {
		b.WriteString("of who is left out\n")
	}
	if q.Consent != nil {
		fmt.Fprintf(&b, "consent %v %q\n", q.Consent.Mode, q.Consent.Purpose)
	}
	if q.Retention != nil {
		fmt.Fprintf(&b, "retain %d days\n", q.Retention.Days)
	}
	if q.LeastGroup > 0 {
		fmt.Fprintf(&b, "least group %d\n", q.LeastGroup)
	}
	return b.String()
}

// admitted yields the rows that count at all. It stands before everything that counts.
func (q *Query[Row, Unit, Group]) admitted(ctx context.Context, rows iter.Seq2[Row, error]) iter.Seq2[Row, error] {
	if q.Retention != nil {
		rows = q.Retention.recent(time.Now(), rows)
	}
	return q.willing(ctx, rows)
}

// willing yields the rows of units that are in.
func (q *Query[Row, Unit, Group]) willing(ctx context.Context, rows iter.Seq2[Row, error]) iter.Seq2[Row, error] {
	if q.Consent != nil {
		rows = consenting(ctx, q.Consent, q.Unit, rows)
	}
	return rows
}
