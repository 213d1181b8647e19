/*
 * mapped_split.c -- a large in-house CSV in pieces: some rows each, behind the header.
 *
 *	header  +  rows 1..200		header  +  rows 201..400	...
 *
 * What rows have in common is found before the first is read as a piece (the survey): an object that
 * several of them make is minted by the first, under the label that holds for all; definitions come with
 * the first piece. Where two rows contradict each other, or make a report of all, the input is read as a
 * whole.
 */
#include <stdlib.h>

#include "formats/mapped_read.h"
#include "gateway/base/siphash.h"

enum { FRONT_MAX = 64 << 10, PIECE_BYTES = 32 << 10, SCRATCH_BYTES = 1 << 20, BROKEN_MAX = 100000 };

/* Some rows. */
struct chunk {
	size_t	from, to;	/* bytes */
	size_t	first;		/* row, from 0 */
};

/* An object that rows of a chunk make; after the survey: one of several chunks. */
struct given {
	uint64_t	id;
	uint64_t	content;	/* of a record's own object: with its version; else 0 */
	uint64_t	version;
	uint32_t	chunk;		/* the first, after the survey */
	uint8_t		tlp;
	bool		own;		/* some row's own object */
};

/* A row that could not be cut. Why, may be told by what stands far behind it. */
struct broken {
	size_t		 row;
	enum err_code	 code;
	const char	*reason;
};

struct whole {
	struct read_job		 job;
	struct arena		*mem;
	struct broken		*broken;
	size_t			 nbroken, broken_cap;
	struct siphash_key	 key;
	struct slice		 id;
	size_t			 front;		/* bytes of what stands before the first row */
	struct chunk		*chunks;
	size_t			 n, cap;
	struct given		*given;
	size_t			 ngiven, given_cap;
	bool			 any;		/* object is made at all */
	bool			 used[TLP_LEVELS];
	size_t			 skipped;
	bool			 survey, odd;
	size_t			 at;		/* chunk that is read */
	struct strbuf		 text;
	struct pos		 here;
	size_t			 line_at;
};

/* ---- taking it apart ---- */

/* Add a row to the last chunk, or begin another one. */
static void
add_row(struct whole *w, size_t from, size_t to, size_t row)
{
	struct chunk *last = w->n == 0 ? NULL : &w->chunks[w->n - 1];

	if (last != NULL && to - last->from <= PIECE_BYTES) {
		last->to = to;
		return;
	}
	w->chunks = xgrow(w->chunks, w->n, &w->cap, sizeof(*w->chunks));
	w->chunks[w->n++] = (struct chunk){ last == NULL ? from : last->to, to, row };
}

static bool
note_broken(struct whole *w, size_t row, const struct err *e)
{
	w->broken = xgrow(w->broken, w->nbroken, &w->broken_cap, sizeof(*w->broken));
	w->broken[w->nbroken++] = (struct broken){ row, e->code,
	    arena_str(w->mem, slice_of(e->reason)) };
	return w->nbroken < BROKEN_MAX;
}

/* Find the rows; false if they cannot be had one by one. */
static bool
find_rows(struct whole *w)
{
	struct mapped_reader r = { .map = w->job.mapping, .job = &w->job, .mem = w->mem,
	    .scratch = arena_new(), .input = &mapped_csv_in };
	bool fine = mapped_csv_in.open(&r, NULL) == 0;

	for (size_t i = 0; fine; i++) {
		struct mapped_record rec = { .def = &r.map->record, .index = i };
		size_t from;

		if (arena_bytes(r.scratch) > SCRATCH_BYTES) {
			arena_free(r.scratch);
			r.scratch = arena_new();
		}
		if (mapped_csv_in.next(&r, &rec, NULL) <= 0)
			break;
		from = (size_t)(rec.text.p - w->job.in.p);
		if (i == 0)
			w->front = from;
		if (rec.err.code != ERR_NONE && !note_broken(w, i, &rec.err))
			fine = false;
		add_row(w, from, from + rec.text.n, i);
		if (w->job.passed != NULL && i % 4096 == 0)
			w->job.passed(w->job.passed_arg, rec.text.p);
		fine = fine && i < map_most_records(&w->job) && w->front <= FRONT_MAX && w->n < UINT32_MAX;
	}
	arena_free(r.scratch);
	if (w->n > 0)
		w->chunks[w->n - 1].to = w->job.in.n;	/* with comments at the end */
	return fine && w->n > 1;
}

static struct read_piece
make_piece(struct whole *w, size_t at)
{
	const struct chunk *c = &w->chunks[at];

	w->at = at;
	strbuf_setlen(&w->text, 0);
	strbuf_add(&w->text, w->job.in.p, w->front);
	strbuf_add(&w->text, w->job.in.p + c->from, c->to - c->from);
	return (struct read_piece){ .text = strbuf_slice(&w->text), .skip = w->front, .index = c->first,
	    .element = "row", .whole = w };
}

/* ---- the survey ---- */

static void
note(struct whole *w, const struct map_entry *en)
{
	struct strbuf text = STRBUF_INIT;
	struct given *g;

	w->given = xgrow(w->given, w->ngiven, &w->given_cap, sizeof(*w->given));
	g = &w->given[w->ngiven++];
	*g = (struct given){ .chunk = (uint32_t)w->at, .tlp = (uint8_t)en->tlp, .own = en->own };
	g->id = siphash(&w->key, json_member(en->tree, "id"));
	if (en->own) {
		json_print_jcs(&text, en->tree);
		g->content = siphash(&w->key, strbuf_slice(&text));
		g->version = siphash(&w->key, json_member(en->tree, "modified"));
	}
	strbuf_fini(&text);
}

static int
compare_given(const void *a, const void *b)
{
	const struct given *x = a, *y = b;

	if (x->id != y->id)
		return x->id < y->id ? -1 : 1;
	if (x->version != y->version)
		return x->version < y->version ? -1 : 1;
	return (x->chunk > y->chunk) - (x->chunk < y->chunk);
}

/* All that is said of one id: *v is then what holds for all of them. */
static void
settle_given(struct whole *w, struct given *v, size_t n)
{
	uint32_t first = v[0].chunk;

	for (size_t i = 1; i < n; i++) {
		if (v[i].own && v[i - 1].own && v[i].version == v[i - 1].version &&
		    v[i].content != v[i - 1].content)
			w->odd = true;
		v[0].tlp = (uint8_t)map_stricter((enum tlp)v[0].tlp, (enum tlp)v[i].tlp);
		v[0].own |= v[i].own;
		if (v[i].chunk < first)
			first = v[i].chunk;
	}
	v[0].chunk = first;
}

static void
settle(struct whole *w)
{
	size_t kept = 0;

	if (w->ngiven > 1)
		qsort(w->given, w->ngiven, sizeof(*w->given), compare_given);
	for (size_t from = 0, to; from < w->ngiven; from = to) {
		for (to = from + 1; to < w->ngiven && w->given[to].id == w->given[from].id; to++)
			;
		settle_given(w, &w->given[from], to - from);
		if (to - from > 1)
			w->given[kept++] = w->given[from];
	}
	w->ngiven = kept;
	w->given_cap = kept + 1;
	w->given = xrealloc(w->given, w->given_cap * sizeof(*w->given));
}

static void
survey(struct whole *w)
{
	w->survey = true;
	for (size_t i = 0; i < w->n && !w->odd; i++) {
		struct read_piece piece = make_piece(w, i);
		struct read_job job = w->job;
		struct advisory adv = { 0 };
		struct arena *mem = arena_new();

		job.piece = &piece;
		job.in = piece.text;
		job.loss = NULL;
		w->odd = w->odd || mapped_read(&job, mem, &adv, NULL, NULL) < 0;
		arena_free(mem);
		if (w->job.passed != NULL)
			w->job.passed(w->job.passed_arg, w->job.in.p + w->chunks[i].from);
	}
	w->survey = false;
}

/* ---- see format.h ---- */

static void
split_close(struct whole *w)
{
	strbuf_fini(&w->text);
	free(w->chunks);
	free(w->broken);
	free(w->given);
	arena_free(w->mem);
	free(w);
}

static int
split_open(const struct read_job *job, struct whole **out, struct err *e)
{
	const struct mapping *m = job->mapping;
	struct whole *w = xcalloc(1, sizeof(*w));

	(void)e;
	w->job = *job;
	w->mem = arena_new();
	w->key = siphash_key_new();
	w->text = (struct strbuf)STRBUF_INIT;
	w->odd = m == NULL || m->format != MAP_CSV || m->encoding == ENC_UTF16 || m->container.n > 0 ||
	    !find_rows(w);
	if (!w->odd)
		survey(w);
	if (!w->odd)
		settle(w);
	if (w->odd) {
		split_close(w);
		return 0;
	}
	w->id = map_bundle_id(job, w->mem);
	*out = w;
	return 1;
}

static bool
split_each(struct whole *w, format_piece_fn *fn, void *arg)
{
	w->here = (struct pos){ .line = 1 };
	w->line_at = 0;
	for (size_t i = 0; i < w->n; i++) {
		struct read_piece piece = make_piece(w, i);

		pos_move(&w->here, &w->line_at, w->job.in.p, w->chunks[i].from);
		piece.at = w->here;
		if (w->job.passed != NULL)
			w->job.passed(w->job.passed_arg, w->job.in.p + w->chunks[i].from);
		if (!fn(arg, &piece))
			return false;
	}
	return true;
}

const struct format_split mapped_split = {
	.open = split_open, .each = split_each, .close = split_close, .joins = true,
	.window = 1 << 20,
};

/* ---- what a piece is told ---- */

struct slice
map_piece_begin(struct map_reading *rd)
{
	const struct read_piece *piece = rd->r.job->piece;

	rd->warned_zone = piece->whole->at > 0;
	return piece->whole->id;
}

void
map_piece_broken(const struct read_piece *piece, size_t row, struct err *e)
{
	const struct whole *w = piece->whole;
	size_t lo = 0, hi = w->nbroken;

	row += w->chunks[w->at].first;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (w->broken[mid].row < row)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo < w->nbroken && w->broken[lo].row == row)
		err_set(e, w->broken[lo].code, "%s", w->broken[lo].reason);
}

bool
map_piece_skipped(struct map_reading *rd)
{
	struct whole *w = rd->r.job->piece->whole;

	if (w->survey)
		w->skipped += rd->skipped;
	rd->skipped = w->survey || w->at > 0 ? 0 : w->skipped;
	return rd->skipped > 0;
}

bool
map_piece_noted(struct map_reading *rd, const struct map_entry *v, size_t n)
{
	struct whole *w = rd->r.job->piece->whole;

	for (size_t i = 0; w->survey && i < rd->n; i++)
		w->odd |= !rd->units[i].refused && rd->units[i].groups.n > 0;
	for (size_t i = 0; w->survey && i < n; i++) {
		w->used[v[i].tlp] = true;
		w->any = true;
		note(w, &v[i]);
	}
	return w->survey;
}

/* What is known of an id; NULL if only one chunk makes it. */
static const struct given *
find_given(const struct whole *w, uint64_t id)
{
	size_t lo = 0, hi = w->ngiven;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (w->given[mid].id < id)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < w->ngiven && w->given[lo].id == id ? &w->given[lo] : NULL;
}

void
map_piece_join(struct map_reading *rd, struct map_entry *v, size_t n)
{
	const struct whole *w = rd->r.job->piece->whole;

	for (size_t i = 0; i < n; i++) {
		const struct given *g = v[i].own ? NULL :
		    find_given(w, siphash(&w->key, json_member(v[i].tree, "id")));

		if (g == NULL)
			continue;
		v[i].skip = v[i].skip || g->own || g->chunk < w->at;
		if ((enum tlp)g->tlp != v[i].tlp)
			map_set_tlp(rd->r.mem, v[i].tree, (enum tlp)g->tlp);
	}
}

const bool *
map_piece_used(const struct map_reading *rd)
{
	const struct whole *w = rd->r.job->piece->whole;

	return w->at == 0 && w->any ? w->used : NULL;
}
