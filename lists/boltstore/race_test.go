//go:build race

package boltstore_test

// raceDetector: its pointer checks end the process when bbolt follows a damaged offset,
// where an ordinary build goes on to a fault that is caught.
const raceDetector = true
