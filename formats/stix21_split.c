/*
 * stix21_split.c -- a large document in pieces: an item of `objects` each. See stix21_read.h.
 *
 * What an item must know of the others is found before the first is read: the definitions of markings and
 * extensions (they may stand behind what they mark), and which of the former are refused. Of those the
 * place is kept, and trees only while they are few. Contradictions between two items are found by whoever
 * drives.
 */
#include <stdlib.h>

#include "formats/piece_run.h"
#include "formats/stix21_lean.h"
#include "formats/stix21_read.h"
#include "gateway/base/arena.h"
#include "gateway/base/codec.h"
#include "gateway/base/digest.h"

enum {
	WHOLE_MAX = 64 << 20, TREES_MAX = 4 << 20, OBJECTS_DEFAULT = 100000, DEPTH_DEFAULT = 128,
	AROUND = 2
};

struct definition {
	struct slice	 text;
	json		*tree;		/* in `trees`, or NULL: not looked at for a while */
};

struct whole {
	struct read_job		 job;
	struct arena		*mem, *trees;
	json			*root;		/* without `objects`; NULL: the document is a list */
	struct slice		 id, objects;
	size_t			 nitems;
	bool			 stix20;
	struct idmap		 markings, extensions, lost;
	struct definition	*definitions;
	size_t			 ndefinitions, cap;
	size_t			 nverdicts;	/* of the pieces so far */
	struct piece_run	 run;
};

static json *
parse_item(const struct whole *w, struct slice text, struct arena *mem, struct err *e)
{
	unsigned depth = w->job.limits.depth == 0 ? DEPTH_DEFAULT : w->job.limits.depth;
	const struct json_limits limits = { .depth = depth - AROUND, .bytes = text.n };
	struct json_doc doc;

	return json_parse(text, &limits, mem, &doc, e) == 0 ? doc.root : NULL;
}

/* ---- definitions ---- */

/* json_walk_fn over the objects: count them, and remember where definitions are. */
static bool
on_item(void *ctx, struct slice name, struct slice value)
{
	struct whole *w = ctx;

	(void)name;
	w->nitems++;
	if (!stix21_lean_is_definition(value))
		return true;
	w->definitions = arena_grow(w->mem, w->definitions, w->ndefinitions, &w->cap,
	    sizeof(*w->definitions));
	w->definitions[w->ndefinitions++] = (struct definition){ .text = value };
	return true;
}

/* The tree of a definition. It stays until the next piece at least. */
static json *
definition_tree(struct whole *w, size_t i)
{
	struct definition *d = &w->definitions[i];

	if (d->tree == NULL)
		d->tree = parse_item(w, d->text, w->trees, NULL);
	return d->tree;
}

/* Between two pieces nobody holds a tree. */
static void
forget_trees(struct whole *w)
{
	if (arena_bytes(w->trees) <= TREES_MAX)
		return;
	for (size_t i = 0; i < w->ndefinitions; i++)
		w->definitions[i].tree = NULL;
	arena_free(w->trees);
	w->trees = arena_new();
}

json *
stix21_whole_definition(struct whole *w, struct slice id)
{
	long i = idmap_find(&w->markings, id);

	if (i == IDMAP_NONE)
		i = idmap_find(&w->extensions, id);
	return i == IDMAP_NONE ? NULL : definition_tree(w, (size_t)i);
}

/* The definitions by id; false if one does not parse. */
static bool
index_definitions(struct whole *w)
{
	for (size_t i = 0; i < w->ndefinitions; i++) {
		const json *tree = definition_tree(w, i);
		struct slice type = json_member(tree, "type"), id = json_member(tree, "id");

		if (tree == NULL)
			return false;
		if (slice_is(type, "marking-definition"))
			idmap_add(&w->markings, w->mem, arena_slice(w->mem, id), i);
		else if (slice_is(type, "extension-definition") &&
		    slice_starts(id, "extension-definition--"))
			idmap_add(&w->extensions, w->mem, arena_slice(w->mem, id), i);
		forget_trees(w);
	}
	idmap_sort(&w->markings);
	idmap_sort(&w->extensions);
	return true;
}

/* What became of a definition that was tried. */
struct trial {
	struct slice	id, version_key;
	size_t		at;
};

static int
compare_trials(const void *a, const void *b)
{
	const struct trial *x = a, *y = b;
	int c = slice_cmp(x->id, y->id);

	if (c == 0)
		c = slice_cmp(x->version_key, y->version_key);
	return c != 0 ? c : (x->at > y->at) - (x->at < y->at);
}

static bool
same_definition(struct whole *w, size_t a, size_t b)
{
	struct arena *tmp = arena_new();
	bool same = json_equal(parse_item(w, w->definitions[a].text, tmp, NULL),
	    parse_item(w, w->definitions[b].text, tmp, NULL));

	arena_free(tmp);
	return same;
}

/* The later of two definitions that contradict each other will be refused. */
static void
find_conflicts(struct whole *w, struct trial *v, size_t n)
{
	const struct trial *first = v;

	qsort(v, n, sizeof(*v), compare_trials);
	for (size_t i = 1; i < n; i++) {
		if (!slice_eq(first->id, v[i].id) ||
		    !slice_eq(first->version_key, v[i].version_key))
			first = &v[i];
		else if (!same_definition(w, first->at, v[i].at))
			idmap_add(&w->lost, w->mem, v[i].id, v[i].at);
	}
}

/* Read a definition as it will be read in its turn; true if it will be accepted. */
static bool
try_definition(struct whole *w, size_t at, struct arena *tmp, struct trial *out)
{
	struct advisory adv = { 0 };
	struct read_piece piece = { .text = w->definitions[at].text, .whole = w, .index = 1 };
	struct read_job job = w->job;

	job.piece = &piece;
	job.in = piece.text;
	job.loss = NULL;
	if (stix21_read_piece(&job, tmp, &adv, NULL) < 0)
		return false;
	if (adv.n == 0) {
		idmap_add(&w->lost, w->mem, arena_slice(w->mem, adv.verdicts[0].id), at);
		return false;
	}
	*out = (struct trial){ arena_slice(w->mem, adv.objects[0].id),
	    arena_slice(w->mem, adv.objects[0].version_key), at };
	return true;
}

/* Which definitions will be refused? The fixed TLP ids need none. */
static void
find_lost(struct whole *w)
{
	struct trial *v = xcalloc(w->ndefinitions + 1, sizeof(*v));
	size_t n = 0;

	for (size_t i = 0; i < w->markings.n; i++) {
		struct arena *tmp = arena_new();

		n += try_definition(w, w->markings.v[i].value, tmp, &v[n]);
		arena_free(tmp);
		forget_trees(w);
	}
	if (n > 1)
		find_conflicts(w, v, n);
	free(v);
	for (size_t i = 0; i < w->lost.n; i++)
		if (tlp_of_marking_id(w->lost.v[i].id) != TLP_UNSET)
			w->lost.v[i].id = SLICE_EMPTY;
	idmap_sort(&w->lost);
	w->nverdicts = 0;
}

/* ---- the whole ---- */

/* The id of the bundle, or one made from the input. */
static void
name_whole(struct whole *w)
{
	static const char prefix[] = "bundle--";
	const size_t n = sizeof(prefix) - 1;
	char hex[2 * SHA256_LEN + 1], uuid[UUID_TEXT + 1];
	uint8_t digest[SHA256_LEN];

	w->id = json_member(w->root, "id");
	if (slice_starts(w->id, prefix) && uuid_is_valid(slice_from(w->id.p + n, w->id.n - n)))
		return;
	format_digest(&w->job, digest);
	hex_text(digest, SHA256_LEN, hex);
	uuid_v5(uuid_ns_tocsin, slice_of(arena_fmt(w->mem, "stix21|input|%s", hex)), uuid);
	w->id = slice_of(arena_fmt(w->mem, "bundle--%s", uuid));
}

static void
split_close(struct whole *w)
{
	arena_free(w->trees);
	arena_free(w->mem);
	free(w);
}

/* pos_of for a text that must not stay in memory. */
static struct pos
place_of(const struct read_job *job, size_t offset)
{
	struct pos at = { 1, 1, offset };
	size_t line_at = 0;
	const char *nl;

	for (size_t from = 0, passed = 0; (nl = memchr(job->in.p + from, '\n', offset - from)) != NULL; ) {
		from = line_at = (size_t)(nl - job->in.p) + 1;
		at.line++;
		if (job->passed != NULL && from - passed > TREES_MAX) {
			job->passed(job->passed_arg, job->in.p + from);
			passed = from;
		}
	}
	at.column = (uint32_t)(offset - line_at) + 1;
	return at;
}

/* The usual parser has better words, but needs many times the memory of the text. */
static int
find_break(const struct whole *w, struct err *e)
{
	const struct read_job *job = &w->job;
	size_t end;

	if (job->in.n <= WHOLE_MAX)
		return 0;
	if (!json_walk_end(job->in, job->limits.depth, job->passed, job->passed_arg, &end))
		return err_at(e, ERR_SYNTAX, place_of(job, end),
		    "from here on this is no JSON, or it is nested too deep");
	return 0;
}

/* See format.h. */
static int
split_open(const struct read_job *job, struct whole **out, struct err *e)
{
	struct whole *w = xcalloc(1, sizeof(*w));
	size_t most = stix21_limit(job->limits.objects, OBJECTS_DEFAULT);
	int rc = 0;

	w->job = *job;
	w->mem = arena_new();
	w->trees = arena_new();
	if (!job->envelope && stix21_lean_list(job, w->mem, &w->root, &w->objects) &&
	    stix21_lean_each(job, w->objects, on_item, w) &&
	    w->nitems > 0 && w->nitems <= most && index_definitions(w)) {
		w->stix20 = slice_is(json_member(w->root, "spec_version"), "2.0");
		find_lost(w);
		name_whole(w);
		rc = 1;
	}
	if (rc == 1)
		*out = w;
	else
		rc = find_break(w, e);
	if (rc != 1)
		split_close(w);
	return rc;
}

/* json_walk_fn over the objects: one is a piece. */
static bool
on_piece(void *ctx, struct slice name, struct slice value)
{
	struct whole *w = ctx;

	forget_trees(w);
	return piece_run_item(&w->run, name, value);
}

static bool
split_each(struct whole *w, format_piece_fn *fn, void *arg)
{
	w->run = piece_run_new(w, w->job.in, fn, arg);
	w->nverdicts = 0;
	return stix21_lean_each(&w->job, w->objects, on_piece, w);
}

const struct format_split stix21_split = {
	.open = split_open, .each = split_each, .close = split_close, .window = 8 << 20,
};

/* Read one item: an object, or a verdict. -1 if the usual parser would refuse the document for it. */
int
stix21_read_piece(const struct read_job *job, struct arena *mem, struct advisory *adv, struct err *e)
{
	struct whole *w = job->piece->whole;
	struct json_item item = { .text = job->in };
	struct reading r = { .job = job, .mem = mem, .tmp = mem, .adv = adv, .in = job->in,
		.here = { .line = 1 }, .stix20 = w->stix20, .whole = w, .before = w->nverdicts,
		.lost = w->lost, .doc = { .items = &item, .nitems = 1 } };

	if ((item.node = parse_item(w, job->in, mem, e)) == NULL) {
		err_input(e, job->input);
		return -1;
	}
	adv->id = w->id;
	if (job->piece->conflict) {
		stix21_refuse_conflict(&r, &item);
		return 0;
	}
	if (job->piece->index == 0 && w->root != NULL) {
		stix21_account_container(job->loss, w->root);
		stix21_check_bundle(&r, w->root);
	}
	stix21_read_items(&r);
	if (adv->n > 0 && stix21_has_lost_marking(&r, item.node))
		adv->objects[0].label = LABEL_UNREADABLE;
	w->nverdicts += adv->nverdicts;
	return 0;
}
