/* If this finds something, an event of a stranger can crash the translator, or what it says can get lost or change
 * on the way. Whatever is read must account for every leaf, never hold under a laxer label what the event
 * gave under a stricter one, give the same bytes twice, and be the same after it was written as an event. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "formats/misp.h"
#include "gateway/base/arena.h"
#include "gateway/base/strbuf.h"

int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static size_t
leaves(const json *o)
{
	size_t n = 0;

	for (const json *k = json_first(o); k != NULL; k = json_next(k))
		n += leaves(k);
	return n > 0 ? n : 1;
}

static int
read_once(struct slice in, struct loss *loss, struct arena *mem, struct advisory *adv)
{
	struct read_job job = { .in = in, .input = "fuzz", .loss = loss,
	    .received = SLICE_LIT("2026-01-01T00:00:00Z") };
	struct err e = ERR_INIT;

	loss_init(loss, mem);
	if (misp_read(&job, mem, adv, &e) == 0)
		return 0;
	if (e.reason[0] == '\0')
		abort();
	return -1;
}

static struct slice
write_once(const struct advisory *adv, struct arena *mem)
{
	struct write_job job = { .adv = adv, .received = SLICE_LIT("2026-01-01T00:00:00Z") };
	struct strbuf out = STRBUF_INIT;
	struct err e = ERR_INIT;
	struct slice text;

	if (misp_write(&job, mem, &out, &e) < 0)
		abort();
	text = arena_slice(mem, strbuf_slice(&out));
	strbuf_fini(&out);
	return text;
}

static size_t
counted(const struct loss *l)
{
	return l->n - l->count[LOSS_GENERATED];
}

/* What an object was made of never stands under less than it says. */
static void
check_label(const struct object *o, struct arena *mem)
{
	static const char *const kinds[] = { "attribute", "object", "event" };
	struct misp_label own = { o->label == LABEL_UNREADABLE ? TLP_RED : o->tlp, o->label, false,
		true };

	for (size_t i = 0; i < COUNTOF(kinds); i++) {
		const json *part = misp_part(misp_residue(o->tree), kinds[i], mem);

		if (part != NULL && misp_is_untouched(o->tree, mem) &&
		    misp_label_of(part, i == 2).tlp > TLP_AMBER &&
		    !misp_label_covers(own, misp_label_of(part, i == 2)))
			abort();
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct arena *mem = arena_new();
	struct slice in = slice_from(data, n), text;
	struct advisory adv = { 0 }, twice = { 0 }, home = { 0 };
	struct json_doc doc;
	struct loss loss;

	if (read_once(in, &loss, mem, &adv) == 0) {
		if (json_parse(in, NULL, mem, &doc, NULL) < 0 || leaves(doc.root) != counted(&loss))
			abort();
		if (read_once(in, &loss, mem, &twice) < 0 || adv.n != twice.n)
			abort();
		for (size_t i = 0; i < adv.n; i++) {
			if (!slice_eq(adv.objects[i].bytes, twice.objects[i].bytes))
				abort();
			check_label(&adv.objects[i], mem);
		}
		text = write_once(&adv, mem);
		if (read_once(text, &loss, mem, &home) < 0)
			abort();
		if (!slice_eq(write_once(&home, mem), text)) {
			/* an edit is put into the original once; then it is one */
			struct advisory again = { 0 };

			text = write_once(&home, mem);
			if (read_once(text, &loss, mem, &again) < 0 ||
			    !slice_eq(write_once(&again, mem), text))
				abort();
		}
	}
	arena_free(mem);
	return 0;
}
