/* feed_rows.c -- rows of a collection become names and records in the outputs. Part of feed_build.h. */
#include "gateway/feed_build_parts.h"

#include "gateway/base/arena.h"
#include "gateway/base/json.h"
#include "gateway/gateway.h"
#include "formats/refs.h"

/* ---- an object ---- */

/* The object of a row, with its tree; false if its bytes cannot be read, which they could once. */
static bool
object_of(struct feed_build *b, const struct store_row *row, struct object *o)
{
	struct json_doc doc;
	bool open;

	*o = (struct object){ .bytes = row->bytes };
	if (json_parse(row->bytes, NULL, b->page_mem, &doc, NULL) < 0)
		return false;
	o->tree = doc.root;
	if (object_skim(o, b->page_mem, &open) < 0)
		return false;
	o->tlp = row->facts.tlp;
	o->label = LABEL_TLP;
	o->pap = row->facts.pap;
	return true;
}

/* The level that holds is policy's. */
static enum tlp
tlp_of(void *ctx, const struct object *o)
{
	(void)ctx;
	return o->tlp;
}

/* An instant that is still to come may change what is shown. */
static void
note_instant(struct feed_build *b, int64_t us)
{
	if (us > b->now_us && us < b->made->until_us)
		b->made->until_us = us;
}

/* Is it valid at this moment, as far as it says? Ended ones are for the outputs to count. */
enum validity { VALID, NOT_YET, ENDED };

static enum validity
validity_of(struct feed_build *b, const struct object *o)
{
	int64_t from = INT64_MIN, until = INT64_MAX;

	if ((o->flags & OBJECT_REVOKED) != 0)
		return ENDED;
	if (stamp_parse(json_member(o->tree, "valid_from"), &from))
		note_instant(b, from);
	if (stamp_parse(json_member(o->tree, "valid_until"), &until))
		note_instant(b, until);
	return from > b->now_us ? NOT_YET : until <= b->now_us ? ENDED : VALID;
}

/* Records of the kinds and the confidence that the feed is about. */
static void
select_records(struct feed_build *b, struct flat_list *l)
{
	size_t n = 0;

	for (size_t i = 0; i < l->n; i++) {
		const struct flat_record *r = &l->v[i];

		if (b->feed->kinds != 0 && (b->feed->kinds & FLAT_BIT(r->type)) == 0)
			continue;
		if (r->confidence < (int)b->feed->confidence && b->feed->confidence > 0) {
			b->made->unsure++;
			continue;
		}
		l->v[n++] = *r;
	}
	l->n = n;
}

/* What tells a record from all others: members of a JSON object. */
static void
name_of(const struct flat_record *r, struct strbuf *out)
{
	const struct { const char *member; struct slice value; } rows[] = {
		{ "\"id\":", r->id }, { ",\"type\":", slice_of(flat_type_word(r->type)) },
		{ ",\"value\":", r->value }, { ",\"role\":", slice_of(flat_role_word(r->role)) },
		{ ",\"protocol\":", r->protocol }, { ",\"context\":", r->context },
	};

	strbuf_reset(out);
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		if (rows[i].value.n == 0)
			continue;
		strbuf_adds(out, rows[i].member);
		json_print_string(out, rows[i].value);
	}
	if (r->port >= 0)
		strbuf_addf(out, ",\"port\":%d", r->port);
}

/* Write one record to an output; its line is *line, at *at of the file. */
static size_t
write_one(struct feed_build *b, size_t output, struct flat_list *one, struct slice *line,
    uint64_t *at)
{
	struct strbuf *text = &b->text[output];
	size_t before = text->n, n = flat_run_add(b->run[output], one, text);

	*at = feed_file_bytes(b->made->out[output].file) + before;
	*line = slice_from(text->p + before, text->n - before);
	return n;
}

/* The outputs of records, one record at a time: the log wants to know where its lines are. */
static size_t
write_records(struct feed_build *b, const struct flat_list *l)
{
	struct strbuf name = STRBUF_INIT;
	size_t written = 0;

	for (size_t i = 0; i < l->n && b->err.code == ERR_NONE; i++) {
		struct flat_list one = { .v = &l->v[i], .n = 1, .cap = 1, .object = l->object };
		struct slice line[2] = { SLICE_EMPTY, SLICE_EMPTY };
		uint64_t at[2] = { 0, 0 };
		size_t n = 0;

		name_of(&l->v[i], &name);
		if (feed_take_knows(b->take, strbuf_slice(&name)))
			continue;	/* an object that says one thing twice */
		for (size_t o = 0; o < FEED_OUTPUTS; o++) {
			bool csv = b->run[o] != NULL && strcmp(flat_outputs[o].name, "csv") == 0;

			if (b->run[o] != NULL && flat_outputs[o].style == FLAT_RECORDS)
				n += write_one(b, o, &one, &line[csv], &at[csv]);
		}
		if (n > 0)
			feed_take_add(b->take, strbuf_slice(&name), line[0], at[0], line[1], at[1],
			    &b->err);
		written += n;
	}
	strbuf_fini(&name);
	return written;
}

/* Into every output of a style. */
static size_t
write_style(struct feed_build *b, const struct flat_list *l, enum flat_style style)
{
	size_t written = 0;

	if (style == FLAT_RECORDS)
		return b->take == NULL ? 0 : write_records(b, l);
	for (size_t o = 0; o < FEED_OUTPUTS; o++)
		if (b->run[o] != NULL && flat_outputs[o].style == style)
			written += flat_run_add(b->run[o], l, &b->text[o]);
	return written;
}

/* An indicator or an observable: once in each style, by whichever of its group comes first. */
static void
write_object(struct feed_build *b, const struct store_row *row, const struct flat_list *l,
    bool ends)
{
	bool twin = false;

	for (int style = FLAT_RECORDS; style <= FLAT_OBJECTS; style++) {
		if (!ends && fp_known(&b->said[style], row->fp))
			twin = true;
		else if (write_style(b, l, (enum flat_style)style) > 0)
			fp_add(&b->said[style], row->fp);
	}
	b->made->twins += twin;
}

static void
take_record(struct feed_build *b, const struct store_row *row, const struct object *o)
{
	struct flat_look look = flat_index_look(b->index);
	struct flat_list list = { .n = 0 };
	enum validity v = validity_of(b, o);
	size_t all;

	look.tlp = tlp_of;
	if (!flat_read(o, &look, b->page_mem, &list, NULL)) {
		list = (struct flat_list){ .object = o };
		write_style(b, &list, FLAT_OBJECTS);	/* what stands around indicators */
		return;
	}
	list.object = o;
	if (v == NOT_YET) {
		b->made->early++;
		return;
	}
	all = list.n;
	select_records(b, &list);
	if (list.n > 0 || all == 0)
		write_object(b, row, &list, v == ENDED);
}

/* ---- rows ---- */

/* A relationship, a sighting and a report change what is said about what they begin with, count or
 * hold; who made them and what a relationship leads to is not changed by them. */
static bool
is_about_old(void *ctx, const char *member, struct slice id)
{
	struct feed_build *b = ctx;

	b->turns_back = b->turns_back || (strcmp(member, "created_by_ref") != 0 &&
	    strcmp(member, "object_marking_refs") != 0 && strcmp(member, "target_ref") != 0 &&
	    id_known(&b->seen, id));
	return true;
}

static bool
note_ref(void *ctx, const char *member, struct slice id)
{
	(void)member;
	id_add(ctx, id);
	return true;
}

/* Remember whom a later object may be about; going on: is this one about earlier ones, or does it have the
 * name that one of them lacked? */
static void
note_ids(struct feed_build *b, const struct object *o)
{
	if (b->pass == PASS_RECORDS) {
		id_add(&b->seen, o->id);
		refs_each(o->tree, note_ref, &b->named);
		return;
	}
	if (b->going_on) {
		refs_each(o->tree, is_about_old, b);
		b->turns_back = b->turns_back || id_known(&b->named, o->id);
	}
	refs_each(o->tree, note_ref, &b->fresh);
}

void
feed_row(struct feed_build *b, const struct store_row *row)
{
	struct object o;

	if (b->err.code == ERR_NONE && !feed_build_files_hold(b))
		err_set(&b->err, ERR_BUSY, "the configuration was changed meanwhile");
	if (b->err.code != ERR_NONE || !object_of(b, row, &o))
		return;
	note_ids(b, &o);
	if (b->pass == PASS_NAMES)
		flat_index_add(b->index, &o);
	else
		take_record(b, row, &o);
}
