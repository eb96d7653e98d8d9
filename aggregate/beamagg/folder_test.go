package beamagg

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strings"
	"sync"
	"testing"

	"github.com/apache/beam/sdks/v2/go/pkg/beam/io/filesystem"

	"github.com/equipoise-dp/equipoise/aggregate"
)

// A store keeps objects as one of the more plain ones does: what is written is there when it is closed, and
// nothing is renamed, copied, removed, or written twice. It remembers what it was asked for.
type store struct {
	sync.Mutex
	objects map[string][]byte
	asked   []string
}

var objects = &store{objects: map[string][]byte{}}

func init() {
	filesystem.Register("objects", func(context.Context) filesystem.Interface { return objects })
}

var errNoObject = errors.New("no such object")

func (s *store) Close() error { return nil }

func (s *store) List(_ context.Context, glob string) (names []string, err error) {
	s.Lock()
	defer s.Unlock()
	for name := range s.objects {
		if ok, err := path.Match(glob, name); err != nil {
			return nil, err
		} else if ok {
			names = append(names, name)
		}
	}
	return names, nil
}

func (s *store) OpenRead(_ context.Context, name string) (io.ReadCloser, error) {
	s.Lock()
	defer s.Unlock()
	s.asked = append(s.asked, name)
	b, ok := s.objects[name]
	if !ok {
		return nil, errNoObject
	}
	return io.NopCloser(bytes.NewReader(b)), nil
}

type object struct {
	bytes.Buffer
	name string
}

func (s *store) OpenWrite(_ context.Context, name string) (io.WriteCloser, error) {
	return &object{name: name}, nil
}

func (o *object) Close() error {
	objects.Lock()
	defer objects.Unlock()
	if b, ok := objects.objects[o.name]; ok && !bytes.Equal(b, o.Bytes()) {
		return errors.New("objects are written once")
	}
	objects.objects[o.name] = o.Bytes()
	return nil
}

func (s *store) Size(_ context.Context, name string) (int64, error) {
	s.Lock()
	defer s.Unlock()
	if b, ok := s.objects[name]; ok {
		return int64(len(b)), nil
	}
	return -1, errNoObject
}

// In a store of objects, where nothing can be renamed, a pipeline leaves what one process collects.
func TestAPipelineNeedsNoRenaming(t *testing.T) {
	const rows = 2000
	p := salesPlans["cut"]
	j, key := jobOf(t, 5)
	j.Folder = "objects://bucket/" + t.Name()
	if err := inProcess(t.Context(), pipelineOf(t, p, j, rows)); err != nil {
		t.Fatal(err)
	}
	got, err := Open(t.Context(), p, j, key)
	if err != nil || !same(t, p, got, one(t, p, j, rows)) {
		t.Errorf("other sums, %v", err)
	}
}

// listed runs a pipeline, and returns its task, and where its list is.
func listed(t *testing.T, j Job) (ta task, list string) {
	t.Helper()
	p := salesPlans["cut"]
	if err := inProcess(t.Context(), pipelineOf(t, p, j, 1000)); err != nil {
		t.Fatal(err)
	}
	ta, shards, err := tasked(p, j)
	if err != nil {
		t.Fatal(err)
	}
	lists, err := objects.List(t.Context(), ta.listFile(shards.Name(), "*"))
	if err != nil || len(lists) != 1 {
		t.Fatal(lists, err)
	}
	return ta, lists[0]
}

// What is left of a list that is not whole, of whichever length, is not taken for one, and does no harm beside one that is.
func TestAListThatIsNotWholeIsNoList(t *testing.T) {
	p := salesPlans["cut"]
	j, key := jobOf(t, 4)
	j.Folder = "objects://bucket/" + t.Name()
	_, name := listed(t, j)
	whole := objects.objects[name]
	for _, n := range []int{0, 1, len(whole) / 2, len(whole) - 1} {
		objects.objects[name] = whole[:n]
		if _, err := Open(t.Context(), p, j, key); err == nil || !strings.Contains(err.Error(), "is not whole") {
			t.Errorf("%d bytes of a list: %v", n, err)
		}
	}
	objects.objects[name] = whole
	half := strings.Replace(name, digest(whole), strings.Repeat("0", 64), 1)
	objects.objects[half] = whole[:len(whole)/2]
	objects.objects[strings.Replace(half, "0000.json", "0001.json", 1)] = append(bytes.Clone(whole), whole...)
	if _, err := Open(t.Context(), p, j, key); err != nil {
		t.Errorf("beside halves of lists: %v", err)
	}
	delete(objects.objects, name)
	if _, err := Open(t.Context(), p, j, key); err == nil {
		t.Error("a list that is longer than its name says is taken")
	}
}

// Whoever can write into the folder can write a list. It names no file outside of the folder, and no part is
// read that it says wrong things of.
func TestAListBySomebodyElseDoesNoHarm(t *testing.T) {
	p := salesPlans["cut"]
	j, key := jobOf(t, 4)
	j.Folder = "objects://bucket/" + t.Name()
	ta, name := listed(t, j)
	whole := objects.objects[name]
	delete(objects.objects, name)
	for what, test := range map[string]struct {
		change func(parts []aggregate.Part)
		says   string
		asks   bool
	}{
		"a path":           {func(parts []aggregate.Part) { parts[1].Digest = "../../../etc/passwd" }, "64 hexadecimal digits", false},
		"another case":     {func(parts []aggregate.Part) { parts[1].Digest = strings.ToUpper(parts[1].Digest) }, "64 hexadecimal digits", false},
		"no size":          {func(parts []aggregate.Part) { parts[1].Size = 0 }, "Part.Size is 0", false},
		"endless":          {func(parts []aggregate.Part) { parts[1].Size = 1 << 62 }, "Part.Size is", false},
		"a byte less":      {func(parts []aggregate.Part) { parts[1].Size-- }, "something was written after it", true},
		"a byte more":      {func(parts []aggregate.Part) { parts[1].Size++ }, "it was cut off", true},
		"the same twice":   {func(parts []aggregate.Part) { parts[1] = parts[0] }, "in the list twice", false},
		"of another plan":  {func(parts []aggregate.Part) { parts[1].Plan = "x" }, "of another plan", false},
		"of other shards":  {func(parts []aggregate.Part) { parts[1].Shards = parts[0].Shards }, "other shards than its name says", true},
		"what is not here": {func(parts []aggregate.Part) { parts[1].Digest = strings.Repeat("0", 64) }, errNoObject.Error(), true},
	} {
		var parts []aggregate.Part
		if err := json.Unmarshal(whole, &parts); err != nil {
			t.Fatal(err)
		}
		test.change(parts)
		list, err := json.Marshal(parts)
		if err != nil {
			t.Fatal(err)
		}
		forged := strings.Replace(name, digest(whole), digest(list), 1)
		objects.objects[forged], objects.asked = list, nil
		_, err = Open(t.Context(), p, j, key)
		if err == nil || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: %v", what, err)
		}
		for _, asked := range objects.asked {
			if !strings.HasPrefix(asked, ta.Folder+"/") || strings.Contains(asked, "..") || !test.asks && asked != forged {
				t.Errorf("%s: %s was read", what, asked)
			}
		}
		delete(objects.objects, forged)
	}
}

// A list is not read beyond what so many shards can need.
func TestAListIsNotReadForEver(t *testing.T) {
	name := t.TempDir() + "/list"
	if err := os.WriteFile(name, make([]byte, 2000), 0o600); err != nil {
		t.Fatal(err)
	}
	if b, err := read(t.Context(), name, 1999); err == nil || len(b) > 2000 {
		t.Errorf("%d bytes, %v", len(b), err)
	}
	if b, err := read(t.Context(), name, 2000); err != nil || len(b) != 2000 {
		t.Errorf("%d bytes, %v", len(b), err)
	}
	var parts []aggregate.Part
	const shards = 1 << 20 // in which a list has most to say
	for i := range 1024 {
		part := aggregate.Part{Plan: strings.Repeat("0", 64), Digest: strings.Repeat("0", 64), Size: 16 << 30}
		for k := range shards / 1024 {
			part.Shards = append(part.Shards, aggregate.Shard{Number: shards - 1 - i*1024 - k, Of: shards})
		}
		parts = append(parts, part)
	}
	list, err := json.Marshal(parts)
	if most := (task{Shards: shards}).mostList(); err != nil || int64(len(list)) > most {
		t.Errorf("a list of %d bytes is not read, %d are: %v", len(list), most, err)
	}
	one, err := json.Marshal([]aggregate.Part{{Plan: strings.Repeat("0", 64), Digest: strings.Repeat("0", 64), Size: 16 << 30, Shards: []aggregate.Shard{{Number: 0, Of: 1}}}})
	if most := (task{Shards: 1}).mostList(); err != nil || int64(len(one)) > most {
		t.Errorf("a list of %d bytes is not read, %d are: %v", len(one), most, err)
	}
}

// Folders that a file system would take for a pattern are refused.
func TestFoldersAreNoPatterns(t *testing.T) {
	for _, folder := range []string{"/tmp/*", "/tmp/a?", "objects://bucket/[a]", "objects://bucket/{a,b}"} {
		if err := checkFolder(folder); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("%q", folder)) {
			t.Errorf("%s: %v", folder, err)
		}
	}
}
