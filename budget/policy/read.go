package policy

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/internal/exact"
)

// MaxSize bounds what a document may have, in bytes.
const MaxSize = 1 << 18

// Parse reads a document from JSON. It returns every mistake, joined, with the field, its
// value, the rule and what to do.
func Parse(text []byte) (*Policy, error) {
	p, err := ParseRecorded(text)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(p.checkNew()...); err != nil {
		return nil, err
	}
	return p, nil
}

// ParseRecorded is [Parse] for a document that is on record, which may have been accepted by
// a version of the library that asked less. Most users won't need it: accounts use it.
func ParseRecorded(text []byte) (*Policy, error) {
	if len(text) > MaxSize {
		return nil, fmt.Errorf("policy: the document has %d bytes, must have at most %d", len(text), MaxSize)
	}
	root, err := tree(text)
	if err != nil {
		return nil, fmt.Errorf("policy: the document is not JSON: %w", err)
	}
	r, p := &reader{}, &Policy{}
	r.object("", root, p.fields(r))
	if len(r.errs) == 0 {
		r.errs = append(r.errs, p.check()...)
	}
	if err := errors.Join(r.errs...); err != nil {
		return nil, err
	}
	return p, nil
}

// A member is one name of an object, in the order of the text, so that a name that is
// there twice is seen.
type member struct {
	name  string
	value any // string, json.Number, bool, nil, []any, []member
}

func tree(text []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	root, err := node(d, 0)
	if err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something follows the document")
	}
	return root, nil
}

func node(d *json.Decoder, depth int) (any, error) {
	t, err := d.Token()
	if errors.Is(err, io.EOF) {
		return nil, io.ErrUnexpectedEOF
	}
	open, isDelim := t.(json.Delim)
	switch {
	case err != nil || !isDelim:
		return t, err
	case depth > 10:
		return nil, errors.New("it is nested more than ten deep")
	}
	members, list := []member{}, []any{}
	for d.More() {
		m := member{}
		if open == '{' {
			name, err := d.Token()
			if err != nil {
				return nil, err
			}
			m.name = name.(string) // what the decoder gives there
		}
		if m.value, err = node(d, depth+1); err != nil {
			return nil, err
		}
		members, list = append(members, m), append(list, m.value)
	}
	if _, err := d.Token(); err != nil {
		return nil, err
	}
	if open == '{' {
		return members, nil
	}
	return list, nil
}

// A reader collects mistakes.
type reader struct{ errs []error }

func (r *reader) fail(path, format string, args ...any) {
	r.errs = append(r.errs, fmt.Errorf("policy: %s "+format, append([]any{path}, args...)...))
}

// A field reads one value into its place.
type field struct {
	read     func(path string, v any)
	optional bool
}

func under(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// object reads the members of an object: each that is known, once.
func (r *reader) object(path string, v any, fields map[string]field) {
	members, ok := v.([]member)
	if !ok {
		r.fail(whole(path), "is %s, must be an object", shown(v))
		return
	}
	seen := map[string]bool{}
	for _, m := range members {
		f, known := fields[m.name]
		switch at := under(path, m.name); {
		case !known:
			r.fail(at, "is not a field that a policy has; %s has %s", whole(path), names(fields))
		case seen[m.name]:
			r.fail(at, "is there twice; leave one")
		default:
			f.read(at, m.value)
		}
		seen[m.name] = true
	}
	for _, name := range sorted(fields) {
		if !seen[name] && !fields[name].optional {
			r.fail(under(path, name), "is missing, must be given")
		}
	}
}

// each reads the members of an object whose names are free.
func (r *reader) each(path string, v any, read func(name, path string, v any)) {
	members, ok := v.([]member)
	if !ok {
		r.fail(path, "is %s, must be an object", shown(v))
		return
	}
	seen := map[string]bool{}
	for _, m := range members {
		at := fmt.Sprintf("%s[%q]", path, m.name)
		switch {
		case seen[m.name]:
			r.fail(at, "is there twice; leave one")
		case m.name == "" || len(m.name) > 512:
			r.fail(at, "has a name of %d bytes, must have 1 to 512", len(m.name))
		default:
			read(m.name, at, m.value)
		}
		seen[m.name] = true
	}
}

// longest bounds a text of a document, in bytes.
const longest = 4096

func (r *reader) text(to *string) field {
	return field{read: func(path string, v any) {
		s, ok := v.(string)
		switch {
		case !ok:
			r.fail(path, "is %s, must be text", shown(v))
		case strings.TrimSpace(s) == "":
			r.fail(path, "is empty, must say something")
		case len(s) > longest:
			r.fail(path, "has %d bytes, must have at most %d", len(s), longest)
		default:
			*to = s
		}
	}}
}

func (r *reader) oneOf(to *string, words ...string) field {
	return field{read: func(path string, v any) {
		s, _ := v.(string)
		if !slices.Contains(words, s) {
			r.fail(path, "is %s, must be one of %q", shown(v), words)
			return
		}
		*to = s
	}}
}

func (r *reader) count(to *int, least int) field {
	return field{read: func(path string, v any) {
		n, ok := v.(json.Number)
		i, err := strconv.ParseInt(string(n), 10, 53)
		if !ok || err != nil || i < int64(least) {
			r.fail(path, "is %s, must be an integer from %d on", shown(v), least)
			return
		}
		*to = int(i)
	}}
}

func (r *reader) bool(to *bool) field {
	return field{read: func(path string, v any) {
		b, ok := v.(bool)
		if !ok {
			r.fail(path, "is %s, must be true or false", shown(v))
			return
		}
		*to = b
	}}
}

func (r *reader) day(to *time.Time) field {
	return field{read: func(path string, v any) {
		s, _ := v.(string)
		t, err := time.Parse(time.DateOnly, s)
		if err != nil {
			r.fail(path, "is %s, must be a day such as \"2027-12-31\"", shown(v))
			return
		}
		*to = t
	}}
}

func (r *reader) texts(to *[]string, least int) field {
	return field{read: func(path string, v any) {
		list, ok := v.([]any)
		if !ok || len(list) < least {
			r.fail(path, "is %s, must be a list of at least %d texts", shown(v), least)
			return
		}
		for i, x := range list {
			var s string
			r.text(&s).read(fmt.Sprintf("%s[%d]", path, i), x)
			if s != "" && slices.Contains(*to, s) {
				r.fail(path, "has %q twice; leave one", s)
			}
			*to = append(*to, s)
		}
	}}
}

// loss reads what dp.UnmarshalLoss does.
func (r *reader) loss(to *dp.Loss) field {
	return field{read: func(path string, v any) {
		text, err := json.Marshal(plain(v))
		if err == nil {
			*to, err = dp.UnmarshalLoss(text)
		}
		if err != nil {
			r.fail(path, "is %s, must be a loss such as \"epsilon=1,delta=1e-6\": %w", shown(v), err)
		}
	}}
}

// amount reads a decimal, exactly, or a duration such as "4h", in nanoseconds, and whether it is one.
func (r *reader) amount(to **big.Rat, duration *bool) field {
	return field{read: func(path string, v any) {
		n, ok := v.(json.Number)
		s, isText := v.(string)
		if ok {
			s = string(n)
		}
		if d, err := time.ParseDuration(s); isText && err == nil {
			*to, *duration = new(big.Rat).SetInt64(int64(d)), true
			return
		}
		x, err := strconv.ParseFloat(s, 64)
		if err != nil || exact.Decimal(x) == nil || len(s) > 40 {
			r.fail(path, "is %s, must be a number, or a duration such as \"4h\"", shown(v))
			return
		}
		*to = exactly(s, x)
	}}
}

// exactly returns an integer as it is written, and any other number as the decimal that a
// value of rows would be.
func exactly(s string, x float64) *big.Rat {
	if i, ok := new(big.Int).SetString(s, 10); ok {
		return new(big.Rat).SetInt(i)
	}
	return exact.Decimal(x)
}

// plain is a tree as encoding/json writes it.
func plain(v any) any {
	members, ok := v.([]member)
	if !ok {
		return v
	}
	m := map[string]any{}
	for _, x := range members {
		m[x.name] = plain(x.value)
	}
	return m
}

// shown is a value in a message.
func shown(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case []member:
		return "an object"
	case []any:
		return fmt.Sprintf("a list of %d", len(v))
	case string:
		return fmt.Sprintf("%.80q", v)
	}
	return fmt.Sprint(v)
}

func whole(path string) string {
	if path == "" {
		return "the document"
	}
	return path
}

func names(fields map[string]field) string { return strings.Join(sorted(fields), ", ") }

func sorted(fields map[string]field) []string {
	var all []string
	for name := range fields {
		all = append(all, name)
	}
	slices.Sort(all)
	return all
}
