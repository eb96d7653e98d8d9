// Package quantile draws a few quantiles of one group by the exponential
// mechanism.
//
// Values are in cells, a public grid. Ranks are drawn one inside the other
// (Kaplan, Schnapp, Stemmer 2022): the middle rank first, then those below it
// among the records below, and those above it among the records above. A record
// in the cell that was drawn goes to both sides in parts that add up to one, so
// that a level of this recursion costs what one draw costs, ties or not.
//
// Every decision is one of integers: costs are exact, and draws are exact
// ([sample.Decay]). No candidate is left out, however unlikely. Proofs of
// sensitivity, of the law and of the intervals: docs/proofs/quantiles-drawn.md.
package quantile
