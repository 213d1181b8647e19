/* config_feeds.c -- the types of value that only a feed has: its outputs and its kinds of value. Part of
 * config.h; shapes: config_parts.h. */
#include "gateway/config_parts.h"

#include "gateway/base/arena.h"
#include "gateway/base/strbuf.h"
#include "formats/flat.h"

enum { WORDS_MAX = 64 };

/* The different names of outputs. */
static const char **
output_names(struct arena *mem)
{
	const char **v = NULL;
	size_t n = 0, cap = 0;

	for (const struct flat_output *o = flat_outputs; o->name != NULL; o++) {
		bool again = false;

		for (size_t i = 0; i < n && !again; i++)
			again = strcmp(v[i], o->name) == 0;
		if (again)
			continue;
		v = arena_grow(mem, v, n, &cap, sizeof(*v));
		v[n++] = o->name;
	}
	v = arena_grow(mem, v, n, &cap, sizeof(*v));
	v[n++] = "misp";
	v = arena_grow(mem, v, n, &cap, sizeof(*v));
	v[n] = NULL;
	return v;
}

static int
read_formats(const struct config_value *v, const struct config_key *k, void *at)
{
	const char **list = arena_alloc(v->mem, (v->nwords + 1) * sizeof(*list));
	int rc = 0;

	(void)k;
	if (v->nwords > WORDS_MAX)
		return complain(v->c, v->line, "%s: more than %d words", v->what, (int)WORDS_MAX);
	for (size_t i = 0; i < v->nwords; i++) {
		if (flat_output_find(v->words[i]) == NULL && !slice_is(v->words[i], "misp"))
			rc = complain_unknown(v->c, v->line, "output", v->words[i],
			    output_names(v->mem));
		list[i] = arena_str(v->mem, v->words[i]);
	}
	if (rc == 0)
		*(const char *const **)at = list;
	return rc;
}

static void
write_formats(struct strbuf *out, const struct config_key *k, const void *at)
{
	const char *const *list = *(const char *const *const *)at;

	(void)k;
	for (size_t i = 0; list != NULL && list[i] != NULL; i++)
		strbuf_addf(out, "%s%s", i > 0 ? " " : "", list[i]);
}

static int
read_kinds(const struct config_value *v, const struct config_key *k, void *at)
{
	const char *all[FLAT_TYPES + 1] = { NULL };
	uint32_t bits = 0;
	int rc = 0;

	(void)k;
	for (int t = 0; t < FLAT_TYPES; t++)
		all[t] = flat_type_word((enum flat_type)t);
	for (size_t i = 0; i < v->nwords; i++) {
		int t = flat_type_find(v->words[i]);

		if (t < 0)
			rc = complain_unknown(v->c, v->line, "kind", v->words[i], all);
		else if ((bits & FLAT_BIT(t)) != 0)
			rc = complain(v->c, v->line, "%s: '%.*s' is named twice", v->what,
			    SLICE_ARG(v->words[i]));
		else
			bits |= FLAT_BIT(t);
	}
	if (rc == 0)
		*(uint32_t *)at = bits;
	return rc;
}

static void
write_kinds(struct strbuf *out, const struct config_key *k, const void *at)
{
	uint32_t bits = *(const uint32_t *)at;
	const char *gap = "";

	(void)k;
	for (int t = 0; t < FLAT_TYPES; t++) {
		if ((bits & FLAT_BIT(t)) == 0)
			continue;
		strbuf_addf(out, "%s%s", gap, flat_type_word((enum flat_type)t));
		gap = " ";
	}
}

const struct config_type config_feed_formats = { "outputs", "names of outputs, such as `csv hosts zeek`",
	true, read_formats, write_formats, NULL };
const struct config_type config_feed_kinds = { "kinds", "kinds of value, such as `ipv4 domain sha256`",
	true, read_kinds, write_kinds, NULL };
