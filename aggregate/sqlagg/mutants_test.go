package sqlagg_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/equipoise-dp/equipoise/aggregate/sqlagg"
	"github.com/equipoise-dp/equipoise/aggregate/sqlagg/sqlaggtest"
)

// mutants change the statement, each against one rule of docs/proofs/sql.md. What is changed is
// a regular expression; the suite must find every one.
var mutants = []struct{ rule, from, to string }{
	{"halves go up", `>= CAST\('5\.0000000000000000e-01' AS double precision\) THEN 1 ELSE 0 END -`, `> CAST('0.5' AS double precision) THEN 1 ELSE 0 END -`},
	{"no function rounds", `f\d+ \+ CASE WHEN (y\d+) - .*? THEN 1 ELSE 0 END -`, `CAST(round($1) AS bigint) -`},
	{"NaN is looked for first", ` OR (\w+) = 'NaN'`, ``},
	{"NULL is NaN", `(x\d+) IS NULL OR `, ``},
	{"rows are cut", `place <= \d+`, `place <= 1000`},
	{"groups are cut", `turn <= \d+`, `turn <= 1000`},
	{"one row more", `place <= 3`, `place <= 4`},
	{"one row fewer", `place <= \d+`, `place <= 2`},
	{"equal rows are told apart", ` \|\| coalesce\(length\(CAST\(twin AS text\)\) \|\| ':' \|\| twin, '-'\)`, ``},
	{"the hash has a secret", `coalesce\(length\(CAST\(CAST\((\$\d+) AS text\) AS text\)\) \|\| ':' \|\| CAST\(\$\d+ AS text\), '-'\)`, `left(CAST($1 AS text), 0)`},
	{"the choice of groups hashes groups", `'group', '-'\) \|\| coalesce\(length\(CAST\(u0 AS text\)\) \|\| ':' \|\| u0, '-'\) \|\| coalesce\(length\(CAST\(g0 AS text\)\) \|\| ':' \|\| g0, '-'\)`, `'group', '-')`},
	{"units and groups are not NULL", `u0 IS NOT NULL`, `TRUE`},
	{"groups are those that are given", ` JOIN given ON [^()]*?( WHERE|\))`, `$1`},
	{"texts compare by bytes", ` COLLATE "C"`, ``},
	{"the lower half has 31 bits", `& 2147483647`, `& 1073741823`},
	{"integers are clamped late", `2305843009213693953`, `305`},
	{"integers are clamped", `least\(greatest\((coalesce\(\w+, 0\)), \(-?\d+\)\), \(-?\d+\)\)`, `$1`},
	{"products do not overflow", `WHEN x\d+ <= CAST\('[^']*' AS double precision\) OR x\d+ >= CAST\('[^']*' AS double precision\) THEN NULL`, ``},
	{"products do not underflow", `WHEN abs\(x\d+\) < CAST\('[^']*' AS double precision\) THEN NULL`, ``},
	{"what is in doubt is read", `THEN 1 ELSE 0 END AS unsure`, `THEN 0 ELSE 0 END AS unsure`},
	{"rows in doubt make units in doubt", `max\(doubt\) AS doubt`, `0 AS doubt`},
	{"sums of units are in doubt", `END = 1\) OR`, `END = 2) OR`},
	{"terms do not overflow", `abs\(x\d+\) >= CAST\('\d\.\d+e\+(289|290)' AS double precision\)`, `FALSE`},
	{"people count once", `SELECT DISTINCT u`, `SELECT u`},
}

// Each rule is there, and the suite sees whether it is kept.
func TestEveryRuleIsNoticed(t *testing.T) {
	if !*long {
		t.Skip("takes two minutes; CI runs it with -long")
	}
	db := postgres(t)
	if _, err := db.Exec(`CREATE COLLATION loose (provider = icu, locale = 'und-u-ks-level1', deterministic = false)`); err != nil {
		t.Fatal(err)
	}
	d := sqlaggtest.Database{DB: db, Dialect: sqlagg.PostgreSQL, Whole: "bigint", Double: "double precision", Text: "text COLLATE loose", Dollar: true}
	for _, m := range mutants {
		from, used := regexp.MustCompile(m.from), false
		d.Change = func(text string) string {
			if !strings.HasPrefix(text, "WITH ") {
				return text
			}
			other := from.ReplaceAllString(text, m.to)
			used = used || other != text
			return other
		}
		t.Run(m.rule, func(t *testing.T) {
			if sqlaggtest.Equal(t, d, 200) == nil && sqlaggtest.Choices(t, d) == nil {
				t.Error("nobody notices")
			}
			if !used {
				t.Error("the rule is in no statement")
			}
		})
	}
}
