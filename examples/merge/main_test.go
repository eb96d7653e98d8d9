package main

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/equipoise-dp/equipoise/dp/dptest"
)

// What a shard sums up cannot be seen; what is released can.
func Example() {
	var b bytes.Buffer
	if err := report(context.Background(), &b); err != nil {
		fmt.Println(err)
		return
	}
	for line := range strings.Lines(b.String()) {
		city, _, _ := strings.Cut(line, " ")
		if city == "collected" || city == "released" {
			fmt.Print(line)
		} else {
			fmt.Println(city, "and a number")
		}
	}
	// Output:
	// collected aggregate.Partial and aggregate.Partial
	// released rides: 2 groups of 1 column, ε=1
	// Bern and a number
	// Graz and a number
}

// Two shards give what one would: every rider counts once.
func TestShardsAddUp(t *testing.T) {
	dptest.NoNoise(t)
	want := map[string]int{}
	for half := range uint64(2) {
		for _, r := range shard(half) {
			want[r.City]++
		}
	}
	var b bytes.Buffer
	if err := report(t.Context(), &b); err != nil {
		t.Fatal(err)
	}
	for city, n := range want {
		if !strings.Contains(b.String(), fmt.Sprintf("%s %d ", city, n)) {
			t.Errorf("report\n%slacks %d riders in %s", &b, n, city)
		}
	}
}
