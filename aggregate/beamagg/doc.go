// Package beamagg collects the rows of an Apache Beam pipeline for a release.
//
// Functions do not travel, so a plan has a name, under which every program has it that runs the
// pipeline: the one that starts it and its workers. One program does for both, as is usual in Beam.
//
//	func init() { err = beamagg.Register("orders", plan) }
//
// A pipeline bounds and adds up a PCollection of the plan's rows, and leaves what comes out in a folder, sealed to
// whoever releases. That side opens it, pays, adds noise and releases:
//
//	job := beamagg.Job{Shards: 64, Secret: "file:/run/secrets/release", Key: key.PublicKey(), Folder: "gs://bucket/release"}
//	release, err := plan.RunFrom(ctx, account, request, func(ctx context.Context, p *aggregate.Plan[Order, int64, string]) (*aggregate.Partial[string], error) {
//		pipeline, s := beam.NewPipelineWithRoot()
//		if err := beamagg.Collect(s, p, job, readOrders(s)); err != nil {
//			return nil, err
//		}
//		if err := beamx.Run(ctx, pipeline); err != nil {
//			return nil, err
//		}
//		return beamagg.Open(ctx, p, job, key)
//	})
//
// The folder has the parts, and a list of those that count, which nothing authenticates: who may write there can withhold
// a release, and choose among attempts of the workers, but neither make a part nor have one count twice.
//
// It is tried on Beam's prism, in the process and as a server of its own, and by a script on the job service of
// Beam's Python SDK. Of other runners nothing is known.
//
// # Privacy
//
// Rows are split into shards by unit, and what is kept of a unit where caps cut off follows from a secret and from the
// unit's own rows, as [aggregate.Plan.CollectShard] says. So bundles that are run again, and any mixture of two attempts,
// give the same; and what a shard is given twice by mistake is bounded, since caps are applied where it is
// collected. The secret is named in the pipeline and never given. The runner and its workers see the rows, and are trusted with
// them and with what they add up to; what leaves them is sealed. Errors of this package say nothing of rows;
// what a runner writes into its log is its own affair. Proof: docs/proofs/beam.md.
package beamagg
