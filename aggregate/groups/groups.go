// Package groups makes the lists of groups that a question is about, and names the group of
// a row.
//
//	age, err := groups.NewBins([]int{18, 30, 50, 65})
//	q := &aggregate.Query[Visit, PatientID, AgeAndSite]{
//		Group:  func(v Visit) AgeAndSite { return AgeAndSite{age.Of(v.Age), v.Site} },
//		Groups: groups.Product(age.Names(), sites, func(age, site string) AgeAndSite { return AgeAndSite{age, site} }),
//		…
//	}
//
// Days, weeks, months, quarters and years are named by aggregate.Step.
//
// # Privacy
//
// Lists of groups are public: they are shown whole, empty groups too. Make them from what is
// known without the rows, never from the rows.
package groups

// Product returns of(a, b) for every a and every b, those of the first a first.
func Product[A, B, Group any](as []A, bs []B, of func(A, B) Group) []Group {
	all := make([]Group, 0, len(as)*len(bs))
	for _, a := range as {
		for _, b := range bs {
			all = append(all, of(a, b))
		}
	}
	return all
}

// Union returns what is in any of the lists, once, in the order in which it is first met.
func Union[Group comparable](lists ...[]Group) []Group {
	return kept(map[Group]bool{}, lists)
}

// Except returns what is in a list and not in without, once, in the order of the list.
func Except[Group comparable](list []Group, without ...Group) []Group {
	met := map[Group]bool{}
	for _, g := range without {
		met[g] = true
	}
	return kept(met, [][]Group{list})
}

// kept returns what was not met before, and is never nil: a query without a list of groups
// selects them.
func kept[Group comparable](met map[Group]bool, lists [][]Group) []Group {
	all := []Group{}
	for _, list := range lists {
		for _, g := range list {
			if !met[g] {
				met[g] = true
				all = append(all, g)
			}
		}
	}
	return all
}
