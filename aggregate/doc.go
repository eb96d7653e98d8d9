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
// private data. A value outside its bounds is clamped. NaN counts as the lower
// bound; in a value per unit, whose rows are added up first, NaN counts as 0.
// Infinities are clamped to the bound of their sign. Negative zero is zero. For
// a missing value the caller decides: the function may return what should stand
// for it, or the row may be left out of the rows.
package aggregate
