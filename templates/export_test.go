package templates

// What tests of the texts need to know.
var (
	Samples    = samples
	SampleList = sampleList
	Keys       = keys
	Embedded   = embedded
)
