/*
 * cmd_document_read.c -- from inputs to objects on the shelf. Part of cmd_document.h.
 *
 * An input larger than the window is read piece by piece where its format can (format_split); then only one
 * piece is in memory. If a piece turns out to be one that the whole would be refused for, what came of the
 * input is forgotten, and it is read as a whole, so that both ways say the same.
 */
#include <stdlib.h>
#include <string.h>

#include "gateway/base/arena.h"
#include "gateway/base/clock.h"
#include "gateway/base/codec.h"
#include "gateway/base/digest.h"
#include "gateway/base/strbuf.h"
#include "gateway/cmd_document.h"
#include "gateway/cmd_ids.h"
#include "gateway/cmd_input.h"
#include "gateway/cmd_progress.h"

enum { OBJECTS_MAX = 10000000 };
#define WHOLE_MAX ((size_t)1 << 30)	/* of an input that can only be read at once */
#define AGAIN_MAX ((size_t)256 << 20)	/* of one that could not be read in pieces after all */

/* One input being read. */
struct taking {
	struct documents	*d;
	struct read_job		 job;
	const struct format_ops	*f;
	struct input		*in;
	uint32_t		 number;
	struct slice		 newest;	/* version of an object */
	bool			 timeless;	/* no time of the input can stand for `received` ... */
	bool			 asked;		/* ... and an object was given it */
	struct err		 err;		/* of the piece that ended it */
	struct pos		 here;		/* of the object looked at, and where its line begins */
	size_t			 line_at;
	struct ids		*ids;		/* NULL unless pieces may give one object twice */
};

static void
add_verdict(struct taking *t, const struct verdict *v)
{
	verdicts_add(t->d->verdicts, t->number, v);
}

/* Nothing could be read: one verdict for the whole input. */
static void
add_unreadable(struct taking *t, const struct err *e)
{
	struct verdict v = { .kind = VERDICT_REFUSED, .err = *e };
	char *code = arena_str(t->d->mem, slice_of(err_word(e->code)));

	for (char *c = code; *c != '\0'; c++)
		if (*c >= 'a' && *c <= 'z')
			*c = (char)(*c - 32);
	v.code = code;
	add_verdict(t, &v);
	t->d->unreadable++;
}

/* One bit an element of the input: was a remark made on it? Heap. */
static uint8_t *
find_remarked(const struct advisory *adv, size_t *bits)
{
	uint8_t *v;

	*bits = 0;
	for (size_t i = 0; i < adv->n; i++)
		if (adv->objects[i].index >= *bits)
			*bits = adv->objects[i].index + 1;
	v = xcalloc(*bits / 8 + 1, 1);
	for (size_t i = 0; i < adv->nverdicts; i++)	/* some are of no object, whatever their index */
		if (adv->verdicts[i].index < *bits)
			v[adv->verdicts[i].index / 8] |= (uint8_t)(1 << adv->verdicts[i].index % 8);
	return v;
}

/* Where an object stands, if its text is one of the input. */
static struct pos
place_of(struct taking *t, const struct object *o)
{
	const char *text = input_text(t->in).p, *nl;
	size_t to;

	if (!input_has(t->in, o->bytes.p))
		return (struct pos){ 0 };
	to = (size_t)(o->bytes.p - text);
	if (to < t->here.offset)
		t->here = (struct pos){ .line = 1 }, t->line_at = 0;
	for (size_t from = t->here.offset; (nl = memchr(text + from, '\n', to - from)) != NULL; ) {
		from = t->line_at = (size_t)(nl - text) + 1;
		t->here.line++;
	}
	t->here.offset = to;
	t->here.column = (uint32_t)(to - t->line_at) + 1;
	return t->here;
}

/* Put by what a piece (NULL: the whole) gave. */
static void
keep(struct taking *t, struct advisory *adv, const struct read_piece *piece, struct arena *mem)
{
	size_t bits;
	uint8_t *remarked = find_remarked(adv, &bits);

	for (size_t i = 0; i < adv->n; i++) {
		struct object *o = &adv->objects[i];
		bool minted = (o->flags & OBJECT_MINTED) != 0;
		bool told = !minted && o->index < bits &&
		    (remarked[o->index / 8] & 1 << o->index % 8) != 0;
		struct pos place = piece != NULL && !minted ? piece->at : place_of(t, o);

		if (piece != NULL)
			o->index += piece->index;
		document_newest(mem, o->version, &t->newest);
		t->asked = t->asked || (t->timeless && memmem(o->bytes.p, o->bytes.n,
		    document_epoch, sizeof(document_epoch) - 1) != NULL);
		if (t->ids != NULL && ids_add(t->ids, o->id, o->version))
			continue;
		shelf_add(t->d->shelf, o, t->number, piece == NULL ? NULL : t->in, place, told,
		    piece == NULL || t->ids != NULL);
	}
	for (size_t i = 0; i < adv->nverdicts; i++)
		if (piece == NULL || format_piece_verdict(piece, mem, &adv->verdicts[i]))
			add_verdict(t, &adv->verdicts[i]);
	shelf_next_batch(t->d->shelf);
	account_take(t->d->account, LEG_READING, piece);
	free(remarked);
}

/* ---- as a whole ---- */

static int
read_whole(struct taking *t, struct err *e)
{
	struct arena *mem = arena_new();
	struct advisory adv = { 0 };
	struct slice newest;
	int rc;

	t->job.limits.bytes = WHOLE_MAX;
	if (t->job.in.n > t->d->largest)
		t->d->largest = t->job.in.n;
	if (t->f->split != NULL && t->f->split->joins)
		t->ids = ids_new();
	rc = t->f->read(&t->job, mem, &adv, e);
	if (rc == 0) {
		keep(t, &adv, NULL, mem);
		t->d->id = arena_slice(t->d->mem, adv.id);
		if (adv.envelope.n > 0)
			t->d->envelope = arena_slice(t->d->mem, adv.envelope);
	}
	newest = t->newest;
	t->newest = newest.n == 0 ? newest : arena_slice(t->d->mem, newest);
	ids_free(t->ids);
	t->ids = NULL;
	arena_free(mem);
	return rc;
}

/* ---- in pieces ---- */

static void
show_progress(struct taking *t, const char *doing, size_t done)
{
	work_bar_show(t->d->bar, doing, input_name(t->in), done, t->job.in.n);
}

/* read_job.passed */
static void
on_passed(void *arg, const char *place)
{
	struct taking *t = arg;

	input_passed(t->in, place);
	show_progress(t, "looking", (size_t)(place - t->job.in.p));
}

/* format_piece_fn: read one. */
static bool
on_piece(void *arg, const struct read_piece *piece)
{
	struct taking *t = arg;
	struct arena *mem = arena_new();
	struct advisory adv = { 0 };
	struct slice before = t->newest;
	bool read;

	t->job.piece = piece;
	t->job.in = piece->text;
	t->job.passed = NULL;
	if (piece->text.n > t->d->largest)
		t->d->largest = piece->text.n;
	read = t->f->read(&t->job, mem, &adv, &t->err) == 0;
	t->job.in = input_text(t->in);
	t->job.piece = NULL;
	t->job.passed = on_passed;
	if (read) {
		keep(t, &adv, piece, mem);
		t->d->id = t->d->id.n > 0 ? t->d->id : arena_slice(t->d->mem, adv.id);
	} else {
		struct verdict v = { .err = t->err };

		format_piece_verdict(piece, mem, &v);
		t->err = v.err;
	}
	if (t->newest.p != before.p)
		t->newest = arena_slice(t->d->mem, t->newest);
	arena_free(mem);
	show_progress(t, "reading", piece->at.offset);
	return read;
}

/* What was there before an input. */
struct mark {
	size_t			 objects;
	struct verdicts_mark	 verdicts;
	struct account_mark	 account;
};

static struct mark
set_mark(const struct documents *d)
{
	return (struct mark){ shelf_count(d->shelf), verdicts_mark(d->verdicts),
	    account_mark(d->account, LEG_READING) };
}

static void
go_back(struct documents *d, const struct mark *m)
{
	shelf_cut(d->shelf, m->objects);
	verdicts_cut(d->verdicts, m->verdicts);
	account_take(d->account, LEG_READING, NULL);
	account_cut(d->account, LEG_READING, &m->account);
}

/* 1: read; 0: it is for the whole way; -1 and *e: refused. */
static int
read_pieces(struct taking *t, struct source *source, struct err *e)
{
	struct mark before = set_mark(t->d);
	struct slice newest = t->newest;
	bool done;
	int rc;

	t->job.limits.bytes = t->d->limit;
	rc = t->f->split->open(&t->job, &source->whole, e);
	if (rc <= 0)
		return rc;
	if (t->f->split->joins)
		t->ids = ids_new();
	done = t->f->split->each(source->whole, on_piece, t);
	ids_free(t->ids);
	t->ids = NULL;
	if (done) {
		source->in = t->in;
		input_forget(t->in);
		return 1;
	}
	go_back(t->d, &before);
	t->newest = newest;
	t->f->split->close(source->whole);
	source->whole = NULL;
	*e = t->err;
	return t->job.in.n > AGAIN_MAX ? -1 : 0;
}

/* ---- one input ---- */

/* Is it to be read in pieces? */
static bool
is_large(const struct taking *t)
{
	const struct format_split *split = t->f->split;

	return split != NULL &&
	    t->job.in.n > (t->d->window == SIZE_MAX ? split->window : t->d->window);
}

/* 0, or -1 and *e if nothing of it can be read. */
static int
read_text(struct taking *t, struct source *source, struct err *e)
{
	int rc = 0;

	if (is_large(t))
		rc = read_pieces(t, source, e);
	if (rc == 0 && t->job.in.n > AGAIN_MAX && t->f->split != NULL) {
		err_set(e, ERR_LIMIT, "%zu bytes that cannot be read piece by piece are more than the "
		    "limit of %zu", t->job.in.n, AGAIN_MAX);
		return -1;
	}
	if (rc == 0)
		rc = read_whole(t, e);
	return rc < 0 ? -1 : 0;
}

static struct source *
add_source(struct documents *d, const char *name)
{
	struct source *s;

	d->sources = arena_grow(d->mem, d->sources, d->nsources, &d->cap, sizeof(*d->sources));
	s = &d->sources[d->nsources++];
	*s = (struct source){ .name = arena_str(d->mem, slice_of(name)) };
	return s;
}

/* Choose format and times, and read. -1 after a message. */
static int
take_input(struct taking *t, const struct args *a, struct source *source)
{
	struct documents *d = t->d;
	struct err e = ERR_INIT;
	t->f = source->format = documents_choose(d, a, t->job.in, &e);
	if (t->f == &format_mapped && d->mapping == NULL)
		return cmd_complain("%s: format mapped needs --mapping", source->name);
	t->timeless = t->f != NULL && !documents_choose_received(d, &t->job, t->f);
	if (t->f == NULL || read_text(t, source, &e) < 0) {
		err_input(&e, source->name);
		add_unreadable(t, &e);
		return 0;
	}
	if (t->asked && d->to != NULL)
		return cmd_complain("%s: there is no time in it that could stand for the time of "
		    "receipt; say --received 2026-05-01T12:00:00Z", source->name);
	document_newest(d->mem, t->job.received.n > 0 && !t->timeless ? t->job.received : t->newest,
	    &d->received);
	return 0;
}

static int
read_input(struct documents *d, const struct args *a, const char *path)
{
	struct err e = ERR_INIT;
	struct input *in = input_open(path, d->limit, &e);
	struct taking t = { .d = d, .in = in, .number = (uint32_t)d->nsources,
	    .here = { .line = 1 } };
	struct source *source;
	int rc;

	if (in == NULL) {
		cmd_fail_err(&e);
		return -1;
	}
	source = add_source(d, input_name(in));
	t.job = (struct read_job){ .in = input_text(in), .input = source->name, .mapping = d->mapping,
	    .loss = account_loss(d->account), .strict = args_get(a, "strict") != NULL,
	    .received = slice_of(args_get(a, "received")), .in_stays = true,
	    .iodef_amber_strict = args_get(a, "iodef-amber-strict") != NULL,
	    .misp_groups = args_get(a, "misp-groups"),
	    .limits = { .objects = OBJECTS_MAX }, .passed = on_passed, .passed_arg = &t };
	d->bytes += t.job.in.n;
	rc = take_input(&t, a, source);
	if (source->in == NULL)
		input_close(in);
	if (shelf_failed(d->shelf, &e) || verdicts_failed(d->verdicts, &e)) {
		cmd_fail_err(&e);
		return -1;
	}
	return rc;
}

/* ---- all inputs ---- */

/* Two inputs contradict each other. */
static void
tell_clash(struct documents *d, const struct clash *c, const struct object *o)
{
	struct verdict v = { .kind = VERDICT_REFUSED, .code = "VERSION_CONFLICT", .id = o->id,
	    .version = o->version, .index = o->index };

	err_set(&v.err, ERR_CONFLICT, "%.*s: another input has other content under this version; the "
	    "first is kept", SLICE_ARG(o->id));
	verdicts_add_late(d->verdicts, c->input, &v);
}

/* The later of two in one input: its format says so. */
static void
refuse_piece(struct documents *d, const struct args *a, const struct clash *c, const struct kept *k,
    struct arena *mem)
{
	const struct source *source = &d->sources[c->input];
	struct read_piece piece = { .text = shelf_text(d->shelf, k, mem), .index = k->index,
	    .at = { k->line, k->column, k->offset }, .conflict = true, .whole = source->whole };
	struct read_job job = { .in = piece.text, .piece = &piece, .input = source->name,
	    .loss = account_loss(d->account), .in_stays = true,
	    .strict = args_get(a, "strict") != NULL };
	struct advisory adv = { 0 };

	source->format->read(&job, mem, &adv, NULL);
	for (size_t i = 0; i < adv.nverdicts; i++)
		if (format_piece_verdict(&piece, mem, &adv.verdicts[i]))
			verdicts_add_late(d->verdicts, c->input, &adv.verdicts[i]);
	account_take(d->account, LEG_READING, &piece);
}

/* One input whose reader saw to it: nothing is to be compared. */
static bool
is_settled(const struct documents *d)
{
	return d->nsources == 1 &&
	    (d->sources[0].whole == NULL || d->sources[0].format->split->joins);
}

/* Of two versions that are one, the first stays. */
static void
settle(struct documents *d, const struct args *a)
{
	struct clash *v;
	size_t n;

	if (is_settled(d))
		return;
	v = shelf_settle(d->shelf, &n);
	for (size_t i = 0; i < n; i++) {
		struct arena *mem = arena_new();
		struct object o;
		struct kept k;

		if (shelf_find(d->shelf, v[i].at, &k) && v[i].own &&
		    d->sources[v[i].input].whole != NULL)
			refuse_piece(d, a, &v[i], &k, mem);
		else if (shelf_load(d->shelf, &k, mem, false, &o))
			tell_clash(d, &v[i], &o);
		arena_free(mem);
	}
	free(v);
}

/* Several inputs make a bundle whose id depends on what they hold. */
static void
name_bundle(struct documents *d)
{
	struct sha256 *h = sha256_new();
	uint8_t sum[SHA256_LEN];
	char hex[2 * SHA256_LEN + 1], uuid[UUID_TEXT + 1];

	for (size_t i = 0; i < shelf_count(d->shelf); i++) {
		struct arena *mem = arena_new();
		struct object o;
		struct kept k;

		if (shelf_get(d->shelf, i, &k) && shelf_load(d->shelf, &k, mem, false, &o)) {
			sha256_add(h, o.id);
			sha256_add(h, o.version);
			sha256_add(h, SLICE_LIT("\n"));
		}
		arena_free(mem);
	}
	sha256_end(h, sum);
	hex_text(sum, sizeof(sum), hex);
	uuid_v5(uuid_ns_tocsin, slice_of(hex), uuid);
	d->id = slice_of(arena_fmt(d->mem, "bundle--%s", uuid));
}

static size_t
count_accepted(struct documents *d)
{
	size_t n = 0;
	struct kept k;

	for (size_t i = 0; i < shelf_count(d->shelf); i++)
		n += shelf_get(d->shelf, i, &k);
	return n;
}

int
documents_read(struct documents *d, const struct args *a, const char *const *paths, size_t n)
{
	if (documents_prepare(d, a) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		if (read_input(d, a, paths[i]) < 0)
			return -1;
	settle(d, a);
	d->accepted = count_accepted(d);
	if (n > 1 && d->to != NULL && d->to->stream == NULL)
		name_bundle(d);
	/* A writer that needs a now, and objects that have no time: the caller must say one. */
	if (d->received.n == 0 && d->to != NULL && d->to->read != NULL && d->to != &format_stix21 &&
	    d->unreadable == 0)
		return cmd_complain("no object has a time that could stand for now; say --received "
		    "2026-05-01T12:00:00Z");
	return 0;
}
