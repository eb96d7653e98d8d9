package consent

import (
	"strings"
	"unicode"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// People write one unit in several forms: with blanks around it, in other case, with letters and accents
// apart, as 7 and as 007. Two forms are alike if their plain form is the same. They are never taken
// for one unit, since they may be two; but a no in a form that was not asked for is an error, and not
// silence.

// plain returns the plain form of a text: compatible letters (NFKC), without case unless it matters, without
// blanks and what does not show, and of digits alone without zeros before them.
func plain(text string, caseMatters bool) string {
	text = norm.NFKC.String(text)
	if !caseMatters {
		text = norm.NFKC.String(cases.Fold().String(text))
	}
	text = strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || unicode.Is(unicode.Cf, r) || unicode.IsControl(r) {
			return -1
		}
		return r
	}, text)
	if strings.Trim(text, "0123456789") == "" && strings.Trim(text, "0") != "" {
		text = strings.TrimLeft(text, "0")
	}
	return text
}

// forms returns the text, and the other ways in which its letters can be written.
func forms(text string) []string {
	all := []string{text}
	for _, form := range []norm.Form{norm.NFC, norm.NFD} {
		if other := form.String(text); other != text {
			all = append(all, other)
		}
	}
	return all
}
