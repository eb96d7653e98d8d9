package dp

import "testing"

// A4: noise on a coarse grid is added to numbers on that grid.
func TestA4CoarseNoiseHidesTheLowBits(t *testing.T) {
	n, err := Calibrate(Pure{1e-6}, Sensitivity{1, 1 << 40})
	if err != nil || n.coarse == 0 {
		t.Fatalf("%v, coarse %d", err, n.coarse)
	}
	for _, x := range []int64{0, 1, 12345, -7} {
		if y := n.Add(x).Value; y&(1<<n.coarse-1) != 0 && y != 1<<63-1 {
			t.Fatalf("%d is released as %d, not a multiple of 2^%d", x, y, n.coarse)
		}
	}
}
