package aggregate

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/big"
	"reflect"
	"strings"

	"github.com/equipoise-dp/equipoise/internal/keys"
)

// ask sets the fingerprint of what is asked, without the noise that answers it:
// two versions of this library that choose other noise, or other steps, have the
// same one.
func (p *Plan[Row, Unit, Group]) ask(weights map[column]*big.Rat) {
	var b strings.Builder
	fmt.Fprintf(&b, "equipoise question 1\n%q %q %d %d %v\n", p.dataset, p.unitName, p.maxGroups, p.maxRows, p.loss)
	b.WriteString(p.top.describe())
	for _, a := range p.answers {
		fmt.Fprintf(&b, "column %q %d %v %t %v\n", a.column, a.kind, a.rank, a.bare, weights[a.column].RatString())
	}
	for _, v := range p.inputs {
		step := "any"
		if v.asked != nil {
			step = v.asked.RatString()
		}
		fmt.Fprintf(&b, "value %q %t %t %d %v %v %s\n", v.name, v.perUnit, v.integer, v.bits, v.lower.RatString(), v.upper.RatString(), step)
		b.WriteString(v.beyond.describe())
	}
	fmt.Fprintf(&b, "keyed %t %q %s\n", p.query.Group != nil, p.query.GroupName, keys.Shape(reflect.TypeFor[Group]()))
	p.keyName = p.query.GroupName
	for _, k := range p.query.given() {
		p.given = append(p.given, keys.Encode(k))
		fmt.Fprintf(&b, "key %s\n", keys.Encode(k))
	}
	b.WriteString(p.query.conditions())
	hash := sha256.Sum256([]byte(b.String()))
	p.question = hex.EncodeToString(hash[:])
}
