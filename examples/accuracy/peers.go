package main

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"text/tabwriter"
)

// peersText is what peers.py measured on the same data, with the versions of the
// libraries.
//
//go:embed peers.json
var peersText []byte

type peers struct {
	Versions map[string]string `json:"versions"`
	Runs     int               `json:"runs"`
	Results  []peerResult      `json:"results"`
}

// A peerResult is the error of one library, pure ε, in ours' units.
type peerResult struct {
	Library string  `json:"library"`
	Task    string  `json:"task"`
	Data    string  `json:"data"`
	N       int     `json:"n"`
	Epsilon float64 `json:"epsilon"`
	Error   float64 `json:"error"`
}

func storedPeers() (peers, error) {
	var p peers
	if err := json.Unmarshal(peersText, &p); err != nil {
		return p, fmt.Errorf("peers.json: %w", err)
	}
	return p, nil
}

// beside returns our results with a library's error in place of Google's, where
// it has one.
func (p peers) beside(library string, results []result) []result {
	type measured struct {
		task, data string
		n          int
		epsilon    float64
	}
	errors := map[measured]float64{}
	for _, r := range p.Results {
		if r.Library == library { // which knows no intervals of quantiles
			errors[measured{r.Task + " without interval", r.Data, r.N, r.Epsilon}] = max(r.Error, 0.05/float64(r.N))
		}
	}
	var list []result
	for _, r := range results {
		if e, ok := errors[measured{r.Task, r.Data, r.N, r.Epsilon}]; ok && e > 0 {
			r.Peer, r.Ratio, r.PeerNoise, r.PeerCoverage = e, r.Ours/e, library, nil
			list = append(list, r)
		}
	}
	return list
}

// printPeers prints the ratios to the libraries of other languages.
func printPeers(w io.Writer, o *options, results []result) error {
	p, err := storedPeers()
	if err != nil {
		return err
	}
	for _, library := range slices.Sorted(maps.Keys(p.Versions)) {
		of := p.beside(library, results)
		if len(of) == 0 {
			continue
		}
		fmt.Fprintf(w, "\nBeside %s %s, which was measured by peers.py on the same data at pure ε:\n\n", library, p.Versions[library])
		t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
		o.printRatios(t, of)
		t.Flush()
	}
	return nil
}
