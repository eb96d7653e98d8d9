package arrowrows

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

	"github.com/equipoise-dp/equipoise/aggregate/rows"
)

// A sale has a field for every kind of column.
type sale struct {
	Customer string    `rows:"customer"`
	Country  string    `rows:"country,asis"`
	Day      rows.Date `rows:"day"`
	At       time.Time `rows:"at"`
	Seen     rows.Date `rows:"seen"`
	Euros    float64   `rows:"euros"`
	Exact    float64   `rows:"exact"`
	Items    int16     `rows:"items"`
	Big      uint64    `rows:"big"`
	Paid     bool      `rows:"paid"`
}

var fields = []arrow.Field{
	{Name: "notes", Type: arrow.BinaryTypes.String}, // that nobody asks for
	{Name: "customer", Type: arrow.BinaryTypes.String},
	{Name: "country", Type: &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: arrow.BinaryTypes.String}, Nullable: true},
	{Name: "day", Type: arrow.FixedWidthTypes.Date32},
	{Name: "at", Type: &arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: "UTC"}},
	{Name: "seen", Type: &arrow.TimestampType{Unit: arrow.Millisecond}},
	{Name: "list", Type: arrow.ListOf(arrow.PrimitiveTypes.Int64), Nullable: true},
	{Name: "euros", Type: arrow.PrimitiveTypes.Float64},
	{Name: "exact", Type: &arrow.Decimal128Type{Precision: 20, Scale: 2}},
	{Name: "items", Type: arrow.PrimitiveTypes.Int16},
	{Name: "big", Type: arrow.PrimitiveTypes.Uint64},
	{Name: "paid", Type: arrow.FixedWidthTypes.Boolean},
}

var tokyo = time.FixedZone("", 9*3600)

// random makes sales, and the batch that holds them.
func random(r *rand.Rand, n int) (all []sale, batch arrow.RecordBatch) {
	b := array.NewRecordBuilder(memory.DefaultAllocator, arrow.NewSchema(fields, nil))
	for range n {
		at := time.Unix(r.Int64N(4e9)-2e9, r.Int64N(1e6)*1000).UTC()
		cents := r.Int64N(1e6) - 5e5
		s := sale{
			Customer: fmt.Sprintf("customer %d", r.IntN(50)), Country: []string{"de", "fr", "Österreich", ""}[r.IntN(4)], At: at,
			Euros: math.Exp(r.NormFloat64()), Exact: float64(cents) / 100, Items: int16(r.IntN(1 << 16)), Big: r.Uint64(), Paid: r.IntN(2) == 0,
		}
		s.Day.Year, s.Day.Month, s.Day.Day = at.Date()
		s.Seen.Year, s.Seen.Month, s.Seen.Day = at.Date()
		all = append(all, s)
		b.Field(0).(*array.StringBuilder).Append(strings.Repeat(fmt.Sprint(r.Uint64()), 10))
		b.Field(1).(*array.StringBuilder).Append(s.Customer)
		if country := b.Field(2).(*array.BinaryDictionaryBuilder); s.Country == "" {
			country.AppendNull()
		} else if err := country.AppendString(s.Country); err != nil {
			panic(err)
		}
		b.Field(3).(*array.Date32Builder).Append(arrow.Date32FromTime(at))
		b.Field(4).(*array.TimestampBuilder).Append(arrow.Timestamp(at.UnixMicro()))
		b.Field(5).(*array.TimestampBuilder).Append(arrow.Timestamp(at.UnixMilli()))
		b.Field(6).(*array.ListBuilder).AppendNull()
		b.Field(7).(*array.Float64Builder).Append(s.Euros)
		b.Field(8).(*array.Decimal128Builder).Append(decimal128.FromI64(cents))
		b.Field(9).(*array.Int16Builder).Append(s.Items)
		b.Field(10).(*array.Uint64Builder).Append(s.Big)
		b.Field(11).(*array.BooleanBuilder).Append(s.Paid)
	}
	return all, b.NewRecordBatch()
}

// written is a Parquet file.
func written(t testing.TB, batch arrow.RecordBatch, codec compress.Compression) []byte {
	var b bytes.Buffer
	w, err := pqarrow.NewFileWriter(batch.Schema(), &b, parquet.NewWriterProperties(parquet.WithCompression(codec), parquet.WithMaxRowGroupLength(1000)), pqarrow.NewArrowWriterProperties(pqarrow.WithStoreSchema()))
	if err == nil {
		err = w.Write(batch)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// same compares rows with what they must be.
func same(t *testing.T, what string, source func(func(sale, error) bool), want []sale) {
	t.Helper()
	i := 0
	for got, err := range source {
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if i >= len(want) || !got.At.Equal(want[i].At) {
			t.Fatalf("%s: row %d is %+v", what, i, got)
		}
		got.At = want[i].At
		if got != want[i] {
			t.Fatalf("%s: row %d is %+v, want %+v", what, i, got, want[i])
		}
		i++
	}
	if i != len(want) {
		t.Errorf("%s: %d rows, want %d", what, i, len(want))
	}
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{0, 1, 999, 2500} {
		want, batch := random(r, n)
		for _, codec := range []compress.Compression{compress.Codecs.Uncompressed, compress.Codecs.Snappy, compress.Codecs.Zstd, compress.Codecs.Gzip} {
			source, err := Parquet[sale](t.Context(), bytes.NewReader(written(t, batch, codec)), rows.Options{})
			if err != nil {
				t.Fatal(err)
			}
			same(t, fmt.Sprint(n, " rows, ", codec), source, want)
		}
		half := int64(n / 2)
		records, err := array.NewRecordReader(batch.Schema(), []arrow.RecordBatch{batch.NewSlice(0, half), batch.NewSlice(half, int64(n))})
		if err != nil {
			t.Fatal(err)
		}
		source, err := Records[sale](t.Context(), records, rows.Options{})
		if err != nil {
			t.Fatal(err)
		}
		same(t, fmt.Sprint(n, " rows of batches"), source, want)
	}
}

// A timestamp with a zone is an instant, one without what a clock on the wall showed.
func TestInstantsAndWallsHaveTheirDays(t *testing.T) {
	type times struct {
		At   rows.Date `rows:"at"`
		Seen rows.Date `rows:"seen"`
	}
	b := array.NewRecordBuilder(memory.DefaultAllocator, arrow.NewSchema(fields[4:6], nil))
	at := time.Date(2026, 1, 31, 23, 0, 0, 0, time.UTC)
	b.Field(0).(*array.TimestampBuilder).Append(arrow.Timestamp(at.UnixMicro()))
	b.Field(1).(*array.TimestampBuilder).Append(arrow.Timestamp(at.UnixMilli()))
	batch := b.NewRecordBatch()
	source, err := Parquet[times](t.Context(), bytes.NewReader(written(t, batch, compress.Codecs.Uncompressed)), rows.Options{Format: rows.Format{Zone: "Asia/Tokyo"}})
	if err != nil {
		t.Fatal(err)
	}
	for got, err := range source {
		if want := (times{rows.Date{Year: 2026, Month: 2, Day: 1}, rows.Date{Year: 2026, Month: 1, Day: 31}}); err != nil || got != want {
			t.Errorf("%v, %v, want %v", got, err, want)
		}
	}
}

// Columns that no field asks for are not read from the file.
func TestOtherColumnsAreNotRead(t *testing.T) {
	_, batch := random(rand.New(rand.NewPCG(3, 4)), 5000)
	file := written(t, batch, compress.Codecs.Uncompressed)
	type paid struct {
		Paid bool `rows:"paid"`
	}
	var read int64
	source, err := Parquet[paid](t.Context(), bytes.NewReader(file), rows.Options{Progress: func(_, n int64) { read = n }})
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, err := range source {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	if n != 5000 || read == 0 || read > int64(len(file))/10 {
		t.Errorf("%d rows, %d of %d bytes were read", n, read, len(file))
	}
}

func TestMistakesAreNamed(t *testing.T) {
	_, batch := random(rand.New(rand.NewPCG(5, 6)), 3)
	file := written(t, batch, compress.Codecs.Uncompressed)
	type wrong struct {
		List  string `rows:"list"`
		Other string `rows:"other"`
	}
	type list struct {
		List string `rows:"list"`
	}
	type mistaken struct {
		At       float64   `rows:"at"`
		Customer time.Time `rows:"customer"`
		Items    int8      `rows:"big"`
		Country  string    `rows:"country"`
	}
	read := func(source func(func(mistaken, error) bool), err error) error {
		if err == nil {
			for _, err = range source {
				if err != nil {
					return err
				}
			}
		}
		return err
	}
	o := rows.Options{Name: "sales.parquet"}
	_, missing := Parquet[wrong](t.Context(), bytes.NewReader(file), o)
	_, ofList := Parquet[list](t.Context(), bytes.NewReader(file), o)
	_, noParquet := Parquet[list](t.Context(), strings.NewReader("customer,day\n"), o)
	inRow := read(Parquet[mistaken](t.Context(), bytes.NewReader(file), o))
	for want, err := range map[string]error{
		`Other: sales.parquet has no column "other", must be one of "notes", "customer"`: missing,
		`column "list" is a list`: ofList,
		"sales.parquet cannot be read as a Parquet file: it is damaged":                            noParquet,
		`row 1 of sales.parquet: column "at" (At) is a time, and the field is none`:                inRow,
		`row 1 of sales.parquet: column "customer" (Customer) is not a time`:                       inRow,
		`row 1 of sales.parquet: column "big" (Items) is too large or too small for the type int8`: inRow,
	} {
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "customer 1") {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}

// Files that are damaged give rows or an error, and neither a panic nor a claim to all memory.
func TestDamagedFilesAreErrors(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	_, batch := random(r, 40)
	good := written(t, batch, compress.Codecs.Snappy)
	failed := 0
	for range 300 {
		bad := bytes.Clone(good)
		for range 1 + r.IntN(3) {
			bad[r.IntN(len(bad))] ^= byte(1 + r.IntN(255))
		}
		if r.IntN(5) == 0 {
			bad = bad[:r.IntN(len(bad))]
		}
		source, err := Parquet[sale](t.Context(), bytes.NewReader(bad), rows.Options{Format: rows.Format{Missing: rows.Skip}})
		if err == nil {
			for _, err = range source {
				if err != nil {
					break
				}
			}
		}
		if err != nil {
			failed++
		}
	}
	if failed < 100 {
		t.Errorf("%d of 300 damaged files are noticed", failed)
	}
}

func BenchmarkParquet(b *testing.B) {
	_, batch := random(rand.New(rand.NewPCG(1, 2)), 200_000)
	file := written(b, batch, compress.Codecs.Snappy)
	type row struct {
		Customer rows.ID   `rows:"customer"`
		Day      rows.Date `rows:"day"`
		Euros    float64   `rows:"euros"`
	}
	n := 0
	for b.Loop() {
		source, err := Parquet[row](b.Context(), bytes.NewReader(file), rows.Options{Secret: rows.NewSecret()})
		if err != nil {
			b.Fatal(err)
		}
		for _, err := range source {
			if err != nil {
				b.Fatal(err)
			}
			n++
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n), "ns/row")
}
