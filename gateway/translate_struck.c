#include "gateway/translate_struck.h"

#include <stdlib.h>

#include "gateway/base/arena.h"
#include "gateway/base/clock.h"
#include "gateway/base/recent.h"

enum { STRUCK_MAX = 1024 };

static const int64_t grudge_us = INT64_C(3600) * 1000000;

struct strikes {
	unsigned	n;
	bool		late;
	int64_t		at_us;
};

struct struck {
	struct recent	*table;
};

struct struck *
struck_new(void)
{
	struct struck *s = xcalloc(1, sizeof(*s));

	s->table = recent_new(STRUCK_MAX, sizeof(struct strikes));
	return s;
}

void
struck_free(struct struck *s)
{
	if (s == NULL)
		return;
	recent_free(s->table);
	free(s);
}

unsigned
struck_count(struct struck *s, const uint8_t sha256[SHA256_LEN], bool *late)
{
	const struct strikes *x = recent_find(s->table, sha256);

	if (x == NULL)
		return 0;
	if (clock_mono_us() - x->at_us > grudge_us) {
		recent_drop(s->table, sha256);
		return 0;
	}
	*late = x->late;
	return x->n;
}

unsigned
struck_add(struct struck *s, const uint8_t sha256[SHA256_LEN], bool late)
{
	struct strikes *x = recent_put(s->table, sha256);

	x->late = late;
	x->at_us = clock_mono_us();
	return ++x->n;
}
