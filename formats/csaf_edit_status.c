/*
 * csaf_edit_status.c -- relationships between products and a vulnerability changed or went: so do
 * the lists of its product_status. Each list is gone through once, however many of them did.
 */
#include "formats/csaf_write.h"

/* True if the labels of a relationship say this list. */
static bool
says_list(const json *tree, int status)
{
	size_t n = sizeof(CSAF_LABEL_STATUS) - 1;

	for (const json *k = json_first(json_get(tree, "labels")); k != NULL; k = json_next(k)) {
		struct slice l = json_slice(k);

		if (slice_starts(l, CSAF_LABEL_STATUS) &&
		    slice_is(slice_from(l.p + n, l.n - n), csaf_statuses[status].word))
			return true;
	}
	return false;
}

/* The relationship that put a product into this list; NULL if none did. */
static const struct csaf_made *
relation_of(const struct csaf_software *s, const json *vulnerability, int status)
{
	if (s == NULL || s->vulnerability != vulnerability)
		return NULL;
	return csaf_statuses[status].group == CSAF_GROUP_AFFECTED ? s->has : s->related;
}

/* Take out of a list what no relationship says any more. */
static void
prune_list(struct csaf_reading *base, const json *vulnerability, json *lists, int status)
{
	json *list = json_get(lists, csaf_statuses[status].word), *next;

	for (json *k = json_first(list); k != NULL; k = next) {
		const struct csaf_made *m = relation_of(csaf_software_find(base, json_slice(k)),
		    vulnerability, status);

		next = json_next(k);
		if (m != NULL && m->edited && !says_list(m->now, status))
			json_detach(list, k);
	}
	if (list != NULL && json_first(list) == NULL)
		json_remove(lists, csaf_statuses[status].word);
}

/* Put the product of a relationship into the lists that it says newly. */
static void
extend_lists(struct csaf_writing *w, json *lists, const struct csaf_made *m)
{
	for (int s = 0; s < CSAF_STATUSES; s++) {
		json *list;

		if (!says_list(m->now, s) || says_list(m->tree, s))
			continue;
		list = json_get(lists, csaf_statuses[s].word);
		if (list == NULL)
			list = json_put(w->mem, lists, csaf_statuses[s].word, json_list(w->mem));
		json_push(list, json_string(w->mem, m->source->software->product_id));
	}
}

/* Bring the lists of one vulnerability up to date; its parts stand from `from` to before `to`. */
static void
edit_lists(struct csaf_writing *w, struct csaf_reading *base, size_t from, size_t to)
{
	json *vulnerability = base->v[from]->within;
	json *lists = json_get(vulnerability, "product_status");

	for (int s = 0; s < CSAF_STATUSES; s++)
		prune_list(base, vulnerability, lists, s);
	for (size_t i = from; lists != NULL && i < to; i++)
		if (base->v[i]->edited && base->v[i]->now != NULL)
			extend_lists(w, lists, base->v[i]);
	if (lists != NULL && json_first(lists) == NULL)
		json_remove(vulnerability, "product_status");
}

/* See csaf_write.h. The parts of a vulnerability lie together, and its software still knows the
 * relationships of the last vulnerability only: they are told again. */
void
csaf_edit_statuses(struct csaf_writing *w, struct csaf_reading *base)
{
	size_t to;

	for (size_t from = 0; from < base->n; from = to) {
		const json *within = base->v[from]->within;
		bool edited = false;

		for (to = from; to < base->n && base->v[to]->within == within; to++) {
			struct csaf_made *m = base->v[to];
			struct csaf_software *s = m->source == NULL ? NULL : m->source->software;

			edited = edited || m->edited;
			if (s == NULL || within == NULL)
				continue;
			if (s->vulnerability != within)
				s->has = s->related = NULL;
			s->vulnerability = within;
			if (slice_is(json_member(m->tree, "relationship_type"), "has"))
				s->has = m;
			else
				s->related = m;
		}
		if (edited && within != NULL)
			edit_lists(w, base, from, to);
	}
}
