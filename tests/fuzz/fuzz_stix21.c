/* If this finds something, a message from a stranger can crash the translator or change in it.
 * Reads in both modes, writes, reads again: what was written must give the same objects. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "formats/format.h"
#include "gateway/base/arena.h"
#include "gateway/base/strbuf.h"

int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* Read a text; the objects' ids and bytes must lie in it. */
static int
read_text(struct slice text, bool strict, struct arena *mem, struct advisory *adv, struct loss *loss)
{
	struct read_job job = { .in = text, .input = "fuzz", .strict = strict, .loss = loss };
	struct err e = ERR_INIT;

	if (format_stix21.read(&job, mem, adv, &e) < 0) {
		if (e.code == ERR_NONE || e.reason[0] == '\0')
			abort();
		return -1;
	}
	for (size_t i = 0; i < adv->n; i++) {
		const struct object *o = &adv->objects[i];

		if (o->offset + o->bytes.n > text.n ||
		    memcmp(text.p + o->offset, o->bytes.p, o->bytes.n) != 0)
			abort();
	}
	return 0;
}

/* The same under limits that bite, and as a TAXII envelope: fewer objects, never more. */
static void
read_narrowly(struct slice text, const struct advisory *all, struct arena *mem)
{
	struct read_job job = { .in = text, .input = "fuzz", .envelope = true,
		.limits = { .bytes = 60000, .object_bytes = 400, .objects = 40 } };
	struct advisory adv = { 0 };
	struct err e = ERR_INIT;
	int sure = format_stix21.sniff(slice_from(text.p, text.n < 4096 ? text.n : 4096));

	if (sure < 0 || sure > 100)
		abort();
	if (format_stix21.read(&job, mem, &adv, &e) < 0) {
		if (e.code == ERR_NONE || e.reason[0] == '\0')
			abort();
	} else if (adv.n > all->n || adv.n > 40) {
		abort();
	}
}

/* Read an object at a time, as large texts are: the same must come out. */
static void
read_leanly(struct slice text, bool good, const struct advisory *all, struct arena *mem)
{
	struct read_job job = { .in = text, .input = "fuzz", .in_stays = true, .lean = true };
	struct advisory adv = { 0 };

	if ((format_stix21.read(&job, mem, &adv, NULL) == 0) != good || adv.n != all->n ||
	    adv.nverdicts != all->nverdicts)
		abort();
	for (size_t i = 0; i < adv.n; i++) {
		const struct object *a = &adv.objects[i], *b = &all->objects[i];

		if (!slice_eq(a->id, b->id) || !slice_eq(a->version_key, b->version_key) ||
		    a->tlp != b->tlp || a->label != b->label || a->flags != b->flags ||
		    a->sectors != b->sectors || a->phase != b->phase || a->offset != b->offset)
			abort();
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct slice text = slice_from(data, n);
	struct arena *mem = arena_new();
	struct advisory first = { 0 }, strict = { 0 }, again = { 0 };
	struct strbuf out = STRBUF_INIT;
	struct write_job job = { .adv = &first };
	struct err e = ERR_INIT;
	struct loss loss;

	loss_init(&loss, mem);
	if (read_text(text, false, mem, &first, &loss) == 0) {
		job.loss = &loss;
		if (format_stix21.write(&job, mem, &out, &e) < 0 ||
		    read_text(strbuf_slice(&out), false, mem, &again, NULL) < 0 ||
		    again.n != first.n)
			abort();
		for (size_t i = 0; i < again.n; i++)
			if (!slice_eq(again.objects[i].bytes, first.objects[i].bytes))
				abort();
	}
	if (read_text(text, true, mem, &strict, NULL) == 0 && strict.n > first.n)
		abort();
	read_narrowly(text, &first, mem);
	first = (struct advisory){ 0 };
	read_leanly(text, read_text(text, false, mem, &first, NULL) == 0, &first, mem);
	strbuf_fini(&out);
	arena_free(mem);
	return 0;
}
