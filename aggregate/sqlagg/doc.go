// Package sqlagg asks a plan where the rows are: in a database.
//
//	customer, day, euros := sqlagg.Int("customer"), sqlagg.Text("day"), sqlagg.Float("amount")
//	q := &aggregate.Query[sqlagg.Row, int64, string]{
//		Dataset: "orders", UnitName: "customer", Unit: customer, Group: day, MaxGroups: 7, MaxRowsPerGroup: 3,
//	}
//	total := aggregate.PerRow(q, "amount", euros, aggregate.Bounds[float64]{Lower: 0, Upper: 500})
//	plan, err := q.Plan(dp.Approx{Epsilon: 1, Delta: 1e-9}, q.Count(), total.Sum())
//
//	orders := sqlagg.Source{DB: db, Dialect: sqlagg.PostgreSQL, Table: "orders"}
//	release, err := sqlagg.Run(ctx, orders, plan, account, request)
//
// Columns are functions of a [Row], so it is the same query, the same plan and the same price
// as for rows of a file. [Collect] bounds and adds up in the database and reads what comes out, which is
// exact and private, and no noise is drawn there; [Rows] reads the rows instead; [Explain] says what would
// be done, and why. No driver is imported: whoever opens the database brings it.
//
// # Privacy
//
// Caps hold whatever the database's hash does: rows and groups of a unit are numbered, and those beyond the
// caps are left out. What a database cannot decide as this library does, to the last bit, is read
// and decided here. Errors say nothing of rows, and drivers' words are not repeated, for they
// quote values. How long a statement takes depends on rows, as SECURITY.md says. The database's own log may
// have the statement and its parameters; the secret among these makes choices of one run and serves nothing else.
package sqlagg
