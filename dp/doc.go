// Package dp adds calibrated noise to numbers.
//
// Noise is calibrated once, from what may be lost ([Loss]) and from how far one
// privacy unit can move the numbers ([Sensitivity]). Calibration is the only
// step that can fail; adding calibrated noise cannot.
//
//	noise, err := dp.Calibrate(dp.Pure{Epsilon: 0.5}, dp.Sensitivity{L0: 1, LInf: 3})
//	…
//	fmt.Println(noise.Add(1042)) // 1038 (1020 to 1056)
//
// Most programs need package aggregate instead, which also bounds what a unit
// contributes, pays, and keeps what it released.
//
// # Privacy
//
// Two inputs are neighbours if one is the other without all the rows of one
// unit. Every guarantee in this module is about neighbours in that sense. Noise
// is drawn as an integer by an exact sampler, from a cipher that is keyed from
// crypto/rand for each release and wiped after it.
package dp
