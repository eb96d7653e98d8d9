// Package budget keeps accounts of privacy loss and refuses what they cannot
// afford.
//
// An [Account] is a list of entries that only grows. The first entry holds its
// [Terms]; nearly every other one is a charge that was accepted. A charge is
// spent when its entry is durable, and what is spent is never given back: a
// crash can waste budget, and cannot exceed it. Asking again under the same key
// returns the first answer and costs nothing.
//
//	store := budget.Memory() // or package budget/sqlite, budget/postgres
//	account, err := budget.OpenOrCreate(ctx, store, budget.Terms{
//		Dataset: "visits",
//		Unit:    "patient",
//		Limit:   dp.Approx{Epsilon: 1, Delta: 1e-6},
//	})
//	payment, err := account.Spend(ctx, charge) // durable, or a *RefusedError
//
// # Privacy
//
// Whoever is named in Terms.Unit is protected: all rows of one unit may be added
// or removed, and the probability of everything that was ever released under the
// account changes by no more than Terms.Limit, even if every question was chosen
// after seeing all answers before it. The rules that decide are privacy filters;
// their proofs are in docs/proofs/filter-default.md, filter-gdp.md,
// filter-zcdp.md and filter-plan.md. A decision depends on charges alone and
// never on data, so a refusal may be shown to anyone and consumes nothing.
//
// A release that is kept is appended together with a record that holds its digest,
// so that [Account.Verify] and every [Anchor] cover the numbers that were published.
// The digest is of the release and of random bytes that are stored beside it, so it
// does not confirm a guess to those who may read the ledger and not the release.
// Every record is dated in whole hours, so that its time does not tell how many rows
// were read; a run during which the hour turns shows that it did.
//
// An account holds what was asked, by whom if the service says so, and at what
// price. It never holds rows, or a unit's name.
//
// The account of an older copy of the store is valid in itself. Keep an [Anchor]
// elsewhere to notice that a store was rolled back.
//
// # Checkpoints
//
// An account is opened in the time of what is new. After every thousand records whoever
// appends also appends a checkpoint: a record with the digest of what the account has come
// to, which is stored beside it as releases are. [Open] starts from the last one, reads what
// came after, and reads a payment of before when its key is asked for. [Account.Verify] reads
// every record and compares every checkpoint with what the records before it come to, and so
// does every account that was open before, when it reads one that another has written.
//
// So opening alone no longer repeats what was decided before the last checkpoint. Whoever can
// append to the store can append a checkpoint that says that less was spent, and an account
// that is opened after it, without an anchor, believes it. Given an anchor, Open starts from
// a checkpoint that the anchor covers and compares those after it. Where others can write to
// the store, keep an anchor and give it to Open, or run Verify before you spend.
//
// # Versions
//
// Ledgers of earlier versions are read, verified and used on. The stores of packages
// sqlite and postgres bring the ledger to this version when it is opened; from then on
// a program of an earlier version that still has it open is refused what it appends or
// keeps next, with an error that says why. So no key has two answers, one that is
// recorded and one that an earlier version kept without a record. A store of your own
// must see to that itself: end earlier programs before a later one opens the ledger.
//
// A release that an early version kept has no salt. Once its digest is recorded,
// whoever reads the ledger could compare it with a guess of the whole release; it is
// a public number, but one that was perhaps shown to few. Releases that are kept now
// have a salt of their own.
package budget
