package arrowrows_test

import (
	"context"
	"fmt"
	"log"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/equipoise-dp/equipoise/aggregate/rows"
	"github.com/equipoise-dp/equipoise/aggregate/rows/arrowrows"
)

type Visit struct {
	Patient int64   `rows:"patient"`
	Minutes float64 `rows:"minutes"`
}

func ExampleRecords() {
	b := array.NewRecordBuilder(memory.DefaultAllocator, arrow.NewSchema([]arrow.Field{
		{Name: "patient", Type: arrow.PrimitiveTypes.Int64}, {Name: "minutes", Type: arrow.PrimitiveTypes.Float32, Nullable: true},
	}, nil))
	b.Field(0).(*array.Int64Builder).AppendValues([]int64{7, 8}, nil)
	b.Field(1).(*array.Float32Builder).AppendValues([]float32{12.5, 0}, []bool{true, false})
	batch := b.NewRecordBatch()
	reader, err := array.NewRecordReader(batch.Schema(), []arrow.RecordBatch{batch})
	if err != nil {
		log.Fatal(err)
	}
	visits, err := arrowrows.Records[Visit](context.Background(), reader, rows.Options{Name: "visits", Format: rows.Format{Missing: rows.Zero}})
	if err != nil {
		log.Fatal(err)
	}
	for v, err := range visits {
		fmt.Println(v, err)
	}
	// Output:
	// {7 12.5} <nil>
	// {8 0} <nil>
}
