/* If this finds something, a translator that was taken over takes the worker with it, or hands it an object that is
 * not what its own bytes say. The input is u16 length, the message that was asked about, and the answer. */
#include <stdint.h>
#include <stdlib.h>

#include "gateway/base/arena.h"
#include "gateway/base/codec.h"
#include "gateway/translate_wire.h"

int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_object(const struct object *o, struct arena *mem)
{
	struct object again = { .bytes = o->bytes };
	struct json_doc doc;
	struct err e = ERR_INIT;

	if (o->tlp >= TLP_LEVELS || o->phase >= PHASES || o->id.n == 0 || o->version_key.n == 0)
		abort();
	/* what the worker took is what the strict parser would have taken, doubled names and sizes aside */
	if (json_parse(o->bytes, NULL, mem, &doc, &e) < 0) {
		if (e.code != ERR_DUPLICATE && e.code != ERR_LIMIT)
			abort();
		return;
	}
	again.tree = doc.root;
	if (object_fill(&again, mem, NULL, NULL, NULL) < 0 || !slice_eq(again.id, o->id) ||
	    !slice_eq(again.type, o->type) || !slice_eq(again.version, o->version) ||
	    !slice_eq(again.created_by, o->created_by) || again.pap != o->pap ||
	    !slice_eq(again.embargo_desk, o->embargo_desk) ||
	    (again.flags & OBJECT_OWN_FLAGS) != (o->flags & OBJECT_OWN_FLAGS))
		abort();
	if (again.label == LABEL_TLP && o->tlp < again.tlp && tlp_of_marking_id(o->id) == TLP_UNSET)
		abort();
	if (again.label == LABEL_ABSENT && o->label == LABEL_TLP && tlp_of_marking_id(o->id) == TLP_UNSET &&
	    json_get(doc.root, "granular_markings") == NULL)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t sha256[SHA256_LEN];
	struct translate_read r = { .input = "fuzz", .sha256 = sha256, .received = "2026-01-01T00:00:00Z" };
	struct translate_part part = { .first = true };
	struct password_key key;
	struct arena *mem;
	struct slice answer;
	size_t n;

	if (size < 2 || (n = data[0] | (size_t)data[1] << 8) > size - 2)
		return 0;
	mem = arena_new();
	r.in = slice_from(data + 2, n);
	answer = slice_from(data + 2 + n, size - 2 - n);
	if (translate_get_part(answer, &r, mem, &part) == NULL)
		for (size_t i = 0; i < part.adv->n; i++)
			check_object(&part.adv->objects[i], mem);
	part = (struct translate_part){ .first = true };
	if (translate_get_failed(answer, &r, mem, &part) == NULL &&
	    (part.error->code == ERR_NONE || utf8_bad_at(slice_of(part.error->reason)) !=
	    strlen(part.error->reason)))
		abort();
	translate_get_key(answer, &key);
	arena_free(mem);
	return 0;
}
