package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"time"

	"github.com/equipoise-dp/equipoise/aggregate"
)

// A starter makes the command of a worker.
type starter func(ctx context.Context, description string) *exec.Cmd

// thisProgram runs this program as a worker.
func thisProgram(ctx context.Context, description string) *exec.Cmd {
	return exec.CommandContext(ctx, os.Args[0], "work", description)
}

// mostAttempts is how often a shard is tried.
const mostAttempts = 3

// mostTime is how long an attempt may take: after it a worker that hangs is one that failed.
const mostTime = 10 * time.Minute

// A driver has every shard collected by some worker. Of each, the first part that comes is
// in the list, and no other counts.
type driver struct {
	job      job
	start    starter
	ctx      context.Context
	all      sync.WaitGroup
	results  chan result
	attempts [shards]int
	running  [shards]int
	parts    [shards]*aggregate.Part
}

type result struct {
	shard int
	part  aggregate.Part
	err   error
}

func drive(ctx context.Context, folder string, key []byte, start starter) ([]aggregate.Part, error) {
	ctx, cancel := context.WithCancel(ctx)
	d := &driver{
		job:   job{Key: key, Folder: folder, Shard: aggregate.Shard{Of: shards, Secret: "env:" + secretName}},
		start: start, ctx: ctx, results: make(chan result, shards*mostAttempts),
	}
	defer d.all.Wait() // for workers that are not needed any more
	defer cancel()
	for i := range shards {
		d.attempt(i)
	}
	for missing := shards; missing > 0; {
		r := <-d.results
		d.running[r.shard]--
		switch {
		case d.parts[r.shard] != nil: // a shard counts once
		case r.err == nil:
			d.parts[r.shard] = &r.part
			missing--
		case d.running[r.shard] == 0 && !d.attempt(r.shard):
			return nil, fmt.Errorf("shard %d failed %d times: %w", r.shard, mostAttempts, r.err)
		}
		if missing <= shards/2 {
			d.help()
		}
	}
	return d.list(), ctx.Err()
}

// attempt starts a worker, if the shard was not tried too often.
func (d *driver) attempt(shard int) bool {
	if d.attempts[shard] == mostAttempts {
		return false
	}
	d.attempts[shard]++
	d.running[shard]++
	j := d.job
	j.Shard.Number, j.Attempt = shard, d.attempts[shard]
	d.all.Go(func() { d.results <- d.result(j) })
	return true
}

func (d *driver) result(j job) result {
	r := result{shard: j.Shard.Number}
	description, err := json.Marshal(j)
	if r.err = err; err == nil {
		ctx, cancel := context.WithTimeout(d.ctx, mostTime)
		defer cancel()
		var out []byte
		if out, r.err = d.start(ctx, string(description)).Output(); r.err == nil {
			r.err = json.Unmarshal(out, &r.part)
		}
	}
	return r
}

// help starts a second worker for every shard that the others wait for: the first may hang.
func (d *driver) help() {
	for i, part := range d.parts {
		if part == nil && d.running[i] == 1 {
			d.attempt(i)
		}
	}
}

func (d *driver) list() (parts []aggregate.Part) {
	for _, part := range d.parts {
		parts = append(parts, *part)
	}
	return parts
}
