// Package pld computes upper bounds on the privacy of composed mechanisms: δ at an
// epsilon, epsilon at a δ.
//
// Every result errs to the safe side, round-off included: a δ or epsilon is never
// below the truth, a noise parameter never above what the budget allows. There is
// no floor on δ: 1e-300 is as exact as 1e-5. Inputs that make no sense (NaN,
// negative, infinite scales) answer +Inf for an epsilon, 1 for a δ and 0 for a
// parameter, so that a mistake can only refuse.
package pld
