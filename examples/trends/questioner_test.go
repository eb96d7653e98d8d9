package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math/big"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/equipoise-dp/equipoise/dp/dptest"
)

// Random files are reported without noise as a plain reference counts them: from
// the bytes of the file to the numbers in JSON and CSV.
func TestRandomFilesAreCountedAsTheReferenceDoes(t *testing.T) {
	dptest.NoNoise(t)
	files := 30
	if *long {
		files = 1000
	}
	for seed := range files {
		f := drawFile(uint64(seed))
		if problem := f.report(t); problem != "" {
			t.Errorf("file %d: %s\nflags %q\n%s", seed, problem, f.args, clip(f.text))
		}
		if t.Failed() {
			return
		}
	}
}

func clip(text string) string {
	if len(text) > 4000 {
		return text[:4000] + "…"
	}
	return text
}

// A sale is a row of a random file, before it is written.
type sale struct {
	unit, group string
	day         time.Time
	amount      string // a decimal
	missing     string // the column that has a mark instead
}

// A file is a random file, and the flags that it is reported with.
type file struct {
	*rand.Rand
	sales    []sale
	valued   bool
	grouped  bool
	groups   []string // that are given
	period   string
	from, to time.Time // zero if periods are selected
	lower    *big.Rat
	upper    *big.Rat
	step     *big.Rat
	maxRows  int
	missing  string // what -missing says
	form     []string
	name     string
	text     string
	args     []string
}

func one[T any](r *rand.Rand, xs ...T) T { return xs[r.IntN(len(xs))] }

func drawFile(seed uint64) *file {
	r := rand.New(rand.NewPCG(seed, 17))
	f := &file{Rand: r, valued: r.IntN(4) > 0, grouped: r.IntN(3) == 0, period: one(r, "day", "week", "month", "month", "quarter")}
	f.maxRows = 1 + r.IntN(6)
	f.name = one(r, "in.csv", "in.csv", "Sales 2025.txt", "straße.csv")
	f.missing = one(r, "", "", "skip", "zero")
	f.drawBounds()
	f.drawSales()
	f.drawRange()
	f.write()
	f.drawFlags()
	return f
}

func (f *file) drawBounds() {
	bounds := one(f.Rand, [3]string{"0", "100", "1"}, [3]string{"0", "250", "0.01"}, [3]string{"-20", "80.5", "0.5"}, [3]string{"5", "6", "0.1"}, [3]string{"-9", "-1", "2"})
	f.lower, f.upper, f.step = decimalOf(bounds[0]), decimalOf(bounds[1]), decimalOf(bounds[2])
}

func (f *file) drawSales() {
	first := time.Date(2024, 12, 20, 0, 0, 0, 0, time.UTC).AddDate(0, 0, f.IntN(40))
	units := 1 + f.IntN(12)
	for range one(f.Rand, 0, 1, 3, 20, 60) {
		s := sale{unit: drawUnit(f.IntN(units)), day: first.AddDate(0, 0, f.IntN(one(f.Rand, 3, 40, 120)))}
		s.group = one(f.Rand, "A", "B", "north, south", "say \"hi\"", "Köln", "Käln", "two\nlines", "", "07", "x")
		s.amount = strconv.FormatFloat(float64(f.IntN(20000)-2000)/one(f.Rand, 1., 10, 100, 1000), 'f', -1, 64)
		if f.IntN(4) == 0 {
			s.amount = one(f.Rand, "0.45", "0.005", "1e3", "-0", "99999999999", "12.5", ".5", "+3", "1E-3", "100")
		}
		if f.missing != "" && f.IntN(6) == 0 {
			s.missing = "amount"
			if f.missing == "skip" {
				s.missing = one(f.Rand, "amount", "customer", "date")
			}
		}
		f.sales = append(f.sales, s)
	}
	if f.IntN(3) == 0 { // one unit with more rows than anybody would think of
		busy := sale{unit: drawUnit(0), group: "A", day: first.AddDate(0, 0, 10), amount: "0.05"}
		for range 1200 {
			f.sales = append(f.sales, busy)
		}
	}
}

func drawUnit(i int) string {
	return []string{"1", "01", "a", "A", "ä", "a b", "x,y", "\"q\"", "1.0", "0", "-1", "zz"}[i]
}

func (f *file) drawRange() {
	if f.IntN(3) > 0 {
		f.from = time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, f.IntN(30))
		f.to = f.from.AddDate(0, 0, f.IntN(90))
	}
	if f.grouped && !f.from.IsZero() && f.IntN(3) > 0 {
		f.groups = []string{"A", "x", "Köln", "nobody"}[:1+f.IntN(4)]
	}
}

// write makes the file: columns in any order, others beside them, quotes where
// they must be and where they need not, either kind of line end.
func (f *file) write() {
	columns := []string{"customer", "date", "amount", "region", "note"}
	f.Shuffle(len(columns), func(i, j int) { columns[i], columns[j] = columns[j], columns[i] })
	layout := one(f.Rand, "2006-01-02", "2006-01-02", "20060102", "2006/01/02", "02.01.2006", "2006-01-02 15:04:05", "2006-01-02T15:04:05Z", "2006-01-02 15:04", "2 January 2006")
	end := one(f.Rand, "\n", "\r\n")
	delimiter, decimal := one(f.Rand, ",", ",", ";", "\t", "|"), one(f.Rand, ".", ".", ",")
	quoteAll := f.IntN(4) == 0
	var b strings.Builder
	line := func(field func(column string) string) {
		for i, c := range columns {
			if i > 0 {
				b.WriteString(delimiter)
			}
			text := field(c)
			if quoteAll || strings.ContainsAny(text, delimiter+"\"\n") || f.IntN(10) == 0 {
				text = `"` + strings.ReplaceAll(text, `"`, `""`) + `"`
			}
			b.WriteString(text)
		}
		b.WriteString(end)
	}
	line(func(c string) string { return c })
	for _, s := range f.sales {
		at := s.day.Add(time.Duration(f.IntN(86400)) * time.Second)
		line(func(c string) string {
			if c == s.missing && c == "customer" {
				return ""
			}
			if c == s.missing {
				return one(f.Rand, "", "NA", "n/a", "null", "NaN")
			}
			return map[string]string{"customer": s.unit, "date": at.Format(layout), "amount": strings.ReplaceAll(s.amount, ".", decimal), "region": s.group,
				"note": one(f.Rand, "", "=1+1", "n/a", "\"", "ä,ö", "multi\nline")}[c]
		})
	}
	f.text = b.String()
	if f.IntN(5) == 0 {
		f.text = strings.TrimSuffix(f.text, end) // the last line has no end
	}
	f.form = []string{"-decimal", decimal}
	f.encode(one(f.Rand, "", "", "\ufeff", "utf-16", "windows-1252"))
}

// encode writes the text in other bytes.
func (f *file) encode(how string) {
	switch how {
	case "\ufeff":
		f.text = how + f.text
	case "utf-16":
		b := []byte{0xff, 0xfe}
		for _, unit := range utf16.Encode([]rune(f.text)) {
			b = append(b, byte(unit), byte(unit>>8))
		}
		f.text = string(b)
	case "windows-1252": // which has the letters of these files where Unicode has them
		var b []byte
		for _, r := range f.text {
			b = append(b, byte(r))
		}
		f.text = string(b)
		f.form = append(f.form, "-encoding", how)
	}
}

// drawFlags writes the command line. Caps on periods cut nothing.
func (f *file) drawFlags() {
	slots := map[string]map[string]bool{}
	most := 1
	for _, s := range f.wanted() {
		if slots[s.unit] == nil {
			slots[s.unit] = map[string]bool{}
		}
		slots[s.unit][f.slotOf(s)] = true
		most = max(most, len(slots[s.unit]))
	}
	f.args = []string{"-input", f.name, "-unit", "customer", "-time", "date", "-period", f.period, "-out", "", "-json", "out.json", "-csv", "out.csv",
		"-max-periods", strconv.Itoa(most + f.IntN(2)), "-max-rows", strconv.Itoa(f.maxRows), "-ledger", "l.db"}
	add := func(args ...string) { f.args = append(f.args, args...) }
	add(one(f.Rand, []string{}, []string{"-epsilon", "3"}, []string{"-epsilon", "0.5", "-delta", "1e-9"})...)
	add(f.form...)
	if f.missing != "" {
		add("-missing", f.missing)
	}
	if f.valued {
		add("-value", "amount", "-lower="+short(f.lower), "-upper="+short(f.upper), "-step", short(f.step))
	}
	if f.grouped {
		add("-by", "region")
	}
	if !f.from.IsZero() {
		add("-from", f.from.Format("2006-01-02"), "-to", f.to.Format("2006-01-02"))
	}
	if f.groups != nil {
		add("-groups", strings.Join(f.groups, ","))
	}
}

func short(r *big.Rat) string {
	return strings.TrimSuffix(strings.TrimRight(r.FloatString(3), "0"), ".")
}

func decimalOf(text string) *big.Rat {
	r, ok := new(big.Rat).SetString(text)
	if !ok {
		panic(text)
	}
	return r
}

// slotOf names the cell of a sale.
func (f *file) slotOf(s sale) string {
	if !f.grouped {
		return "\x00" + f.periodOf(s.day)
	}
	return s.group + "\x00" + f.periodOf(s.day)
}

// periodOf names the period of a day.
func (f *file) periodOf(day time.Time) string {
	switch f.period {
	case "day":
		return fmt.Sprintf("%04d-%02d-%02d", day.Year(), day.Month(), day.Day())
	case "week": // the ISO week is that of its Thursday
		thursday := day
		for thursday.Weekday() != time.Thursday {
			if thursday.Weekday() == time.Sunday || thursday.Weekday() > time.Thursday {
				thursday = thursday.AddDate(0, 0, -1)
			} else {
				thursday = thursday.AddDate(0, 0, 1)
			}
		}
		return fmt.Sprintf("%04d-W%02d", thursday.Year(), (thursday.YearDay()-1)/7+1)
	case "month":
		return fmt.Sprintf("%04d-%02d", day.Year(), day.Month())
	}
	return fmt.Sprintf("%04d-Q%d", day.Year(), (int(day.Month())-1)/3+1)
}

// periods lists those from the first to the last, nil if they are selected.
func (f *file) periods() []string {
	if f.from.IsZero() {
		return nil
	}
	var all []string
	for day := f.from; !day.After(f.to); day = day.AddDate(0, 0, 1) {
		if p := f.periodOf(day); !slices.Contains(all, p) {
			all = append(all, p)
		}
	}
	return all
}

// wanted returns the sales that count.
func (f *file) wanted() []sale {
	periods := f.periods()
	return slices.DeleteFunc(slices.Clone(f.sales), func(s sale) bool {
		if s.missing == "amount" && !f.valued {
			s.missing = "" // it is not read
		}
		return f.missing == "skip" && s.missing != "" || periods != nil && !slices.Contains(periods, f.periodOf(s.day)) || f.groups != nil && !slices.Contains(f.groups, s.group)
	})
}

// expected returns the numbers of all cells that are to be reported.
func (f *file) expected() map[string]map[string]float64 {
	cells := map[string][]sale{} // without groups, those with sales
	for _, g := range f.givenGroups() {
		for _, p := range f.periods() {
			cells[g+"\x00"+p] = nil
		}
	}
	for _, s := range f.wanted() {
		cells[f.slotOf(s)] = append(cells[f.slotOf(s)], s)
	}
	all := map[string]map[string]float64{}
	for slot, sales := range cells {
		all[slot] = f.numbers(sales)
	}
	return all
}

// givenGroups are the groups that are reported whatever the rows are.
func (f *file) givenGroups() []string {
	if !f.grouped {
		return []string{""}
	}
	return f.groups
}

// numbers returns what a cell says of its sales.
func (f *file) numbers(sales []sale) map[string]float64 {
	rows, totals := map[string]int{}, map[string]*big.Rat{}
	for _, s := range sales {
		rows[s.unit]++
		if totals[s.unit] == nil {
			totals[s.unit] = new(big.Rat)
		}
		if s.missing == "amount" {
			s.amount = "0"
		}
		value, err := strconv.ParseFloat(s.amount, 64)
		if err != nil {
			panic(err)
		}
		totals[s.unit].Add(totals[s.unit], new(big.Rat).SetFloat64(value))
	}
	n := map[string]float64{"customers": float64(len(rows))}
	for _, r := range rows {
		n["purchases"] += float64(min(r, f.maxRows))
	}
	if !f.valued {
		return n
	}
	var values []*big.Rat
	sum := new(big.Rat)
	for _, v := range totals {
		values = append(values, f.settle(v))
		sum.Add(sum, f.settle(v))
	}
	n["revenue"], _ = sum.Float64()
	if len(values) > 0 {
		slices.SortFunc(values, (*big.Rat).Cmp)
		n["revenue_mean"], _ = new(big.Rat).Quo(sum, big.NewRat(int64(len(values)), 1)).Float64()
		n["revenue_median"], _ = values[(len(values)+1)/2-1].Float64()
		n["revenue_p95"], _ = values[(95*len(values)+99)/100-1].Float64()
	}
	return n
}

// settle clamps a total, and rounds it to the grid, halves up.
func (f *file) settle(x *big.Rat) *big.Rat {
	if x.Cmp(f.lower) < 0 {
		x = f.lower
	}
	if x.Cmp(f.upper) > 0 {
		x = f.upper
	}
	steps := new(big.Rat).Quo(x, f.step)
	steps.Add(steps, big.NewRat(1, 2))
	n := new(big.Int).Div(steps.Num(), steps.Denom())
	return steps.Mul(new(big.Rat).SetInt(n), f.step)
}

// report runs the program, and returns what is wrong with what it wrote.
func (f *file) report(t *testing.T) string {
	t.Chdir(t.TempDir())
	if err := os.WriteFile(f.name, []byte(f.text), 0o600); err != nil {
		return err.Error()
	}
	var stdout, stderr bytes.Buffer
	if code := run(t.Context(), f.args, strings.NewReader(""), &stdout, &stderr); code != 0 {
		return fmt.Sprintf("exit status %d: %s", code, stderr.String())
	}
	want := f.expected()
	got, err := readJSON("out.json")
	if err != nil {
		return err.Error()
	}
	if problem := differ(got, want); problem != "" {
		return "-json: " + problem
	}
	if got, err = readCSV("out.csv"); err != nil {
		return err.Error()
	}
	if problem := differ(got, want); problem != "" {
		return "-csv: " + problem
	}
	return ""
}

// differ compares the cells of a report with those of the reference.
func differ(got, want map[string]map[string]float64) string {
	for slot := range got {
		if want[slot] == nil {
			return fmt.Sprintf("cell %q is shown", slot)
		}
	}
	for slot, numbers := range want {
		if got[slot] == nil {
			return fmt.Sprintf("cell %q is not shown", slot)
		}
		for name, x := range numbers {
			if y, ok := got[slot][name]; !ok || y != x {
				return fmt.Sprintf("cell %q: %s is %v, must be %v", slot, name, y, x)
			}
		}
	}
	return ""
}

func readJSON(name string) (map[string]map[string]float64, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	var report struct {
		Cells []struct {
			Period, Group string
			Numbers       map[string]struct{ Value float64 }
		}
	}
	if err := json.Unmarshal(text, &report); err != nil {
		return nil, err
	}
	cells := map[string]map[string]float64{}
	for _, c := range report.Cells {
		numbers := map[string]float64{}
		for name, n := range c.Numbers {
			numbers[name] = n.Value
		}
		cells[c.Group+"\x00"+c.Period] = numbers
	}
	return cells, nil
}

func readCSV(name string) (map[string]map[string]float64, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	lines, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
	if err != nil {
		return nil, err
	}
	cells := map[string]map[string]float64{}
	for _, line := range lines[1:] {
		numbers := map[string]float64{}
		for i, column := range lines[0] {
			if x, err := strconv.ParseFloat(line[i], 64); err == nil {
				numbers[column] = x
			}
		}
		at := func(column string) string { return line[slices.Index(lines[0], column)] }
		cells[at("group")+"\x00"+at("period")] = numbers
	}
	return cells, nil
}
