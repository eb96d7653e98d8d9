// Package policyyaml reads a policy from YAML. It is apart from package policy so that an
// account needs no YAML.
package policyyaml

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/equipoise-dp/equipoise/budget/policy"
)

// Parse reads a document from YAML, or from JSON, which is YAML too. It is as strict as
// [policy.Parse], and returns every mistake, joined. Numbers are as they are written;
// anchors, tags and a second document are refused.
func Parse(text []byte) (*policy.Policy, error) {
	if len(text) > policy.MaxSize {
		return nil, fmt.Errorf("policy: the document has %d bytes, must have at most %d", len(text), policy.MaxSize)
	}
	d := yaml.NewDecoder(strings.NewReader(string(text)))
	var root yaml.Node
	if err := d.Decode(&root); err != nil {
		return nil, fmt.Errorf("policy: the document is not YAML: %w", err)
	}
	if err := d.Decode(&yaml.Node{}); !errors.Is(err, io.EOF) {
		return nil, errors.New("policy: a second YAML document follows; a policy is one")
	}
	var w writer
	w.node(root.Content[0])
	if err := errors.Join(w.errs...); err != nil {
		return nil, err
	}
	return policy.Parse([]byte(w.String()))
}

// A writer writes YAML as JSON, with names that are there twice, so that policy.Parse says
// so.
type writer struct {
	strings.Builder
	errs []error
}

func (w *writer) fail(n *yaml.Node, what string) {
	w.errs = append(w.errs, fmt.Errorf("policy: line %d of the YAML %s", n.Line, what))
}

func (w *writer) node(n *yaml.Node) {
	if n.Anchor != "" || n.Style&yaml.TaggedStyle != 0 {
		w.fail(n, "has an anchor or a tag; write what is meant")
	}
	switch n.Kind {
	case yaml.MappingNode:
		w.mapping(n)
	case yaml.SequenceNode:
		w.list("[", "]", n.Content, func(i int) { w.node(n.Content[i]) })
	case yaml.ScalarNode:
		w.scalar(n)
	default:
		w.fail(n, "refers to another place; write what is meant")
	}
}

func (w *writer) mapping(n *yaml.Node) {
	names := []*yaml.Node{}
	for i := 0; i < len(n.Content); i += 2 {
		names = append(names, n.Content[i])
	}
	w.list("{", "}", names, func(i int) {
		if names[i].Kind != yaml.ScalarNode {
			w.fail(names[i], "has a name that is not text")
		}
		w.text(names[i].Value)
		w.WriteString(":")
		w.node(n.Content[2*i+1])
	})
}

func (w *writer) list(open, closing string, of []*yaml.Node, each func(i int)) {
	w.WriteString(open)
	for i := range of {
		if i > 0 {
			w.WriteString(",")
		}
		each(i)
	}
	w.WriteString(closing)
}

func (w *writer) text(s string) {
	b, err := json.Marshal(s)
	if err != nil {
		panic("policy: internal error: a text cannot be written: " + err.Error())
	}
	w.Write(b)
}

// scalar writes numbers, booleans and null as they are, and everything else as text: days
// too.
func (w *writer) scalar(n *yaml.Node) {
	switch n.ShortTag() {
	case "!!int", "!!float":
		if !json.Valid([]byte(n.Value)) {
			w.fail(n, fmt.Sprintf("has the number %.40q; write it in decimal, or put it in quotes", n.Value))
		}
		w.WriteString(n.Value)
	case "!!bool":
		w.WriteString(strings.ToLower(n.Value))
	case "!!null":
		w.WriteString("null")
	default:
		w.text(n.Value)
	}
}
