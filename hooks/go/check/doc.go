// Package check has the test that every Go service of the repository keeps every rule of the hook protocol: it builds
// them and has `hook-runner check` look at each, as a server of either family. It takes hook-runner from
// OUTRIGGER_BIN_DIR, or from target/debug.
package check
