#include "gateway/stats_impl.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/arena.h"
#include "gateway/base/codec.h"

const struct stats_row stats_rows[STATS] = {
#define X(id, kind, of, name, labels, help) [id] = { kind, of, name, labels, help },
	STATS_TABLE(X)
#undef X
};

const struct stats_bounds stats_bounds[STATS_KINDS] = {
	[SECONDS] = { 15, { 100, 250, 500, 1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000,
	    500000, 1000000, 2500000, 10000000 }, 1e6 },
	[LAG] = { 12, { 10000, 30000, 100000, 300000, 1000000, 3000000, 10000000, 60000000,
	    300000000, 1800000000, 10800000000, 86400000000 }, 1e6 },
	[SIZES] = { 10, { 1, 2, 4, 8, 16, 32, 64, 128, 256, 512 }, 1 },
};

struct stats *
stats_new(void)
{
	return xcalloc(1, sizeof(struct stats));
}

void
stats_free(struct stats *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < STATS; i++) {
		for (size_t k = 0; k < s->metrics[i].n; k++) {
			free(s->metrics[i].v[k].label);
			free(s->metrics[i].v[k].h);
		}
		free(s->metrics[i].v);
	}
	free(s);
}

/* ---- series ---- */

static bool
is_label(const struct series *v, const char *label)
{
	return label == NULL ? v->label == NULL : v->label != NULL && strcmp(v->label, label) == 0;
}

struct series *
stats_find(const struct stats *s, enum stats_id id, const char *label)
{
	const struct metric *m = &s->metrics[id];

	if (m->last < m->n && is_label(&m->v[m->last], label))
		return &m->v[m->last];
	for (size_t i = 0; i < m->n; i++)
		if (is_label(&m->v[i], label))
			return &m->v[i];
	return NULL;
}

/* A label's text as it is kept: whole characters, at most STATS_LABEL_BYTES. */
static char *
copy_label(const char *label)
{
	struct slice s = slice_of(label), rest = s;
	size_t n = 0;

	while (rest.n > 0) {
		size_t one = utf8_len(rest);

		if (one == 0 || n + one > STATS_LABEL_BYTES)
			break;
		n += one;
		rest = slice_from(rest.p + one, rest.n - one);
	}
	return xstrndup(label, n);
}

struct series *
stats_series(struct stats *s, enum stats_id id, const char *label)
{
	struct metric *m = &s->metrics[id];
	struct series *v = stats_find(s, id, label);

	if (v == NULL && label != NULL && m->n >= STATS_LABELS_MAX)
		v = stats_find(s, id, label = "other");
	if (v == NULL) {
		if (m->n == m->cap) {
			m->cap = m->cap == 0 ? 4 : m->cap * 2;
			m->v = xrealloc(m->v, m->cap * sizeof(*m->v));
		}
		v = &m->v[m->n++];
		*v = (struct series){ .label = label == NULL ? NULL : copy_label(label) };
		if (stats_is_histogram(id))
			v->h = xcalloc(1, sizeof(*v->h));
	}
	m->last = (size_t)(v - m->v);
	return v;
}

/* The two labels as one key. */
static const char *
join(char *out, size_t cap, const char *first, const char *second)
{
	snprintf(out, cap, "%s%c%s", first, LABEL_SEPARATOR, second);
	return out;
}

/* ---- counting ---- */

void
stats_add(struct stats *s, enum stats_id id, const char *label, uint64_t n)
{
	assert(stats_rows[id].kind == COUNTER);
	stats_series(s, id, label)->v += (double)n;
}

void
stats_add2(struct stats *s, enum stats_id id, const char *first, const char *second, uint64_t n)
{
	char key[STATS_LABEL_BYTES + 1];

	stats_add(s, id, join(key, sizeof(key), first, second), n);
}

void
stats_set(struct stats *s, enum stats_id id, const char *label, double v)
{
	assert(!stats_is_histogram(id));
	stats_series(s, id, label)->v = v;
}

void
stats_set2(struct stats *s, enum stats_id id, const char *first, const char *second, double v)
{
	char key[STATS_LABEL_BYTES + 1];

	stats_set(s, id, join(key, sizeof(key), first, second), v);
}

void
stats_observe(struct stats *s, enum stats_id id, const char *label, int64_t v)
{
	const struct stats_bounds *bounds = &stats_bounds[stats_rows[id].kind];
	struct histogram *h;
	size_t b = 0;

	assert(stats_is_histogram(id));
	h = stats_series(s, id, label)->h;
	while (b < bounds->n && v > bounds->v[b])
		b++;
	h->bucket[b]++;
	h->count++;
	h->sum += v;
}

void
stats_time(struct stats *s, const char *stage, int64_t us)
{
	stats_observe(s, STAT_STAGE, stage, us);
}

/* ---- looking ---- */

uint64_t
stats_get(const struct stats *s, enum stats_id id, const char *label)
{
	const struct series *v = stats_find(s, id, label);

	return v == NULL ? 0 : (uint64_t)v->v;
}

double
stats_value(const struct stats *s, enum stats_id id, const char *label)
{
	const struct series *v = stats_find(s, id, label);

	return v == NULL ? 0 : v->h != NULL ? (double)v->h->count : v->v;
}

double
stats_value2(const struct stats *s, enum stats_id id, const char *first, const char *second)
{
	char key[STATS_LABEL_BYTES + 1];

	return stats_value(s, id, join(key, sizeof(key), first, second));
}

bool
stats_has(const struct stats *s, enum stats_id id, const char *label)
{
	return stats_find(s, id, label) != NULL;
}

void
stats_each(const struct stats *s, enum stats_id id,
    void (*fn)(void *ctx, const char *label, double v), void *ctx)
{
	for (size_t k = 0; k < s->metrics[id].n; k++) {
		const struct series *v = &s->metrics[id].v[k];

		fn(ctx, v->label, v->h != NULL ? (double)v->h->count : v->v);
	}
}

double
stats_total(const struct stats *s, enum stats_id id)
{
	double sum = 0;

	for (size_t k = 0; k < s->metrics[id].n; k++)
		sum += s->metrics[id].v[k].v;
	return sum;
}

double
stats_sum(const struct stats *s, enum stats_id id, const char *label)
{
	const struct series *v = stats_find(s, id, label);

	return v == NULL || v->h == NULL ? 0 :
	    (double)v->h->sum / stats_bounds[stats_rows[id].kind].unit;
}

double
stats_quantile(const struct stats *s, enum stats_id id, const char *label, double part)
{
	const struct stats_bounds *bounds = &stats_bounds[stats_rows[id].kind];
	const struct series *v = stats_find(s, id, label);
	uint64_t below = 0;
	size_t b = 0;

	if (v == NULL || v->h == NULL || v->h->count == 0)
		return 0;
	while (b < bounds->n && (double)(below += v->h->bucket[b]) < part * (double)v->h->count)
		b++;
	return (double)bounds->v[b < bounds->n ? b : bounds->n - 1] / bounds->unit;
}

static void
add_histogram(struct histogram *to, const struct histogram *from)
{
	for (size_t b = 0; b <= BOUNDS_MAX; b++)
		to->bucket[b] += from->bucket[b];
	to->count += from->count;
	to->sum += from->sum;
}

void
stats_merge(struct stats *s, const struct stats *from)
{
	for (enum stats_id i = 0; i < STATS; i++) {
		for (size_t k = 0; k < from->metrics[i].n; k++) {
			const struct series *x = &from->metrics[i].v[k];
			struct series *v = stats_series(s, i, x->label);

			if (v->h != NULL)
				add_histogram(v->h, x->h);
			else
				v->v = stats_rows[i].of == EACH ? v->v + x->v : x->v;
		}
	}
}
