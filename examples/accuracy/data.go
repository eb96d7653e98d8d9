package main

import (
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/equipoise-dp/equipoise/examples/trends/data"
)

// A set is data of one group with one value for each unit.
type set struct {
	Name         string
	Lower, Upper float64 // what is known of the values without looking at them
	Step         float64 // values are multiples of it; 0 where they are not granular
	values       []float64
}

// sets returns the data sets of one size. The same size gives the same data.
func sets(n int) ([]set, error) {
	bought, err := purchases(n)
	if err != nil {
		return nil, err
	}
	return []set{
		draw("uniform", n, 0, 1, 0, func(r *rand.Rand) float64 { return r.Float64() }),
		draw("gaussian", n, -10, 10, 0, (*rand.Rand).NormFloat64),
		draw("lognormal", n, 0, 1e4, 0, func(r *rand.Rand) float64 { return math.Exp(3 + 1.2*r.NormFloat64()) }),
		draw("lognormal, wide bounds", n, 0, 1e6, 0, func(r *rand.Rand) float64 { return math.Exp(3 + 1.2*r.NormFloat64()) }),
		draw("prices", n, 0, 1000, 0.01, price(n)),
		bought,
	}, nil
}

func draw(name string, n int, lower, upper, step float64, law func(*rand.Rand) float64) set {
	r := rand.New(rand.NewPCG(uint64(n), uint64(len(name))))
	s := set{Name: name, Lower: lower, Upper: upper, Step: step}
	for range n {
		s.values = append(s.values, min(max(law(r), lower), upper))
	}
	return s
}

// price returns a law of 200 price points, some of them far more popular: as
// in a shop, most of them end in 99 cents.
func price(seed int) func(*rand.Rand) float64 {
	r := rand.New(rand.NewPCG(uint64(seed), 200))
	points := make([]float64, 200)
	for i := range points {
		points[i] = math.Floor(math.Exp(2.5+1.2*r.NormFloat64())) + 0.99
	}
	z := rand.NewZipf(r, 1.1, 2, uint64(len(points)-1))
	return func(*rand.Rand) float64 { return points[z.Uint64()] }
}

// A spending is what one unit spent in one group, once.
type spending struct {
	unit, group string
	amount      float64
}

// monthly returns the purchases of the embedded shop, by customer and month.
func monthly() (rows []spending, err error) {
	z, err := gzip.NewReader(bytes.NewReader(data.Purchases))
	if err != nil {
		return nil, err
	}
	lines, err := csv.NewReader(z).ReadAll()
	if err != nil {
		return nil, err
	}
	for _, line := range lines[1:] {
		dollars, err := strconv.ParseFloat(line[3], 64)
		if err != nil {
			return nil, err
		}
		rows = append(rows, spending{line[0], line[1][:len("1997-01")], dollars})
	}
	return rows, nil
}

// purchases returns what n customers of the embedded shop spent in all, in dollars.
func purchases(n int) (set, error) {
	rows, err := monthly()
	if err != nil {
		return set{}, err
	}
	spent, order := map[string]float64{}, []string(nil)
	for _, r := range rows {
		if _, ok := spent[r.unit]; !ok {
			order = append(order, r.unit)
		}
		spent[r.unit] += r.amount
	}
	if len(order) < n {
		return set{}, fmt.Errorf("the purchases have fewer than %d customers", n)
	}
	rand.New(rand.NewPCG(uint64(n), 1997)).Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
	s := set{Name: "purchases", Lower: 0, Upper: 2000, Step: 0.01}
	for _, customer := range order[:n] {
		s.values = append(s.values, min(math.Round(spent[customer]*100)/100, s.Upper))
	}
	return s, nil
}

// A crowd is units that are in several groups, popular ones and rare ones, as
// customers are in shops: crowd[u] lists the groups of a unit.
type crowd [][]int32

// zipfCrowd draws units in one to a hundred of a hundred thousand groups.
func zipfCrowd(units int) crowd {
	r := rand.New(rand.NewPCG(uint64(units), 7))
	popular := rand.NewZipf(r, 1.05, 20, 100_000-1)
	sizes := rand.NewZipf(r, 1.3, 3, 100-1)
	c := make(crowd, units)
	for u := range c {
		for range 1 + sizes.Uint64() {
			c[u] = append(c[u], int32(popular.Uint64()))
		}
		slices.Sort(c[u])
		c[u] = slices.Compact(c[u])
	}
	return c
}

// denseCrowd is units that are all in all of the groups.
func denseCrowd(units, groups int) crowd {
	c := make(crowd, units)
	for u := range c {
		for g := range groups {
			c[u] = append(c[u], int32(g))
		}
	}
	return c
}

// writeData writes the sets as CSV files, one value a line, for programs in other
// languages.
func writeData(folder string, sizes []int) error {
	if err := os.MkdirAll(folder, 0o777); err != nil {
		return err
	}
	for _, n := range sizes {
		all, err := sets(n)
		if err != nil {
			return err
		}
		for _, s := range all {
			err := writeFile(filepath.Join(folder, fmt.Sprintf("%s-%d.csv", s.Name, n)), s.write)
			if err != nil {
				return err
			}
		}
	}
	return writeFile(filepath.Join(folder, "README"), func(w io.Writer) error {
		_, err := io.WriteString(w, "The first line of each file holds the bounds and the step, 0 if there is none.\n")
		return err
	})
}

func (s set) write(w io.Writer) error {
	fmt.Fprintf(w, "%v,%v,%v\n", s.Lower, s.Upper, s.Step)
	for _, v := range s.values {
		if _, err := fmt.Fprintln(w, v); err != nil {
			return err
		}
	}
	return nil
}
