/* cybox_observe.c -- from Observable to Observable: references, related objects (see cybox_impl.h). */
#include <string.h>

#include "formats/cybox_impl.h"

bool
cx_step(struct cx_reader *rd, struct xml_node *n)
{
	size_t *all = rd->job->steps;

	if (rd->deep >= CX_DEEP) {
		cx_tell(rd, CYBOX_LOOP, n, "references go in a circle, or too deep");
		return false;
	}
	if (++rd->steps <= CX_STEPS && (all == NULL || ++*all <= CX_STEPS_ALL))
		return true;
	cx_tell(rd, CYBOX_LIMIT, n, "too much to look at");
	return false;
}

struct xml_node *
cx_refer(struct cx_reader *rd, struct xml_node *n)
{
	struct xml_attr *idref = xml_attr(n, "idref");
	struct xml_node *to = NULL;

	if (idref == NULL || cx_properties(n) != NULL || cx_child(n, "Object") != NULL ||
	    cx_child(n, "Observable_Composition") != NULL)
		return n;
	if (rd->job->find != NULL)
		to = rd->job->find(rd->job->arg, slice_trim(idref->value));
	if (to == NULL || to == n) {
		cx_tell(rd, CYBOX_REFERENCE, n, "names nothing");
		return NULL;
	}
	for (size_t i = 0; i < rd->nactive; i++) {
		if (rd->active[i] == to) {
			cx_tell(rd, CYBOX_LOOP, n, "references go in a circle");
			return NULL;
		}
	}
	idref->mark = XML_KEPT;
	n->mark = XML_KEPT;
	return to;
}

void
cx_tell_empty(struct cx_reader *rd, struct xml_node *n)
{
	cx_tell(rd, cx_child(n, "Event") != NULL ? CYBOX_EVENT : CYBOX_EMPTY, n,
	    "nothing that can be observed");
	cx_sweep(rd, n);
}

/* Rows of a type and of what it is made from. */
static const struct cx_row *
find_related(const struct cx_type *type, struct slice relationship)
{
	for (; type != NULL; type = type->base) {
		for (const struct cx_row *row = type->rows; row->xml != NULL; row++) {
			if (row->xml[0] == '~' && slice_is_nocase(relationship, row->xml + 1))
				return row;
		}
	}
	return NULL;
}

const struct cx_row *
cx_related_row(struct slice type, struct slice relationship)
{
	const struct cx_type *t;

	for (size_t i = 0; (t = cx_type_for(type, i)) != NULL; i++) {
		const struct cx_row *row = find_related(t, relationship);

		if (row != NULL)
			return row;
	}
	return NULL;
}

void
cx_mark_relationship(struct xml_node *related, enum xml_mark mark)
{
	struct xml_node *word = cx_child(related, "Relationship");

	if (word == NULL || mark == XML_UNSEEN)
		return;
	cx_mark(word, mark);
	for (struct xml_attr *a = word->attrs; a != NULL; a = a->next) {
		if (slice_is(a->ns, XML_NS_XSI))
			a->mark = XML_KEPT;
	}
}

void
cx_adopt(struct cx *into, struct cx *from)
{
	into->type = from->type;
	into->first = from->first;
	into->last = from->last;
	into->any = from->any;
	for (struct cx *k = into->first; k != NULL; k = k->next)
		k->parent = into;
	from->first = from->last = NULL;
}

/* May a row hold an object of that type? Names resolve to names and addresses, files contain anything. */
bool
cx_row_holds(const struct cx_row *row, struct slice type)
{
	return row->sub != &cx_address || slice_is(type, "ipv4-addr") || slice_is(type, "ipv6-addr") ||
	    slice_is(type, "domain-name");
}

bool
cx_read_related(struct cx_reader *rd, struct xml_node *related, struct cx *o)
{
	struct xml_node *word = cx_child(related, "Relationship"), *to, *props;
	const struct cx_row *row = word == NULL ? NULL :
	    cx_related_row(o->type, xml_text_trim(word, rd->mem));
	struct cx *other = NULL;

	if (row == NULL || !cx_step(rd, related) || (to = cx_refer(rd, related)) == NULL)
		return false;
	if (cx_child(to, "Object") != NULL)
		to = cx_child(to, "Object");
	if ((props = cx_properties(to)) == NULL)
		return false;
	rd->deep++;
	other = cx_read_properties(rd, props);
	rd->deep--;
	if (other != NULL && !cx_row_holds(row, other->type)) {
		cx_unmark(other);
		other = NULL;
	}
	if (other == NULL)
		return false;
	rd->left_out = cx_sweep(rd, props) || rd->left_out;
	cx_adopt(cx_make(rd->mem, o, row->stix, CX_OBJECT), other);
	cx_mark_relationship(related, XML_KEPT);
	return true;
}

void
cx_unmark_below(struct xml_node *n)
{
	n->mark = XML_UNSEEN;
	for (struct xml_attr *a = n->attrs; a != NULL; a = a->next)
		a->mark = XML_UNSEEN;
	for (struct xml_node *k = n->first; k != NULL; k = k->next)
		cx_unmark_below(k);
}
