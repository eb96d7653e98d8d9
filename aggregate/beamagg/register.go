package beamagg

import (
	"errors"
	"fmt"
	"reflect"
	"sync"

	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/runtime"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"

	"github.com/equipoise-dp/equipoise/aggregate"
	"github.com/equipoise-dp/equipoise/internal/engine"
)

// A version is one plan under a name: a plan, or the same question with the noise of an earlier
// version of this library, which may have been paid for.
type version struct {
	fingerprint string
	shards      func(secret string, of int) (engine.Collecting, error)
}

// plans has all versions of the plans of this process.
var plans struct {
	sync.RWMutex
	named map[string][]version
}

// Register gives a plan a name, by which workers find it. Every program that runs the pipeline registers the same
// plan under it before beam.Init, best in an init function; a worker whose plan has another
// fingerprint refuses to work. A name has one plan, and a plan one name.
func Register[Row any, Unit, Group comparable](name string, p *aggregate.Plan[Row, Unit, Group]) error {
	if name == "" || p == nil {
		return errors.New("beamagg: Register needs a name and a plan")
	}
	versions := versionsOf(engine.ViewOf(p).(*engine.View[Row, Unit, Group]))
	plans.Lock()
	defer plans.Unlock()
	if _, ok := plans.named[name]; ok {
		return fmt.Errorf("beamagg: the name %q has a plan already; take another", name)
	}
	if other, ok := nameOf(p.Fingerprint()); ok {
		return fmt.Errorf("beamagg: the plan has the name %q already", other)
	}
	if plans.named == nil {
		plans.named = make(map[string][]version)
	}
	plans.named[name] = versions
	register.DoFn2x0[Row, func(int, []byte)](&placeFn[Row]{})
	runtime.RegisterType(reflect.TypeFor[Row]())
	return nil
}

func versionsOf[Row any, Unit, Group comparable](v *engine.View[Row, Unit, Group]) (versions []version) {
	for v != nil {
		shards := v.Shards
		versions = append(versions, version{v.Fingerprint, func(secret string, of int) (engine.Collecting, error) { return shards(secret, of) }})
		v, _ = v.Earlier.(*engine.View[Row, Unit, Group])
	}
	return versions
}

// nameOf returns the name of a plan. The lock is held.
func nameOf(fingerprint string) (string, bool) {
	for name, versions := range plans.named {
		for _, v := range versions {
			if v.fingerprint == fingerprint {
				return name, true
			}
		}
	}
	return "", false
}

// find returns what collects for a plan that was registered here.
func find(t task) (engine.Collecting, error) {
	plans.RLock()
	defer plans.RUnlock()
	versions, ok := plans.named[t.Plan]
	if !ok {
		return nil, fmt.Errorf("beamagg: this worker has no plan named %q; register it in its program too", t.Plan)
	}
	for _, v := range versions {
		if v.fingerprint == t.Fingerprint {
			return v.shards(t.Secret, t.Shards)
		}
	}
	return nil, fmt.Errorf("beamagg: this worker has another plan under the name %q, with fingerprint %.12s and not %.12s; run the same program everywhere", t.Plan, versions[0].fingerprint, t.Fingerprint)
}
