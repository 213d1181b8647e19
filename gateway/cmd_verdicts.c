#include "gateway/cmd_verdicts.h"

#include <stdlib.h>

#include "gateway/base/arena.h"
#include "gateway/base/spill.h"

enum { TEXTS = 4, TEXT_MAX = 4096 };

/* Four texts follow: code, id, path, reason. */
struct record {
	uint64_t	offset, index;
	uint32_t	input, line, column;
	uint32_t	kind;
	uint32_t	n[TEXTS];
};

/* A row of records that is gone through. */
struct list {
	struct spill	*spill;
	uint64_t	 at;
};

struct verdicts {
	struct list	 main, late;
	size_t		 refused, warned;
};

struct verdicts *
verdicts_new(void)
{
	struct verdicts *v = xcalloc(1, sizeof(*v));

	v->main.spill = spill_new();
	v->late.spill = spill_new();
	return v;
}

void
verdicts_free(struct verdicts *v)
{
	spill_free(v->main.spill);
	spill_free(v->late.spill);
	free(v);
}

static void
add(struct verdicts *v, struct list *list, uint32_t input, const struct verdict *verdict)
{
	const struct slice texts[TEXTS] = {
		slice_of(verdict->code), verdict->id, slice_of(verdict->err.path),
		slice_of(verdict->err.reason),
	};
	struct record r;

	memset(&r, 0, sizeof(r));	/* with what lies between: it is written as it is */
	r.offset = verdict->err.at.offset;
	r.index = verdict->index;
	r.input = input;
	r.line = verdict->err.at.line;
	r.column = verdict->err.at.column;
	r.kind = verdict->kind;
	for (int i = 0; i < TEXTS; i++)
		r.n[i] = (uint32_t)(texts[i].n > TEXT_MAX ? TEXT_MAX : texts[i].n);
	spill_add(list->spill, &r, sizeof(r));
	for (int i = 0; i < TEXTS; i++)
		spill_add(list->spill, texts[i].p, r.n[i]);
	v->refused += verdict->kind == VERDICT_REFUSED;
	v->warned += verdict->kind == VERDICT_WARNED;
}

void
verdicts_add(struct verdicts *v, uint32_t input, const struct verdict *verdict)
{
	add(v, &v->main, input, verdict);
}

void
verdicts_add_late(struct verdicts *v, uint32_t input, const struct verdict *verdict)
{
	add(v, &v->late, input, verdict);
}

size_t
verdicts_refused(const struct verdicts *v)
{
	return v->refused;
}

size_t
verdicts_warned(const struct verdicts *v)
{
	return v->warned;
}

bool
verdicts_failed(const struct verdicts *v, struct err *e)
{
	return spill_failed(v->main.spill, e) || spill_failed(v->late.spill, e);
}

struct verdicts_mark
verdicts_mark(const struct verdicts *v)
{
	return (struct verdicts_mark){ spill_size(v->main.spill), v->refused, v->warned };
}

void
verdicts_cut(struct verdicts *v, struct verdicts_mark to)
{
	spill_cut(v->main.spill, to.size);
	v->refused = to.refused;
	v->warned = to.warned;
}

void
verdicts_rewind(struct verdicts *v)
{
	v->main.at = v->late.at = 0;
}

/* The record that comes next in a list. */
static bool
peek(const struct list *list, struct record *r)
{
	return list->at < spill_size(list->spill) && spill_get(list->spill, list->at, r, sizeof(*r));
}

static void
take(struct list *list, const struct record *r, struct arena *mem, struct verdict_row *row)
{
	char *texts[TEXTS];

	list->at += sizeof(*r);
	for (int i = 0; i < TEXTS; i++) {
		texts[i] = arena_raw(mem, (size_t)r->n[i] + 1);
		spill_get(list->spill, list->at, texts[i], r->n[i]);
		texts[i][r->n[i]] = '\0';
		list->at += r->n[i];
	}
	*row = (struct verdict_row){
		.input = r->input, .index = r->index,
		.verdict = r->kind == VERDICT_WARNED ? "warning" : "refused",
		.code = texts[0], .id = slice_from(texts[1], r->n[1]), .path = texts[2],
		.reason = texts[3], .at = { r->line, r->column, r->offset },
	};
}

bool
verdicts_next(struct verdicts *v, struct arena *mem, struct verdict_row *row)
{
	struct record main, late;
	bool some = peek(&v->main, &main), any = peek(&v->late, &late);

	if (!some && !any)
		return false;
	if (some && (!any || main.input <= late.input))
		take(&v->main, &main, mem, row);
	else
		take(&v->late, &late, mem, row);
	return true;
}
