/* cybox.c -- see cybox.h. */
#include "formats/cybox.h"

#include "gateway/base/arena.h"
#include "gateway/base/strbuf.h"

/* Return the stable word of w. */
const char *
cybox_word_text(enum cybox_word w)
{
	static const char *const words[] = {
		[CYBOX_OBJECT] = "CYBOX_OBJECT",
		[CYBOX_PROPERTY] = "CYBOX_PROPERTY",
		[CYBOX_CONDITION] = "CYBOX_CONDITION",
		[CYBOX_VALUE] = "CYBOX_VALUE",
		[CYBOX_REFERENCE] = "CYBOX_REFERENCE",
		[CYBOX_LOOP] = "CYBOX_LOOP",
		[CYBOX_NEGATE] = "CYBOX_NEGATE",
		[CYBOX_EVENT] = "CYBOX_EVENT",
		[CYBOX_EMPTY] = "CYBOX_EMPTY",
		[CYBOX_LIMIT] = "CYBOX_LIMIT",
	};

	return words[w];
}

/* Return how the whole compares when its parts compare like a and b. */
enum cybox_extent
cybox_join_extent(enum cybox_extent a, enum cybox_extent b)
{
	if (a == b || b == CYBOX_NOTHING)
		return a;
	if (a == CYBOX_NOTHING || a == CYBOX_EXACT)
		return b;
	return b == CYBOX_EXACT ? a : CYBOX_UNLIKE;
}

/* Return the text of a pattern. */
struct slice
cybox_pattern_text(struct arena *mem, const struct pat_node *p)
{
	struct strbuf out = STRBUF_INIT;
	struct slice text;

	pattern_print(&out, p);
	text = arena_slice(mem, strbuf_slice(&out));
	strbuf_fini(&out);
	return text;
}

/* Return true if a condition stands anywhere below. */
bool
cybox_has_condition(const struct xml_node *observable)
{
	if (xml_attr(observable, "condition") != NULL || xml_attr(observable, "pattern_type") != NULL)
		return true;
	for (const struct xml_node *k = xml_child(observable); k != NULL; k = xml_sibling(k)) {
		if (cybox_has_condition(k))
			return true;
	}
	return false;
}
