/* labels.c -- see labels.h. */
#include "formats/labels.h"

#include <strings.h>

#include "formats/vocab.h"

static const char tlp2_extension[] = "extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d";

/* Marking schemes that restrict sharing in words that we do not read. */
static const char *const opaque_extensions[] = {
	"extension-definition--3a65884d-005a-4290-8335-cb2d778a83ce",	/* ACS of US agencies */
};
static const char *const opaque_types[] = { "ais", "acs", "isa", "edh" };

/* Fixed definitions that say nothing about sharing: the PAP levels. WHITE is the old word for CLEAR. */
static const struct {
	const char	*id;
	enum pap	 pap;
} pap_ids[] = {
	{ "marking-definition--a3bea94c-b469-41dc-9cfe-d6e7daba7730", PAP_CLEAR },
	{ "marking-definition--ad15a0cd-55b6-4588-a14c-a66105329b92", PAP_CLEAR },
	{ "marking-definition--c43594d1-4b11-4c59-93ab-1c9b14d53ce9", PAP_GREEN },
	{ "marking-definition--60f8932b-e51e-4458-b265-a2e8be9a80ab", PAP_AMBER },
	{ "marking-definition--740d36e5-7714-4c30-961a-3ae632ceee0e", PAP_RED },
};

static const struct {
	const char	*tag;
	enum pap	 pap;
} pap_tags[] = {
	{ "pap:white", PAP_CLEAR }, { "pap:clear", PAP_CLEAR }, { "pap:green", PAP_GREEN },
	{ "pap:amber", PAP_AMBER }, { "pap:red", PAP_RED },
};

/* True if `s` begins with `prefix`, letter case aside. */
static bool
starts_nocase(struct slice s, const char *prefix)
{
	size_t n = strlen(prefix);

	return s.n >= n && strncasecmp(s.p, prefix, n) == 0;
}

/* Return what a word in a place for TLP words means. */
static enum label_case
read_level(struct slice word, enum tlp *level)
{
	enum tlp t = tlp_parse(word);

	if (t == TLP_UNSET)
		return LABEL_UNREADABLE;
	*level = t;
	return LABEL_TLP;
}

/* True if the definition follows a scheme that restricts sharing and that we do not parse. */
static bool
is_opaque(const json *def, struct slice definition_type)
{
	const json *ext = json_get(def, "extensions");

	for (size_t i = 0; i < COUNTOF(opaque_extensions); i++)
		if (json_get(ext, opaque_extensions[i]) != NULL)
			return true;
	if (starts_nocase(definition_type, "x-"))
		definition_type = slice_from(definition_type.p + 2, definition_type.n - 2);
	for (size_t i = 0; i < COUNTOF(opaque_types); i++)
		if (starts_nocase(definition_type, opaque_types[i]))
			return true;
	return false;
}

/* Return what one marking-definition says; a text that begins like a TLP label but is none cannot be
 * read and is not guessed. */
enum label_case
labels_of_definition(const json *def, enum tlp *level)
{
	struct slice type = json_member(def, "definition_type");
	const json *tlp2 = json_get(json_get(def, "extensions"), tlp2_extension);
	struct slice said;

	if (slice_is_nocase(type, "tlp"))
		return read_level(json_member(json_get(def, "definition"), "tlp"), level);
	if (tlp2 != NULL)
		return read_level(json_member(tlp2, "tlp_2_0"), level);
	if (is_opaque(def, type))
		return LABEL_UNREADABLE;
	said = slice_trim(json_member(json_get(def, "definition"), "statement"));
	if (said.n == 0)
		said = slice_trim(json_member(def, "name"));
	if (starts_nocase(said, "tlp:"))
		return read_level(said, level);
	return LABEL_OTHER;
}

/* True if any text of a definition names a classification. */
static bool
is_classified(const json *def)
{
	const json *definition = json_get(def, "definition");

	for (const json *m = json_first(definition); m != NULL; m = json_next(m))
		if (json_is_string(m) && vocab_is_classified(json_slice(m)))
			return true;
	return vocab_is_classified(json_member(def, "name"));
}

/* Return the PAP level that a marking says, PAP_UNSET if it is none of that kind. */
static enum pap
pap_of_id(struct slice id)
{
	for (size_t i = 0; i < COUNTOF(pap_ids); i++)
		if (vocab_is_marking_id(id, pap_ids[i].id))
			return pap_ids[i].pap;
	return PAP_UNSET;
}

/* Return what a tag says; a PAP level that we cannot read is the strictest. */
static enum pap
pap_of_tag(struct slice tag)
{
	for (size_t i = 0; i < COUNTOF(pap_tags); i++)
		if (slice_is_nocase(tag, pap_tags[i].tag))
			return pap_tags[i].pap;
	return starts_nocase(tag, "pap:") ? PAP_RED : PAP_UNSET;
}

/* Return what the marking with this id says. */
static enum label_case
read_ref(struct slice id, object_find_fn find, void *ctx, enum tlp *level)
{
	enum tlp fixed = tlp_of_marking_id(id);
	const json *def;

	if (fixed != TLP_UNSET) {
		*level = fixed;
		return LABEL_TLP;
	}
	if (pap_of_id(id) != PAP_UNSET)
		return LABEL_OTHER;
	def = find == NULL ? NULL : find(ctx, id);
	return def == NULL ? LABEL_UNREADABLE : labels_of_definition(def, level);
}

/* The stronger of two cases: what cannot be read outweighs what can, and that outweighs nothing. */
enum label_case
labels_stronger(enum label_case a, enum label_case b)
{
	static const int rank[] = {
		[LABEL_ABSENT] = 0, [LABEL_IODEF_ABSENT] = 0, [LABEL_OTHER] = 1, [LABEL_TLP] = 2,
		[LABEL_UNREADABLE] = 3,
	};

	return rank[b] > rank[a] ? b : a;
}

/* Count one marking: raise *seen and *level. */
static void
count_ref(const json *ref, object_find_fn find, void *ctx, enum label_case *seen, enum tlp *level)
{
	enum tlp t = TLP_UNSET;

	*seen = labels_stronger(*seen, json_is_string(ref) ?
	    read_ref(json_slice(ref), find, ctx, &t) : LABEL_UNREADABLE);
	if (t > *level)
		*level = t;
}

/* Markings that stand where a list should be were meant to say something, and nobody can read what. */
static bool
is_no_list(const json *list)
{
	return list != NULL && !json_is_list(list) && !json_is_null(list);
}

/* Count a granular marking. One of languages says nothing of sharing. */
static void
count_granular(const json *g, object_find_fn find, void *ctx, enum label_case *seen, enum tlp *level)
{
	const json *ref = json_get(g, "marking_ref");

	if (ref != NULL)
		count_ref(ref, find, ctx, seen, level);
	else if (json_get(g, "lang") == NULL)
		*seen = LABEL_UNREADABLE;
}

/* Raise what is known by a marking whose id says it all; false if it is another one. */
bool
labels_add_fixed(struct labels *l, struct slice id)
{
	enum tlp t = tlp_of_marking_id(id);
	enum pap p = t == TLP_UNSET ? pap_of_id(id) : PAP_UNSET;

	if (t == TLP_UNSET && p == PAP_UNSET)
		return false;
	l->label = labels_stronger(l->label, t != TLP_UNSET ? LABEL_TLP : LABEL_OTHER);
	if (t > l->tlp)
		l->tlp = t;
	if (p > l->pap)
		l->pap = p;
	return true;
}

/* What a tag says of sharing, LABEL_ABSENT if it is about something else. The Chatham House rule is about
 * naming the source, and `unclear` says that nobody decided. */
enum label_case
labels_of_tag(struct slice tag, enum tlp *level)
{
	struct slice word = slice_trim(tag);

	if (!starts_nocase(word, "tlp:"))
		return LABEL_ABSENT;
	word = slice_trim(slice_from(word.p + 4, word.n - 4));
	if (slice_is_nocase(word, "ex:chr") || slice_is_nocase(word, "unclear"))
		return LABEL_ABSENT;
	return read_level(word, level);
}

/* Raise what is known by a tag that speaks of handling: tlp:WORD, pap:WORD, exercise, embargo. */
void
labels_add_tag(struct labels *l, struct slice tag)
{
	static const char embargo[] = "embargo:";
	struct slice s = slice_trim(tag);
	enum tlp t = TLP_UNSET;
	enum pap p = pap_of_tag(s);

	l->label = labels_stronger(l->label, labels_of_tag(s, &t));
	if (t > l->tlp)
		l->tlp = t;
	if (p > l->pap)
		l->pap = p;
	if (slice_is_nocase(s, "exercise") || starts_nocase(s, "exercise:"))
		l->flags |= OBJECT_EXERCISE;
	if (slice_is_nocase(tag, "embargo") || slice_starts(tag, embargo))
		l->flags |= OBJECT_EMBARGO;
	if (slice_starts(tag, embargo) && l->desk.n == 0)
		l->desk = slice_from(tag.p + sizeof(embargo) - 1, tag.n - (sizeof(embargo) - 1));
}

/* True for one of the nine fixed definitions, saying what it must. */
static bool
is_fixed_definition(const json *tree)
{
	enum tlp said = TLP_UNSET, fixed = tlp_of_marking_id(json_member(tree, "id"));

	return fixed != TLP_UNSET && labels_of_definition(tree, &said) == LABEL_TLP && said == fixed;
}

/* Add what a marking-definition says about itself: its text may be classified, and the fixed TLP
 * definitions are public. */
static void
read_definition(const json *tree, struct labels *out)
{
	if (is_classified(tree))
		out->flags |= OBJECT_CLASSIFIED;
	if (out->label == LABEL_ABSENT && is_fixed_definition(tree)) {
		out->label = LABEL_TLP;
		out->tlp = TLP_CLEAR;
	}
}

/* Fill *out with what the members of an object say. */
void
labels_read_members(const struct labels_members *m, const json *definition, object_find_fn find, void *ctx,
    struct labels *out)
{
	enum label_case seen = LABEL_ABSENT;
	enum tlp granular = TLP_UNSET;
	const json *g;

	*out = (struct labels){ 0 };
	if (is_no_list(m->refs) || is_no_list(m->granular))
		seen = LABEL_UNREADABLE;
	for (const json *r = json_first(m->refs); r != NULL; r = json_next(r)) {
		enum pap p = pap_of_id(json_slice(r));

		count_ref(r, find, ctx, &out->label, &out->tlp);
		if (p > out->pap)
			out->pap = p;
	}
	labels_add_tag(out, json_slice(m->tags));	/* one that is no list */
	for (const json *l = json_first(m->tags); l != NULL; l = json_next(l))
		labels_add_tag(out, json_slice(l));
	for (g = json_first(m->granular); g != NULL; g = json_next(g))
		count_granular(g, find, ctx, &seen, &granular);
	if (seen == LABEL_UNREADABLE)
		out->label = LABEL_UNREADABLE;
	else if (seen == LABEL_OTHER)
		out->label = labels_stronger(out->label, LABEL_OTHER);
	if (granular > out->tlp) {
		out->tlp = granular;
		out->flags |= OBJECT_GRANULAR;
	}
	if (definition != NULL)
		read_definition(definition, out);
}

/* Fill *out with what the markings of an object say. */
void
labels_read(const json *tree, object_find_fn find, void *ctx, struct labels *out)
{
	const struct labels_members m = { json_get(tree, "object_marking_refs"),
		json_get(tree, "granular_markings"), json_get(tree, "labels") };
	bool definition = slice_is(json_member(tree, "type"), "marking-definition");

	labels_read_members(&m, definition ? tree : NULL, find, ctx, out);
}
