package aggregate

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/maphash"
	"iter"
	"math/bits"
	"os"
	"reflect"
	"strings"
	"sync"

	"github.com/equipoise-dp/equipoise/internal/bound"
	"github.com/equipoise-dp/equipoise/internal/cmac"
	"github.com/equipoise-dp/equipoise/internal/keys"
)

// A Shard is one of several slices of all units, by a hash whose key is a secret. Every unit
// is in one of Of shards, and whoever has the secret knows in which. A Shard can stand in the
// description of a job: it says where the secret is, and not what it is.
type Shard struct {
	Number int `json:"number"` // from 0 on
	Of     int `json:"of"`

	// Secret is "file:" and a path, or "env:" and the name of a variable, where the process
	// that collects finds the secret: at least 32 bytes that nobody can guess, such as openssl
	// rand -hex 32 makes. Space around them does not count. Take a new one for every release: it also makes
	// the choices of rows, and a part that has another is not of this release.
	Secret string `json:"secret,omitempty"`
}

// mostShards is how many shards there may be, and parts in a Partial.
const mostShards = 1 << 20

func (s Shard) String() string { return fmt.Sprintf("shard %d of %d", s.Number, s.Of) }

// check returns every mistake but that of the secret, joined.
func (s Shard) check() error {
	var errs []error
	if s.Of < 1 || s.Of > mostShards {
		errs = append(errs, fmt.Errorf("aggregate: Shard.Of is %d, must be 1 to %d", s.Of, mostShards))
	} else if s.Number < 0 || s.Number >= s.Of {
		errs = append(errs, fmt.Errorf("aggregate: Shard.Number is %d, must be 0 to %d: shards are counted from 0", s.Number, s.Of-1))
	}
	return errors.Join(errs...)
}

// CollectShard is [Plan.Collect] for the units of one shard; rows of others are left out,
// so it does not matter who else reads them. Nothing else about the rows can make it fail.
//
// Which rows count where caps cut off follows from the secret and from the unit's own rows. So
// whoever reads the same rows again, in any order and from any sources, collects the same, and all
// shards together are what one process would collect. For that it keeps all rows of the groups that count
// until the last is read, and not only those that the caps let through. Proof: docs/proofs/bounding.md.
//
// All workers must run the same program. Parts whose units have other types are refused together, but
// nobody can see that two versions of Query.Unit write one unit in two ways, who then counts twice.
func (p *Plan[Row, Unit, Group]) CollectShard(ctx context.Context, s Shard, rows ...iter.Seq2[Row, error]) (*Partial[Group], error) {
	sliced, err := p.sliced(s)
	if err != nil {
		return nil, err
	}
	return p.collect(ctx, maphash.MakeSeed(), sliced, rows...)
}

// ShardOf returns what says which of so many shards a unit is in, for whoever splits rows
// before they are collected. The secret is that of [Shard]. What is returned is safe for
// concurrent use.
func (p *Plan[Row, Unit, Group]) ShardOf(secret string, of int) (func(Unit) int, error) {
	sliced, err := p.sliced(Shard{Of: of, Secret: secret})
	if err != nil {
		return nil, err
	}
	return func(u Unit) int {
		at, _ := hashOf(sliced.units, u)
		return placeOf(at, of)
	}, nil
}

// placeOf returns in which of so many slices of equal length a hash is.
func placeOf(hash uint64, of int) int {
	place, _ := bits.Mul64(hash, uint64(of))
	return int(place)
}

// sliced is what makes the choices of a shard.
type sliced struct {
	origin
	seals         []byte // what authenticates its parts
	units, groups *sync.Pool
}

// sliced finds the secret. Which slice a unit is in depends on how it is written, and so on its
// type: parts of workers whose units have other types are of another space, and are refused together.
func (p *Plan[Row, Unit, Group]) sliced(s Shard) (*sliced, error) {
	secret, err := secretAt(s.Secret)
	if err := errors.Join(s.check(), err); err != nil {
		return nil, err
	}
	defer clear(secret)
	sliced := p.choosing(secret)
	sliced.origin = origin{space: space(derived(secret, "space of "+keys.Shape(reflect.TypeFor[Unit]()))), keyed: true, number: uint32(s.Number), of: uint32(s.Of)}
	sliced.seals = derived(secret, "seals")
	return sliced, nil
}

// choosing returns choices by a secret. Slices are the same for all plans, so that rows need not be
// split anew for each; choices are not.
func (p *Plan[Row, Unit, Group]) choosing(secret []byte) *sliced {
	return &sliced{units: hashes(derived(secret, "units")), groups: hashes(derived(secret, "groups "+p.fingerprint))}
}

// derived returns a key for one use.
func derived(secret []byte, use string) []byte {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte("equipoise shards 2 " + use))
	return mac.Sum(nil)
}

// chosenBy returns the hashes that make the choices of a shard.
func chosenBy[Unit, Group comparable](s *sliced) *bound.Keyed[Unit, Group] {
	return &bound.Keyed[Unit, Group]{
		Unit: func(u Unit) (uint64, bool) {
			at, hash := hashOf(s.units, u)
			return hash, placeOf(at, int(s.of)) == int(s.number)
		},
		Group: func(k Group) uint64 {
			_, hash := hashOf(s.groups, k)
			return hash
		},
		ByValue: true,
	}
}

// A hasher is memory to hash with.
type hasher struct {
	mac  *cmac.CMAC
	text []byte
}

func hashes(key []byte) *sync.Pool {
	return &sync.Pool{New: func() any { return &hasher{mac: cmac.New(key)} }}
}

// hashOf returns two numbers of the AES-CMAC of a unit or a group, which are as independent as
// random ones.
func hashOf[T comparable](pool *sync.Pool, of T) (a, b uint64) {
	h := pool.Get().(*hasher)
	defer pool.Put(h)
	h.text = keys.Append(h.text[:0], of)
	sum := h.mac.Sum(h.text)
	return binary.BigEndian.Uint64(sum[:]), binary.BigEndian.Uint64(sum[8:])
}

// leastSecret is how many bytes a secret has at least.
const leastSecret = 32

// secretAt reads a secret. What it is does not stand in an error, nor does a reference that
// may be one by mistake.
func secretAt(reference string) (secret []byte, err error) {
	kind, at, _ := strings.Cut(reference, ":")
	switch kind {
	case "file":
		secret, err = os.ReadFile(at)
		if err != nil {
			return nil, fmt.Errorf("aggregate: reading the secret of shards: %w", err)
		}
	case "env":
		text, ok := os.LookupEnv(at)
		if !ok {
			return nil, fmt.Errorf("aggregate: Shard.Secret names the environment variable %q, which is not set", at)
		}
		secret = []byte(text)
	default:
		return nil, errors.New(`aggregate: Shard.Secret must be "file:" and a path, or "env:" and the name of a variable; the secret itself is never given`)
	}
	if secret = []byte(strings.TrimSpace(string(secret))); len(secret) < leastSecret {
		return nil, fmt.Errorf("aggregate: the secret that Shard.Secret names has fewer than %d bytes; make one with: openssl rand -hex 32", leastSecret)
	}
	return secret, nil
}
