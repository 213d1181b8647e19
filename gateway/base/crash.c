#include "gateway/base/crash.h"

#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>

#include "gateway/base/slice.h"

static const char *const words[CRASH_POINT_COUNT] = {
#define X(word) #word,
	CRASH_POINTS(X)
	CRASH_PENDING(X)
	CRASH_PULL(X)
#undef X
};

void
crash_here(enum crash_point at)
{
	static bool asked;
	static struct slice word;
	static unsigned long long left = 1;

	if (!asked) {
		struct slice rest = slice_of(getenv("TOCSIN_CRASH_AT"));

		asked = true;
		word = slice_cut(&rest, ':');
		slice_u64(rest, &left);
	}
	if (word.n > 0 && slice_is(word, words[at]) && --left == 0)
		raise(SIGKILL);
}
