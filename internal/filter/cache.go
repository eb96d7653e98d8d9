package filter

import (
	"sync"

	"github.com/equipoise-dp/equipoise/dp"
)

// A cache remembers the price of what a charge consists of: an account
// sees few mechanisms, many times.
type cache struct {
	mu     sync.Mutex
	prices map[string]*Price
}

// cacheMost bounds the memory that callers with ever new mechanisms can take.
const cacheMost = 4096

func newCache() *cache { return &cache{prices: map[string]*Price{}} }

// of returns the price of a charge.
func (pc *cache) of(c *dp.Charge, orders []float64) *Price {
	key := priceKey(c)
	pc.mu.Lock()
	p := pc.prices[string(key)]
	pc.mu.Unlock()
	if p != nil {
		return p
	}
	p = priceOf(c, orders)
	pc.mu.Lock()
	defer pc.mu.Unlock()
	if len(pc.prices) >= cacheMost {
		clear(pc.prices)
	}
	pc.prices[string(key)] = p
	return p
}

// priceKey is the part of a charge on which the price depends.
func priceKey(c *dp.Charge) []byte {
	key := []byte(c.Loss.String())
	for _, e := range c.Events {
		b, _ := e.MarshalJSON() // returns no error
		key = append(key, b...)
	}
	return key
}
