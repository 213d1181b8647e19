#include "gateway/translator_parts.h"

#include <stdlib.h>

#include "formats/refs.h"
#include "gateway/base/arena.h"
#include "gateway/base/strbuf.h"
#include "gateway/translate_wire.h"

enum { REMARKS_BYTES = 32 * 1024 };	/* about one object; some more at most */

/* ---- parts ---- */

/* What parts need to know of the supporting objects of a message. */
static void
index_supporters(struct message *m)
{
	for (size_t i = 0; i < m->adv.n; i++)
		if (refs_is_supporting(m->adv.objects[i].type))
			idmap_add(&m->supporters, m->mem, m->adv.objects[i].id, i);
	idmap_sort(&m->supporters);
	m->seen = arena_alloc(m->mem, (m->adv.n + 1) * sizeof(*m->seen));
}

/* Where the next part ends. */
static size_t
end_of_part(const struct message *m)
{
	size_t bytes = 0, i;

	for (i = m->at; i < m->adv.n && i - m->at < PART_OBJECTS; i++) {
		bytes += m->adv.objects[i].bytes.n;
		if (bytes > PART_BYTES && i > m->at)
			break;
	}
	return i;
}

/* Add what object i names and is not in this part yet. */
static void
add_again(struct message *m, size_t i, size_t *again, size_t *n)
{
	const struct object *o = &m->adv.objects[i];

	for (size_t k = 0; k < o->nsupporters; k++) {
		const struct idmap *s = &m->supporters;
		struct slice id = o->supporters[k];

		for (size_t at = idmap_place(s, id);
		    at < s->n && slice_eq(s->v[at].id, id) && *n < PART_SUPPORTERS; at++) {
			size_t j = s->v[at].value;

			if (m->seen[j] == m->part ||
			    m->again_bytes + m->adv.objects[j].bytes.n > PART_BYTES)
				continue;
			m->again_bytes += m->adv.objects[j].bytes.n;
			m->seen[j] = m->part;
			again[(*n)++] = j;
		}
	}
}

/* Supporting objects that this part names and that stand in another one; and what those name. */
static size_t
find_again(struct message *m, size_t end, size_t *again)
{
	size_t n = 0;

	m->part++;
	m->again_bytes = 0;
	for (size_t i = m->at; i < end; i++)
		m->seen[i] = m->part;
	for (size_t i = m->at; i < end; i++)
		add_again(m, i, again, &n);
	for (size_t i = 0; i < n; i++)
		add_again(m, again[i], again, &n);
	return n;
}

/* The refusals that belong to this part: those that stand before the next part's first object. */
static size_t
refusals_until(const struct message *m, size_t end)
{
	size_t v = m->vat;

	if (end >= m->adv.n)
		return m->nrefused;
	while (v < m->nrefused && m->refused[v]->index < m->adv.objects[end].index)
		v++;
	return v;
}

bool
parts_send(struct message *m, const struct outlet *out)
{
	size_t again[PART_SUPPORTERS], end = end_of_part(m), vend = refusals_until(m, end);
	struct strbuf b = STRBUF_INIT;
	struct translate_share s = {
		.adv = &m->adv, .in = m->in, .format = m->format, .from = m->at, .n = end - m->at,
		.total = m->adv.n - m->base, .refused = m->refused, .vfrom = m->vat, .nv = vend - m->vat,
		.again = again, .relay = m->wants_relay && m->at == 0 ? &m->relay : NULL,
		.loss = &m->loss, .first = m->at == m->base, .last = end >= m->adv.n,
	};

	if (m->at > 0 || !s.last) {
		if (m->seen == NULL)
			index_supporters(m);
		s.nagain = find_again(m, end, again);
	}
	translate_put_part(&b, &s);
	out->send(out->arg, TRANSLATE_PART, out->id, strbuf_slice(&b));
	strbuf_fini(&b);
	m->at = end;
	m->vat = vend;
	return s.last;
}

/* ---- after reading: remarks to their objects, refusals by their place ---- */

struct remark {
	size_t			 index, order;
	const struct verdict	*v;
};

static int
by_place(const void *a, const void *b)
{
	const struct remark *x = a, *y = b;

	if (x->index != y->index)
		return x->index < y->index ? -1 : 1;
	return (x->order > y->order) - (x->order < y->order);
}

/* All verdicts of one kind in the order of their places. */
static struct remark *
sorted(struct message *m, enum verdict_kind kind, size_t *n)
{
	struct remark *v = arena_alloc(m->mem, (m->adv.nverdicts + 1) * sizeof(*v));

	*n = 0;
	for (size_t i = 0; i < m->adv.nverdicts; i++)
		if (m->adv.verdicts[i].kind == kind)
			v[(*n)++] = (struct remark){ m->adv.verdicts[i].index, i, &m->adv.verdicts[i] };
	qsort(v, *n, sizeof(*v), by_place);
	return v;
}

/* The first remark at a place, or where it would stand. */
static size_t
first_at(const struct remark *v, size_t n, size_t index)
{
	size_t lo = 0, hi = n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (v[mid].index < index)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static void
add_remark(struct strbuf *b, const struct verdict *v)
{
	strbuf_addf(b, "%s %s: %s\n", v->code, v->err.path, v->err.reason);
}

/* What the reader says of the envelope that the objects came in, which is no part of any of them. */
static const struct verdict *
envelope_remark(const struct message *m)
{
	for (size_t i = 0; m->adv.envelope.n > 0 && i < m->adv.nverdicts; i++) {
		const struct verdict *v = &m->adv.verdicts[i];

		if (v->kind == VERDICT_WARNED && v->id.n == 0 && slice_ends(slice_of(v->code), "_ENVELOPE"))
			return v;
	}
	return NULL;
}

/* "CODE path: reason" a line. Under which policy it came is kept with every object. */
static void
attach_remarks(struct message *m)
{
	const struct verdict *envelope = envelope_remark(m);
	size_t n;
	const struct remark *v = sorted(m, VERDICT_WARNED, &n);

	for (size_t i = 0; n > 0 && i < m->adv.n; i++) {
		struct object *o = &m->adv.objects[i];
		struct strbuf b = STRBUF_INIT;

		if (envelope != NULL)
			add_remark(&b, envelope);
		for (size_t k = first_at(v, n, o->index); k < n && v[k].index == o->index; k++)
			if (slice_eq(v[k].v->id, o->id) && b.n < REMARKS_BYTES)
				add_remark(&b, v[k].v);
		if (b.n > 0)
			o->remarks = arena_str(m->mem, strbuf_slice(&b));
		strbuf_fini(&b);
	}
}

static void
sort_refusals(struct message *m)
{
	const struct remark *v = sorted(m, VERDICT_REFUSED, &m->nrefused);

	m->refused = arena_alloc(m->mem, (m->nrefused + 1) * sizeof(struct verdict *));
	for (size_t i = 0; i < m->nrefused; i++)
		m->refused[i] = v[i].v;
}

void
parts_prepare(struct message *m, uint64_t from, uint64_t skip)
{
	size_t left;

	attach_remarks(m);
	sort_refusals(m);
	while (m->base < m->adv.n && m->adv.objects[m->base].index < from)
		m->base++;
	while (m->vat < m->nrefused && m->refused[m->vat]->index < from)
		m->vat++;
	left = m->adv.n - m->base;
	m->at = m->base + (skip > left ? left : (size_t)skip);
	if (skip > 0)
		m->vat = refusals_until(m, m->at);
}
