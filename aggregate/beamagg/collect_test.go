package beamagg

import (
	"bytes"
	"context"
	"crypto/ecdh"
	"crypto/hpke"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/runtime/graphx"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/options/jobopts"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/runners/prism"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/runners/universal"
	"google.golang.org/protobuf/proto"

	"github.com/equipoise-dp/equipoise/aggregate"
	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/internal/engine"
)

// run says how pipelines are run.
type run func(context.Context, *beam.Pipeline) error

// inProcess runs pipelines on a prism in this process.
func inProcess(ctx context.Context, p *beam.Pipeline) error {
	_, err := prism.Execute(ctx, p)
	return err
}

// at runs pipelines on a server, by workers in this process, or those of a pool.
func at(endpoint, pool string) run {
	return func(ctx context.Context, p *beam.Pipeline) error {
		options := []*string{jobopts.Endpoint, jobopts.EnvironmentType, jobopts.EnvironmentConfig, jobopts.WorkerBinary}
		for _, o := range options {
			defer func(before string) { *o = before }(*o)
		}
		*jobopts.Endpoint, *jobopts.EnvironmentType, *jobopts.EnvironmentConfig = endpoint, "LOOPBACK", ""
		if pool != "" { // that has its program
			*jobopts.EnvironmentType, *jobopts.EnvironmentConfig, *jobopts.WorkerBinary = "EXTERNAL", pool, "go.mod"
		}
		_, err := universal.Execute(ctx, p)
		return err
	}
}

// jobOf returns a job in a folder of its own, with a secret of its own, and the private key.
func jobOf(t testing.TB, shards int) (Job, hpke.PrivateKey) {
	t.Helper()
	key, err := hpke.DHKEM(ecdh.X25519()).GenerateKey()
	secret := filepath.Join(t.TempDir(), "secret")
	if err := errors.Join(err, os.WriteFile(secret, fmt.Appendf(nil, "%s %064x", secretText, rand.Uint64()), 0o600)); err != nil {
		t.Fatal(err)
	}
	return Job{Shards: shards, Secret: "file:" + secret, Key: key.PublicKey(), Folder: filepath.Join(t.TempDir(), "parts")}, key
}

const secretText = "nobody knows this"

// pipelineOf returns a pipeline of rows that are made by so many workers.
func pipelineOf(t testing.TB, p *salesPlan, j Job, rows int) *beam.Pipeline {
	t.Helper()
	pipeline, s := beam.NewPipelineWithRoot()
	made := beam.ParDo(s, &makeFn{Rows: rows, Parts: 5}, beam.CreateList(s, []int{0, 1, 2, 3, 4}))
	if err := Collect(s, p, j, made); err != nil {
		t.Fatal(err)
	}
	return pipeline
}

func collected(t testing.TB, p *salesPlan, by run, shards, rows int) (Job, *aggregate.Partial[string]) {
	t.Helper()
	j, key := jobOf(t, shards)
	if err := by(t.Context(), pipelineOf(t, p, j, rows)); err != nil {
		t.Fatal(err)
	}
	part, err := Open(t.Context(), p, j, key)
	if err != nil {
		t.Fatal(err)
	}
	return j, part
}

// sums returns all that a Partial holds, but for which shards it is made of.
func sums(t testing.TB, p *salesPlan, part *aggregate.Partial[string]) []byte {
	t.Helper()
	shards, err := engine.ViewOf(p).(*engine.View[Sale, uint64, string]).Shards("env:HOME_OF_NONE", 1)
	if err == nil {
		t.Fatal("no secret is needed")
	}
	j, _ := jobOf(t, 1)
	if shards, err = engine.ViewOf(p).(*engine.View[Sale, uint64, string]).Shards(j.Secret, 1); err != nil {
		t.Fatal(err)
	}
	b := shards.Pack(part)
	return b[8+25*binary.BigEndian.Uint64(b):]
}

func same(t testing.TB, p *salesPlan, a, b *aggregate.Partial[string]) bool {
	t.Helper()
	x, y := sums(t, p, a), sums(t, p, b)
	if p == salesPlans["groups"] {
		return slices.Equal(listsIn(x), listsIn(y))
	}
	return bytes.Equal(x, y)
}

// listsIn returns the groups of each unit, in their order, where a Partial has these; units are in no order.
func listsIn(b []byte) (lists []string) {
	length := func() uint64 {
		n := binary.BigEndian.Uint64(b)
		b = b[8:]
		return n
	}
	for range length() { // names of groups
		n := length()
		lists, b = append(lists, string(b[:n])), b[n:]
	}
	for range length() {
		n := 1 + b[0]
		lists, b = append(lists, string(b[:n])), b[n:]
	}
	slices.Sort(lists)
	return lists
}

// one returns what one process collects with the secret of a job.
func one(t testing.TB, p *salesPlan, j Job, rows int) *aggregate.Partial[string] {
	t.Helper()
	part, err := p.CollectShard(t.Context(), aggregate.Shard{Of: 1, Secret: j.Secret}, aggregate.Slice(made(rows)))
	if err != nil {
		t.Fatal(err)
	}
	return part
}

// For every kind of plan a pipeline on prism, in this process, gives what one process collects with the same
// secret, where caps cut off, by however many shards; and that differs from what another secret
// gives, so that caps do cut. Choices of rows are those of CollectShard, and so is their law.
func TestAPipelineGivesWhatOneProcessCollects(t *testing.T) {
	const rows = 4000
	for name, shards := range map[string]int{"cut": 7, "given": 1, "quantiles": 40, "groups": 3, "limited": 2} {
		p := salesPlans[name]
		j, got := collected(t, p, inProcess, shards, rows)
		if !same(t, p, got, one(t, p, j, rows)) {
			t.Errorf("%s: a pipeline of %d shards gives other sums", name, shards)
		}
		if other, _ := jobOf(t, 1); same(t, p, got, one(t, p, other, rows)) {
			t.Errorf("%s: caps cut nothing off", name)
		}
	}
}

// Where caps cut nothing off it is what Collect returns, without any secret.
func TestWhereNothingIsCutAPipelineGivesWhatCollectReturns(t *testing.T) {
	const rows = 5000
	p := salesPlans["whole"]
	_, got := collected(t, p, inProcess, 16, rows)
	want, err := p.Collect(t.Context(), aggregate.Slice(made(rows)))
	if err != nil || !same(t, p, got, want) {
		t.Errorf("other sums, %v", err)
	}
}

// The same on a prism that is a process of its own, with workers here and in a third process; and
// a worker whose plan is another, under the same name, refuses to work, in words that have nothing of rows.
func TestOnAServerAPipelineGivesWhatOneProcessCollects(t *testing.T) {
	const rows = 3000
	p, server := salesPlans["cut"], served(t, prismAt)
	for _, pool := range []string{"", served(t, workersAt)} {
		j, got := collected(t, p, at(server, pool), 9, rows)
		if !same(t, p, got, one(t, p, j, rows)) {
			t.Errorf("other sums, with workers at %q", pool)
		}
	}
	j, key := jobOf(t, 2)
	err := at(server, served(t, workersAt, isAnother+"=yes"))(t.Context(), pipelineOf(t, p, j, rows))
	if err == nil || !strings.Contains(err.Error(), `this worker has another plan under the name "cut"`) {
		t.Errorf("a worker with another plan: %v", err)
	}
	if _, err := Open(t.Context(), p, j, key); err == nil || !strings.Contains(err.Error(), "no list of parts") {
		t.Errorf("opened what was not collected: %v", err)
	}
}

var endpoint = flag.String("job_service", "", "where a portable job service is, such as that of Beam's Python SDK; jobservice.sh starts it")

// The same on the job service of Beam's Python SDK, where a person has started one.
func TestOnAJobServiceAPipelineGivesWhatOneProcessCollects(t *testing.T) {
	if *endpoint == "" {
		t.Skip("no -job_service is given; jobservice.sh starts one")
	}
	for name, p := range salesPlans {
		if name == "whole" {
			continue
		}
		j, got := collected(t, p, at(*endpoint, ""), 9, 20_000)
		if !same(t, p, got, one(t, p, j, 20_000)) {
			t.Errorf("%s: other sums", name)
		}
	}
}

// What stands in the description of a pipeline says where the secret is, and not what it is.
func TestTheSecretIsNotInThePipeline(t *testing.T) {
	j, _ := jobOf(t, 3)
	edges, _, err := pipelineOf(t, salesPlans["cut"], j, 10).Build()
	if err != nil {
		t.Fatal(err)
	}
	described, err := graphx.Marshal(edges, &graphx.Options{})
	if err != nil {
		t.Fatal(err)
	}
	text, err := proto.Marshal(described)
	if err != nil || bytes.Contains(text, []byte(secretText)) || strings.Contains(decoded(text), secretText) {
		t.Errorf("the secret is in the pipeline: %v", err)
	}
	if !strings.Contains(decoded(text), j.Secret) {
		t.Error("the reference to the secret was not found, so neither would be the secret")
	}
}

// decoded returns what of a text is base64, as the functions in a pipeline are, several times over.
func decoded(text []byte) string {
	all := string(text)
	for _, part := range base64Like.FindAll(text, -1) {
		for skip := range 4 {
			if skip < len(part) {
				b, _ := base64.StdEncoding.DecodeString(string(part[skip:][:(len(part)-skip)/4*4]))
				all += "\n" + string(b)
			}
		}
	}
	return all
}

var base64Like = regexp.MustCompile(`[A-Za-z0-9+/=]{16,}`)

// All mistakes come at once, before a row is read.
func TestMistakesAreFoundBeforeThePipelineRuns(t *testing.T) {
	p := salesPlans["cut"]
	other, err := planned("cut", true)
	if err != nil {
		t.Fatal(err)
	}
	j, key := jobOf(t, 3)
	_, s := beam.NewPipelineWithRoot()
	rows := beam.CreateList(s, []Sale{{City: "Bern"}})
	for name, test := range map[string]struct {
		err  error
		says []string
	}{
		"nothing given":      {Collect(s, other, Job{}, beam.PCollection{}), []string{"has no name", "Shard.Of is 0", "Shard.Secret must be", "Job.Key is nil", "Job.Folder is empty", "no PCollection"}},
		"other rows":         {Collect(s, p, j, beam.CreateList(s, []int{1})), []string{"rows are of type int, the plan reads beamagg.Sale"}},
		"no plan":            {Collect[Sale, uint64, string](s, nil, j, rows), []string{"the plan is nil"}},
		"no file system":     {Collect(s, p, Job{j.Shards, j.Secret, j.Key, "nowhere://x"}, rows), []string{"Job.Folder: file system scheme"}},
		"a name twice":       {Register("cut", other), []string{`"cut" has a plan already`}},
		"a plan twice":       {Register("again", p), []string{`has the name "cut" already`}},
		"no name":            {Register("", p), []string{"needs a name"}},
		"a worker without":   {(&placeFn[Sale]{Task: task{Plan: "none"}}).Setup(), []string{`no plan named "none"`}},
		"a worker of others": {(&placeFn[int]{Task: task{Plan: "cut", Fingerprint: p.Fingerprint(), Shards: 3, Secret: j.Secret}}).Setup(), []string{"a plan of other rows"}},
	} {
		for _, says := range test.says {
			if test.err == nil || !strings.Contains(test.err.Error(), says) {
				t.Errorf("%s: %v", name, test.err)
			}
		}
	}
	if _, err := Open(t.Context(), p, Job{Folder: j.Folder}, key); err == nil || !strings.Contains(err.Error(), "Job.Key is nil") {
		t.Errorf("opened without a job: %v", err)
	}
}

// Plans whose rows cannot be collected elsewhere say why.
func TestConsentIsRefused(t *testing.T) {
	q := &aggregate.Query[Sale, uint64, string]{
		Dataset: "sales", UnitName: "customer", MaxGroups: 2, MaxRowsPerGroup: 3,
		Unit: func(s Sale) uint64 { return s.Customer }, Group: func(s Sale) string { return s.City },
		Retention: &aggregate.Retention[Sale]{Days: 30, Time: func(Sale) time.Time { return time.Now() }},
	}
	p, err := q.Plan(dp.Approx{Epsilon: 1, Delta: 1e-6}, q.Count())
	if err != nil {
		t.Fatal(err)
	}
	j, _ := jobOf(t, 3)
	_, s := beam.NewPipelineWithRoot()
	if err := Collect(s, p, j, beam.CreateList(s, []Sale{{City: "Bern"}})); err == nil || !strings.Contains(err.Error(), "Query.Consent and Query.Retention") {
		t.Error(err)
	}
}

// BenchmarkPrism has what the processor does for a row in a pipeline on prism, in this process, and what it does for
// one that this process collects by itself.
func BenchmarkPrism(b *testing.B) {
	p, n := salesPlans["cut"], *benchRows
	b.Run("pipeline", func(b *testing.B) {
		perRow(b, func() { collected(b, p, inProcess, 16, n) })
	})
	b.Run("process", func(b *testing.B) {
		rows := made(n)
		perRow(b, func() {
			if _, err := p.Collect(b.Context(), aggregate.Slice(rows)); err != nil {
				b.Fatal(err)
			}
		})
	})
}

func perRow(b *testing.B, do func()) {
	before := cpu(b)
	for b.Loop() {
		do()
	}
	b.ReportMetric(float64((cpu(b)-before).Microseconds())/float64(b.N**benchRows), "CPU-µs/row")
}

var benchRows = flag.Int("rows", 1_000_000, "how many rows the benchmark has")

func cpu(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
