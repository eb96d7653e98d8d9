package sample

import (
	"os"
	"testing"
	"testing/cryptotest"
)

// seed makes a statistical test repeatable, so that it does not fail by chance
// where nobody can look. With EQUIPOISE_UNSEEDED set it draws anew, at a
// false-positive rate of alpha a check.
func seed(t *testing.T, n uint64) {
	t.Helper()
	if os.Getenv("EQUIPOISE_UNSEEDED") == "" {
		cryptotest.SetGlobalRandom(t, n)
	}
}
