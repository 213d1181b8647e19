/*
 * The head of a version: every fact that a reader or policy asks, in one blob.
 *
 * Taking twenty columns of a row apart cost SQLite more than finding the row: a page of a hundred took
 * twice the instructions. What SQL itself looks for (object number, version key, content hash,
 * fingerprint key) has columns.
 *
 *	form tlp by_default phase origin pap 0 0 | flags, sectors (4) | first_us (8) | lengths (4 each) |
 *	texts: id type spec shown created_by audience valid_until fp desk
 *
 * All numbers little-endian.
 */
#include <endian.h>

#include "gateway/store_sqlite.h"

enum { HEAD_FORM = 2, HEAD_TEXTS = 9, HEAD_FIXED = 24 + 4 * HEAD_TEXTS };

static void
put_u32(uint8_t *to, uint32_t v)
{
	v = htole32(v);
	memcpy(to, &v, sizeof(v));
}

static uint32_t
get_u32(const uint8_t *from)
{
	uint32_t v;

	memcpy(&v, from, sizeof(v));
	return le32toh(v);
}

/* The texts in their order. */
static void
texts_of(struct head *h, struct slice *texts[HEAD_TEXTS])
{
	texts[0] = &h->id;
	texts[1] = &h->type;
	texts[2] = &h->spec;
	texts[3] = &h->shown;
	texts[4] = &h->created_by;
	texts[5] = &h->audience;
	texts[6] = &h->valid_until;
	texts[7] = &h->fp;
	texts[8] = &h->desk;
}

struct slice
sq_head_write(const struct head *h, struct arena *mem)
{
	struct head copy = *h;
	struct slice *texts[HEAD_TEXTS];
	size_t n = HEAD_FIXED, at = HEAD_FIXED;
	uint8_t *p;

	texts_of(&copy, texts);
	for (int i = 0; i < HEAD_TEXTS; i++)
		n += texts[i]->n;
	p = arena_alloc(mem, n);
	p[0] = HEAD_FORM;
	p[1] = (uint8_t)h->tlp;
	p[2] = h->by_default;
	p[3] = (uint8_t)h->phase;
	p[4] = (uint8_t)h->origin;
	p[5] = (uint8_t)h->pap;
	put_u32(p + 8, h->flags);
	put_u32(p + 12, h->sectors);
	put_u32(p + 16, (uint32_t)h->first_us);
	put_u32(p + 20, (uint32_t)((uint64_t)h->first_us >> 32));
	for (int i = 0; i < HEAD_TEXTS; i++) {
		put_u32(p + 24 + 4 * i, (uint32_t)texts[i]->n);
		if (texts[i]->n > 0)
			memcpy(p + at, texts[i]->p, texts[i]->n);
		at += texts[i]->n;
	}
	return slice_from(p, n);
}

/* A damaged head reads as what nobody gets: no texts, TLP:RED. */
static void
read_nothing(struct head *h)
{
	struct slice *texts[HEAD_TEXTS];

	memset(h, 0, sizeof(*h));
	texts_of(h, texts);
	for (int i = 0; i < HEAD_TEXTS; i++)
		*texts[i] = SLICE_EMPTY;
	h->tlp = TLP_RED;
	h->pap = PAP_RED;
	h->origin = ORIGIN_RECEIVED;
}

void
sq_head_read(struct slice blob, struct head *h)
{
	const uint8_t *p = (const uint8_t *)blob.p;
	struct slice *texts[HEAD_TEXTS];
	size_t at = HEAD_FIXED;

	if (blob.n < HEAD_FIXED || p[0] != HEAD_FORM || p[1] >= TLP_LEVELS || p[3] >= PHASES ||
	    p[4] > ORIGIN_RECEIVED || p[5] > PAP_RED) {
		read_nothing(h);
		return;
	}
	texts_of(h, texts);
	for (int i = 0; i < HEAD_TEXTS; i++) {
		size_t n = get_u32(p + 24 + 4 * i);

		if (n > blob.n - at) {
			read_nothing(h);
			return;
		}
		*texts[i] = slice_from(blob.p + at, n);
		at += n;
	}
	h->tlp = (enum tlp)p[1];
	h->by_default = p[2] != 0;
	h->phase = (enum phase)p[3];
	h->origin = (enum origin)p[4];
	h->pap = (enum pap)p[5];
	h->flags = get_u32(p + 8);
	h->sectors = get_u32(p + 12);
	h->first_us = (int64_t)((uint64_t)get_u32(p + 20) << 32 | get_u32(p + 16));
}

/* What a head alone says of a row. */
static void
fill_facts(const struct head *h, struct store_row *row)
{
	row->id = h->id;
	row->type = h->type;
	row->spec_version = h->spec;
	row->version = h->shown;
	row->facts = (struct policy_facts){
		.tlp = h->tlp, .tlp_by_default = h->by_default, .pap = h->pap, .origin = h->origin,
		.kind = h->type, .sectors = h->sectors, .phase = h->phase, .flags = h->flags,
		.created_by = h->created_by, .audience = h->audience, .embargo_desk = h->desk,
	};
	row->fp = h->fp;
}

/* Fill a row from a head and its columns. */
static void
fill_row(sqlite3_stmt *st, const struct head *h, struct store_row *row)
{
	fill_facts(h, row);
	row->vid = sqlite3_column_int64(st, COL_VID);
	row->date_added_us = sqlite3_column_int64(st, COL_DATE);
}

void
sq_row_slim(sqlite3_stmt *st, struct store_row *row)
{
	struct head h;

	sq_head_read(sq_col(st, SLIM_HEAD), &h);
	fill_facts(&h, row);
	row->vid = 0;
	row->version_key = SLICE_EMPTY;
	row->date_added_us = sqlite3_column_int64(st, SLIM_DATE);
	row->bytes = sqlite3_data_count(st) > SLIM_BYTES ? sq_col(st, SLIM_BYTES) : SLICE_EMPTY;
}

void
sq_row_here(sqlite3_stmt *st, struct store_row *row)
{
	struct head h;

	sq_head_read(sq_col(st, COL_HEAD), &h);
	fill_row(st, &h, row);
	row->version_key = sq_col(st, COL_VKEY);
	row->bytes = sqlite3_column_count(st) > COL_BYTES ? sq_col(st, COL_BYTES) : SLICE_EMPTY;
}

void
sq_row(sqlite3_stmt *st, struct arena *mem, struct store_row *row)
{
	struct head h;

	sq_head_read(sq_copy(st, COL_HEAD, mem), &h);
	fill_row(st, &h, row);
	row->version = store_shown(h.shown, row->date_added_us != 0 ? row->date_added_us : h.first_us,
	    mem);
	row->version_key = sq_copy(st, COL_VKEY, mem);
	row->bytes = sqlite3_column_count(st) > COL_BYTES ? sq_copy(st, COL_BYTES, mem) : SLICE_EMPTY;
}

/* Let a text of one blob point to the same place in its copy. */
static void
move(struct slice *text, const char *blob, const char *copy)
{
	if (text->n > 0)
		text->p = copy + (text->p - blob);
}

void
sq_row_keep(sqlite3_stmt *st, const struct store_row *here, struct arena *mem,
    struct store_row *row)
{
	struct slice head = sq_col(st, COL_HEAD);
	const char *copy = arena_slice(mem, head).p;

	*row = *here;
	move(&row->id, head.p, copy);
	move(&row->type, head.p, copy);
	move(&row->spec_version, head.p, copy);
	move(&row->version, head.p, copy);
	move(&row->facts.kind, head.p, copy);
	move(&row->facts.created_by, head.p, copy);
	move(&row->facts.audience, head.p, copy);
	move(&row->facts.embargo_desk, head.p, copy);
	move(&row->fp, head.p, copy);
	row->version = store_shown(row->version, row->date_added_us, mem);
	row->version_key = arena_slice(mem, here->version_key);
	if (here->bytes.n > 0)
		row->bytes = arena_slice(mem, here->bytes);
}
