package arrowrows

import (
	"strconv"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/equipoise-dp/equipoise/aggregate/rows/internal/table"
)

// readable reports whether there are fields for a type.
func readable(t arrow.DataType) bool {
	switch t := t.(type) {
	case *arrow.DictionaryType:
		return readable(t.ValueType)
	case arrow.ExtensionType:
		return readable(t.StorageType())
	}
	switch t.ID() {
	case arrow.NULL, arrow.BOOL, arrow.STRING, arrow.LARGE_STRING, arrow.STRING_VIEW, arrow.BINARY, arrow.LARGE_BINARY, arrow.BINARY_VIEW, arrow.FIXED_SIZE_BINARY,
		arrow.INT8, arrow.INT16, arrow.INT32, arrow.INT64, arrow.UINT8, arrow.UINT16, arrow.UINT32, arrow.UINT64, arrow.FLOAT16, arrow.FLOAT32, arrow.FLOAT64,
		arrow.DECIMAL32, arrow.DECIMAL64, arrow.DECIMAL128, arrow.DECIMAL256, arrow.DATE32, arrow.DATE64, arrow.TIMESTAMP:
		return true
	}
	return false
}

// reading returns what gives the values of a column, by its type.
func reading(column arrow.Array) func(i int, to table.Sink) {
	value := valueOf(column)
	return func(i int, to table.Sink) {
		if column.IsNull(i) {
			to.Null()
			return
		}
		value(i, to)
	}
}

// valueOf is reading of values that are not null.
func valueOf(column arrow.Array) func(i int, to table.Sink) {
	switch c := column.(type) {
	case *array.Boolean:
		return func(i int, to table.Sink) { to.Bool(c.Value(i)) }
	case *array.Float16:
		return func(i int, to table.Sink) { to.Float(float64(c.Value(i).Float32())) }
	case *array.Float32:
		return func(i int, to table.Sink) { to.Float(float64(c.Value(i))) }
	case *array.Float64:
		return func(i int, to table.Sink) { to.Float(c.Value(i)) }
	case *array.Int8:
		return integers(c.Int8Values())
	case *array.Int16:
		return integers(c.Int16Values())
	case *array.Int32:
		return integers(c.Int32Values())
	case *array.Int64:
		return integers(c.Int64Values())
	case *array.Uint8:
		return integers(c.Uint8Values())
	case *array.Uint16:
		return integers(c.Uint16Values())
	case *array.Uint32:
		return integers(c.Uint32Values())
	case *array.Uint64:
		return func(i int, to table.Sink) { to.Number(strconv.AppendUint(nil, c.Value(i), 10)) }
	case *array.Decimal32, *array.Decimal64, *array.Decimal128, *array.Decimal256:
		return func(i int, to table.Sink) { to.Number([]byte(c.ValueStr(i))) }
	case *array.Dictionary:
		in := reading(c.Dictionary())
		return func(i int, to table.Sink) { in(c.GetValueIndex(i), to) }
	case array.ExtensionArray:
		return reading(c.Storage())
	}
	if value := timeOf(column); value != nil {
		return value
	}
	return textOf(column)
}

func integers[T int8 | int16 | int32 | int64 | uint8 | uint16 | uint32](values []T) func(i int, to table.Sink) {
	return func(i int, to table.Sink) { to.Int(int64(values[i])) }
}

// timeOf is reading of times, or nil.
func timeOf(column arrow.Array) func(i int, to table.Sink) {
	switch c := column.(type) {
	case *array.Date32:
		return func(i int, to table.Sink) { to.Time(c.Value(i).ToTime(), true) }
	case *array.Date64:
		return func(i int, to table.Sink) { to.Time(c.Value(i).ToTime(), true) }
	case *array.Timestamp:
		t, _ := c.DataType().(*arrow.TimestampType)
		unit, wall := t.Unit, t.TimeZone == ""
		return func(i int, to table.Sink) { to.Time(timeIn(int64(c.Value(i)), unit), wall) }
	}
	return nil
}

// timeIn returns the time of so many units since 1970.
func timeIn(n int64, unit arrow.TimeUnit) time.Time {
	per := int64(time.Second / unit.Multiplier())
	seconds, rest := n/per, n%per
	return time.Unix(seconds, rest*int64(unit.Multiplier())).UTC()
}

// textOf is reading of texts. The bytes of one are there until the next.
func textOf(column arrow.Array) func(i int, to table.Sink) {
	var text []byte
	copied := func(value func(int) string) func(int, table.Sink) {
		return func(i int, to table.Sink) {
			text = append(text[:0], value(i)...)
			to.Text(text)
		}
	}
	bytes := func(value func(int) []byte) func(int, table.Sink) {
		return func(i int, to table.Sink) { to.Text(value(i)) }
	}
	switch c := column.(type) {
	case *array.String:
		return copied(c.Value)
	case *array.LargeString:
		return copied(c.Value)
	case *array.StringView:
		return copied(c.Value)
	case *array.Binary:
		return bytes(c.Value)
	case *array.LargeBinary:
		return bytes(c.Value)
	case *array.BinaryView:
		return bytes(c.Value)
	case *array.FixedSizeBinary:
		return bytes(c.Value)
	}
	return func(_ int, to table.Sink) { to.Refuse("has a type that no field has") }
}
