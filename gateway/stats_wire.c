/* stats_wire.c -- figures on their way from one process to another. */
#include <math.h>

#include "gateway/base/arena.h"
#include "gateway/base/codec.h"
#include "gateway/base/wire.h"
#include "gateway/stats_impl.h"

enum { SERIES_LEAST = 4 + 8 };		/* bytes of the shortest series */

static void
pack_series(struct strbuf *b, const struct series *v)
{
	wire_put_string(b, v->label);
	if (v->h == NULL) {
		wire_put_f64(b, v->v);
		return;
	}
	for (size_t i = 0; i <= BOUNDS_MAX; i++)
		wire_put_u64(b, v->h->bucket[i]);
	wire_put_i64(b, v->h->sum);
}

/* The metrics in the order of the table, each a list of series. */
void
stats_pack(struct strbuf *b, const struct stats *s)
{
	wire_put_u32(b, STATS);
	for (size_t i = 0; i < STATS; i++) {
		const struct metric *m = &s->metrics[i];

		wire_put_u32(b, (uint32_t)m->n);
		for (size_t k = 0; k < m->n; k++)
			pack_series(b, &m->v[k]);
	}
}

/* A label that print can show: as many values as the row has names, whole characters, none unseen. */
static bool
label_fits(const char *label, const char *names)
{
	struct slice s = slice_of(label == NULL ? "" : label);
	size_t separators = 0, commas = 0;

	if ((label == NULL) != (names == NULL) || s.n > STATS_LABEL_BYTES)
		return false;
	for (const char *c = label; c != NULL && *c != '\0'; c++)
		separators += *c == LABEL_SEPARATOR;
	for (const char *c = names; c != NULL && *c != '\0'; c++)
		commas += *c == ',';
	return utf8_bad_at(s) == s.n && separators <= commas;
}

static void
unpack_histogram(struct wire *w, struct histogram *h)
{
	for (size_t i = 0; i <= BOUNDS_MAX; i++) {
		uint64_t n = wire_u64(w);

		if (n > UINT64_MAX / 64 / (BOUNDS_MAX + 1))	/* so that no sum of them runs over */
			wire_refuse(w);
		h->bucket[i] += n;
		h->count += n;
	}
	h->sum += wire_i64(w);
	if (h->sum > INT64_MAX / 128 || h->sum < INT64_MIN / 128)
		wire_refuse(w);
}

static void
unpack_series(struct wire *w, struct stats *s, enum stats_id id, struct arena *mem)
{
	const char *label = wire_string(w, mem);
	double v;

	if (w->bad || !label_fits(label, stats_rows[id].labels) || stats_find(s, id, label) != NULL) {
		wire_refuse(w);
	} else if (stats_is_histogram(id)) {
		unpack_histogram(w, stats_series(s, id, label)->h);
	} else {
		v = wire_f64(w);
		if (!isfinite(v) || (stats_rows[id].kind == COUNTER && v < 0))
			wire_refuse(w);
		stats_set(s, id, label, v);
	}
}

struct stats *
stats_unpack(struct wire *w)
{
	struct stats *s = stats_new();
	struct arena *mem = arena_new();

	if (wire_u32(w) != STATS)		/* another version of the program */
		wire_refuse(w);
	for (enum stats_id i = 0; i < STATS && !w->bad; i++) {
		uint32_t n = wire_count(w, STATS_LABELS_MAX + 1, SERIES_LEAST);

		while (n-- > 0 && !w->bad)
			unpack_series(w, s, i, mem);
	}
	arena_free(mem);
	if (!w->bad)
		return s;
	stats_free(s);
	return NULL;
}
