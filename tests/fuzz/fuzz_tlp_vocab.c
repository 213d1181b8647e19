/* If this finds something, an object reaches a consumer broken, changed beyond its labels, or with a weaker one. */
#include <stdint.h>
#include <stdlib.h>

#include "formats/object.h"
#include "formats/tlp_vocab.h"
#include "gateway/base/arena.h"
#include "gateway/base/strbuf.h"

int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The strictest label of the references of an object, and whether one is of a version. */
static enum tlp
strictest(const json *root)
{
	enum tlp t = TLP_UNSET;

	for (const json *r = json_first(json_get(root, "object_marking_refs")); r != NULL; r = json_next(r))
		if (tlp_of_marking_id(json_slice(r)) > t)
			t = tlp_of_marking_id(json_slice(r));
	return t;
}

static void
check(const json *before, struct slice text, struct arena *mem)
{
	struct json_doc after;
	const json *refs = json_get(before, "object_marking_refs");

	if (json_parse(text, NULL, mem, &after, NULL) < 0)
		abort();
	if (json_is_list(refs) && strictest(before) != strictest(after.root))
		abort();
	if (json_count(before) != json_count(after.root))
		abort();
	for (const json *m = json_first(before), *n = json_first(after.root); m != NULL; m = json_next(m), n = json_next(n)) {
		struct slice name = slice_of(json_name(m));

		if (json_name(m) == NULL || !slice_is(name, json_name(n)))
			abort();
		if (!slice_is(name, "object_marking_refs") && !slice_is(name, "granular_markings") &&
		    !json_equal(m, n))
			abort();
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = slice_from(data, size);
	struct arena *mem = arena_new();
	struct json_doc doc;
	bool parsed = json_parse(in, NULL, mem, &doc, NULL) == 0 && json_is_object(doc.root);

	for (int v = TLP_VOCAB_AS_SENT; v <= TLP_VOCAB_BOTH; v++) {
		struct strbuf out = STRBUF_INIT;

		tlp_vocab_write(&out, in, (enum tlp_vocab)v);
		if (v == TLP_VOCAB_AS_SENT && !slice_eq(strbuf_slice(&out), in))
			abort();
		if (parsed)
			check(doc.root, strbuf_slice(&out), mem);
		strbuf_fini(&out);
	}
	object_confidence(in);
	arena_free(mem);
	return 0;
}
