package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// An engine that partitions rows itself, such as Spark, pipes them through this program twice.
// "shards place JOB" writes the number of its shard and a tab before each line, by which
// the engine partitions. "shards pipe JOB" collects a partition, whose first line is the number of its
// shard, leaves the part sealed in the folder, and says which part that is. See spark.py.

// place says of each line in which shard its rider is.
func place(w io.Writer, lines io.Reader, description string) error {
	var j job
	q, err := ask()
	if err := errors.Join(err, json.Unmarshal([]byte(description), &j)); err != nil {
		return err
	}
	shardOf, err := q.plan.ShardOf(j.Shard.Secret, j.Shard.Of)
	if err != nil {
		return err
	}
	to := bufio.NewWriter(w)
	from := bufio.NewScanner(lines)
	for n := 1; from.Scan(); n++ {
		rider, _, _ := strings.Cut(from.Text(), ",")
		unit, err := strconv.ParseUint(rider, 10, 64)
		if err != nil {
			return fmt.Errorf("line %d is no ride", n)
		}
		fmt.Fprintf(to, "%d\t%s\n", shardOf(unit), from.Text()) // Flush has its error
	}
	return errors.Join(from.Err(), to.Flush())
}

// pipe collects the shard that is named before its rows.
func pipe(ctx context.Context, w io.Writer, lines io.Reader, description string) error {
	var j job
	if err := json.Unmarshal([]byte(description), &j); err != nil {
		return err
	}
	from := bufio.NewReader(lines)
	first, err := from.ReadString('\n')
	if err != nil {
		return fmt.Errorf("before the rows: %w", err)
	}
	if j.Shard.Number, err = strconv.Atoi(strings.TrimSpace(first)); err != nil {
		return errors.New("the first line is no number of a shard")
	}
	return j.leave(ctx, w, from)
}
