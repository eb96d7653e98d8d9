package budgettest

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"maps"
	"math/rand/v2"
	"slices"

	"github.com/equipoise-dp/equipoise/budget"
)

// What somebody knows who forges a ledger: records hold the hash of the record before
// them and end with one of their own, and a release has a digest. It is written
// anew here, so that a change of the format by mistake is noticed.

const sumOpens = `,"sum":"`

// unsealed returns a record without its sum.
func unsealed(data []byte) []byte {
	if i := bytes.LastIndex(data, []byte(sumOpens)); i >= 0 {
		return append(bytes.Clone(data[:i]), '}')
	}
	return bytes.Clone(data)
}

// seal ends a record with its sum.
func seal(open []byte) []byte {
	sum := sha256.Sum256(open)
	return append(open[:len(open)-1:len(open)-1], sumOpens+hex.EncodeToString(sum[:])+`"}`...)
}

// forge changes the record at a place, if any, and then numbers, chains and seals all of them
// anew. Records whose bytes are as they were stay so.
func forge(records []budget.Record, at int, change func(fields map[string]any)) []budget.Record {
	prev := ""
	for i := range records {
		fields := map[string]any{}
		d := json.NewDecoder(bytes.NewReader(unsealed(records[i].Data)))
		d.UseNumber()
		if err := d.Decode(&fields); err != nil {
			panic(err)
		}
		before, _ := json.Marshal(fields)
		fields["seq"] = i
		if i > 0 {
			fields["prev"] = prev
		}
		if i == at {
			change(fields)
		}
		if after, _ := json.Marshal(fields); !bytes.Equal(before, after) {
			records[i].Data = seal(after)
		}
		sum := sha256.Sum256(records[i].Data)
		prev = hex.EncodeToString(sum[:])
	}
	return records
}

// forgeField changes one field of a record, to one that costs less or permits more if
// it can, or removes it.
func forgeField(r *rand.Rand, fields map[string]any) {
	names := slices.Sorted(maps.Keys(fields))
	name := names[r.IntN(len(names))]
	inner, isMap := fields[name].(map[string]any)
	switch {
	case isMap && r.IntN(4) > 0:
		forgeField(r, inner)
	case r.IntN(3) == 0:
		delete(fields, name)
	default:
		fields[name] = odd[r.IntN(len(odd))]
	}
}

var odd = []any{
	nil, "", "x", "0.01", "1e9", "2020-01-01T00:00:00Z", json.Number("0"), json.Number("1"), json.Number("-1"), json.Number("1e9"),
	true, []any{}, []any{"refused"}, []any{"basic"}, map[string]any{}, map[string]any{"epsilon": "0.01"}, map[string]any{"epsilon": "1e9"},
}

// digestOf is the digest of a stored release: of what it answers, and of its bytes.
func digestOf(account string, paid any, stored []byte) string {
	n, _ := paid.(json.Number).Int64()
	h := sha256.New()
	h.Write([]byte("equipoise kept release 1\n"))
	h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(account))))
	h.Write([]byte(account))
	h.Write(binary.BigEndian.AppendUint64(nil, uint64(n)))
	h.Write(stored)
	return hex.EncodeToString(h.Sum(nil))
}
