/* If this finds something, a large document gives other objects, or other labels, than it would in one piece. */
#include <stdint.h>
#include <stdlib.h>

#include "formats/format.h"
#include "gateway/base/arena.h"

int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { OBJECTS_MAX = 400, INPUT_MAX = 200000 };

/* What a reading gave. */
struct gave {
	struct arena		*mem;
	const struct format_ops	*f;
	struct read_job		 job;
	struct object		 v[OBJECTS_MAX];
	size_t			 n, refused;
	bool			 too_many, failed;
};

static bool
is_there(const struct gave *g, const struct object *o)
{
	for (size_t i = 0; i < g->n; i++)
		if (slice_eq(g->v[i].id, o->id) && slice_eq(g->v[i].version, o->version))
			return true;
	return false;
}

static bool
is_same(struct slice a, struct slice b)
{
	struct arena *mem = arena_new();
	struct json_doc x, y;
	bool same = json_parse(a, NULL, mem, &x, NULL) == 0 && json_parse(b, NULL, mem, &y, NULL) == 0 &&
	    json_equal(x.root, y.root);

	arena_free(mem);
	return same;
}

/* What whoever drives does: the later of two versions that contradict each other is refused. */
static bool
is_contradicted(const struct gave *g, const struct object *o)
{
	for (size_t i = 0; i < g->n; i++)
		if (slice_eq(g->v[i].id, o->id) && slice_eq(g->v[i].version_key, o->version_key))
			return !is_same(g->v[i].bytes, o->bytes);
	return false;
}

static void
take(struct gave *g, const struct advisory *adv, bool whole)
{
	for (size_t i = 0; i < adv->nverdicts; i++)
		g->refused += adv->verdicts[i].kind == VERDICT_REFUSED;
	for (size_t i = 0; i < adv->n; i++) {
		struct object o = adv->objects[i];

		if (g->f->split->joins && is_there(g, &o))
			continue;
		if (!whole && !g->f->split->joins && is_contradicted(g, &o)) {
			g->refused++;
			continue;
		}
		if (g->n == OBJECTS_MAX) {
			g->too_many = true;
			return;
		}
		o.id = arena_slice(g->mem, o.id);
		o.version = arena_slice(g->mem, o.version);
		o.version_key = arena_slice(g->mem, o.version_key);
		o.bytes = arena_slice(g->mem, o.bytes);
		g->v[g->n++] = o;
	}
}

static bool
on_piece(void *arg, const struct read_piece *piece)
{
	struct gave *g = arg;
	struct read_job job = g->job;
	struct arena *mem = arena_new();
	struct advisory adv = { 0 };
	struct err e = ERR_INIT;

	job.piece = piece;
	job.in = piece->text;
	if (g->f->read(&job, mem, &adv, &e) == 0) {
		take(g, &adv, false);
		for (size_t i = 0; i < adv.nverdicts; i++)
			format_piece_verdict(piece, mem, &adv.verdicts[i]);
	} else {
		g->failed = true;
	}
	arena_free(mem);
	return !g->failed && !g->too_many;
}

static void
check(const struct gave *whole, const struct gave *pieces)
{
	if (whole->n != pieces->n || whole->refused != pieces->refused)
		abort();
	for (size_t i = 0; i < whole->n; i++) {
		const struct object *a = &whole->v[i], *b = &pieces->v[i];

		if (!slice_eq(a->id, b->id) || !slice_eq(a->bytes, b->bytes) || a->tlp != b->tlp ||
		    a->label != b->label || a->pap != b->pap || !slice_eq(a->version_key, b->version_key))
			abort();
	}
}

static void
try_format(const struct format_ops *f, struct slice in)
{
	static struct gave whole, pieces;
	struct advisory adv = { 0 };
	struct err e = ERR_INIT;
	struct whole *w;

	whole = (struct gave){ .mem = arena_new(), .f = f, .job = { .in = in, .input = "fuzz", .in_stays = true,
	    .received = SLICE_LIT("2026-01-01T00:00:00Z"), .limits = { .objects = 10000 } } };
	pieces = whole;
	if (f->split->open(&whole.job, &w, &e) == 1) {
		f->split->each(w, on_piece, &pieces);
		f->split->close(w);
		if (!pieces.failed && !pieces.too_many) {
			if (f->read(&whole.job, whole.mem, &adv, &e) < 0)
				abort();
			take(&whole, &adv, true);
			if (!whole.too_many)
				check(&whole, &pieces);
		}
	}
	arena_free(whole.mem);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size > INPUT_MAX)
		return 0;
	for (size_t i = 0; formats[i] != NULL; i++)
		if (formats[i]->split != NULL)
			try_format(formats[i], slice_from(data, size));
	return 0;
}
