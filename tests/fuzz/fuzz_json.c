/*
 * fuzz_json -- the strict parser beside cJSON as oracle.
 *
 * Whatever we accept, cJSON accepts and reads the same (but for what it is known to lose: texts of
 * numbers, and strings behind U+0000); what we print reads back equal and prints the same again;
 * the canonical form is its own canonical form; slices of items are those items. What we refuse
 * has a code, a reason and a place inside the text.
 */
#include <cjson/cJSON.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "gateway/base/arena.h"
#include "gateway/base/json.h"
#include "gateway/base/strbuf.h"

enum { CJSON_NUMBER_MAX = 63 };		/* cJSON cuts longer numbers */

int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(x)	must((x), #x, __LINE__)

static void
must(bool holds, const char *what, int line)
{
	if (holds)
		return;
	fprintf(stderr, "line %d: %s\n", line, what);
	abort();
}

/* Is a number longer than cJSON can read? It would refuse the text or cut the number. */
static bool
has_long_number(const json *o)
{
	if ((o->type & 0xff) == cJSON_Raw && json_is_number(o) &&
	    strlen(o->valuestring) > CJSON_NUMBER_MAX)
		return true;
	for (const json *c = json_first(o); c != NULL; c = json_next(c))
		if (has_long_number(c))
			return true;
	return false;
}

static void
compare_leaf(const json *ours, const cJSON *theirs)
{
	int64_t i;
	double d;

	if (json_is_string(ours)) {
		const char *s = json_slice(ours).p;	/* NUL-terminated, maybe earlier */

		MUST(cJSON_IsString(theirs) && strcmp(s, theirs->valuestring) == 0);
		MUST((json_str(ours) == NULL) == (strlen(s) != json_slice(ours).n));
	} else if (json_is_number(ours)) {
		MUST(cJSON_IsNumber(theirs));
		if (json_double(ours, &d))
			MUST(d == theirs->valuedouble);
		if (json_int(ours, &i))
			MUST((double)i == theirs->valuedouble);
	} else {
		MUST((ours->type & 0xff) == (theirs->type & 0xff));
	}
}

static void
compare(const json *ours, const cJSON *theirs)
{
	const json *c, *last = NULL;
	const cJSON *t;

	MUST((ours->string == NULL) == (theirs->string == NULL));
	MUST(ours->string == NULL || strcmp(ours->string, theirs->string) == 0);
	compare_leaf(ours, theirs);
	t = theirs->child;
	for (c = ours->child; c != NULL && t != NULL; c = c->next, t = t->next) {
		MUST(last == NULL || c->prev == last);
		last = c;
		compare(c, t);
	}
	MUST(c == NULL && t == NULL);
	MUST(ours->child == NULL || ours->child->prev == last);
}

/* Print, read, print again: the same tree and the same bytes. */
static void
check_printing(struct arena *mem, const json *root, void (*print)(struct strbuf *, const json *),
    bool same_tree)
{
	struct strbuf once = STRBUF_INIT, twice = STRBUF_INIT;
	struct json_doc back;

	print(&once, root);
	MUST(json_parse(strbuf_slice(&once), NULL, mem, &back, NULL) == 0);
	MUST(!same_tree || json_equal(root, back.root));
	print(&twice, back.root);
	MUST(slice_eq(strbuf_slice(&once), strbuf_slice(&twice)));
	strbuf_fini(&once);
	strbuf_fini(&twice);
}

static void
check_items(struct arena *mem, struct slice in, const struct json_doc *doc)
{
	for (size_t i = 0; i < doc->nitems; i++) {
		const struct json_item *it = &doc->items[i];
		struct json_doc alone;

		MUST(it->offset <= in.n && it->text.n <= in.n - it->offset);
		MUST(it->text.p == in.p + it->offset);
		MUST(json_parse(it->text, NULL, mem, &alone, NULL) == 0);
		MUST(json_equal(alone.root, it->node));
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = slice_from(data, size);
	struct arena *mem = arena_new();
	struct json_doc doc;
	struct err e = ERR_INIT;
	json *copy;

	if (json_parse(in, NULL, mem, &doc, &e) < 0) {
		MUST(e.code != ERR_NONE && e.reason[0] != '\0' && e.at.offset <= size);
		MUST(e.at.line > 0 && e.at.column > 0 && doc.root == NULL);
		arena_free(mem);
		return 0;
	}
	if (!has_long_number(doc.root)) {
		cJSON *theirs = cJSON_ParseWithLength(in.p, in.n);

		MUST(theirs != NULL);
		compare(doc.root, theirs);
		cJSON_Delete(theirs);
	}
	check_printing(mem, doc.root, json_print, true);
	check_printing(mem, doc.root, json_print_jcs, false);
	check_items(mem, in, &doc);
	copy = json_copy(mem, doc.root);
	MUST(json_equal(copy, doc.root));
	arena_free(mem);
	return 0;
}
