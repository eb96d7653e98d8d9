package main

import (
	"context"
	"fmt"
	"iter"
	"os"
	"path/filepath"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

	"github.com/equipoise-dp/equipoise/aggregate/rows"
	"github.com/equipoise-dp/equipoise/aggregate/rows/arrowrows"
	"github.com/equipoise-dp/equipoise/examples/bench/internal/contest"
	"github.com/equipoise-dp/equipoise/internal/sales"
)

// fromParquet writes rows as Parquet files, one for each worker, with a column that nobody asks for.
func fromParquet(w contest.Work, in contest.Input, all []sales.Sale, dir string) (contest.Answer, error) {
	var paths []string
	for i, part := range contest.Parts(w, all) {
		path := filepath.Join(dir, fmt.Sprintf("%d.parquet", i))
		if err := writeParquet(path, part); err != nil {
			return nil, err
		}
		paths = append(paths, path)
	}
	return func(ctx context.Context) (int, error) { return release(ctx, w, in, paths) }, nil
}

// release is Equipoise, from files to a release that is paid for.
func release(ctx context.Context, w contest.Work, in contest.Input, paths []string) (int, error) {
	var sources []iter.Seq2[sales.Sale, error]
	for _, path := range paths {
		f, err := os.Open(path)
		if err != nil {
			return 0, err
		}
		defer f.Close()
		source, err := arrowrows.Parquet[sales.Sale](ctx, f, rows.Options{Name: path})
		if err != nil {
			return 0, err
		}
		sources = append(sources, source)
	}
	return w.Ours(ctx, in, sources)
}

var schema = arrow.NewSchema([]arrow.Field{
	{Name: "Number", Type: arrow.PrimitiveTypes.Int64}, {Name: "Customer", Type: arrow.PrimitiveTypes.Int64},
	{Name: "Day", Type: arrow.PrimitiveTypes.Int32}, {Name: "Country", Type: arrow.PrimitiveTypes.Int32}, {Name: "Euros", Type: arrow.PrimitiveTypes.Float64},
}, nil)

// writtenAtOnce are the rows of a batch of which a file is made.
const writtenAtOnce = 1 << 17

func writeParquet(path string, all []sales.Sale) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	to, err := pqarrow.NewFileWriter(schema, f, parquet.NewWriterProperties(parquet.WithCompression(compress.Codecs.Snappy)), pqarrow.DefaultWriterProps())
	if err != nil {
		return err
	}
	for from := 0; from < len(all); from += writtenAtOnce {
		if err := writeBatch(to, from, all[from:min(len(all), from+writtenAtOnce)]); err != nil {
			return err
		}
	}
	return to.Close()
}

func writeBatch(to *pqarrow.FileWriter, first int, of []sales.Sale) error {
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	defer b.Release()
	for i, s := range of {
		b.Field(0).(*array.Int64Builder).Append(int64(first + i))
		b.Field(1).(*array.Int64Builder).Append(s.Customer)
		b.Field(2).(*array.Int32Builder).Append(s.Day)
		b.Field(3).(*array.Int32Builder).Append(s.Country)
		b.Field(4).(*array.Float64Builder).Append(s.Euros)
	}
	batch := b.NewRecordBatch()
	defer batch.Release()
	return to.WriteBuffered(batch)
}
