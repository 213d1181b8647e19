/* csaf.c -- CSAF 2.0: the row of the format, and what reader and writer share. */
#include "formats/csaf.h"

#include "gateway/base/arena.h"
#include "gateway/base/clock.h"
#include "gateway/base/strbuf.h"

/* Return how sure we are that this is CSAF, by names that only its documents have: 0..100. */
static int
sniff_csaf(struct slice head)
{
	static const struct { const char *word; int sure; } hints[] = {
		{ "\"csaf_version\"", 96 }, { "\"csaf_security_advisory\"", 92 }, { "\"csaf_vex\"", 92 },
		{ "\"csaf_informational_advisory\"", 92 }, { "\"csaf_security_incident_response\"", 92 },
		{ "\"csaf_base\"", 92 }, { "\"aggregator_version\"", 90 }, { "\"csaf_providers\"", 90 },
		{ "\"list_on_CSAF_aggregators\"", 90 }, { "\"mirror_on_CSAF_aggregators\"", 90 },
		{ "\"aggregate_severity\"", 60 },
	};
	struct slice s = slice_trim(head);

	if (s.n == 0 || s.p[0] != '{' || format_head_has(s, "\"spec_version\"") ||
	    format_head_has(s, "\"bundle--"))
		return 0;
	for (size_t i = 0; i < COUNTOF(hints); i++)
		if (format_head_has(s, hints[i].word))
			return hints[i].sure;
	/* a document whose acknowledgments fill the head, before what would name it */
	s = slice_trim(slice_from(s.p + 1, s.n - 1));
	return slice_starts(s, "\"document\"") ? 55 : 0;
}

struct slice
csaf_line(struct arena *mem, struct slice text, size_t max)
{
	struct slice s = slice_trim(text);
	char *line = arena_alloc(mem, s.n + 1);
	size_t n = 0, chars = 0, word = 0;

	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i] == '\n' || s.p[i] == '\r' || s.p[i] == '\t' ? ' ' : s.p[i];

		if (c == ' ' && n > 0 && line[n - 1] == ' ')
			continue;
		if (((unsigned char)c & 0xC0) != 0x80 && chars++ == max)
			return slice_from(line, word > 0 && c != ' ' ? word : n);
		if (c == ' ')
			word = n;
		line[n++] = c;
	}
	return slice_from(line, n);
}

struct slice
csaf_time(struct arena *mem, struct slice s)
{
	struct slice utc;
	const char *dot;
	size_t digits;

	if (s.n == 0 || !stamp_to_utc(mem, s, &utc))
		return SLICE_EMPTY;
	dot = memchr(utc.p, '.', utc.n);
	digits = dot == NULL ? 0 : utc.n - (size_t)(dot - utc.p) - 2;
	if (digits >= 3)
		return utc;
	return slice_of(arena_fmt(mem, "%.*s%s%.*sZ", (int)(utc.n - 1), utc.p, dot == NULL ? "." : "",
	    (int)(3 - digits), "000"));
}

void
csaf_tree_hash(const json *tree, char out[65])
{
	struct strbuf text = STRBUF_INIT;

	json_print_jcs(&text, tree);
	digest_sha256_hex(strbuf_slice(&text), out);
	strbuf_fini(&text);
}

const json *
csaf_residue(const json *object)
{
	return json_get(json_get(object, "extensions"), CSAF_EXT);
}

/* What a value is known by: a text by itself, others by their canonical form behind a byte that
 * begins no text. */
static struct slice
value_key(struct arena *mem, const json *value)
{
	struct strbuf text = STRBUF_INIT;
	struct slice s;

	if (json_is_string(value))
		return json_slice(value);
	strbuf_addc(&text, '\xff');
	json_print_jcs(&text, value);
	s = arena_slice(mem, strbuf_slice(&text));
	strbuf_fini(&text);
	return s;
}

void
csaf_set_fill(struct csaf_set *s, struct arena *mem, const json *list)
{
	size_t i = 0;

	for (const json *k = json_first(list); k != NULL; k = json_next(k))
		idmap_add(&s->values, mem, value_key(mem, k), i++);
	idmap_sort(&s->values);
}

bool
csaf_set_has(const struct csaf_set *s, struct arena *mem, const json *value)
{
	return idmap_find(&s->values, value_key(mem, value)) != IDMAP_NONE;
}

void
csaf_list_once(struct arena *mem, json *list)
{
	struct csaf_set s = { .values = { 0 } };
	json *next;
	long i = 0;

	csaf_set_fill(&s, mem, list);
	for (json *k = json_first(list); k != NULL; k = next, i++) {
		next = json_next(k);
		if (idmap_find(&s.values, value_key(mem, k)) != i)
			json_detach(list, k);
	}
}

void
csaf_object_hash(const json *object, struct arena *mem, char out[65])
{
	json *copy;

	if (csaf_residue(object) == NULL && !slice_is(json_member(object, "type"), "report")) {
		csaf_tree_hash(object, out);
		return;
	}
	copy = json_copy(mem, object);
	if (slice_is(json_member(object, "type"), "report"))
		json_remove(copy, "object_refs");
	json_remove(json_get(copy, "extensions"), CSAF_EXT);
	if (json_first(json_get(copy, "extensions")) == NULL)
		json_remove(copy, "extensions");
	csaf_tree_hash(copy, out);
}

/* Place in the order of strictness. */
static int
rank(enum tlp t)
{
	return t == TLP_UNSET ? 2 * TLP_GREEN + 1 : 2 * (int)t;
}

bool
csaf_stricter(enum tlp a, enum tlp b)
{
	return rank(a) > rank(b);
}

void
csaf_labels_add(struct csaf_labels *sum, const struct object *o)
{
	enum tlp t = object_level(o);

	if (slice_is(o->type, "marking-definition") || slice_is(o->type, "extension-definition"))
		return;
	sum->unmarked = sum->unmarked || t == TLP_UNSET;
	if (t > sum->max)
		sum->max = t;
}

enum tlp
csaf_labels_say(const struct csaf_labels *sum)
{
	if (sum->max == TLP_UNSET)
		return TLP_UNSET;
	if (sum->unmarked && sum->max < TLP_AMBER)
		return TLP_AMBER;
	return sum->max == TLP_AMBER_STRICT ? TLP_RED : sum->max;
}

const struct format_ops format_csaf = {
	.name = "csaf",
	.media_type = "application/json",
	.file_ending = ".json",
	.sniff = sniff_csaf,
	.read = csaf_read,
	.write = csaf_write,
};
