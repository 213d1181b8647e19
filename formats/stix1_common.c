/* stix1_common.c -- what many STIX 1.x elements have alike: titles, confidence, kill chains, words. */
#include "formats/stix1_read.h"
#include "gateway/base/arena.h"
#include "gateway/base/strbuf.h"

/* Append a paragraph to the description. */
void
s1_describe(struct s1 *s, json *tree, struct slice text)
{
	struct slice old = json_member(tree, "description");

	if (text.n == 0)
		return;
	if (old.n > 0)
		text = slice_of(arena_fmt(s->mem, "%.*s\n\n%.*s", SLICE_ARG(old), SLICE_ARG(text)));
	json_put_str(s->mem, tree, "description", text);
}

/* Set `confidence` from a Confidence element. */
void
s1_confidence(struct s1 *s, json *tree, struct xml_node *n)
{
	struct xml_node *value = stix1_get(n, "Value");
	int confidence;

	if (value == NULL)
		return;
	confidence = stix1_confidence_up(xml_text_line(value, s->mem));
	if (confidence < 0)
		return;
	n->mark = XML_KEPT;
	s1_keep_type(value);
	xml_mark_own(value, XML_APPROXIMATED);
	json_put_int(s->mem, tree, "confidence", confidence);
}

/* Name of a chain and a phase of a Kill_Chain_Phase: its own words, the document's, the well-known ones. */
static bool
read_phase(struct s1 *s, struct xml_node *n, struct slice *chain, struct slice *phase)
{
	struct slice id = slice_trim(xml_value(n, "phase_id")), name = slice_trim(xml_value(n, "name"));
	struct slice chain_id = slice_trim(xml_value(n, "kill_chain_id"));
	struct slice chain_name = slice_trim(xml_value(n, "kill_chain_name"));
	long at = id.n > 0 ? idmap_find(&s->phases, id) : IDMAP_NONE;
	const char *known = stix1_phase_name(id);

	*phase = known != NULL ? slice_of(known) : name.n > 0 ? stix1_hyphens(s->mem, name) :
	    at >= 0 ? s->chains[at].phase : SLICE_EMPTY;
	*chain = known != NULL || stix1_is_lm_chain(chain_id) ? SLICE_LIT(STIX1_KILL_CHAIN) :
	    chain_name.n > 0 ? stix1_hyphens(s->mem, chain_name) :
	    at >= 0 ? s->chains[at].chain : SLICE_LIT("unknown");
	return phase->n > 0 && chain->n > 0;
}

/* Fill kill_chain_phases from Kill_Chain_Phases. */
void
s1_phases(struct s1 *s, json *tree, struct xml_node *n)
{
	struct xml_node *list = stix1_get(n, "Kill_Chain_Phases");
	json *out = json_list(s->mem);

	for (struct xml_node *k = stix1_get(list, "Kill_Chain_Phase"); k != NULL; k = stix1_more(k)) {
		struct slice chain, phase;
		json *entry;

		if (!read_phase(s, k, &chain, &phase)) {
			s1_warn(s, k, "UNKNOWN_REFERENCE", "no kill chain phase is known by that id");
			continue;
		}
		list->mark = k->mark = XML_KEPT;
		entry = json_push(out, json_object(s->mem));
		json_put_str(s->mem, entry, "kill_chain_name", chain);
		json_put_str(s->mem, entry, "phase_name", phase);
		for (struct xml_attr *a = k->attrs; a != NULL; a = a->next)
			if (!slice_is(a->name, "ordinality"))
				a->mark = XML_APPROXIMATED;
	}
	if (json_first(out) != NULL && json_get(tree, "kill_chain_phases") == NULL)
		json_put(s->mem, tree, "kill_chain_phases", out);
}

/* name, description, confidence and phases of an element that has them. */
void
s1_common(struct s1 *s, json *tree, struct xml_node *n)
{
	struct slice title = s1_line(s, stix1_get(n, "Title")), text = s1_texts(s, n, "Description");

	if (title.n > 0 && json_get(tree, "name") == NULL)
		json_put_str(s->mem, tree, "name", title);
	if (text.n == 0)
		text = s1_texts(s, n, "Short_Description");
	s1_describe(s, tree, text);
	s1_confidence(s, tree, stix1_get(n, "Confidence"));
	s1_phases(s, tree, n);
	s1_source_references(s, tree, stix1_get(n, "Information_Source"));
}

/* Words into a list of 2.1 words; what those do not say becomes a label. */
void
s1_words(struct s1 *s, json *tree, struct xml_node *n, const char *name, enum stix1_vocab vocab,
    const char *property, const char *otherwise)
{
	for (struct xml_node *k = stix1_get(n, name); k != NULL; k = stix1_more(k)) {
		struct slice old = s1_statement(s, k);
		const char *word = stix1_word_up(vocab, old);

		if (old.n == 0)
			continue;
		if (word == NULL && stix1_word_is_new(vocab, old)) {
			sdo_list_add(s->mem, tree, property, old);
			continue;
		}
		if (word == NULL)
			word = otherwise;
		if (word != NULL)
			sdo_list_add(s->mem, tree, property, slice_of(word));
		if (stix1_word_is_coarse(vocab, old))
			sdo_list_add(s->mem, tree, "labels", stix1_hyphens(s->mem, old));
	}
}

/* Words into labels. */
void
s1_labels(struct s1 *s, json *tree, struct xml_node *n, const char *name)
{
	for (struct xml_node *k = stix1_get(n, name); k != NULL; k = stix1_more(k)) {
		struct slice word = stix1_hyphens(s->mem, s1_statement(s, k));

		sdo_list_add(s->mem, tree, "labels", word);
		/* what is played is not to be taken for real (labels.h) */
		if (slice_starts(word, "exercise-"))
			sdo_list_add(s->mem, tree, "labels", SLICE_LIT("exercise"));
	}
}
