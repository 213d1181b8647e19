/*
 * crash.h -- places where a test kills the process, to see that nothing acknowledged is lost.
 *
 * Owns:    the list of places. `TOCSIN_CRASH_AT=after-commit` in the environment makes the process kill
 *          itself with SIGKILL there, the first time (`after-commit:3` the third).
 *          With several processes the master follows whoever dies so, and with it all others: the place
 *          stands for a power cut. TOCSIN_CRASH_ONLY=1: that process alone dies, once for the node.
 * Called:  at the borders between the steps of an advisory's journey (gateway/README.md).
 * Never:   does anything when the variable is not set.
 */
#ifndef BASE_CRASH_H
#define BASE_CRASH_H

/* Of an envelope that is answered before it is taken in (gateway/pending.h); then it goes the usual way. */
#define CRASH_PENDING(X)							\
	X(counted) X(kept) X(opened) X(resumed) X(removed)

/* A pulled page is durable, its mark is not yet. */
#define CRASH_PULL(X)	X(pulled)
/* X(word) in the order of the journey. */
#define CRASH_POINTS(X)								\
	X(received) X(parsed) X(claimed) X(admitted) X(routed) X(committing)	\
	X(committed) X(confirmed) X(leased) X(decided) X(sending) X(delivered) X(booked)

enum crash_point {
#define X(word) CRASH_##word,
	CRASH_POINTS(X)
	CRASH_PENDING(X)
	CRASH_PULL(X)
#undef X
	CRASH_POINT_COUNT
};

void	crash_here(enum crash_point at);

#endif
