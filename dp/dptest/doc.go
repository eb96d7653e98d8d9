// Package dptest helps to test programs that use the library, and attacks the
// library and those programs.
//
// [NoNoise] removes noise for the duration of a test, so that a release can be
// compared with what a plain program would compute.
//
// [Audit] runs a mechanism on two neighbouring inputs and tries to refute what it
// claims. Package aggregatetest does so for a whole plan, on a catalogue of
// neighbours.
//
// # What an audit says
//
// A claim that is refuted is false, but for a probability of at most Alpha, which
// the user states and which counts everything the audit looked at. A claim that
// is not refuted is not proven: an audit finds what is visible in so many runs.
// The file docs/attacks.md lists what is attacked, and how small a mistake is found.
package dptest
