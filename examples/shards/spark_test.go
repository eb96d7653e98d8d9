package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"crypto/hpke"

	"github.com/equipoise-dp/equipoise/aggregate"
	"github.com/equipoise-dp/equipoise/budget"
	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/dp/dptest"
)

var sparkMaster = flag.String("spark", "", "the master of a Spark cluster on this machine; see spark.sh")

// Under Spark, with an executor that is killed once the rows have been shuffled, the release is
// that of one process.
func TestSparkReleasesWhatOneProcessDoes(t *testing.T) {
	if *sparkMaster == "" {
		t.Skip("no -spark is given; spark.sh starts one")
	}
	dptest.NoNoise(t)
	rows := madeUp(200_000)
	folder, secret := t.TempDir(), "file:"+writeSecret(t)
	want := releasedFrom(t, func(q question) (*aggregate.Partial[string], error) {
		return q.plan.CollectShard(t.Context(), aggregate.Shard{Of: 1, Secret: secret}, aggregate.Slice(rows))
	})
	input := filepath.Join(folder, "rides.csv")
	if err := writeCSV(input, linesOf(rows)); err != nil {
		t.Fatal(err)
	}
	for _, mark := range []string{"", filepath.Join(folder, "killed")} {
		got := releasedFrom(t, func(q question) (*aggregate.Partial[string], error) {
			return underSpark(t, q, folder, secret, input, mark)
		})
		if got != want {
			t.Errorf("Spark releases\n%s, one process\n%s", got, want)
		}
		if _, err := os.Stat(mark); mark != "" && err != nil {
			t.Errorf("no executor was killed: %v", err)
		}
	}
}

func writeSecret(t *testing.T) string {
	path := filepath.Join(t.TempDir(), "secret")
	if err := errors.Join(newSecret(), os.WriteFile(path, []byte(os.Getenv(secretName)), 0o600)); err != nil {
		t.Fatal(err)
	}
	return path
}

func underSpark(t *testing.T, q question, folder, secret, input, mark string) (*aggregate.Partial[string], error) {
	key, err := hpke.MLKEM768X25519().GenerateKey()
	if err != nil {
		return nil, err
	}
	description, err := json.Marshal(job{Key: key.PublicKey().Bytes(), Folder: folder, Shard: aggregate.Shard{Of: shards, Secret: secret}})
	if err != nil {
		return nil, err
	}
	args := []string{"spark.py", *sparkMaster, os.Args[0], string(description), input}
	if mark != "" {
		args = append(args, mark)
	}
	spark := exec.CommandContext(t.Context(), os.Getenv("PYSPARK_PYTHON"), args...)
	var said bytes.Buffer
	spark.Stderr = &said
	list, err := spark.Output()
	var parts []aggregate.Part
	if err := errors.Join(err, json.Unmarshal(list, &parts)); err != nil {
		return nil, fmt.Errorf("%w\n%s", err, &said)
	}
	return q.plan.OpenParts(t.Context(), key, secret, parts, func(p aggregate.Part) (io.ReadCloser, error) { return os.Open(partFile(folder, p)) })
}

func releasedFrom(t *testing.T, collect func(question) (*aggregate.Partial[string], error)) string {
	q, err := ask()
	if err != nil {
		t.Fatal(err)
	}
	partial, err := collect(q)
	if err != nil {
		t.Fatal(err)
	}
	account, err := budget.Create(t.Context(), budget.Memory(), budget.Terms{Dataset: "rides", Unit: "rider", Limit: dp.Pure{Epsilon: 1}})
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := show(t.Context(), &b, q, account, partial); err != nil {
		t.Fatal(err)
	}
	return b.String()
}
