/*
 * iodef2_split.c -- a large IODEF document in pieces: an Incident each.
 *
 *	<IODEF-Document ...>  +  <Incident>...</Incident>  +  </IODEF-Document>
 *
 * What Incidents have in common is found before the first is read as a piece (the survey): an object that
 * several of them give is minted by the first of them, under the label that holds for all. Incidents that
 * have more in common (an object that keeps XML of its own, or is told in two ways; xs:IDs) are read
 * together, with all between them. A document that brings STIX originals is read as a whole.
 */
#include <stdlib.h>

#include "formats/iodef2_read.h"
#include "formats/xml_scan.h"
#include "gateway/base/arena.h"
#include "gateway/base/digest.h"
#include "gateway/base/siphash.h"
#include "gateway/base/strbuf.h"

enum { FRONT_MAX = 64 << 10, REST_MAX = 1 << 20 };

/* Where an Incident stands, and the last one that must be read with it. */
struct incident {
	uint64_t	from, n;
	uint32_t	until;
};

/* An object that an Incident gives; after the survey: one that several give. */
struct given {
	uint64_t	key[2];		/* of (id, modified) */
	uint64_t	content;
	uint32_t	incident;	/* the first, after the survey */
	uint8_t		tlp, label;
	bool		holds;
};

/* An xs:ID, or a reference to one. */
struct named {
	uint64_t	key;
	uint32_t	incident;
	bool		reference;
};

struct whole {
	struct read_job		 job;
	struct arena		*mem;
	struct xml_reader	*reader;	/* of all pieces */
	struct siphash_key	 keys[2];
	struct slice		 id;
	struct xml_span		 span;
	struct incident		*incidents;
	size_t			 n, cap;
	size_t			 last;		/* behind the last Incident */
	bool			 rest;		/* something stands there */
	struct given		*given;
	size_t			 ngiven, given_cap;
	struct named		*named;
	size_t			 nnamed, named_cap;
	bool			 odd;		/* it cannot be read in pieces */
	/* while it is read */
	size_t			 at;		/* first Incident of the piece */
	size_t			 warnings;
	bool			 document_told;	/* a report carries what the document says of itself */
	struct strbuf		 text;		/* of the piece */
	struct pos		 here;
	size_t			 line_at;
};

/* ---- taking it apart ---- */

/* xml_child_fn: Incidents first, AdditionalData behind them, nothing else. */
static bool
on_child(void *arg, struct slice name, size_t from, size_t to)
{
	struct whole *w = arg;

	if (!slice_is(name, "Incident")) {
		w->rest = true;
		return w->n > 0;
	}
	if (w->rest)
		return false;
	w->incidents = xgrow(w->incidents, w->n, &w->cap, sizeof(*w->incidents));
	w->incidents[w->n] = (struct incident){ from, to - from, (uint32_t)w->n };
	w->last = to;
	w->n++;
	return w->n < UINT32_MAX;
}

/* Where the text of an Incident begins: behind the one before, so that every byte is read by somebody. */
static size_t
start_of(const struct whole *w, size_t i)
{
	return i == 0 ? w->incidents[0].from : w->incidents[i - 1].from + w->incidents[i - 1].n;
}

/* Make the text of Incidents from..to: a document, with what stands behind the last Incident if nobody has
 * read that yet. */
static struct read_piece
make_piece(struct whole *w, size_t from, size_t to)
{
	const char *in = w->job.in.p;
	size_t front = w->incidents[0].from, start = start_of(w, from);
	size_t end = w->incidents[to].from + w->incidents[to].n;

	strbuf_setlen(&w->text, 0);
	strbuf_add(&w->text, in, front);
	strbuf_add(&w->text, in + start, end - start);
	if (!w->document_told)
		strbuf_add(&w->text, in + w->last, w->span.end - w->last);
	strbuf_add(&w->text, in + w->span.end, w->job.in.n - w->span.end);
	return (struct read_piece){ .text = strbuf_slice(&w->text), .skip = front, .index = from,
	    .element = "Incident", .whole = w };
}

/* ---- the survey ---- */

static void
note_name(struct whole *w, struct slice name, uint32_t incident, bool reference)
{
	if (name.n == 0)
		return;
	w->named = xgrow(w->named, w->nnamed, &w->named_cap, sizeof(*w->named));
	w->named[w->nnamed++] = (struct named){ siphash(&w->keys[0], name), incident, reference };
}

static void
note_references(struct whole *w, const struct xml_node *n, uint32_t incident)
{
	note_name(w, slice_trim(xml_value(n, "uid-ref")), incident, true);
	for (struct xml_node *k = xml_child(n); k != NULL; k = xml_sibling(k))
		note_references(w, k, incident);
}

/* The key of an object: of what makes it one version. */
static void
key_of(const struct whole *w, const struct ir_obj *ob, uint64_t key[2])
{
	struct strbuf name = STRBUF_INIT;

	strbuf_addsl(&name, ob->id);
	strbuf_addc(&name, '\0');
	strbuf_addsl(&name, json_member(ob->tree, "modified"));
	for (int i = 0; i < 2; i++)
		key[i] = siphash(&w->keys[i], strbuf_slice(&name));
	strbuf_fini(&name);
}

static void
note_object(struct whole *w, const struct ir_obj *ob, uint32_t incident)
{
	struct strbuf text = STRBUF_INIT;
	struct given *g;

	w->given = xgrow(w->given, w->ngiven, &w->given_cap, sizeof(*w->given));
	g = &w->given[w->ngiven++];
	*g = (struct given){ .incident = incident, .tlp = (uint8_t)ob->label.tlp,
	    .label = (uint8_t)ob->label.label, .holds = ob->holds };
	key_of(w, ob, g->key);
	json_print(&text, ob->tree);	/* alike in other words: read together */
	g->content = siphash(&w->keys[0], strbuf_slice(&text));
	strbuf_fini(&text);
}

/* What one Incident gives, and names. */
static void
survey_incident(struct whole *w, uint32_t number)
{
	struct read_piece piece = make_piece(w, number, number);
	struct read_job job = w->job;
	struct advisory adv = { 0 };
	struct arena *mem = arena_new();
	struct ir r = { .job = &job, .mem = mem, .adv = &adv };

	job.loss = NULL;
	job.piece = &piece;
	if (ir_open(&r, piece.text, NULL) < 0 || ir_has_originals(&r)) {
		w->odd = true;
	} else {
		r.seed = w->keys[0].k0;
		ir_derive(&r);
		ir_settle_labels(&r);
		for (size_t i = 0; i < r.nnodes; i++)
			note_name(w, r.xml_ids.v[i].id, number, false);
		note_references(w, r.doc, number);
		for (size_t i = 0; i < r.nincidents; i++)
			for (size_t k = 0; k < r.incidents[i]->n; k++)
				note_object(w, r.incidents[i]->objs[k], number);
	}
	arena_free(mem);
}

static void
tie(struct whole *w, uint32_t a, uint32_t b)
{
	uint32_t first = a < b ? a : b, last = a < b ? b : a;

	if (w->incidents[first].until < last)
		w->incidents[first].until = last;
}

static int
compare_given(const void *a, const void *b)
{
	const struct given *x = a, *y = b;

	for (int i = 0; i < 2; i++)
		if (x->key[i] != y->key[i])
			return x->key[i] < y->key[i] ? -1 : 1;
	return (x->incident > y->incident) - (x->incident < y->incident);
}

/* Let v[at] sink to its place in the heap below it. */
static void
sink(struct given *v, size_t at, size_t n)
{
	for (size_t child; (child = 2 * at + 1) < n; at = child) {
		struct given moved = v[at];

		if (child + 1 < n && compare_given(&v[child], &v[child + 1]) < 0)
			child++;
		if (compare_given(&v[at], &v[child]) >= 0)
			return;
		v[at] = v[child];
		v[child] = moved;
	}
}

/* In its place: qsort would take as much memory again. */
static void
sort_given(struct given *v, size_t n)
{
	for (size_t i = n / 2; i-- > 0; )
		sink(v, i, n);
	for (size_t last = n; last-- > 1; ) {
		struct given greatest = v[0];

		v[0] = v[last];
		v[last] = greatest;
		sink(v, 0, last);
	}
}

static struct ir_label
label_of(const struct given *g)
{
	return (struct ir_label){ (enum tlp)g->tlp, (enum label_case)g->label };
}

/* One object of several Incidents: alike in all of them, or they are read together. True if it is one that
 * others need to know of: then *v is what holds for all. */
static bool
settle_given(struct whole *w, struct given *v, size_t n)
{
	bool alike = true;

	for (size_t i = 0; i < n; i++)
		alike = alike && !v[i].holds && v[i].content == v[0].content;
	for (size_t i = 1; i < n; i++) {
		if (!alike) {
			tie(w, v[0].incident, v[i].incident);
		} else if (ir_stricter(label_of(&v[0]), label_of(&v[i]))) {
			v[0].tlp = v[i].tlp;
			v[0].label = v[i].label;
		}
	}
	return alike && n > 1;
}

static void
settle_objects(struct whole *w)
{
	size_t kept = 0;

	sort_given(w->given, w->ngiven);
	for (size_t from = 0, to; from < w->ngiven; from = to) {
		for (to = from + 1; to < w->ngiven && w->given[to].key[0] == w->given[from].key[0] &&
		    w->given[to].key[1] == w->given[from].key[1]; to++)
			;
		if (settle_given(w, &w->given[from], to - from))
			w->given[kept++] = w->given[from];
	}
	w->ngiven = kept;
	w->given_cap = kept + 1;
	w->given = xrealloc(w->given, w->given_cap * sizeof(*w->given));	/* the rest is not needed */
}

static int
compare_named(const void *a, const void *b)
{
	const struct named *x = a, *y = b;

	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	if (x->reference != y->reference)
		return x->reference ? 1 : -1;
	return (x->incident > y->incident) - (x->incident < y->incident);
}

/* Whoever uses an xs:ID is read with the first Incident that has it. */
static void
settle_names(struct whole *w)
{
	const struct named *first = NULL;

	if (w->nnamed > 1)
		qsort(w->named, w->nnamed, sizeof(*w->named), compare_named);
	for (size_t i = 0; i < w->nnamed; i++) {
		if (first == NULL || first->key != w->named[i].key)
			first = &w->named[i];
		else if (!first->reference)
			tie(w, first->incident, w->named[i].incident);
	}
	free(w->named);
	w->named = NULL;
}

/* ---- see format.h ---- */

static void
split_close(struct whole *w)
{
	xml_reader_free(w->reader);
	strbuf_fini(&w->text);
	free(w->incidents);
	free(w->given);
	free(w->named);
	arena_free(w->mem);
	free(w);
}

static bool
take_apart(struct whole *w)
{
	return xml_scan(w->job.in, &w->span, on_child, w, w->job.passed, w->job.passed_arg) &&
	    w->n > 1 && w->incidents[0].from <= FRONT_MAX && w->span.end - w->last <= REST_MAX &&
	    w->job.in.n - w->span.end <= FRONT_MAX;
}

static int
split_open(const struct read_job *job, struct whole **out, struct err *e)
{
	struct whole *w = xcalloc(1, sizeof(*w));

	(void)e;
	w->job = *job;
	w->mem = arena_new();
	w->reader = xml_reader_new(w->mem);
	w->text = (struct strbuf)STRBUF_INIT;
	w->keys[0] = siphash_key_new();
	w->keys[1] = siphash_key_new();
	w->odd = !take_apart(w);
	for (size_t i = 0; i < w->n && !w->odd; i++) {
		if (job->passed != NULL)
			job->passed(job->passed_arg, job->in.p + w->incidents[i].from);
		survey_incident(w, (uint32_t)i);
		w->document_told = true;
	}
	if (w->odd) {
		split_close(w);
		return 0;
	}
	settle_objects(w);
	settle_names(w);
	w->id = ir_document_id(job, w->mem);
	*out = w;
	return 1;
}

static bool
split_each(struct whole *w, format_piece_fn *fn, void *arg)
{
	w->here = (struct pos){ .line = 1 };
	w->line_at = w->warnings = 0;
	w->document_told = false;
	for (size_t from = 0, to; from < w->n; from = to + 1) {
		struct read_piece piece;

		to = w->incidents[from].until;
		for (size_t i = from + 1; i <= to; i++)
			if (w->incidents[i].until > to)
				to = w->incidents[i].until;
		piece = make_piece(w, from, to);
		pos_move(&w->here, &w->line_at, w->job.in.p, start_of(w, from));
		piece.at = w->here;
		w->at = from;
		if (w->job.passed != NULL)
			w->job.passed(w->job.passed_arg, w->job.in.p + w->incidents[from].from);
		if (!fn(arg, &piece))
			return false;
	}
	return true;
}

const struct format_split iodef2_split = {
	.open = split_open, .each = split_each, .close = split_close, .joins = true,
	.containers = true, .window = 256 << 10,
};

/* ---- what a piece is told ---- */

int
ir_piece_parse(struct ir *r, struct slice in, const struct xml_limits *lim, struct err *e)
{
	struct xml_reader *reader = r->job->piece->whole->reader;

	xml_reader_into(reader, r->xml != NULL ? r->xml : r->mem);
	return xml_reader_parse(reader, in, lim, &r->doc, e);
}

void
ir_piece_begin(struct ir *r)
{
	const struct whole *w = r->job->piece->whole;

	r->adv->id = w->id;
	r->warnings = w->warnings;
}

bool
ir_piece_is_first(const struct ir *r)
{
	return r->job->piece == NULL || !r->job->piece->whole->document_told;
}

void
ir_piece_end(struct ir *r)
{
	struct whole *w = r->job->piece->whole;

	w->warnings = r->warnings;
	w->document_told = w->document_told || r->nincidents > 0;
}

/* What is known of an object; NULL if no other Incident gives it. */
static const struct given *
find_given(const struct whole *w, const struct ir_obj *ob)
{
	struct given sought = { .incident = 0 };
	size_t lo = 0, hi = w->ngiven;

	key_of(w, ob, sought.key);
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (compare_given(&w->given[mid], &sought) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo < w->ngiven && w->given[lo].key[0] == sought.key[0] &&
	    w->given[lo].key[1] == sought.key[1])
		return &w->given[lo];
	return NULL;
}

void
ir_piece_join(struct ir *r)
{
	const struct whole *w = r->job->piece->whole;

	for (size_t i = 0; w->ngiven > 0 && i < r->nincidents; i++) {
		for (size_t k = 0; k < r->incidents[i]->n; k++) {
			struct ir_obj *ob = r->incidents[i]->objs[k];
			const struct given *g = find_given(w, ob);

			if (g == NULL)
				continue;
			ob->label = label_of(g);
			ob->elsewhere = g->incident < w->at;
		}
	}
}
