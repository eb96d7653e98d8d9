package beamagg

import (
	"context"
	"crypto/hpke"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/apache/beam/sdks/v2/go/pkg/beam/io/filesystem"
	_ "github.com/apache/beam/sdks/v2/go/pkg/beam/io/filesystem/local" // folders of this machine

	"github.com/equipoise-dp/equipoise/aggregate"
	"github.com/equipoise-dp/equipoise/internal/engine"
)

// A Job says how a pipeline collects. All fields are required. It tells nothing private, and the description of the
// pipeline, which whoever runs it can see, has what it says.
type Job struct {
	// Shards is in how many slices the units are split, 1 to 2^20. Each is collected by one worker in memory that
	// follows its rows, or the limit of [aggregate.Plan.Within]: take so many that one fits, and some for each worker.
	Shards int

	// Secret is that of [aggregate.Shard]: "file:" and a path, or "env:" and a variable, where every
	// worker finds it, and the side that opens. Take a new one for every release.
	Secret string

	// Key is that of whoever releases, such as hpke.MLKEM768X25519().GenerateKey() makes one of.
	Key hpke.PublicKey

	// Folder is where the parts and their list are left: of this machine, which does for workers that see the
	// same files, or of a file system of Beam that the program imports, such as gs://bucket/folder. Files are written once,
	// under the names that they keep, so a mount of an object store does too.
	Folder string
}

// task is what the functions of a pipeline know of it. It is in the description of the pipeline.
type task struct {
	Plan, Fingerprint string
	Shards            int
	Secret            string // a reference
	KEM               uint16
	Key               []byte
	Folder            string
}

// tasked returns the task of a job, and what collects for it, or every mistake.
func tasked[Row any, Unit, Group comparable](p *aggregate.Plan[Row, Unit, Group], j Job) (task, engine.Collecting, error) {
	if p == nil {
		return task{}, nil, errors.New("beamagg: the plan is nil")
	}
	t := task{Fingerprint: p.Fingerprint(), Shards: j.Shards, Secret: j.Secret, Folder: j.Folder}
	var errs []error
	plans.RLock()
	name, ok := nameOf(t.Fingerprint)
	plans.RUnlock()
	if t.Plan = name; !ok {
		errs = append(errs, errors.New("beamagg: the plan has no name; workers find it by one: call Register in an init function"))
	}
	collecting, err := engine.ViewOf(p).(*engine.View[Row, Unit, Group]).Shards(j.Secret, j.Shards)
	if err != nil {
		errs = append(errs, fmt.Errorf("beamagg: Job: %w", err))
	}
	if j.Key == nil {
		errs = append(errs, errors.New("beamagg: Job.Key is nil; give the public key of whoever releases"))
	} else {
		t.KEM, t.Key = j.Key.KEM().ID(), j.Key.Bytes()
	}
	if err := checkFolder(j.Folder); err != nil {
		errs = append(errs, err)
	}
	return t, collecting, errors.Join(errs...)
}

func checkFolder(folder string) error {
	if folder == "" {
		return errors.New("beamagg: Job.Folder is empty; name where parts are left")
	}
	if strings.ContainsAny(folder, "*?[]{}") || filepath.Separator == '/' && strings.Contains(folder, `\`) {
		return fmt.Errorf("beamagg: Job.Folder is %q, must have none of *?[]{}\\: file systems of Beam take them for patterns; take another name", folder)
	}
	fs, err := filesystem.New(context.Background(), folder)
	if err != nil {
		return fmt.Errorf("beamagg: Job.Folder: %w", err)
	}
	return fs.Close()
}

// key returns the public key of whoever releases.
func (t task) key() (hpke.PublicKey, error) {
	kem, err := hpke.NewKEM(t.KEM)
	if err != nil {
		return nil, fmt.Errorf("beamagg: Job.Key: %w", err)
	}
	return kem.NewPublicKey(t.Key)
}
