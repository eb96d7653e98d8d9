package beamagg

import (
	"context"
	"crypto/hpke"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

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
	list, err := read(ctx, t.listFile(shards.Name()))
	if err != nil {
		return nil, fmt.Errorf("beamagg: no list of parts, so the pipeline has not ended, or it had another plan, secret or number of shards: %w", err)
	}
	var parts []aggregate.Part
	if err := json.Unmarshal(list, &parts); err != nil {
		return nil, errors.New("beamagg: the list of parts was changed or cut off")
	}
	return p.OpenParts(ctx, key, j.Secret, parts, func(part aggregate.Part) ([]byte, error) { return read(ctx, t.partFile(part)) })
}

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

func read(ctx context.Context, name string) ([]byte, error) {
	fs, err := filesystem.New(ctx, name)
	if err != nil {
		return nil, err
	}
	defer fs.Close()
	return filesystem.Read(ctx, fs, name)
}
