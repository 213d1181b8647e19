/* stats_print.c -- figures as Prometheus reads them, and their table as people do. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "gateway/stats_impl.h"

static const char *const kind_words[STATS_KINDS] = {
	[COUNTER] = "counter", [GAUGE] = "gauge", [SECONDS] = "histogram", [LAG] = "histogram",
	[SIZES] = "histogram",
};

/* name="value", with \, " and line ends escaped. */
static void
add_label(struct strbuf *out, struct slice name, struct slice value)
{
	strbuf_adds(out, out->n > 0 && out->p[out->n - 1] == '{' ? "" : ",");
	strbuf_addsl(out, name);
	strbuf_adds(out, "=\"");
	for (size_t i = 0; i < value.n; i++) {
		if (value.p[i] == '\\' || value.p[i] == '"')
			strbuf_addc(out, '\\');
		if (value.p[i] == '\n')
			strbuf_adds(out, "\\n");
		else
			strbuf_addc(out, value.p[i]);
	}
	strbuf_addc(out, '"');
}

/* name{labels} up to the value; `le` NULL: no bucket. */
static void
add_name(struct strbuf *out, const struct stats_row *row, const char *suffix, const char *process,
    const char *label, const char *le)
{
	struct slice names = row->labels == NULL ? SLICE_EMPTY : slice_of(row->labels);
	struct slice values = label == NULL ? SLICE_EMPTY : slice_of(label);

	strbuf_addf(out, "%s%s", row->name, suffix);
	if (process == NULL && names.n == 0 && le == NULL)
		return;
	strbuf_addc(out, '{');
	if (process != NULL)
		add_label(out, SLICE_LIT("process"), slice_of(process));
	while (names.n > 0) {
		struct slice name = slice_cut(&names, ',');

		add_label(out, name, names.n > 0 ? slice_cut(&values, LABEL_SEPARATOR) : values);
	}
	if (le != NULL)
		add_label(out, SLICE_LIT("le"), slice_of(le));
	strbuf_addc(out, '}');
}

static void
add_value(struct strbuf *out, double v)
{
	if (v == floor(v) && fabs(v) < 1e15)
		strbuf_addf(out, " %.0f\n", v);
	else
		strbuf_addf(out, " %.15g\n", v);
}

static void
print_histogram(struct strbuf *out, const struct stats_row *row, const char *process,
    const struct series *x)
{
	const struct stats_bounds *bounds = &stats_bounds[row->kind];
	uint64_t below = 0;
	char le[32];

	for (size_t b = 0; b <= bounds->n; b++) {
		below += x->h->bucket[b];
		if (b < bounds->n)
			snprintf(le, sizeof(le), "%.12g", (double)bounds->v[b] / bounds->unit);
		else
			snprintf(le, sizeof(le), "+Inf");
		add_name(out, row, "_bucket", process, x->label, le);
		strbuf_addf(out, " %llu\n", (unsigned long long)below);
	}
	add_name(out, row, "_sum", process, x->label, NULL);
	add_value(out, (double)x->h->sum / bounds->unit);
	add_name(out, row, "_count", process, x->label, NULL);
	strbuf_addf(out, " %llu\n", (unsigned long long)below);
}

static void
print_metric(struct strbuf *out, enum stats_id id, const char *process, const struct stats *s)
{
	const struct stats_row *row = &stats_rows[id];

	for (size_t k = 0; k < s->metrics[id].n; k++) {
		const struct series *x = &s->metrics[id].v[k];

		if (x->h != NULL) {
			print_histogram(out, row, process, x);
		} else {
			add_name(out, row, "", process, x->label, NULL);
			add_value(out, x->v);
		}
	}
}

void
stats_print(struct strbuf *out, const struct stats_of *v, size_t n, const struct stats *all)
{
	for (enum stats_id i = 0; i < STATS; i++) {
		const struct stats_row *row = &stats_rows[i];

		if (all->metrics[i].n == 0)
			continue;
		strbuf_addf(out, "# HELP %s %s\n# TYPE %s %s\n", row->name, row->help, row->name,
		    kind_words[row->kind]);
		if (row->of == NODE)
			print_metric(out, i, NULL, all);
		for (size_t p = 0; p < n && row->of == EACH; p++)
			print_metric(out, i, v[p].process, v[p].stats);
	}
}

/* A row of man(7) source: a tagged paragraph. */
void
stats_print_reference(struct strbuf *out)
{
	for (size_t i = 0; i < STATS; i++) {
		const struct stats_row *row = &stats_rows[i];
		struct slice names = row->labels == NULL ? SLICE_EMPTY : slice_of(row->labels);

		strbuf_addf(out, ".TP\n\\fB%s\\fR (%s", row->name, kind_words[row->kind]);
		strbuf_adds(out, row->of == EACH ? "; process" : names.n > 0 ? ";" : "");
		for (bool first = row->of == NODE; names.n > 0; first = false) {
			struct slice name = slice_cut(&names, ',');

			strbuf_addf(out, "%s %.*s", first ? "" : ",", SLICE_ARG(name));
		}
		strbuf_addf(out, ")\n%s.\n", row->help);
	}
}
