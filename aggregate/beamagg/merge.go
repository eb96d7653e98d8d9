package beamagg

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"reflect"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"

	"github.com/equipoise-dp/equipoise/internal/engine"
)

func init() {
	beam.RegisterCoder(reflect.TypeFor[sum](), encodeSum, decodeSum)
	register.Combiner1[sum](&mergeFn{})
}

// A sum is what some shards add up to. It stays in memory as it is until it goes to another worker. Two Partials
// of as many shards become one, so that each is added up about as often as there are digits in their number.
type sum struct {
	task     task
	shards   engine.Collecting
	partials []any
	sizes    []int
}

// mergeFn merges sums.
type mergeFn struct{}

// MergeAccumulators merges two. It does not change them, since a runner may need them again.
func (*mergeFn) MergeAccumulators(a, b sum) (sum, error) {
	m := sum{task: a.task, shards: a.shards}
	for _, from := range []sum{a, b} {
		for i := range from.partials {
			if err := m.add(from.partials[i], from.sizes[i]); err != nil {
				return sum{}, err
			}
		}
	}
	return m, nil
}

func (s *sum) add(partial any, size int) error {
	s.partials, s.sizes = append(s.partials, partial), append(s.sizes, size)
	for n := len(s.sizes); n > 1 && s.sizes[n-1] >= s.sizes[n-2]; n = len(s.sizes) {
		if err := s.join(2); err != nil {
			return err
		}
	}
	return nil
}

// join joins the last n.
func (s *sum) join(n int) error {
	from := len(s.partials) - n
	merged, err := s.shards.Merge(context.Background(), s.partials[from:]...)
	if err != nil {
		return err
	}
	size := 0
	for _, n := range s.sizes[from:] {
		size += n
	}
	s.partials, s.sizes = append(s.partials[:from], merged), append(s.sizes[:from], size)
	return nil
}

// encodeSum writes a sum for another worker: its task, and its Partials.
func encodeSum(s sum) ([]byte, error) {
	b, err := json.Marshal(s.task)
	if err != nil {
		return nil, err
	}
	b = append(binary.AppendUvarint(nil, uint64(len(b))), b...)
	for i, partial := range s.partials {
		packed := s.shards.Pack(partial)
		b = binary.AppendUvarint(binary.AppendUvarint(b, uint64(s.sizes[i])), uint64(len(packed)))
		b = append(b, packed...)
	}
	return b, nil
}

var errSum = errors.New("beamagg: bytes are no sum of shards: they were changed on their way")

// decodeSum reads what encodeSum wrote, on a worker with the same plan.
func decodeSum(b []byte) (s sum, err error) {
	text, b, ok := cut(b)
	if !ok || json.Unmarshal(text, &s.task) != nil {
		return sum{}, errSum
	}
	if s.shards, err = find(s.task); err != nil {
		return sum{}, err
	}
	for len(b) > 0 {
		size, n := binary.Uvarint(b)
		if n <= 0 || size < 1 || size > uint64(s.task.Shards) {
			return sum{}, errSum
		}
		packed, rest, ok := cut(b[n:])
		if !ok {
			return sum{}, errSum
		}
		partial, err := s.shards.Unpack(packed)
		if err != nil {
			return sum{}, err
		}
		s.partials, s.sizes, b = append(s.partials, partial), append(s.sizes, int(size)), rest
	}
	if len(s.partials) == 0 {
		return sum{}, errSum
	}
	return s, nil
}

// cut cuts off bytes that have their length before them.
func cut(b []byte) (first, rest []byte, ok bool) {
	length, n := binary.Uvarint(b)
	if n <= 0 || length > uint64(len(b)-n) {
		return nil, nil, false
	}
	return b[n:][:length], b[n:][length:], true
}
