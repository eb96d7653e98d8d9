package dp_test

import (
	"strings"
	"testing"

	"github.com/equipoise-dp/equipoise/dp"
)

// A loss that cannot be kept as it is written is refused with the reason, and not as
// the 0 that was not written.
func TestLossesWithTooManyDigitsSaySo(t *testing.T) {
	for text, want := range map[string]string{
		"epsilon=0.10000000000000000000001":        "more digits than a float64 keeps",
		"rho=123456789012345678901":                "more digits than a float64 keeps",
		"epsilon=1, delta=0.100000000000000000009": "more digits than a float64 keeps",
		"epsilon=" + strings.Repeat("1", 41):       "must be a decimal number",
		"epsilon=0x1p-2":                           "must be a decimal number",
		"epsilon=1e400":                            "must be a decimal number",
	} {
		if l, err := dp.ParseLoss(text); l != nil || err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, %v; must say %q", text, l, err, want)
		}
	}
}
