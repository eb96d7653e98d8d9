package rows

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"
)

// What reading a row costs, for ID, day, number and text of seven columns.
func BenchmarkRead(b *testing.B) {
	type row struct {
		Who  ID      `rows:"who"`
		At   Date    `rows:"at"`
		Paid float64 `rows:"paid"`
		Land string  `rows:"land,asis"`
	}
	r := rand.New(rand.NewPCG(1, 2))
	csv, json := bytes.NewBufferString("n,who,at,paid,land,x,y\n"), new(bytes.Buffer)
	const n = 100_000
	for i := range n {
		who, day, paid, land := fmt.Sprintf("c%07d", r.IntN(1e6)), fmt.Sprintf("2026-01-%02d", 1+r.IntN(28)), float64(r.IntN(1e5))/100, fmt.Sprintf("C%d", r.IntN(50))
		fmt.Fprintf(csv, "%d,%s,%s,%v,%s,x,y\n", i, who, day, paid, land)
		fmt.Fprintf(json, "{\"n\":%d,\"who\":%q,\"at\":%q,\"paid\":%v,\"land\":%q,\"x\":\"x\",\"y\":\"y\"}\n", i, who, day, paid, land)
	}
	for name, text := range map[string][]byte{"CSV": csv.Bytes(), "JSON": json.Bytes()} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				source, err := Read[row](b.Context(), bytes.NewReader(text), Options{Secret: NewSecret()})
				if err != nil {
					b.Fatal(err)
				}
				for _, err := range source {
					if err != nil {
						b.Fatal(err)
					}
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/row")
		})
	}
}
