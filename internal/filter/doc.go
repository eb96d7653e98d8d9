// Package filter prices charges and decides whether they fit under a limit.
//
// A [Price] is what a charge costs under every rule. A [Filter] holds one limit
// and adds up the prices that it accepted. Both are arithmetic on charges alone:
// nothing here knows of stores, time, or who asks.
package filter
