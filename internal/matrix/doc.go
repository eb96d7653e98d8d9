// Package matrix shares noise over the periods of a series (the matrix mechanism: Li,
// Hay, Rastogi, Miklau, McGregor 2010). A [Strategy] C is chosen for the numbers
// that will be read; C·x gets independent noise, and every sum over x is read from it.
//
// A strategy is a lower triangular Toeplitz matrix whose coefficients are integers over
// 2^[Bits], do not rise and are not negative; or a centred one, for people who are always
// there. Sensitivities are exact integers. Proofs: docs/proofs/series.md.
package matrix
