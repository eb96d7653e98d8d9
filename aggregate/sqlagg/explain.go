package sqlagg

import (
	"context"
	"fmt"
	"strings"

	"github.com/equipoise-dp/equipoise/aggregate"
)

// An Explanation says what [Collect] would do. It tells nothing of rows.
type Explanation struct {
	Pushed    bool     // whether the database bounds and adds up; else rows are read
	Why       []string // if they are read, every reason
	Advice    string   // which of both is better here, and why
	Statement string   // what the database is sent
	Args      []string // its parameters; the secret is not among them, for it is drawn when the statement is run
}

// Explain says what [Collect] would do, without doing it: the database is asked for the types of
// columns by a statement that returns no row, and for nothing else.
func Explain[Unit, Group comparable](ctx context.Context, s Source, p *aggregate.Plan[Row, Unit, Group]) (*Explanation, error) {
	v, st, not, err := prepare(ctx, s, p)
	if err != nil {
		return nil, err
	}
	e := &Explanation{Pushed: len(not) == 0, Why: not}
	if e.Pushed {
		e.Statement, e.Advice = st.write(), advice(s.Dialect, st)
	} else {
		e.Statement, e.Advice = scanning(s, st.binding, st.columns), "rows must be read"
	}
	for i, a := range st.args { // which write added to
		text := fmt.Sprintf("%v", a)
		switch a.(type) {
		case secretArg:
			text = "a secret, drawn for each run"
		default:
			if i >= len(s.Args) {
				text = fmt.Sprintf("%d groups that are given", len(v.Given))
			}
		}
		e.Args = append(e.Args, text)
	}
	return e, nil
}

// advice says whether pushing down is better than reading rows.
func advice(d *Dialect, st *statement) string {
	if d.hash == nil {
		return "read rows with Rows: the database is in this process and slower at sorting than Plan.Collect; push down where memory is short"
	}
	for i := range st.gauges {
		if g := &st.gauges[i]; g.Points && g.Grid.Cells >= 1<<16 {
			return fmt.Sprintf("read rows with Rows, unless memory or the network is short: of value %q nearly every row comes back, since it has %d steps", g.Name, g.Grid.Cells)
		}
	}
	return "push down: groups come back, and not rows"
}

// String returns it as text.
func (e *Explanation) String() string {
	var b strings.Builder
	if e.Pushed {
		fmt.Fprintf(&b, "pushed down\nadvice: %s\n", e.Advice)
	} else {
		fmt.Fprintf(&b, "rows are read, because %s\n", strings.Join(e.Why, "; and "))
	}
	b.WriteString(e.Statement + "\n")
	for i, a := range e.Args {
		fmt.Fprintf(&b, "parameter %d: %s\n", i+1, a)
	}
	return b.String()
}
