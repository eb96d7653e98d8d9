// Package forecast says what a life of releases will cost, before the first of them.
//
// It reads nothing but charges, which depend on no rows: a plan's, or those of
// noise that a program calibrates itself.
//
//	week, board := weekly.Charge(r1), quarterly.Charge(r2)
//	life := []forecast.Use{{Charge: week, Times: 52}, {Charge: board, Times: 10}}
//	loss, err := forecast.LeastLoss(1e-6, life...) // of a reservation that declares them all
//	ways, err := forecast.Ways(1e-6, life...)      // what each rule of an account takes
package forecast
