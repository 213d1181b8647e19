#include "gateway/stats.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/base/arena.h"

enum { LABELS_MAX = 1000, STAGES_MAX = 32 };

struct value {
	char		*label;		/* NULL: the counter itself */
	uint64_t	 n;
};

struct counter {
	struct value	*v;
	size_t		 n, cap;
};

/* Upper bounds of latency buckets, in microseconds. */
static const int64_t bounds_us[] = {
	100, 250, 500, 1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000, 500000, 1000000,
	2500000, 10000000
};
enum { BOUNDS = sizeof(bounds_us) / sizeof(*bounds_us) };

struct stage {
	char		*name;
	uint64_t	 bucket[BOUNDS + 1];
	uint64_t	 count;
	int64_t		 sum_us;
};

struct stats {
	struct counter	 counters[STATS];
	struct stage	 stages[STAGES_MAX];
	size_t		 nstages;
};

static const struct {
	const char	*name, *help, *label;
} rows[STATS] = {
#define X(id, name, help, label) [id] = { name, help, label },
	STATS_COUNTERS(X)
#undef X
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
		for (size_t k = 0; k < s->counters[i].n; k++)
			free(s->counters[i].v[k].label);
		free(s->counters[i].v);
	}
	for (size_t i = 0; i < s->nstages; i++)
		free(s->stages[i].name);
	free(s);
}

/* The value under a label, NULL if there is none yet. */
static struct value *
find(const struct counter *c, const char *label)
{
	for (size_t i = 0; i < c->n; i++)
		if (label == NULL ? c->v[i].label == NULL :
		    c->v[i].label != NULL && strcmp(c->v[i].label, label) == 0)
			return &c->v[i];
	return NULL;
}

void
stats_add(struct stats *s, enum stats_counter id, const char *label, uint64_t n)
{
	struct counter *c = &s->counters[id];
	struct value *v = find(c, label);

	if (v == NULL && label != NULL && c->n >= LABELS_MAX)
		v = find(c, label = "other");
	if (v == NULL) {
		if (c->n == c->cap) {
			c->cap = c->cap == 0 ? 4 : c->cap * 2;
			c->v = xrealloc(c->v, c->cap * sizeof(*c->v));
		}
		v = &c->v[c->n++];
		v->label = label == NULL ? NULL : xstrdup(label);
		v->n = 0;
	}
	v->n += n;
}

uint64_t
stats_get(const struct stats *s, enum stats_counter id, const char *label)
{
	const struct value *v = find(&s->counters[id], label);

	return v == NULL ? 0 : v->n;
}

void
stats_time(struct stats *s, const char *stage, int64_t us)
{
	struct stage *st = NULL;
	size_t b = 0;

	for (size_t i = 0; i < s->nstages && st == NULL; i++)
		if (strcmp(s->stages[i].name, stage) == 0)
			st = &s->stages[i];
	if (st == NULL) {
		if (s->nstages == STAGES_MAX)
			return;
		st = &s->stages[s->nstages++];
		st->name = xstrdup(stage);
	}
	while (b < BOUNDS && us > bounds_us[b])
		b++;
	st->bucket[b]++;
	st->count++;
	st->sum_us += us;
}

/* A label value as Prometheus wants it: \, " and line ends escaped. */
static void
add_label(struct strbuf *out, const char *s)
{
	for (; *s != '\0'; s++) {
		if (*s == '\\' || *s == '"')
			strbuf_addc(out, '\\');
		if (*s == '\n')
			strbuf_adds(out, "\\n");
		else
			strbuf_addc(out, *s);
	}
}

static void
print_stage(struct strbuf *out, const struct stage *st)
{
	uint64_t below = 0;

	for (size_t b = 0; b <= BOUNDS; b++) {
		below += st->bucket[b];
		strbuf_addf(out, "tocsin_stage_seconds_bucket{stage=\"%s\",le=\"", st->name);
		if (b < BOUNDS)
			strbuf_addf(out, "%g", (double)bounds_us[b] / 1e6);
		else
			strbuf_adds(out, "+Inf");
		strbuf_addf(out, "\"} %llu\n", (unsigned long long)below);
	}
	strbuf_addf(out, "tocsin_stage_seconds_sum{stage=\"%s\"} %g\n", st->name,
	    (double)st->sum_us / 1e6);
	strbuf_addf(out, "tocsin_stage_seconds_count{stage=\"%s\"} %llu\n", st->name,
	    (unsigned long long)st->count);
}

void
stats_print(struct strbuf *out, const struct stats *s)
{
	for (size_t i = 0; i < STATS; i++) {
		strbuf_addf(out, "# HELP %s %s\n# TYPE %s counter\n", rows[i].name, rows[i].help,
		    rows[i].name);
		for (size_t k = 0; k < s->counters[i].n; k++) {
			const struct value *v = &s->counters[i].v[k];

			strbuf_adds(out, rows[i].name);
			if (v->label != NULL && rows[i].label != NULL) {
				strbuf_addf(out, "{%s=\"", rows[i].label);
				add_label(out, v->label);
				strbuf_adds(out, "\"}");
			}
			strbuf_addf(out, " %llu\n", (unsigned long long)v->n);
		}
	}
	if (s->nstages > 0)
		strbuf_adds(out, "# HELP tocsin_stage_seconds Time spent in a stage\n"
		    "# TYPE tocsin_stage_seconds histogram\n");
	for (size_t i = 0; i < s->nstages; i++)
		print_stage(out, &s->stages[i]);
}

void
stats_print_gauge(struct strbuf *out, const char *name, const char *help, const char *label,
    const char *value_label, double v)
{
	if (help != NULL)
		strbuf_addf(out, "# HELP %s %s\n# TYPE %s gauge\n", name, help, name);
	strbuf_adds(out, name);
	if (label != NULL && value_label != NULL) {
		strbuf_addf(out, "{%s=\"", label);
		add_label(out, value_label);
		strbuf_adds(out, "\"}");
	}
	strbuf_addf(out, " %.17g\n", v);
}
