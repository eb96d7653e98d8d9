package main

import (
	"bytes"
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
//
// The file has its name from the start, since a folder that is a mount of an object store may know no
// renaming. No two attempts write one file, as each seals with a key of its own; and one
// that is cut off has not the size and digest that its name and the list say, so nobody takes it.
func (j job) leave(ctx context.Context, w io.Writer, rows io.Reader) error {
	var sealed bytes.Buffer
	part, err := j.collect(ctx, &sealed, rows)
	if err != nil {
		return err
	}
	if err := os.WriteFile(partFile(j.Folder, part), sealed.Bytes(), 0o600); err != nil {
		return err
	}
	return json.NewEncoder(w).Encode(part)
}

func (j job) collect(ctx context.Context, w io.Writer, rows io.Reader) (part aggregate.Part, err error) {
	q, err1 := ask()
	to, err2 := hpke.MLKEM768X25519().NewPublicKey(j.Key)
	if err := errors.Join(err1, err2); err != nil {
		return part, err
	}
	partial, err := q.plan.CollectShard(ctx, j.Shard, read(rows))
	if err != nil {
		return part, err
	}
	defer partial.Wipe()
	return partial.Seal(w, to)
}
