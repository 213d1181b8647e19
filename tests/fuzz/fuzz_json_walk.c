/* If this finds something, a worker takes for one JSON object what the parser would not, or reads another member out
 * of it than the parser does. */
#include <stdint.h>
#include <stdlib.h>

#include "formats/object.h"
#include "gateway/base/arena.h"
#include "gateway/base/json_walk.h"

int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen {
	const json	*at;
	struct arena	*mem;
};

/* Members come in order, and say what the tree says. */
static bool
compare(void *ctx, struct slice name, struct slice value)
{
	struct seen *s = ctx;

	if (s->at == NULL)
		abort();
	if (name.p != NULL && !slice_eq(json_walk_text(name, false, s->mem), slice_of(json_name(s->at))))
		abort();
	if (json_walk_is(value, '"') != json_is_string(s->at) ||
	    json_walk_is(value, '{') != json_is_object(s->at) ||
	    (json_is_string(s->at) && !slice_eq(json_walk_text(value, true, s->mem), json_slice(s->at))))
		abort();
	s->at = json_next(s->at);
	return true;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = slice_from(data, size);
	struct arena *mem = arena_new();
	struct object skimmed = { .bytes = in };
	struct json_doc doc;
	struct err e = ERR_INIT;
	bool parsed = json_parse(in, NULL, mem, &doc, &e) == 0, open;

	if (json_walk(in, 0, NULL, NULL) != parsed && (parsed || (e.code != ERR_DUPLICATE && e.code != ERR_LIMIT)))
		abort();
	if (parsed) {
		struct seen s = { json_first(doc.root), mem };

		json_walk(in, 0, compare, &s);
		if (s.at != NULL)
			abort();
	}
	object_skim(&skimmed, mem, &open);
	arena_free(mem);
	return 0;
}
