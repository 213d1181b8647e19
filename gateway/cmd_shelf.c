#include "gateway/cmd_shelf.h"

#include <stdlib.h>

#include "gateway/base/arena.h"
#include "gateway/base/siphash.h"
#include "gateway/base/spill.h"
#include "gateway/base/strbuf.h"
#include "gateway/cmd_input.h"

enum { COMPARED_AT_ONCE = 1 << 18 };	/* 6 MB */

struct shelf {
	struct spill		*records, *texts;
	size_t			 n;
	struct siphash_key	 keys[2];
	struct strbuf		 name;		/* of the object just added, for hashing */
	struct input		**inputs;	/* by number; NULL: the texts were copied */
	size_t			 ninputs;
	uint32_t		 batch;
	uint8_t			*off;		/* a bit an object: taken off; NULL: none was */
};

struct shelf *
shelf_new(void)
{
	struct shelf *s = xcalloc(1, sizeof(*s));

	s->name = (struct strbuf)STRBUF_INIT;
	s->records = spill_new();
	s->texts = spill_new();
	s->keys[0] = siphash_key_new();
	s->keys[1] = siphash_key_new();
	return s;
}

void
shelf_free(struct shelf *s)
{
	spill_free(s->records);
	spill_free(s->texts);
	strbuf_fini(&s->name);
	free(s->inputs);
	free(s->off);
	free(s);
}

/* Remember that texts of input `number` stand in `in`. */
static void
note_input(struct shelf *s, uint32_t number, struct input *in)
{
	if (number >= s->ninputs) {
		size_t n = (size_t)number + 16;

		s->inputs = xrealloc(s->inputs, n * sizeof(struct input *));
		for (size_t i = s->ninputs; i < n; i++)
			s->inputs[i] = NULL;
		s->ninputs = n;
	}
	s->inputs[number] = in;
}

void
shelf_next_batch(struct shelf *s)
{
	s->batch++;
}

uint64_t
shelf_hash(const struct shelf *s, struct slice id)
{
	return siphash(&s->keys[0], id);
}

void
shelf_add(struct shelf *s, const struct object *o, uint32_t input, struct input *in, struct pos place,
    size_t remarks, bool judged)
{
	struct kept k;

	memset(&k, 0, sizeof(k));	/* with what lies between: it is written as it is */
	k.input = input;
	k.n = (uint32_t)o->bytes.n;
	k.offset = place.offset;
	k.line = place.line;
	k.column = place.column;
	k.index = o->index;
	k.flags = o->flags;
	k.sectors = o->sectors;
	k.remarks = (uint32_t)remarks;
	k.judged = judged;
	k.batch = s->batch;
	k.id = shelf_hash(s, o->id);
	k.tlp = (uint8_t)o->tlp;
	k.label = (uint8_t)o->label;
	k.pap = (uint8_t)o->pap;
	k.phase = (uint8_t)o->phase;
	strbuf_setlen(&s->name, 0);
	strbuf_addsl(&s->name, o->id);
	strbuf_addc(&s->name, '\0');
	strbuf_addsl(&s->name, o->version_key);
	for (int i = 0; i < 2; i++)
		k.same[i] = siphash(&s->keys[i], strbuf_slice(&s->name));
	if (in != NULL && input_has(in, o->bytes.p)) {
		k.in_input = true;
		k.at = (uint64_t)(o->bytes.p - input_text(in).p);
		note_input(s, input, in);
	} else {
		k.at = spill_add(s->texts, o->bytes.p, o->bytes.n);
	}
	spill_add(s->records, &k, sizeof(k));
	s->n++;
}

size_t
shelf_count(const struct shelf *s)
{
	return s->n;
}

void
shelf_cut(struct shelf *s, size_t n)
{
	struct kept k;

	for (size_t i = n; i < s->n; i++) {
		if (shelf_get(s, i, &k) && !k.in_input) {
			spill_cut(s->texts, k.at);
			break;
		}
	}
	spill_cut(s->records, n * sizeof(k));
	s->n = n;
}

bool
shelf_failed(const struct shelf *s, struct err *e)
{
	return spill_failed(s->records, e) || spill_failed(s->texts, e);
}

static bool
is_off(const struct shelf *s, size_t i)
{
	return s->off != NULL && (s->off[i / 8] & 1 << i % 8) != 0;
}

static void
take_off(struct shelf *s, size_t i)
{
	if (s->off == NULL)
		s->off = xcalloc(s->n / 8 + 1, 1);
	s->off[i / 8] |= (uint8_t)(1 << i % 8);
}

static bool
get_record(struct shelf *s, size_t i, struct kept *out)
{
	return spill_get(s->records, (uint64_t)i * sizeof(*out), out, sizeof(*out));
}

bool
shelf_get(struct shelf *s, size_t i, struct kept *out)
{
	return i < s->n && !is_off(s, i) && get_record(s, i, out);
}

bool
shelf_find(struct shelf *s, size_t i, struct kept *out)
{
	return i < s->n && get_record(s, i, out);
}

struct slice
shelf_text(struct shelf *s, const struct kept *k, struct arena *mem)
{
	char *copy;

	if (k->in_input)
		return slice_from(input_text(s->inputs[k->input]).p + k->at, k->n);
	copy = arena_raw(mem, (size_t)k->n + 1);
	copy[k->n] = '\0';
	if (!spill_get(s->texts, k->at, copy, k->n))
		return SLICE_EMPTY;
	return slice_from(copy, k->n);
}

/* The whole header, from a tree. */
static bool
fill(struct object *o, struct arena *mem)
{
	struct json_doc doc;

	if (json_parse(o->bytes, NULL, mem, &doc, NULL) < 0)
		return false;
	o->tree = doc.root;
	return object_fill(o, mem, NULL, NULL, NULL) == 0;
}

bool
shelf_load(struct shelf *s, const struct kept *k, struct arena *mem, bool tree, struct object *out)
{
	bool open;

	*out = (struct object){ .bytes = shelf_text(s, k, mem), .index = k->index,
	    .offset = k->offset };
	if (out->bytes.n == 0 || (tree ? !fill(out, mem) :
	    object_skim(out, mem, &open) < 0 && !fill(out, mem)))
		return false;
	out->tlp = (enum tlp)k->tlp;
	out->label = (enum label_case)k->label;
	out->pap = (enum pap)k->pap;
	out->phase = (enum phase)k->phase;
	out->flags = k->flags;
	out->sectors = k->sectors;
	if (!tree)
		out->tree = NULL;
	return true;
}

/* ---- objects that claim to be one ---- */

struct entry {
	uint64_t	same[2];
	size_t		at;
};

struct settling {
	struct shelf	*s;
	struct clash	*v;
	size_t		 n, cap;
	bool		 any;		/* an object was read */
	uint32_t	 first;		/* the first input that gave objects */
};

static int
compare_entries(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	for (int i = 0; i < 2; i++)
		if (x->same[i] != y->same[i])
			return x->same[i] < y->same[i] ? -1 : 1;
	return (x->at > y->at) - (x->at < y->at);
}

static int
compare_clashes(const void *a, const void *b)
{
	const struct clash *x = a, *y = b;

	if (x->input != y->input)
		return x->input < y->input ? -1 : 1;
	if (x->own != y->own)
		return x->own ? -1 : 1;
	return (x->at > y->at) - (x->at < y->at);
}

/* Do two say the same, letter by letter or (`meaning`) as JSON? */
static bool
is_equal(struct shelf *s, size_t a, size_t b, bool meaning)
{
	struct arena *mem = arena_new();
	struct kept x, y;
	struct json_doc p, q;
	struct slice left, right;
	bool equal = false;

	if (get_record(s, a, &x) && get_record(s, b, &y)) {
		left = shelf_text(s, &x, mem);
		right = shelf_text(s, &y, mem);
		equal = slice_eq(left, right) || (meaning &&
		    json_parse(left, NULL, mem, &p, NULL) == 0 &&
		    json_parse(right, NULL, mem, &q, NULL) == 0 && json_equal(p.root, q.root));
	}
	arena_free(mem);
	return equal;
}

static void
add_clash(struct settling *t, size_t at, uint32_t input, bool own)
{
	t->v = xgrow(t->v, t->n, &t->cap, sizeof(*t->v));
	t->v[t->n++] = (struct clash){ at, input, own };
}

/* All objects of one (id, version), in their order. */
static void
settle_group(struct settling *t, const struct entry *v, size_t n)
{
	size_t holder = SIZE_MAX, leader = 0;
	uint32_t from = UINT32_MAX;

	for (size_t i = 0; i < n; i++) {
		struct kept k;
		bool own, earlier;

		if (!get_record(t->s, v[i].at, &k))
			continue;
		earlier = holder != SIZE_MAX && (k.input != from || k.input != t->first);
		if (k.input != from)
			leader = v[i].at;
		own = k.input == from && !k.judged && !is_equal(t->s, leader, v[i].at, true);
		from = k.input;
		if (own || (earlier && !is_equal(t->s, holder, v[i].at, false)))
			add_clash(t, v[i].at, k.input, own);
		else if (!earlier)
			holder = v[i].at;
		else
			take_off(t->s, v[i].at);
	}
}

/* Find the groups in a run of objects. */
static void
settle_groups(struct settling *t, struct entry *v, size_t n)
{
	qsort(v, n, sizeof(*v), compare_entries);
	for (size_t from = 0, to; from < n; from = to) {
		for (to = from + 1; to < n && v[to].same[0] == v[from].same[0] &&
		    v[to].same[1] == v[from].same[1]; to++)
			;
		if (to - from > 1)
			settle_group(t, v + from, to - from);
	}
}

struct clash *
shelf_settle(struct shelf *s, size_t *n)
{
	struct settling t = { .s = s };
	size_t runs = s->n / COMPARED_AT_ONCE + 1, nv, cap = 0;
	struct entry *v = NULL;
	struct kept k;

	for (size_t run = 0; run < runs; run++) {
		nv = 0;
		for (size_t i = 0; i < s->n; i++) {
			if (!shelf_get(s, i, &k))
				continue;
			if (!t.any)
				t.first = k.input;
			t.any = true;
			if (k.same[0] % runs != run)
				continue;
			v = xgrow(v, nv, &cap, sizeof(*v));
			v[nv++] = (struct entry){ { k.same[0], k.same[1] }, i };
		}
		if (nv > 1)
			settle_groups(&t, v, nv);
	}
	free(v);
	for (size_t i = 0; i < t.n; i++)
		take_off(s, t.v[i].at);
	if (t.n > 1)
		qsort(t.v, t.n, sizeof(*t.v), compare_clashes);
	*n = t.n;
	return t.v;
}
