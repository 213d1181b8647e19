/* stix1_read_actor.c -- campaigns and threat actors. */
#include "formats/stix1_read.h"
#include "gateway/base/arena.h"
#include "gateway/base/strbuf.h"

/* The Values of all elements of a name, ", " between them. */
static struct slice
joined(struct s1 *s, struct xml_node *n, const char *name)
{
	struct strbuf text = STRBUF_INIT;
	struct slice out;

	for (struct xml_node *k = stix1_get(n, name); k != NULL; k = stix1_more(k)) {
		struct slice one = s1_statement(s, k);

		if (text.n > 0 && one.n > 0)
			strbuf_adds(&text, ", ");
		strbuf_addsl(&text, one);
	}
	out = arena_slice(s->mem, strbuf_slice(&text));
	strbuf_fini(&text);
	return out;
}

void
s1_read_campaign(struct s1 *s, struct s1_unit *u)
{
	struct xml_node *names = stix1_get(u->node, "Names");
	struct s1_obj *ob = s1_new(s, u, "campaign", NULL);
	struct slice objective;

	if (ob == NULL)
		return;
	s1_common(s, ob->tree, u->node);
	s1_names(s, ob->tree, names);
	if (json_get(ob->tree, "name") == NULL)
		json_put_str(s->mem, ob->tree, "name", u->id);
	objective = joined(s, u->node, "Intended_Effect");
	if (objective.n > 0)
		json_put_str(s->mem, ob->tree, "objective", objective);
	for (struct xml_node *k = stix1_get(u->node, "Activity"); k != NULL; k = stix1_more(k))
		s1_describe(s, ob->tree, s1_texts(s, k, "Description"));
	s1_labels(s, ob->tree, u->node, "Status");
}

/* The first motivation is the primary one, what it does not say exactly becomes a label. */
static void
read_motivations(struct s1 *s, struct s1_obj *ob, struct xml_node *n)
{
	json *all = json_object(s->mem), *list;

	s1_words(s, all, n, "Motivation", STIX1_MOTIVATION, "all", NULL);
	list = json_get(all, "all");
	for (const json *m = json_first(list); m != NULL; m = json_next(m)) {
		if (m == json_first(list))
			json_put_str(s->mem, ob->tree, "primary_motivation", json_slice(m));
		else
			sdo_list_add(s->mem, ob->tree, "secondary_motivations", json_slice(m));
	}
	for (const json *m = json_first(json_get(all, "labels")); m != NULL; m = json_next(m))
		sdo_list_add(s->mem, ob->tree, "labels", json_slice(m));
}

static void
read_sophistication(struct s1 *s, struct s1_obj *ob, struct xml_node *n)
{
	struct xml_node *k = stix1_get(n, "Sophistication");
	struct slice old = s1_statement(s, k);
	const char *word = stix1_word_up(STIX1_SOPHISTICATION, old);

	if (word != NULL)
		json_put_str(s->mem, ob->tree, "sophistication", slice_of(word));
	else if (stix1_word_is_new(STIX1_SOPHISTICATION, old))
		json_put_str(s->mem, ob->tree, "sophistication", old);
	else
		sdo_list_add(s->mem, ob->tree, "labels", stix1_hyphens(s->mem, old));
}

/* Who the actor is: a name for it, or an identity of its own that it is attributed to. */
static void
read_identity(struct s1 *s, struct s1_unit *u, struct s1_obj *ob, struct xml_node *n)
{
	struct slice name;

	if (s1_is_someone(n)) {
		struct s1_obj *who = s1_identity(s, u, n, json_member(ob->tree, "name"));

		if (who == NULL)
			return;
		if (stix1_get(n, "Name") == NULL)	/* it may be named like the actor */
			who->label = s1_strictest(s, who->label, ob->label);
		if (json_get(ob->tree, "name") == NULL && who->tree != NULL)
			json_put_str(s->mem, ob->tree, "name", json_member(who->tree, "name"));
		s1_relate(s, u, ob, "attributed-to", who, n);
		return;
	}
	name = s1_line(s, stix1_get(n, "Name"));
	if (name.n == 0)
		return;
	n->mark = XML_KEPT;
	if (json_get(ob->tree, "name") == NULL)
		json_put_str(s->mem, ob->tree, "name", name);
	else if (!slice_eq(json_member(ob->tree, "name"), name))
		sdo_list_add(s->mem, ob->tree, "aliases", name);
}

void
s1_read_actor(struct s1 *s, struct s1_unit *u)
{
	struct s1_obj *ob = s1_new(s, u, "threat-actor", NULL);

	if (ob == NULL)
		return;
	s1_common(s, ob->tree, u->node);
	read_identity(s, u, ob, stix1_get(u->node, "Identity"));
	if (json_get(ob->tree, "name") == NULL)
		json_put_str(s->mem, ob->tree, "name", u->id);
	s1_words(s, ob->tree, u->node, "Type", STIX1_ACTOR_TYPE, "threat_actor_types", "unknown");
	read_motivations(s, ob, u->node);
	read_sophistication(s, ob, u->node);
	for (struct xml_node *k = stix1_get(u->node, "Intended_Effect"); k != NULL; k = stix1_more(k))
		sdo_list_add(s->mem, ob->tree, "goals", s1_statement(s, k));
	s1_labels(s, ob->tree, u->node, "Planning_And_Operational_Support");
}
