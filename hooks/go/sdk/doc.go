// Package outrigger is for writing hook services in Go: a value with a method for each hook point it wants.
package outrigger
