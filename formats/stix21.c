/*
 * stix21.c -- STIX 2.1, and whatever JSON carries objects like it.
 *
 * Reads:   a bundle, a TAXII envelope (other members ignored), one object, or (not in strict mode) a
 *          bare list. The bytes of each object are kept as they stood.
 * Writes:  a bundle of those bytes, in order, with an id that its content gives.
 *
 * Verdicts of the reader: BAD_OBJECT BAD_TYPE BAD_ID BAD_TIMESTAMP MISSING_PROPERTY TOO_LARGE
 * NESTED_BUNDLE VERSION_CONFLICT refuse an object in any mode; the codes of stix21_check.h warn, or
 * refuse when strict. BAD_BUNDLE is a remark on what is around the objects.
 *
 * The parts: stix21_item.c one item, stix21_message.c what needs all of them, stix21_split.c
 * large documents, stix21_write.c.
 */
#include "formats/idmap.h"
#include "formats/stix21_lean.h"
#include "formats/stix21_read.h"
#include "gateway/base/arena.h"
#include "gateway/base/codec.h"
#include "gateway/base/strbuf.h"

enum { BYTES_DEFAULT = 64 << 20, OBJECTS_DEFAULT = 100000 };

/* Return how sure we are that this is STIX (or an envelope of it): 0..100. */
static int
sniff(struct slice head)
{
	static const struct { const char *word; int sure; } hints[] = {
		{ "\"bundle\"", 95 }, { "\"bundle--", 95 }, { "\"spec_version\"", 90 },
		{ "\"marking-definition--", 80 }, { "\"indicator--", 80 }, { "\"objects\"", 60 },
	};
	struct slice s = slice_trim(head);

	if (s.n == 0 || (s.p[0] != '{' && s.p[0] != '['))
		return 0;
	for (size_t i = 0; i < sizeof(hints) / sizeof(*hints); i++)
		if (format_head_has(s, hints[i].word))
			return hints[i].sure;
	return 5;
}

/* -1 unless the document is a TAXII envelope with something in it (TAXII 2.1 section 3.7), and a bundle
 * where one is called for. */
static int
check_envelope(const json *root, bool bundle, struct err *e)
{
	const json *objects = json_get(root, "objects");
	struct pos start = { 1, 1, 0 };

	if (!json_is_object(root))
		return err_at(e, ERR_VALUE, start, "an envelope is a JSON object");
	if (bundle && !slice_is(json_member(root, "type"), "bundle"))
		return err_at(e, ERR_VALUE, start, "TAXII 2.0 takes a bundle: type \"bundle\"");
	if (json_is_list(objects) && json_first(objects) != NULL)
		return 0;
	err_at(e, ERR_VALUE, start, "an envelope has a list \"objects\" with at least one object");
	err_path(e, "objects");
	return -1;
}

/* Decide what the document is, and leave its objects in doc.items; -1 if it holds none. */
static int
find_items(struct reading *r, struct err *e)
{
	json *root = r->doc.root, *objects = json_get(root, "objects");
	bool bundle = slice_is(json_member(root, "type"), "bundle");
	struct pos start = { 1, 1, 0 };

	if (r->job->envelope)
		return check_envelope(root, r->job->bundle, e);
	if (!json_is_object(root) && !json_is_list(root))
		return err_at(e, ERR_VALUE, start, "neither an object nor a list of objects");
	if (json_is_list(root))
		return !r->job->strict ? 0 : err_at(e, ERR_VALUE, start,
		    "a list at top level is no STIX document: a bundle is needed");
	if (json_is_list(objects) || (bundle && objects == NULL))
		return 0;
	if (bundle || (objects != NULL && json_get(root, "id") == NULL)) {
		err_at(e, ERR_VALUE, start, "objects must be a list");
		err_path(e, "objects");
		return -1;
	}
	if (json_get(root, "type") == NULL && json_get(root, "id") == NULL)
		return err_at(e, ERR_MISSING, start, "no STIX object, bundle or envelope");
	r->doc.items = arena_alloc(r->mem, sizeof(*r->doc.items));
	r->doc.items[0].node = root;
	r->doc.items[0].text = slice_trim(r->in);
	r->doc.items[0].offset = (size_t)(r->doc.items[0].text.p - r->in.p);
	r->doc.nitems = 1;
	return 0;
}

/* Remember where the definitions of markings and extensions are: objects refer to them before they
 * come. */
static void
index_definitions(struct reading *r)
{
	for (size_t i = 0; i < r->doc.nitems; i++) {
		const json *node = r->doc.items[i].node;
		struct slice type = json_member(node, "type"), id = json_member(node, "id");

		if (slice_is(type, "marking-definition") || (slice_is(type, "extension-definition") &&
		    slice_starts(id, "extension-definition--")))
			idmap_add(&r->definitions, r->mem, id, i);
	}
	idmap_sort(&r->definitions);
}

/* Cut out what a relay envelope says of itself. */
static void
cut_relay(const struct reading *r, struct relay_member *out)
{
	const json *x = json_get(r->doc.root, "x_tocsin");
	struct strbuf text = STRBUF_INIT;
	struct sha256 *h = sha256_new();

	for (size_t i = 0; i < r->doc.nitems; i++) {
		sha256_add(h, r->doc.items[i].text);
		sha256_add(h, SLICE_LIT("\n"));
	}
	sha256_end(h, out->digest);
	if (x != NULL)
		json_print(&text, x);
	out->text = arena_slice(r->mem, strbuf_slice(&text));
	strbuf_fini(&text);
}

void
stix21_account_container(struct loss *l, const json *root)
{
	for (const json *m = json_first(root); m != NULL; m = json_next(m))
		if (strcmp(json_name(m), "objects") != 0 && strcmp(json_name(m), "type") != 0 &&
		    strcmp(json_name(m), "id") != 0)
			stix21_account(l, LOSS_DROPPED, m, slice_of(json_name(m)),
			    "a member of the container");
}

/* Remark on a bundle that is none of 2.1: nobody loses an object for it. */
void
stix21_check_bundle(struct reading *r, const json *root)
{
	static const char prefix[] = "bundle--";
	const size_t n = sizeof(prefix) - 1;
	struct slice id = json_member(root, "id");

	if (!slice_is(json_member(root, "type"), "bundle"))
		return;
	if (json_get(root, "id") == NULL)
		stix21_remark(r, "BAD_BUNDLE", "id", "is missing");
	else if (!slice_starts(id, prefix) || !uuid_is_valid(slice_from(id.p + n, id.n - n)))
		stix21_remark(r, "BAD_BUNDLE", "id", "is not bundle-- and a UUID");
	for (const json *m = json_first(root); m != NULL; m = json_next(m)) {
		const char *name = json_name(m);

		if (strcmp(name, "objects") != 0 && strcmp(name, "type") != 0 && strcmp(name, "id") != 0 &&
		    !(r->stix20 && strcmp(name, "spec_version") == 0))
			stix21_remark(r, "BAD_BUNDLE", name, "is no member of a bundle, and left out");
	}
}

/* The document is taken apart: make the advisory of it. */
static int
read_document(struct reading *r, struct err *e)
{
	size_t most = stix21_limit(r->job->limits.objects, OBJECTS_DEFAULT);

	if (r->doc.nitems > most)
		return err_set(e, ERR_LIMIT, "%zu objects are more than the limit of %zu",
		    r->doc.nitems, most);
	r->stix20 = r->job->bundle || (json_is_object(r->doc.root) &&
	    slice_is(json_member(r->doc.root, "spec_version"), "2.0"));
	if (r->job->relay != NULL)
		cut_relay(r, r->job->relay);
	if (r->adv->objects == NULL) {
		r->adv->objects = arena_raw(r->mem, r->doc.nitems * sizeof(*r->adv->objects));
		r->adv->cap = r->doc.nitems;
	}
	index_definitions(r);
	stix21_name(r, "stix21");
	if (json_is_object(r->doc.root) && json_is_list(json_get(r->doc.root, "objects")))
		stix21_account_container(r->job->loss, r->doc.root);
	stix21_check_bundle(r, r->doc.root);
	stix21_read_items(r);
	if (r->odd)
		return -1;
	stix21_check_message(r);
	stix21_unread_lost_markings(r);
	advisory_settle(r->adv, r->mem);
	return 0;
}

/* Read a large document an object at a time. False if it is for the usual way, and nothing was read. */
static bool
read_lean(const struct read_job *job, struct arena *mem, struct advisory *adv)
{
	struct reading r = { .job = job, .mem = mem, .adv = adv, .in = job->in, .here = { .line = 1 },
		.lean = true };

	if (job->in.n > stix21_limit(job->limits.bytes, BYTES_DEFAULT) ||
	    !stix21_lean_find(job, mem, &r.doc) ||
	    (job->bundle && !slice_is(json_member(r.doc.root, "type"), "bundle")))
		return false;
	if (read_document(&r, NULL) == 0)
		return true;
	*adv = (struct advisory){ .n = 0 };
	return false;
}

/* Read one text: 0 with objects and verdicts, -1 when it holds no objects at all. */
static int
stix21_read(const struct read_job *job, struct arena *mem, struct advisory *adv, struct err *e)
{
	struct reading r = { .job = job, .mem = mem, .tmp = mem, .adv = adv, .here = { .line = 1 } };
	struct json_limits limits = {
		.depth = job->limits.depth,
		.bytes = stix21_limit(job->limits.bytes, BYTES_DEFAULT),
	};

	if (job->piece != NULL)
		return stix21_read_piece(job, mem, adv, e);
	if (job->lean && read_lean(job, mem, adv))
		return 0;
	if (job->in.n > limits.bytes) {
		err_set(e, ERR_LIMIT, "%zu bytes are more than the limit of %zu", job->in.n,
		    limits.bytes);
		goto fail;
	}
	r.in = job->in_stays ? job->in : arena_slice(mem, job->in);
	if (json_parse(r.in, &limits, mem, &r.doc, e) < 0 || find_items(&r, e) < 0 ||
	    read_document(&r, e) < 0)
		goto fail;
	return 0;
fail:
	err_input(e, job->input);
	return -1;
}

/* Would all items parse? Duplicate names, and what the walk does not count, are found by parsing only. */
static bool
count_lean(const struct read_job *job, struct arena *mem, struct json_doc *doc)
{
	if (job->in.n > stix21_limit(job->limits.bytes, BYTES_DEFAULT) ||
	    !stix21_lean_find(job, mem, doc) ||
	    (job->bundle && !slice_is(json_member(doc->root, "type"), "bundle")))
		return false;
	for (size_t i = 0; i < doc->nitems; i++) {
		struct arena *tmp = arena_new();
		bool fine = stix21_lean_tree(job, doc->items[i].text, tmp) != NULL;

		if (job->passed != NULL)
			job->passed(job->passed_arg, doc->items[i].text.p);
		arena_free(tmp);
		if (!fine)
			return false;
	}
	return true;
}

/* Count the items of a document, without a look at what they say. */
static int
stix21_count(const struct read_job *job, struct arena *mem, size_t *n, struct err *e)
{
	struct reading r = { .job = job, .mem = mem, .in = job->in };
	struct json_limits limits = {
		.depth = job->limits.depth,
		.bytes = stix21_limit(job->limits.bytes, BYTES_DEFAULT),
	};
	size_t most = stix21_limit(job->limits.objects, OBJECTS_DEFAULT);
	int rc = 0;

	if (!job->lean || !count_lean(job, mem, &r.doc))
		rc = json_parse(r.in, &limits, mem, &r.doc, e) < 0 || find_items(&r, e) < 0 ? -1 : 0;
	if (rc == 0 && r.doc.nitems > most)
		rc = err_set(e, ERR_LIMIT, "%zu objects are more than the limit of %zu", r.doc.nitems,
		    most);
	*n = r.doc.nitems;
	if (rc < 0)
		err_input(e, job->input);
	return rc;
}

const struct format_ops format_stix21 = {
	.name = "stix21",
	.media_type = "application/stix+json;version=2.1",
	.file_ending = ".json",
	.sniff = sniff,
	.read = stix21_read,
	.count = stix21_count,
	.write = stix21_write,
	.split = &stix21_split,
	.stream = &stix21_stream,
};
