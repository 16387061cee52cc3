// Package bouncing counts what comes back from members, and does what follows: an address from which mail keeps coming
// back is tried with a probe, gets no posts when the probe comes back too, is told so three times, and is removed at last.
// Whatever arrives in between ends that. It never writes to who sent a bounce, and reads none itself: package bounce does.
//
// Its scores are kept beside the lists, and may be lost: then counting begins anew.
package bouncing
