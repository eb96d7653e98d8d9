// Package aggregate answers grouped questions about rows without revealing the
// rows of any one privacy unit.
//
// A [Query] says whose privacy is protected and how rows are grouped; columns
// say what is asked; a [Plan] says how, and at what price. A plan reads rows,
// bounds what each unit contributes, sums up, pays from a [Budget], adds noise
// and releases, in that order. There is no way to see a number before it is
// paid for.
//
//	q := &aggregate.Query[Order, CustomerID, string]{Dataset: "orders", …}
//	count := q.Count()
//	plan, err := q.Plan(dp.Approx{Epsilon: 1, Delta: 1e-6}, count)
//	release, err := plan.Run(ctx, account, aggregate.Request{Key: "may", Purpose: "report"}, rows)
//	for day, cell := range release.All() {
//		fmt.Println(day, count.Of(cell)) // 2026-05-01 1042 (1021 to 1063)
//	}
//
// # Privacy
//
// Two inputs are neighbours if one is the other without all the rows of one
// unit. A release is private in the sense of the plan's [dp.Loss] for every pair
// of neighbours, whatever the values of the rows, and whatever their order.
// Only the release is: the functions of a Query and of its values see raw rows,
// and a [Partial] holds exact sums.
//
// # Odd values
//
// The map from values to the grid never fails, so that no error can depend on
// private data. A value outside its bounds is clamped, and then rounded to the
// nearest multiple of the step, halves up. NaN counts as the lower bound.
// Infinities are clamped to the bound of their sign. Negative zero is zero.
//
// In a value per unit, rows are added up first, and the total is clamped and
// rounded. The total is exact: floats are added as the numbers that they are,
// without rounding on the way, and nothing overflows. So it does not depend on the
// order of the rows. NaN counts as 0 in a total; infinities outweigh all other
// numbers, and one of each sign cancel. (Of unsigned numbers beyond 2^63-1, each
// counts as 2^63-1, which is clamped to the same bound.)
//
// For a missing value the caller decides: the function may return what should stand
// for it, or the row may be left out of the rows.
package aggregate
