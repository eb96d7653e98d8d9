package sample

import "math/bits"

// Below returns a uniform integer in [0, n), exactly: words are drawn until one
// is below n, among as many bits as n-1 has. It panics if n is 0.
func (s *Source) Below(n uint64) uint64 {
	if n == 0 {
		panic("sample: internal error: a uniform integer below 0")
	}
	drop := bits.LeadingZeros64((n - 1) | 1)
	for {
		if x := s.Uint64() >> drop; x < n {
			return x
		}
	}
}
