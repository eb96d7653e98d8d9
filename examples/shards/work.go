package main

import (
	"context"
	"crypto/hpke"
	"encoding/json"
	"errors"
	"io"
	"os"

	"github.com/equipoise-dp/equipoise/aggregate"
)

// A job says what one worker does. It may be seen by anyone: it holds no row and no secret.
type job struct {
	Shard   aggregate.Shard `json:"shard"`
	Attempt int             `json:"attempt"`
	Key     []byte          `json:"key"` // public, of whoever releases
	Folder  string          `json:"folder"`
}

// work collects a shard, leaves it sealed in the folder, and says which part that is.
func work(ctx context.Context, w io.Writer, description string) error {
	var j job
	if err := json.Unmarshal([]byte(description), &j); err != nil {
		return err
	}
	f, err := os.Open(rowsFile(j.Folder, j.Shard.Number))
	if err != nil {
		return err
	}
	defer f.Close()
	return j.leave(ctx, w, f)
}

// leave collects rows, leaves them sealed, and says which part that is.
func (j job) leave(ctx context.Context, w io.Writer, rows io.Reader) error {
	sealed, part, err := j.collect(ctx, rows)
	if err != nil {
		return err
	}
	if err := writeWhole(partFile(j.Folder, part), sealed); err != nil {
		return err
	}
	return json.NewEncoder(w).Encode(part)
}

func (j job) collect(ctx context.Context, rows io.Reader) (sealed []byte, part aggregate.Part, err error) {
	q, err1 := ask()
	to, err2 := hpke.MLKEM768X25519().NewPublicKey(j.Key)
	if err := errors.Join(err1, err2); err != nil {
		return nil, part, err
	}
	partial, err := q.plan.CollectShard(ctx, j.Shard, read(rows))
	if err != nil {
		return nil, part, err
	}
	defer partial.Wipe()
	return partial.Seal(to)
}

// writeWhole writes a file under another name first. Where renaming does not replace a file in one
// step, as on a mount of an object store, a file that is cut off has another digest than its part.
func writeWhole(path string, b []byte) error {
	if err := os.WriteFile(path+".part", b, 0o600); err != nil {
		return err
	}
	return os.Rename(path+".part", path)
}
