package rows

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"
)

// A fake is a database that gives rows of any values, or fails after them.
type fake struct {
	names, types []string
	values       [][]driver.Value
	failure      error
	closed       bool
}

func (f *fake) Connect(context.Context) (driver.Conn, error) { return f, nil }
func (f *fake) Driver() driver.Driver                        { return nil }
func (f *fake) Prepare(string) (driver.Stmt, error)          { return nil, errors.New("not here") }
func (f *fake) Begin() (driver.Tx, error)                    { return nil, errors.New("not here") }
func (f *fake) QueryContext(context.Context, string, []driver.NamedValue) (driver.Rows, error) {
	return &cursor{f, 0}, nil
}
func (f *fake) Close() error { return nil }

type cursor struct {
	*fake
	at int
}

func (c *cursor) Columns() []string                       { return c.names }
func (c *cursor) ColumnTypeDatabaseTypeName(i int) string { return c.types[i] }
func (c *cursor) Close() error                            { c.closed = true; return nil }
func (c *cursor) Next(to []driver.Value) error {
	if c.at == len(c.values) {
		if c.failure != nil {
			return c.failure
		}
		return io.EOF
	}
	copy(to, c.values[c.at])
	c.at++
	return nil
}

func (f *fake) query(t *testing.T, o Options) (all []line, err error) {
	t.Helper()
	db := sql.OpenDB(f)
	defer db.Close()
	found, err := db.QueryContext(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	source, err := SQL[line](t.Context(), found, o)
	if err != nil {
		return nil, err
	}
	for l, err := range source {
		if err != nil {
			return all, err
		}
		all = append(all, l)
	}
	return all, nil
}

// What drivers give is read as what the type of its column says: numbers in texts are numbers of the
// database, whatever the Format says of texts, and times in UTC without a zone are those of a wall.
func TestDriversAreUnderstood(t *testing.T) {
	midnight := time.Date(2026, 1, 31, 0, 0, 0, 0, time.UTC)
	jan, before := Date{2026, 1, 31}, Date{2026, 1, 30}
	york, err := time.LoadLocation("America/New_York")
	if err != nil {
		t.Fatal(err)
	}
	german := Options{Format: Format{Decimal: ",", Thousands: ".", Zone: "America/New_York"}}
	for _, c := range []struct {
		kind  string // of the time
		at    driver.Value
		paidT string
		paid  driver.Value
		want  line
	}{
		{"DATE", midnight, "DECIMAL(10,3)", []byte("1.234"), line{Date: jan, Value: 1.234}},
		{"timestamp", midnight, "VARCHAR", "1.234", line{Date: jan, Value: 1234}},
		{"TIMESTAMPTZ", midnight, "NUMERIC", "-0.5", line{Date: before, Value: -0.5}},
		{"TIMESTAMP", midnight.In(york), "FLOAT", float32(0.5), line{Date: before, Value: 0.5}},
		{"TEXT", "2026-01-31 00:00", "BIGINT", int64(7), line{Date: jan, Value: 7}},
		{"", []byte("2026-01-31T00:00:00Z"), "", uint64(1 << 63), line{Date: before, Value: 1 << 63}},
	} {
		c.want.Unit, c.want.Group = "12", "true"
		f := &fake{names: []string{"paid", "at", "who", "land"}, types: []string{c.paidT, c.kind, "INT", "BOOL"}, values: [][]driver.Value{{c.paid, c.at, int64(12), true}}}
		got, err := f.query(t, german)
		if err != nil || len(got) != 1 || got[0] != c.want {
			t.Errorf("%s, %s: %v, %v, want %v", c.kind, c.paidT, got, err, c.want)
		}
		if !f.closed {
			t.Error("the rows are not closed")
		}
	}
}

func TestMistakesOfADatabaseAreNamed(t *testing.T) {
	names, types := []string{"who", "at", "paid", "land"}, []string{"TEXT", "TIMESTAMP", "NUMERIC", "TEXT"}
	good := []driver.Value{"ann", time.Now(), "1", nil}
	for want, f := range map[string]*fake{
		`Unit: the query has no column "who"`:                                                   {names: []string{"at", "paid", "land", "x"}, types: types},
		`row 2 of the query: column "paid" (Value) is not a number`:                             {names: names, types: types, values: [][]driver.Value{good, {"ann", time.Now(), "secret", nil}}},
		`row 1 of the query: column "who" (Unit) is a time, and the field is none`:              {names: names, types: types, values: [][]driver.Value{{time.Now(), time.Now(), "1", nil}}},
		`row 1 of the query: column "paid" (Value) is a truth value, and the field is a number`: {names: names, types: types, values: [][]driver.Value{{"ann", time.Now(), true, nil}}},
		`row 1 of the query: column "who" (Unit) is blank, or marked as missing`:                {names: names, types: types, values: [][]driver.Value{{nil, time.Now(), "1", nil}}},
		`row 1 of the query: column "land" (Group) has a type that is none`:                     {names: names, types: types, values: [][]driver.Value{{"ann", time.Now(), "1", []string{"secret"}}}},
		"the query: the database failed while rows were read":                                   {names: names, types: types, values: [][]driver.Value{good}, failure: errors.New(`invalid input: "secret"`)},
		"the query: context deadline exceeded":                                                  {names: names, types: types, failure: fmt.Errorf("at secret: %w", context.DeadlineExceeded)},
	} {
		if _, err := f.query(t, Options{}); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("error %v, want %q", err, want)
		}
		if !f.closed {
			t.Errorf("%s: the rows are not closed", want)
		}
	}
}

// What a driver says is not repeated in any form, and is still known by errors.Is.
func TestWordsOfDriversAreNotRepeated(t *testing.T) {
	lost := errors.New(`lost at "secret"`)
	f := &fake{names: []string{"who", "at", "paid", "land"}, types: []string{"TEXT", "TIMESTAMP", "NUMERIC", "TEXT"}, failure: lost}
	_, err := f.query(t, Options{})
	if !errors.Is(err, lost) || errors.Is(err, io.EOF) {
		t.Errorf("%v is not known by errors.Is", err)
	}
	for e := err; e != nil; e = errors.Unwrap(e) {
		if shown := fmt.Sprintf("%v %+v %#v", e, e, e); strings.Contains(shown, "secret") {
			t.Errorf("shown is %s", shown)
		}
	}
}
