package beamagg

import (
	"cmp"
	"context"
	"crypto/hpke"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/apache/beam/sdks/v2/go/pkg/beam/io/filesystem"

	"github.com/equipoise-dp/equipoise/aggregate"
)

// Open opens what a pipeline collected for a plan, once it has ended, with the private key that belongs to Job.Key. It
// takes the parts that the pipeline's list names, each once, and checks that the workers made them, who have the
// secret. What it returns is private, and released as any [aggregate.Partial]. Errors say nothing of rows.
func Open[Row any, Unit, Group comparable](ctx context.Context, p *aggregate.Plan[Row, Unit, Group], j Job, key hpke.PrivateKey) (*aggregate.Partial[Group], error) {
	t, shards, err := tasked(p, j)
	if err != nil {
		return nil, err
	}
	list, err := t.list(ctx, shards.Name())
	if err != nil {
		return nil, fmt.Errorf("beamagg: no list of parts, so the pipeline has not ended, or it had another plan, secret or number of shards: %w", err)
	}
	var parts []aggregate.Part
	if err := json.Unmarshal(list, &parts); err != nil {
		return nil, errors.New("beamagg: the list of parts is none: somebody else wrote it")
	}
	return p.OpenParts(ctx, key, j.Secret, parts, func(part aggregate.Part) (io.ReadCloser, error) { return open(ctx, t.partFile(part)) })
}

// list reads a list that is whole. There is more than one where the bundle that wrote it ran again; they name
// attempts that are equal, so it does not matter which one counts.
func (t task) list(ctx context.Context, name string) ([]byte, error) {
	all := t.listFile(name, "*")
	fs, err := filesystem.New(ctx, all)
	if err != nil {
		return nil, err
	}
	files, err := fs.List(ctx, all)
	errs := []error{err, fs.Close()}
	slices.Sort(files)
	for _, file := range files {
		list, err := read(ctx, file, t.mostList())
		if err == nil && strings.HasSuffix(file, name+"-"+digest(list)+".json") {
			return list, nil
		}
		errs = append(errs, err, fmt.Errorf("%s is not whole", file))
	}
	return nil, cmp.Or(errors.Join(errs...), errors.New("there is none in the folder"))
}

// mostList is how long a list of parts is at most: each names shards of its own.
func (t task) mostList() int64 { return 512 * (1 + int64(t.Shards)) }

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// open opens a file, with its file system for itself.
func open(ctx context.Context, name string) (io.ReadCloser, error) {
	fs, err := filesystem.New(ctx, name)
	if err != nil {
		return nil, err
	}
	f, err := fs.OpenRead(ctx, name)
	if err != nil {
		return nil, errors.Join(err, fs.Close())
	}
	return opened{f, fs}, nil
}

type opened struct {
	io.ReadCloser
	fs filesystem.Interface
}

// Close closes the file and its file system.
func (o opened) Close() error { return errors.Join(o.ReadCloser.Close(), o.fs.Close()) }

// read reads a file that is not longer than most.
func read(ctx context.Context, name string, most int64) ([]byte, error) {
	f, err := open(ctx, name)
	if err != nil {
		return nil, err
	}
	b, err := io.ReadAll(io.LimitReader(f, most+1))
	if err == nil && int64(len(b)) > most {
		err = fmt.Errorf("it has more than %d bytes", most)
	}
	return b, errors.Join(err, f.Close())
}
