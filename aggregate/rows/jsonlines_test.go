package rows

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// Random rows that package json writes are read as what was written: numbers as numbers or as texts, with
// columns that nobody asks for, spaces anywhere, and compressed or not.
func TestWhatIsWrittenAsJSONIsRead(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	pick := func(s ...string) string { return s[r.IntN(len(s))] }
	for range 300 {
		var want []line
		var content bytes.Buffer
		for range r.IntN(6) {
			l := line{
				Unit: pick("ann", `say "hi"`, "back\\slash", "Ünal", "a\u2028b", "<&>", "{[,]}", "7"), Group: pick("", "NA", "é", "a\nb", `\`, "東京"),
				Date: Date{2026, 1, 1 + r.IntN(28)}, Value: float64(r.IntN(4_000_000)-2_000_000) / 8,
			}
			want = append(want, l)
			object := map[string]any{
				"who": l.Unit, "land": l.Group, "at": fmt.Sprintf("2026-01-%02d", l.Date.Day), "paid": l.Value,
				pick("x", "whom", " "): []any{map[string]string{"who": `"}]`}, nil}, pick("y", "WHO"): pick("", `\"`),
			}
			if r.IntN(3) == 0 {
				object["paid"] = strconv.FormatFloat(l.Value, 'g', -1, 64)
			}
			if l.Group == "" && r.IntN(2) == 0 {
				delete(object, "land")
			}
			text, err := json.Marshal(object)
			if err != nil {
				t.Fatal(err)
			}
			if r.IntN(3) == 0 {
				var b bytes.Buffer
				if err := json.Indent(&b, text, "", " \t"); err != nil {
					t.Fatal(err)
				}
				text = []byte(strings.ReplaceAll(b.String(), "\n", pick(" ", "\t", "")))
			}
			content.Write(text)
			content.WriteString(pick("\n", "\r\n", "\n\n \n"))
		}
		if len(want) == 0 {
			continue
		}
		content.WriteString(`{"land":"the column is there"}`) // and the row is left out
		o := Options{Format: Format{Missing: Skip}}
		got, err := readAs[line](t, packedAs(t, r.IntN(4), content.Bytes()), o)
		if err != nil {
			t.Fatalf("%v\n%s", err, content.String())
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("%s\n%s", diff, content.String())
		}
	}
}

// packedAs compresses a content in one of some ways, or not at all.
func packedAs(t *testing.T, how int, content []byte) string {
	t.Helper()
	var b bytes.Buffer
	var err error
	switch how {
	case 0:
		w := gzip.NewWriter(&b)
		_, err = w.Write(content)
		w.Close()
	case 1:
		w, failed := zstd.NewWriter(&b)
		if failed != nil {
			t.Fatal(failed)
		}
		_, err = w.Write(content)
		w.Close()
	case 2:
		b.WriteString("\ufeff")
		b.Write(content)
	default:
		b.Write(content)
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}
