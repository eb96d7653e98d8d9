// Package keys orders, writes and reads the keys of groups, whatever their
// type, in a way that depends on nothing but the keys.
package keys

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// Check returns an error if values of type t cannot be told apart by their
// content (pointers, interfaces, channels, floats) or, where they must be
// stored, cannot be read back (unexported fields).
func Check(t reflect.Type, stored bool) error {
	if t == reflect.TypeFor[time.Time]() {
		return errors.New("time.Time does not compare by content: one moment has several; use the name of its day, week, month, quarter or year, such as aggregate.Month.Name(t), or t.UnixNano()")
	}
	switch t.Kind() {
	case reflect.Bool, reflect.String,
		reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return nil
	case reflect.Array:
		return Check(t.Elem(), stored)
	case reflect.Struct:
		return checkStruct(t, stored)
	}
	return fmt.Errorf("%v is of kind %v, which does not compare by content; use integers, strings, booleans, or arrays and structs of them", t, t.Kind())
}

func checkStruct(t reflect.Type, stored bool) error {
	for i := range t.NumField() {
		f := t.Field(i)
		if stored && !f.IsExported() {
			return fmt.Errorf("%v has the unexported field %s, so a stored release could not be read back; export it", t, f.Name)
		}
		if err := Check(f.Type, stored); err != nil {
			return fmt.Errorf("field %s of %v: %w", f.Name, t, err)
		}
	}
	return nil
}

// Shape describes a type by its kinds and field names, so that two types whose
// keys are written alike can be told apart.
func Shape(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Array:
		return fmt.Sprintf("[%d]%s", t.Len(), Shape(t.Elem()))
	case reflect.Struct:
		var fields []string
		for i := range t.NumField() {
			fields = append(fields, t.Field(i).Name+" "+Shape(t.Field(i).Type))
		}
		return "{" + strings.Join(fields, "; ") + "}"
	}
	return t.Kind().String()
}

func parts(v reflect.Value) (n int, part func(reflect.Value, int) reflect.Value) {
	if v.Kind() == reflect.Struct {
		return v.NumField(), reflect.Value.Field
	}
	return v.Len(), reflect.Value.Index
}

// Encode returns a text that stands for the key and for no other of its type.
func Encode[K comparable](k K) string { return string(NewWriter[K]().Append(nil, k)) }

func unquote(s string) (string, error) {
	if !strings.HasPrefix(s, "\x00") {
		return s, nil
	}
	b, err := hex.DecodeString(s[1:])
	return string(b), err
}

// Decode reads what Encode wrote.
func Decode[K comparable](text string) (K, error) {
	var k K
	var texts []string
	if err := json.Unmarshal([]byte(text), &texts); err != nil {
		return k, fmt.Errorf("keys: %w", err)
	}
	rest, err := fill(reflect.ValueOf(&k).Elem(), texts)
	if err == nil && len(rest) > 0 {
		err = fmt.Errorf("keys: %d values too many for %T", len(rest), k)
	}
	return k, err
}

func fill(v reflect.Value, texts []string) (rest []string, err error) {
	if k := v.Kind(); k == reflect.Struct || k == reflect.Array {
		n, part := parts(v)
		for i := range n {
			if texts, err = fill(part(v, i), texts); err != nil {
				return nil, err
			}
		}
		return texts, nil
	}
	if len(texts) == 0 {
		return nil, fmt.Errorf("keys: no value for a %v", v.Type())
	}
	return texts[1:], fillLeaf(v, texts[0])
}

func fillLeaf(v reflect.Value, text string) error {
	switch {
	case v.Kind() == reflect.Bool:
		b, err := strconv.ParseBool(text)
		v.SetBool(b)
		return err
	case v.CanInt():
		i, err := strconv.ParseInt(text, 10, v.Type().Bits())
		v.SetInt(i)
		return err
	case v.CanUint():
		u, err := strconv.ParseUint(text, 10, v.Type().Bits())
		v.SetUint(u)
		return err
	}
	s, err := unquote(text)
	v.SetString(s)
	return err
}
