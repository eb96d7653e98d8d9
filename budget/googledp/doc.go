// Package googledp gives the charge of a release that is made with Google's
// differential-privacy library for Go, github.com/google/differential-privacy/go/v2,
// so that services which are already on it can pay from the same ledger.
//
//	opt := dpagg.CountOptions{Epsilon: 0.5, MaxPartitionsContributed: 3}
//	events, err := googledp.Count(opt) // or every reason why not
//	if err != nil {
//		return err
//	}
//	charge := googledp.Charge("visits", "opening hours", "2026-05", events...)
//	payment, err := account.Spend(ctx, charge) // before Result is called
//
// One call stands for the aggregators of all partitions that were made with
// these options, each asked for its result once. Spend first; after that draw,
// keep the result with [budget.Account.Keep], and publish only what Keep
// returned.
//
// # Privacy
//
// A charge has the ε and δ that the documentation of that library states for the
// aggregator, for all partitions of one privacy unit together. They are not
// split, and not priced as the exact discrete noise of this library: the event
// is a [dp.Declared]. Where the noise is rounded to whole numbers and the key of
// a partition is therefore kept more often than was asked for, the charge has
// the larger δ.
//
// This is vouched for, up to one part in a million of ε and one part in a
// thousand of δ, which is the floating-point arithmetic of that library:
//
//   - that the noise of these options is Laplace or Gaussian noise of a size that
//     suits ε, δ and the bounds, and that no number overflows on the way to it;
//   - that δ of a Gaussian is what its σ gives, and what its sampler cuts off is
//     negligible beside δ;
//   - that the threshold of keys that are released has the δ that is charged.
//
// Options for which one of these does not hold are refused, all of them at once. The
// error says of each which it is, its value, the rule, and what to do.
//
// This is not vouched for, because the options do not show it:
//
//   - that a unit contributes to no more partitions, and no more often to one,
//     than the options say; that library leaves bounding to its caller;
//   - that sums of floats are the same in every order of summation; the size of
//     rounding errors depends on the number of values;
//   - that an aggregator is used as it was created: exported fields not changed,
//     not restored twice from its serialised form, partitions without data not
//     left out unless keys are selected or thresholded.
//
// # Dependencies
//
// Importing this package imports glog, which registers flags such as -v and
// -logtostderr with package flag and writes log files if that library warns.
// Nothing else in this module imports it.
package googledp
