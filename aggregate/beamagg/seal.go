package beamagg

import (
	"bytes"
	"cmp"
	"context"
	"crypto/hpke"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/apache/beam/sdks/v2/go/pkg/beam/io/filesystem"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"

	"github.com/equipoise-dp/equipoise/aggregate"
	"github.com/equipoise-dp/equipoise/internal/engine"
)

func init() {
	register.DoFn4x1[context.Context, int, sum, func(int, string), error](&sealFn{})
	register.DoFn3x1[context.Context, int, func(*string) bool, error](&listFn{})
	register.Emitter2[int, string]()
	register.Iter1[string]()
}

// sealFn seals a sum, leaves it in the folder, and says which part that is. Of a bundle that runs again there are two files, of
// which the list has one.
type sealFn struct{ Task task }

// ProcessElement seals a sum.
func (f *sealFn) ProcessElement(ctx context.Context, _ int, s sum, emit func(int, string)) error {
	key, err := f.Task.key()
	if err != nil {
		return err
	}
	merged, err := s.shards.Merge(ctx, s.partials...)
	if err != nil {
		return err
	}
	var sealed bytes.Buffer
	part, err := merged.(interface {
		Seal(io.Writer, hpke.PublicKey) (aggregate.Part, error)
	}).Seal(&sealed, key)
	if err != nil {
		return err
	}
	name, err := json.Marshal(part)
	if err := errors.Join(err, write(ctx, f.Task.partFile(part), sealed.Bytes())); err != nil {
		return err
	}
	emit(0, string(name))
	return nil
}

// listFn leaves the list of all parts: whoever opens takes what it names, and no other attempt at it.
type listFn struct {
	Task task

	shards engine.Collecting
}

// Setup finds the plan.
func (f *listFn) Setup() (err error) {
	f.shards, err = find(f.Task)
	return err
}

// ProcessElement writes the list.
func (f *listFn) ProcessElement(ctx context.Context, _ int, names func(*string) bool) error {
	var parts []aggregate.Part
	for name := ""; names(&name); {
		var part aggregate.Part
		if err := json.Unmarshal([]byte(name), &part); err != nil {
			return errors.New("beamagg: the name of a part was changed on its way")
		}
		parts = append(parts, part)
	}
	slices.SortFunc(parts, func(a, b aggregate.Part) int { return cmp.Compare(a.Digest, b.Digest) })
	list, err := json.Marshal(parts)
	if err != nil {
		return err
	}
	return write(ctx, f.Task.listFile(f.shards.Name(), digest(list)), list)
}

func (t task) file(name string) string { return strings.TrimSuffix(t.Folder, "/") + "/" + name }

func (t task) partFile(p aggregate.Part) string { return t.file(p.Digest + ".part") }

// listFile is where a list is: its name says what is in it, so half of one is not taken for one, and nothing is renamed,
// which a store of objects may not know.
func (t task) listFile(name, digest string) string { return t.file(name + "-" + digest + ".json") }

func write(ctx context.Context, name string, b []byte) error {
	fs, err := filesystem.New(ctx, name)
	if err != nil {
		return err
	}
	return errors.Join(filesystem.Write(ctx, fs, name, b), fs.Close())
}
