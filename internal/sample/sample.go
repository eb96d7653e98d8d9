// Package sample draws exact random integers: discrete Laplace, discrete
// Gaussian, geometric, truncated-geometric key selection, and the exponential
// mechanism with its relatives.
//
// Every law is exact, with no error to add to a delta. A hot path compares one
// 64-bit random word with the first 64 bits of a real threshold. When the two
// are equal, or nearer than a proven error bound, nothing is decided: the word
// is extended by fresh random bits and the threshold is computed further with
// math/big, until they differ. So a finite table costs speed, never privacy.
//
// The hot paths of [Laplace], [Geometric] and [Gaussian] take the same steps
// whatever they draw: no branch and no look-up depends on the sample. The slow
// path does, and it is taken with probability below 2^-50 a sample.
//
// Values that leave int64 (never seen: probability below exp(-2^22)) wrap
// around. A caller that adds them to an int64 with wrap-around therefore
// releases the exact mechanism's output modulo 2^64, which is post-processing.
package sample
