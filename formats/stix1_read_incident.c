/* stix1_read_incident.c -- incidents: what happened to whom, and what was done about it. */
#include "formats/stix1_read.h"
#include "gateway/base/arena.h"

/* Victims: identities that the incident is about. */
static void
read_victims(struct s1 *s, struct s1_unit *u, struct s1_obj *ob)
{
	for (struct xml_node *k = stix1_get(u->node, "Victim"); k != NULL; k = stix1_more(k)) {
		struct s1_obj *who = s1_identity(s, u, k, SLICE_EMPTY);

		if (who != NULL)
			s1_relate(s, u, ob, "targets", who, k);
	}
}

/* A Journal_Entry becomes a note; an Action_Entry is a course of action in place. */
static void
read_history(struct s1 *s, struct s1_unit *u, struct s1_obj *ob)
{
	struct xml_node *list = stix1_get(u->node, "History");
	size_t ordinal = 0;

	for (struct xml_node *k = stix1_get(list, "History_Item"); k != NULL; k = stix1_more(k)) {
		struct xml_node *entry = stix1_get(k, "Journal_Entry");
		struct slice text, author, at, uuid;
		struct s1_obj *note;

		ordinal++;
		if (entry == NULL || xml_text_trim(entry, s->mem).n == 0)
			continue;
		uuid = S1_UUID(s, u->id, SLICE_LIT("note"),
		    slice_of(arena_fmt(s->mem, "%zu", ordinal)));
		note = s1_part(s, u, "note", uuid, k);
		if (note == NULL)
			continue;
		list->mark = k->mark = XML_KEPT;
		text = s1_text(s, entry);
		author = s1_attr(entry, "author");
		at = s1_time_attr(s, entry, "time");
		if (at.n > 0 && !s1_before(s, json_member(note->tree, "modified"), at))
			json_put_str(s->mem, note->tree, "created", at);
		json_put_str(s->mem, note->tree, "content", text);
		sdo_list_add(s->mem, note->tree, "authors", author);
		sdo_list_add(s->mem, note->tree, "object_refs", ob->id);
		note->label = s1_strictest(s, note->label, ob->label);
	}
}

void
s1_read_incident(struct s1 *s, struct s1_unit *u)
{
	struct s1_obj *ob = s1_new(s, u, "incident", NULL);
	struct xml_node *categories = stix1_get(u->node, "Categories");
	struct slice url = s1_attr(u->node, "URL"), text;

	if (ob == NULL)
		return;
	s1_common(s, ob->tree, u->node);
	text = json_member(ob->tree, "description");
	if (json_get(ob->tree, "name") == NULL)
		json_put_str(s->mem, ob->tree, "name", text.n > 0 ? s1_short(s, text) : u->id);
	sdo_reference(s->mem, ob->tree, "stix1", SLICE_EMPTY, url, SLICE_EMPTY);
	for (struct xml_node *k = stix1_get(u->node, "External_ID"); k != NULL; k = stix1_more(k)) {
		struct slice source = s1_attr(k, "source");

		sdo_reference(s->mem, ob->tree, source.n > 0 ? source.p : "stix1", s1_line(s, k),
		    SLICE_EMPTY,
		    SLICE_EMPTY);
	}
	s1_labels(s, ob->tree, categories, "Category");
	s1_labels(s, ob->tree, u->node, "Intended_Effect");
	read_victims(s, u, ob);
	read_history(s, u, ob);
}
