// Package arrowrows reads typed rows from Parquet files and from Arrow record batches, column by
// column, as package rows reads them from text: by tags and names of fields. It is a
// module of its own, since it brings the Arrow library.
//
//	file, err := os.Open("sales.parquet")
//	sales, err := arrowrows.Parquet[Sale](ctx, file, rows.Options{Name: "sales.parquet", Secret: rows.NewSecret()})
//	part, err := plan.Collect(ctx, sales)
//
// Columns may be texts, booleans, integers, floats, decimals, dates and timestamps, dictionaries of these, and
// null. A timestamp with a zone is an instant, and one without what a clock on the wall of the Format's Zone
// showed. Texts are read as the Format says.
//
// # Privacy
//
// Of a Parquet file only the columns that fields ask for are read. Errors name the source, the row, the column, the
// field, the rule and the fix, and never what stands in a row.
package arrowrows

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

	"github.com/equipoise-dp/equipoise/aggregate/rows"
	"github.com/equipoise-dp/equipoise/aggregate/rows/internal/table"
)

// Records reads rows of record batches. It releases the reader when rows were read, or
// cannot be; what it was made of is the caller's to close.
func Records[Row any](ctx context.Context, r array.RecordReader, o rows.Options) (iter.Seq2[Row, error], error) {
	t := &batches{columns: r.Schema().Fields()}
	t.open = func([]int) (array.RecordReader, error) { return r, nil }
	t.reader = r
	return rows.From[Row](ctx, t, o)
}

// Parquet reads rows of a Parquet file, which is the caller's to close after them.
func Parquet[Row any](ctx context.Context, in parquet.ReaderAtSeeker, o rows.Options) (iter.Seq2[Row, error], error) {
	if o.Name == "" {
		o.Name = "the input"
	}
	source := &counted{in: in}
	t, err := openParquet(ctx, source)
	if err != nil {
		return nil, fmt.Errorf("%s cannot be read as a Parquet file: %w", o.Name, err)
	}
	return rows.From[Row](ctx, t, o)
}

// batchRows are as many rows as are decoded at once.
const batchRows = 1 << 14

// openParquet reads what a file says about itself. The Arrow library panics at some files that
// are damaged.
func openParquet(ctx context.Context, in *counted) (t *batches, err error) {
	defer recovered(&err)
	f, err := file.NewParquetReader(in)
	if err != nil {
		return nil, errDamaged
	}
	// The schema of Arrow that some writers add says nothing that rows need, and if it is
	// damaged the library asks for any amount of memory.
	f.MetaData().FileMetaData.KeyValueMetadata = nil
	r, err := pqarrow.NewFileReader(f, pqarrow.ArrowReadProperties{BatchSize: batchRows}, memory.DefaultAllocator)
	if err != nil {
		return nil, errors.Join(errDamaged, f.Close())
	}
	schema, err := r.Schema()
	if err != nil {
		return nil, errors.Join(errDamaged, f.Close())
	}
	t = &batches{columns: schema.Fields(), source: in, projected: true}
	t.open = func(columns []int) (_ array.RecordReader, err error) {
		defer recovered(&err)
		var leaves []int
		for _, c := range columns {
			leaves = append(leaves, r.Manifest.Fields[c].ColIndex)
		}
		return r.GetRecordReader(ctx, leaves, nil)
	}
	return t, nil
}

// errDamaged stands for what the library says, which may hold values.
var errDamaged = errors.New("it is damaged, encrypted, or of another kind")

// recovered turns a panic into an error.
func recovered(err *error) {
	if recover() != nil {
		*err = errDamaged
	}
}

// counted counts the bytes that are read.
type counted struct {
	in parquet.ReaderAtSeeker
	n  int64
}

func (c *counted) ReadAt(p []byte, at int64) (int, error) {
	n, err := c.in.ReadAt(p, at)
	c.n += int64(n)
	return n, err
}

func (c *counted) Seek(offset int64, whence int) (int64, error) { return c.in.Seek(offset, whence) }

// batches are the rows of record batches, one batch after the other.
type batches struct {
	columns   []arrow.Field
	open      func(columns []int) (array.RecordReader, error)
	projected bool     // the reader has only wanted columns
	source    *counted // or nil

	reader array.RecordReader
	wanted []int                   // columns of the reader
	read   []func(int, table.Sink) // of the columns of this batch
	at, n  int                     // row in this batch, and how many it has
	row    int64                   // among all
}

func (b *batches) Columns() (names []string) {
	for _, f := range b.columns {
		names = append(names, f.Name)
	}
	return names
}

// Want refuses columns of types that no field has.
func (b *batches) Want(columns []int) (err error) {
	var errs []error
	for _, c := range columns {
		if f := b.columns[c]; !readable(f.Type) {
			errs = append(errs, fmt.Errorf("column %q is a %v, must be a text, a truth value, a number, a date or a timestamp", f.Name, f.Type))
		}
	}
	if errs != nil {
		return errors.Join(errs...)
	}
	b.wanted = columns
	if b.projected {
		b.wanted = nil
		for i := range columns {
			b.wanted = append(b.wanted, i)
		}
	}
	b.reader, err = b.open(columns)
	return err
}

func (b *batches) Next() (err error) {
	defer recovered(&err)
	b.at++
	for b.at >= b.n {
		if !b.reader.Next() {
			if b.reader.Err() != nil {
				return errDamaged
			}
			return io.EOF
		}
		b.begin(b.reader.RecordBatch())
	}
	b.row++
	return nil
}

func (b *batches) begin(batch arrow.RecordBatch) {
	b.at, b.n, b.read = 0, int(batch.NumRows()), b.read[:0]
	for _, c := range b.wanted {
		b.read = append(b.read, reading(batch.Column(c)))
	}
}

// Read refuses a value where the batch is not what it says: the Arrow library then panics.
func (b *batches) Read(column int, to table.Sink) {
	defer func() {
		if recover() != nil {
			to.Refuse("cannot be read: the batch is damaged")
		}
	}()
	b.read[column](b.at, to)
}

func (b *batches) Place() string { return fmt.Sprintf("row %d", b.row) }

func (b *batches) Bytes() int64 {
	if b.source == nil {
		return 0
	}
	return b.source.n
}

func (b *batches) Close() (err error) {
	defer recovered(&err)
	if b.reader != nil {
		b.reader.Release()
	}
	return nil
}
