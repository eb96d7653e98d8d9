// Package forecast says what will be had, and what has to be paid, before a row is read:
// for one report and for a life of reports.
//
// [PlanFor] finds the cheapest plan that meets a goal, and [Share] shares a given loss so that aims are met best. [LeastLoss] says what a list of
// charges costs together, a [Profile] what it costs at every δ, and [Ways] what each kind of
// account needs for it. How a group
// will be shown by a plan that one has is said by aggregate's Plan.Forecast; of rows that may be
// looked at, its Plan.ForecastOn says what caps and bounds cut off too; and [Rehearse] runs it
// on made-up rows.
//
//	week, board := weekly.Charge(r1), quarterly.Charge(r2)
//	life := []forecast.Use{{Charge: week, Times: 52}, {Charge: board, Times: 10}}
//	loss, err := forecast.LeastLoss(1e-6, life...) // of a reservation that declares them all
//	ways, err := forecast.Ways(1e-6, life...)      // what each rule of an account takes
package forecast
