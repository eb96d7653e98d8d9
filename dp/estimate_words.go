package dp

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
)

// String returns the value and its 95 % noise interval, as in
// "1042 (1021 to 1063)", "0 (0 or more)" or "unknown (0 to 500)".
func (e Estimate[T]) String() string {
	value := fmt.Sprint(e.Value)
	if e.Unknown {
		value = "unknown"
	}
	lo, hi := e.Interval(0.95)
	switch below, above := math.IsInf(endOf(lo), -1), math.IsInf(endOf(hi), 1); {
	case below && above:
		return value + " (any number)"
	case below:
		return fmt.Sprintf("%s (%v or less)", value, hi)
	case above:
		return fmt.Sprintf("%s (%v or more)", value, lo)
	}
	return fmt.Sprintf("%s (%v to %v)", value, lo, hi)
}

// estimateJSON is the form in which estimates are written.
type estimateJSON struct {
	Value   any  `json:"value"`
	Low     any  `json:"low"`
	High    any  `json:"high"`
	StdDev  any  `json:"stddev"`
	Raw     any  `json:"raw,omitempty"`
	Unknown bool `json:"unknown,omitempty"`
}

// MarshalJSON writes the value, the ends of the 95 % interval, the standard deviation,
// the raw number if it is another one than the value, and whether the estimate is
// unknown. What is unknown or has no end is null.
func (e Estimate[T]) MarshalJSON() ([]byte, error) {
	lo, hi := e.Interval(0.95)
	j := estimateJSON{Low: orNull(lo), High: orNull(hi), StdDev: orNull(e.StdDev), Unknown: e.Unknown}
	if !e.Unknown {
		j.Value = e.Value
		if raw := e.Raw().Value; raw != float64(e.Value) {
			j.Raw = raw
		}
	}
	return json.Marshal(j)
}

// orNull returns x, or nil if it stands for no bound.
func orNull[T Number](x T) any {
	if math.IsInf(endOf(x), 0) {
		return nil
	}
	return x
}

// UnmarshalJSON always fails: what is written has no intervals but one, and would read
// back as certain. Keep the release, or the account that keeps it.
func (e *Estimate[T]) UnmarshalJSON([]byte) error {
	return errors.New("dp: an Estimate cannot be read from JSON, which has one of its intervals and not the rest; keep the release")
}
