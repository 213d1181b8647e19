/*
 * iodef2_write_series.c -- the Incidents of a large document, one after the other. See iodef2_write.h.
 *
 * What an Incident must know of earlier ones is remembered: where each object went and how often it was
 * written (a row of a table), the ids of Incidents, and xs:IDs. Originals of objects and what came as IODEF
 * are told for the document as a whole: with them it is written as a whole.
 */
#include <stdlib.h>

#include "formats/iodef2_write.h"
#include "gateway/base/arena.h"
#include "gateway/base/siphash.h"
#include "gateway/base/strbuf.h"

enum { ROWS_START = 1024 };

/* An object that was written. */
struct row {
	uint64_t	hash;		/* of its id; 0: free */
	uint32_t	incident;	/* number of its Incident, from 1 */
	uint32_t	copies;		/* elements that it has */
};

struct writing {
	struct write_job	 job;
	struct arena		*mem;
	struct siphash_key	 key;
	size_t			 containers;
	bool			 whole;		/* something in it is for the whole document */
	struct slice		 lang;
	bool			 languages;	/* there are several */
	struct row		*rows;
	size_t			 nrows, cap;	/* cap: a power of two */
	struct iw_link		*links;		/* of Incidents, by number */
	size_t			 nlinks, links_cap;
	uint64_t		*xml_ids;	/* hashes of xs:IDs; 0: free */
	size_t			 nxml_ids, xml_ids_cap;
	struct strbuf		 text;		/* of a batch, as a document */
	struct strbuf		 end;		/* what stands behind the last Incident */
};

/* ---- who is where ---- */

static struct row *
find_row(struct row *v, size_t cap, uint64_t hash)
{
	size_t i = (size_t)hash & (cap - 1);

	while (v[i].hash != 0 && v[i].hash != hash)
		i = (i + 1) & (cap - 1);
	return &v[i];
}

static uint64_t
hash_of(const struct writing *wr, struct slice id)
{
	return siphash(&wr->key, id) | 1;	/* never 0 */
}

/* The row of an object, made if there is none. */
static struct row *
row_of(struct writing *wr, struct slice id)
{
	struct row *row, *old = wr->rows;
	size_t cap = wr->cap;

	if (wr->nrows * 4 >= cap * 3) {
		wr->cap = cap == 0 ? ROWS_START : 2 * cap;
		wr->rows = xcalloc(wr->cap, sizeof(*wr->rows));
		for (size_t i = 0; i < cap; i++)
			if (old[i].hash != 0)
				*find_row(wr->rows, wr->cap, old[i].hash) = old[i];
		free(old);
	}
	row = find_row(wr->rows, wr->cap, hash_of(wr, id));
	wr->nrows += row->hash == 0;
	row->hash = hash_of(wr, id);
	return row;
}

static uint64_t *
find_xml_id(uint64_t *v, size_t cap, uint64_t hash)
{
	size_t i = (size_t)hash & (cap - 1);

	while (v[i] != 0 && v[i] != hash)
		i = (i + 1) & (cap - 1);
	return &v[i];
}

bool
iw_series_take_id(struct iw *w, struct slice id)
{
	struct writing *wr = w->series;
	uint64_t *old = wr->xml_ids, *at, hash = hash_of(wr, id);
	size_t cap = wr->xml_ids_cap;

	if (wr->nxml_ids * 4 >= cap * 3) {
		wr->xml_ids_cap = cap == 0 ? ROWS_START : 2 * cap;
		wr->xml_ids = xcalloc(wr->xml_ids_cap, sizeof(*wr->xml_ids));
		for (size_t i = 0; i < cap; i++)
			if (old[i] != 0)
				*find_xml_id(wr->xml_ids, wr->xml_ids_cap, old[i]) = old[i];
		free(old);
	}
	at = find_xml_id(wr->xml_ids, wr->xml_ids_cap, hash);
	if (*at != 0)
		return false;
	*at = hash;
	wr->nxml_ids++;
	return true;
}

const struct iw_link *
iw_series_link(struct iw *w, const struct iw_obj *ob, const struct iw_incident *asker)
{
	struct writing *wr = w->series;
	const struct row *row = wr->cap == 0 ? NULL : find_row(wr->rows, wr->cap,
	    hash_of(wr, ob->o->id));
	uint32_t number = (uint32_t)(wr->nlinks + (size_t)(asker - w->incidents)) + 1;
	struct iw_link *link;

	if (row == NULL || row->hash == 0 || row->incident == 0)
		return NULL;
	link = &wr->links[row->incident - 1];
	if (link->id.n == 0 || link->asked == number)
		return NULL;
	link->asked = number;
	return link;
}

const char *
iw_series_path(struct iw *w, const char *path)
{
	const struct read_piece place = { .element = "Incident", .index = w->series->nlinks };

	format_piece_path(&place, w->mem, &path);
	return path;
}

/* What is known of those that are written elsewhere. */
static void
recall(struct writing *wr, struct iw *w)
{
	for (size_t i = w->batch->own; i < w->n; i++) {
		const struct row *row = wr->cap == 0 ? NULL : find_row(wr->rows, wr->cap,
		    hash_of(wr, w->v[i].o->id));

		w->v[i].elsewhere = true;
		w->v[i].copies = row == NULL ? 0 : row->copies;
	}
}

/* Remember what later ones may ask for. */
static void
remember(struct writing *wr, const struct iw *w)
{
	for (size_t i = 0; i < w->n; i++) {
		const struct iw_obj *ob = &w->v[i];
		struct row *row = !ob->latest || (ob->nnodes == 0 && ob->incident == 0) ? NULL :
		    row_of(wr, ob->o->id);

		if (row == NULL)
			continue;
		row->copies += (uint32_t)ob->nnodes;
		if (ob->incident != 0)
			row->incident = (uint32_t)(wr->nlinks + ob->incident);
	}
	for (size_t i = 0; i < w->nincidents; i++) {
		const struct iw_incident *inc = &w->incidents[i];
		struct slice name = xml_value(xml_get(inc->node, "IncidentID"), "name");

		wr->links = xgrow(wr->links, wr->nlinks, &wr->links_cap, sizeof(*wr->links));
		wr->links[wr->nlinks++] = (struct iw_link){ .id = arena_slice(wr->mem, inc->id),
		    .name = arena_slice(wr->mem, name),
		    .label = inc->node == NULL ? TLP_UNSET : iw_label_at(inc->node) };
	}
}

/* ---- see format.h ---- */

static void
series_end(struct writing *wr)
{
	strbuf_fini(&wr->text);
	strbuf_fini(&wr->end);
	free(wr->rows);
	free(wr->links);
	free(wr->xml_ids);
	arena_free(wr->mem);
	free(wr);
}

static struct writing *
series_begin(const struct write_job *job, struct err *e)
{
	struct writing *wr = xcalloc(1, sizeof(*wr));

	(void)e;
	wr->job = *job;
	wr->job.csirt = iw_csirt(job);
	wr->mem = arena_new();
	wr->key = siphash_key_new();
	wr->text = (struct strbuf)STRBUF_INIT;
	wr->end = (struct strbuf)STRBUF_INIT;
	wr->whole = !job->no_residue;
	return wr;
}

static bool
has(struct slice text, const char *word)
{
	return memmem(text.p, text.n, word, strlen(word)) != NULL;
}

/* Its language, if it says one: few do. */
static void
look_for_language(struct writing *wr, const struct object *o)
{
	struct arena *mem = arena_new();
	struct json_doc doc;
	struct slice lang = SLICE_EMPTY;

	if (json_parse(o->bytes, NULL, mem, &doc, NULL) == 0)
		lang = json_member(doc.root, "lang");
	if (lang.n > 0 && wr->lang.n > 0 && !slice_eq(lang, wr->lang))
		wr->languages = true;
	else if (lang.n > 0 && wr->lang.n == 0)
		wr->lang = arena_slice(wr->mem, lang);
	arena_free(mem);
}

static void
series_look(struct writing *wr, const struct object *o)
{
	bool container = slice_is(o->type, "report") || slice_is(o->type, "grouping") ||
	    slice_is(o->type, "incident");

	wr->containers += container;
	if (has(o->bytes, IODEF2_EXT))
		wr->whole = true;
	if (has(o->bytes, "\"lang\""))
		look_for_language(wr, o);
}

/* The document around what stands in w->doc: *from and *to are where its children are in wr->text. */
static void
print_document(struct writing *wr, struct iw *w, size_t *from, size_t *to)
{
	static const char start[] = "<IODEF-Document";
	const char *p, *q;

	strbuf_setlen(&wr->text, 0);
	xml_print(&wr->text, w->doc, XML_DECLARATION | (wr->job.pretty ? XML_PRETTY : 0));
	p = memmem(wr->text.p, wr->text.n, start, sizeof(start) - 1);
	p = memchr(p, '>', wr->text.n - (size_t)(p - wr->text.p)) + 1;
	q = memrchr(wr->text.p, '<', wr->text.n);
	while (q > p && q[-1] == '\n')	/* before the end tag */
		q--;
	*from = (size_t)(p - wr->text.p);
	*to = (size_t)(q - wr->text.p);
}

static int
series_head(struct writing *wr, struct strbuf *out, struct err *e)
{
	struct iw w = { .job = &wr->job, .mem = wr->mem };
	size_t from, to;

	(void)e;
	if (wr->whole || wr->containers < 2)
		return 1;
	if (wr->languages || wr->lang.n == 0)
		wr->lang = SLICE_LIT("en");
	iw_start_document(&w, wr->lang);
	iw_el(&w, w.doc, "Incident");	/* or there is no end tag */
	print_document(wr, &w, &from, &to);
	strbuf_add(out, wr->text.p, from);
	strbuf_add(&wr->end, wr->text.p + to, wr->text.n - to);
	return 0;
}

static int
put_incidents(struct writing *wr, struct iw *w, struct strbuf *out, struct err *e)
{
	size_t from, to;

	iw_start_document(w, wr->lang);
	iw_index_build(w);
	iw_plan(w);
	for (size_t i = 0; i < w->nincidents; i++)
		if (iw_write_incident(w, &w->incidents[i], e) < 0)
			return -1;
	if (xml_child(w->doc) != NULL) {
		print_document(wr, w, &from, &to);
		strbuf_add(out, wr->text.p + from, to - from);
	}
	iw_account(w);
	remember(wr, w);
	return 0;
}

static int
series_put(struct writing *wr, const struct batch *b, struct strbuf *out, struct err *e)
{
	struct arena *mem = arena_new();
	struct iw w = { .job = &wr->job, .mem = mem, .n = b->adv->n, .batch = b, .series = wr };
	int rc;

	wr->job.adv = b->adv;
	w.v = arena_alloc(mem, (w.n + 1) * sizeof(*w.v));
	for (size_t i = 0; i < w.n; i++)
		w.v[i].o = &b->adv->objects[i];
	w.reader = xml_reader_new(mem);
	recall(wr, &w);
	rc = put_incidents(wr, &w, out, e);
	xml_reader_free(w.reader);
	arena_free(mem);
	return rc;
}

static int
series_tail(struct writing *wr, struct strbuf *out, struct err *e)
{
	(void)e;
	strbuf_addsl(out, strbuf_slice(&wr->end));
	return 0;
}

const struct format_series iodef2_series = {
	.begin = series_begin, .look = series_look, .head = series_head, .put = series_put,
	.tail = series_tail, .end = series_end,
};
