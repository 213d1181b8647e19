/*
 * stix1_check.c -- is a unit what STIX 1.x says? Real documents break the schema in a third of all cases,
 * so children and their order are not looked at; what would change the meaning is. A finding is a warning
 * in tolerant mode; in strict mode it refuses the unit it stands in. Size is looked at in both.
 */
#include "formats/stix1_read.h"
#include "gateway/base/codec.h"

enum { UNIT_BYTES = 8 << 20 };

struct finding {
	const char	*code, *reason;
	struct xml_node	*at;
};

/* Ids, versions and times of one element. */
static bool
look_at(struct s1 *s, struct xml_node *n, struct finding *f)
{
	const struct xml_attr *stamp = xml_attr(n, "timestamp");
	struct slice id = slice_trim(xml_value(n, "id"));

	f->at = n;
	if (stamp != NULL && s1_time_utc(s, stamp->value).n == 0) {
		f->code = "BAD_TIMESTAMP";
		f->reason = "the timestamp is no date";
		return true;
	}
	if (s1_unit_of(n) != NULL && id.n == 0 && s1_unit_of(n)->kind != S1_PACKAGE) {
		f->code = "MISSING_ID";
		f->reason = "it has no id: one is made of its place in the document";
		return true;
	}
	if (s1_unit_of(n) != NULL && id.n > 0 &&
	    (id.n < UUID_TEXT || !uuid_is_shaped(slice_from(id.p + id.n - UUID_TEXT, UUID_TEXT)))) {
		f->code = "BAD_ID";
		f->reason = "the id does not end in a UUID: one is made of it";
		return true;
	}
	return false;
}

/* Tell all findings in n that are no inner unit's. *first: the first of them, or code NULL. */
static void
check_below(struct s1 *s, struct xml_node *n, struct finding *first)
{
	struct finding f = { 0 };

	if (look_at(s, n, &f)) {
		if (!s->job->strict)
			s1_warn(s, f.at, f.code, "%s", f.reason);
		if (first->code == NULL)
			*first = f;
	}
	for (struct xml_node *k = xml_child(n); k != NULL; k = xml_sibling(k))
		if (s1_unit_of(k) == NULL && (k->ns.n == 0 || stix1_family(k->ns) != STIX1_FOREIGN))
			check_below(s, k, first);
}

/* Refuse a unit with all that is in it. */
static void
refuse(struct s1 *s, struct s1_unit *u, const struct finding *f)
{
	struct err e = ERR_INIT;

	err_set(&e, ERR_VALUE, "%s", f->reason);
	e.at = xml_pos(f->at);
	err_path(&e, "%s", xml_path_text(s->mem, f->at, NULL));
	s1_refuse(s, u->node, f->code, &e);
	xml_mark_all(u->node, XML_DROPPED);
	u->refused = true;
}

/* Bytes of n, roughly, without the units in it. */
static size_t
size_of(const struct xml_node *n)
{
	size_t size = 2 * n->name.n + n->text.n;

	for (const struct xml_attr *a = n->attrs; a != NULL; a = a->next)
		size += a->name.n + a->value.n;
	for (const struct xml_node *k = n->first; k != NULL; k = k->next)
		if (xml_is_text(k) || s1_unit_of(k) == NULL)
			size += size_of(k);
	return size;
}

/* See stix1_read.h. */
int
s1_check(struct s1 *s, struct err *e)
{
	size_t limit = s->job->limits.object_bytes > 0 ? s->job->limits.object_bytes : UNIT_BYTES;

	for (size_t i = 0; i < s->nunits; i++) {
		struct s1_unit *u = s->units[i];
		struct finding first = { 0 };

		if (u->up != NULL && u->up->refused) {
			u->refused = true;	/* it went with what is around it */
			continue;
		}
		if (size_of(u->node) > limit)
			first = (struct finding){ "LIMIT", "it is larger than the limit of one object",
			    u->node };
		else
			check_below(s, u->node, &first);
		if (first.code == NULL || (!s->job->strict && strcmp(first.code, "LIMIT") != 0))
			continue;
		if (u->up == NULL) {
			err_path(e, "%s", xml_path_text(s->mem, first.at, NULL));
			return err_at(e, ERR_VALUE, xml_pos(first.at), "%s", first.reason);
		}
		refuse(s, u, &first);
	}
	return 0;
}
