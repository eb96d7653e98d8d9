package ranktree

import "testing"

// A shape has the leaves that hold its points, no more of them than are allowed, and as
// few levels as reach them.
func TestShapesHoldTheirPoints(t *testing.T) {
	for points := int64(1); points <= 300; points++ {
		for _, leaves := range []int64{1, 7, 16, 64, 1000} {
			for _, base := range []int{2, 3, 16} {
				s := Up(points, base, leaves)
				if s.Leaves != s.Leaf(points-1)+1 || s.Leaves > leaves || s.Width > 1 && (points-1)/(s.Width-1)+1 <= leaves {
					t.Fatalf("%d points in at most %d leaves: %+v", points, leaves, s)
				}
				if want := min(base, int(max(s.Leaves, 2))); s.Base != want {
					t.Fatalf("%d points, base %d: %+v, its base must be %d", points, base, s, want)
				}
				if sizeOf(s, 0) < s.Leaves || s.Height > 1 && sizeOf(s, 1) >= s.Leaves {
					t.Fatalf("%d points: %+v has %d places", points, s, sizeOf(s, 0))
				}
				if first, last := s.Point(0, 0, points-1), s.Point(s.Leaves-1, 1, points-1); first != 0 || last != points-1 {
					t.Fatalf("%d points: %+v has points from %d to %d", points, s, first, last)
				}
			}
		}
	}
}
