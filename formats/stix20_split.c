/*
 * stix20_split.c -- a large document of STIX 2.0 in pieces: an item of `objects` each.
 *
 * Before the first is read as a piece, each is looked at alone (the survey). What one must know of others
 * are definitions of markings, and whether residue needs its extension. Where two items claim one object
 * and say something else of it, or a definition is refused, the document is read as a whole.
 */
#include <stdlib.h>

#include "formats/piece_run.h"
#include "formats/stix20.h"
#include "formats/stix20_split.h"
#include "formats/stix21_lean.h"
#include "formats/stix21_read.h"
#include "gateway/base/arena.h"
#include "gateway/base/siphash.h"
#include "gateway/base/strbuf.h"

enum { OBJECTS_DEFAULT = 100000, DEFINITIONS_MAX = 1000, DEFINITIONS_BYTES = 4 << 20 };

/* An object that an item gives. */
struct given {
	uint64_t	key;		/* of (id, version) */
	uint64_t	content;
};

struct whole {
	struct read_job		 job;
	struct arena		*mem;
	json			*root;		/* without `objects`; NULL: the document is a list */
	struct slice		 id, objects;
	size_t			 n;
	struct siphash_key	 key;
	struct idmap		 definitions;
	json			*trees[DEFINITIONS_MAX];	/* in 2.1 */
	size_t			 ndefinitions, definition_bytes;
	struct given		*given;
	size_t			 ngiven, cap;
	bool			 rest;		/* an object carries residue */
	bool			 odd;		/* it cannot be read in pieces */
	size_t			 remarks;	/* of this run through all pieces */
};

/* ---- definitions ---- */

json *
stix20_whole_definition(const struct whole *w, struct slice id)
{
	long i = idmap_find(&w->definitions, id);

	return i == IDMAP_NONE ? NULL : w->trees[i];
}

/* json_walk_fn over the objects: count them, and lift definitions. */
static bool
on_item(void *ctx, struct slice name, struct slice value)
{
	struct whole *w = ctx;
	struct stix20 c = { .mem = w->mem, .keep = w->mem, .now = w->job.received };
	bool weaker;
	json *tree;

	(void)name;
	w->n++;
	if (!stix21_lean_is_definition(value))
		return true;
	w->definition_bytes += value.n;
	tree = w->ndefinitions == DEFINITIONS_MAX || w->definition_bytes > DEFINITIONS_BYTES ? NULL :
	    stix21_lean_tree(&w->job, value, w->mem);
	if (!json_is_object(tree))
		return false;
	if (!slice_is(json_member(tree, "spec_version"), "2.1"))
		tree = stix20_up(&c, tree, &weaker);
	idmap_add(&w->definitions, w->mem, json_member(tree, "id"), w->ndefinitions);
	w->trees[w->ndefinitions++] = tree;
	return true;
}

/* ---- the survey ---- */

static void
note(struct whole *w, const struct object *o)
{
	struct strbuf text = STRBUF_INIT;
	struct given *g;

	w->given = xgrow(w->given, w->ngiven, &w->cap, sizeof(*w->given));
	g = &w->given[w->ngiven++];
	strbuf_addf(&text, "%.*s %.*s", SLICE_ARG(o->id), SLICE_ARG(o->version));
	g->key = siphash(&w->key, strbuf_slice(&text));
	strbuf_setlen(&text, 0);
	json_print_jcs(&text, o->tree);
	g->content = siphash(&w->key, strbuf_slice(&text));
	strbuf_fini(&text);
}

/* json_walk_fn over the objects: what does it give? */
static bool
on_survey(void *ctx, struct slice name, struct slice value)
{
	struct whole *w = ctx;
	struct read_piece piece = { .text = value, .index = 1, .whole = w };
	struct read_job job = w->job;
	struct arena *mem = arena_new();
	struct advisory adv = { 0 };
	bool definition = stix21_lean_is_definition(value), rest = false;

	(void)name;
	job.piece = &piece;
	job.in = value;
	job.loss = NULL;
	w->odd = w->odd || stix20_read_piece(&job, mem, &adv, &rest, NULL) < 0;
	for (size_t i = 0; i < adv.nverdicts; i++)
		w->odd = w->odd || (definition && adv.verdicts[i].kind == VERDICT_REFUSED);
	for (size_t i = 0; i < adv.n; i++)
		note(w, &adv.objects[i]);
	w->rest = w->rest || rest;
	arena_free(mem);
	return !w->odd;
}

static int
compare_given(const void *a, const void *b)
{
	const struct given *x = a, *y = b;

	return (x->key > y->key) - (x->key < y->key);
}

/* Does any object come in two forms? */
static bool
has_clash(struct whole *w)
{
	bool clash = false;

	if (w->ngiven > 1)
		qsort(w->given, w->ngiven, sizeof(*w->given), compare_given);
	for (size_t i = 1; i < w->ngiven && !clash; i++)
		clash = w->given[i].key == w->given[i - 1].key &&
		    w->given[i].content != w->given[i - 1].content;
	free(w->given);
	w->given = NULL;
	return clash;
}

/* ---- see format.h ---- */

static void
split_close(struct whole *w)
{
	free(w->given);
	arena_free(w->mem);
	free(w);
}

static struct slice
name_of(const struct whole *w)
{
	struct advisory adv = { 0 };
	struct reading r = { .job = &w->job, .mem = w->mem, .adv = &adv, .in = w->job.in,
	    .doc = { .root = w->root } };

	stix21_name(&r, "stix20");
	return adv.id;
}

static int
split_open(const struct read_job *job, struct whole **out, struct err *e)
{
	struct whole *w = xcalloc(1, sizeof(*w));

	(void)e;
	w->job = *job;
	w->mem = arena_new();
	w->key = siphash_key_new();
	w->odd = !stix21_lean_list(job, w->mem, &w->root, &w->objects) ||
	    !stix21_lean_each(job, w->objects, on_item, w) || w->n < 2 ||
	    w->n > stix21_limit(job->limits.objects, OBJECTS_DEFAULT);
	if (!w->odd) {
		idmap_sort(&w->definitions);
		w->odd = !stix21_lean_each(job, w->objects, on_survey, w);
	}
	if (w->odd || has_clash(w)) {
		split_close(w);
		return 0;
	}
	w->id = name_of(w);
	*out = w;
	return 1;
}

static bool
split_each(struct whole *w, format_piece_fn *fn, void *arg)
{
	struct piece_run run = piece_run_new(w, w->job.in, fn, arg);

	w->remarks = 0;
	return stix21_lean_each(&w->job, w->objects, piece_run_item, &run);
}

const struct format_split stix20_split = {
	.open = split_open, .each = split_each, .close = split_close, .joins = true,
	.window = 1 << 20,
};

/* ---- what a piece is told ---- */

struct slice
stix20_piece_begin(const struct read_piece *piece, const json **root, size_t *remarks)
{
	*root = piece->index == 0 ? piece->whole->root : NULL;
	*remarks = piece->whole->remarks;
	return piece->whole->id;
}

bool
stix20_piece_end(const struct read_piece *piece, size_t remarks)
{
	piece->whole->remarks += remarks;
	return piece->whole->rest && piece->index + 1 == piece->whole->n;
}
