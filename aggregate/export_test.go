package aggregate

// EarlierFingerprint returns the fingerprint that a plan had when the family of noise
// was chosen in another way, and "" if it had that of today.
func EarlierFingerprint[Row any, Unit, Key comparable](p *Plan[Row, Unit, Key]) string {
	if p.earlier == nil {
		return ""
	}
	return p.earlier.fingerprint
}
