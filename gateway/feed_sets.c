#include "gateway/feed_sets.h"

#include <stdlib.h>

#include "gateway/base/arena.h"

/* ---- fingerprints ---- */

static const uint8_t no_fp[FEED_FP];

static uint8_t *
fp_place(const struct fp_set *s, const uint8_t *fp)
{
	for (uint64_t at = siphash(&s->key, slice_from(fp, FEED_FP));; at++) {
		uint8_t *place = s->v[at & (s->cap - 1)];

		if (memcmp(place, no_fp, FEED_FP) == 0 || memcmp(place, fp, FEED_FP) == 0)
			return place;
	}
}

bool
fp_known(const struct fp_set *s, struct slice fp)
{
	return fp.n >= FEED_FP && s->n > 0 &&
	    memcmp(fp_place(s, (const uint8_t *)fp.p), no_fp, FEED_FP) != 0;
}

static void
fp_grow(struct fp_set *s)
{
	struct fp_set old = *s;

	if (old.cap == 0)
		s->key = siphash_key_new();
	s->cap = old.cap == 0 ? 256 : 2 * old.cap;
	s->v = xcalloc(s->cap, sizeof(*s->v));
	for (size_t i = 0; i < old.cap; i++)
		if (memcmp(old.v[i], no_fp, FEED_FP) != 0)
			memcpy(fp_place(s, old.v[i]), old.v[i], FEED_FP);
	free(old.v);
}

void
fp_add(struct fp_set *s, struct slice fp)
{
	if (fp.n < FEED_FP || fp_known(s, fp))
		return;
	if (2 * (s->n + 1) > s->cap)
		fp_grow(s);
	memcpy(fp_place(s, (const uint8_t *)fp.p), fp.p, FEED_FP);
	s->n++;
}

void
fp_clear(struct fp_set *s)
{
	free(s->v);
	*s = (struct fp_set){ .n = 0 };
}

/* ---- ids ---- */

static uint64_t
id_hash(struct slice id)
{
	uint64_t h = UINT64_C(14695981039346656037);

	for (size_t i = 0; i < id.n; i++)
		h = (h ^ (unsigned char)id.p[i]) * UINT64_C(1099511628211);
	return h == 0 ? 1 : h;
}

static uint64_t *
id_place(const struct id_set *s, uint64_t h)
{
	for (uint64_t at = siphash(&s->key, slice_from(&h, sizeof(h)));; at++) {
		uint64_t *place = &s->v[at & (s->cap - 1)];

		if (*place == 0 || *place == h)
			return place;
	}
}

bool
id_known(const struct id_set *s, struct slice id)
{
	return s->n > 0 && *id_place(s, id_hash(id)) != 0;
}

static void
id_add_hash(struct id_set *s, uint64_t h)
{
	uint64_t *place;

	if (2 * (s->n + 1) > s->cap) {
		struct id_set old = *s;

		if (old.cap == 0)
			s->key = siphash_key_new();
		s->cap = old.cap == 0 ? 256 : 2 * old.cap;
		s->v = xcalloc(s->cap, sizeof(*s->v));
		for (size_t i = 0; i < old.cap; i++)
			if (old.v[i] != 0)
				*id_place(s, old.v[i]) = old.v[i];
		free(old.v);
	}
	place = id_place(s, h);
	s->n += *place == 0;
	*place = h;
}

void
id_add(struct id_set *s, struct slice id)
{
	id_add_hash(s, id_hash(id));
}

void
id_move(struct id_set *s, struct id_set *from)
{
	for (size_t i = 0; i < from->cap; i++)
		if (from->v[i] != 0)
			id_add_hash(s, from->v[i]);
	id_clear(from);
}

void
id_clear(struct id_set *s)
{
	free(s->v);
	*s = (struct id_set){ .n = 0 };
}
