package dp

// A Number is what can be counted, summed and ordered: any integer or float,
// and so also time.Duration, or cents.
type Number interface {
	~int | ~int8 | ~int16 | ~int32 | ~int64 | ~uint | ~uint8 | ~uint16 | ~uint32 | ~uint64 | ~float32 | ~float64
}
