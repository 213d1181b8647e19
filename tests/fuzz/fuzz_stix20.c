/* If this finds something, a bundle of STIX 2.0 from a stranger can crash the translator, loses its label there, or
 * comes out as something else when it goes to 2.0 and back.
 * Reads in both modes; what was read goes down and up again and must be the same; also what was read as 2.1. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "formats/format.h"
#include "formats/stix20_serve.h"
#include "gateway/base/arena.h"
#include "gateway/base/strbuf.h"

int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static int
read_text(const struct format_ops *f, struct slice text, bool strict, struct arena *mem,
    struct advisory *adv, struct loss *loss)
{
	struct read_job job = { .in = text, .input = "fuzz", .strict = strict, .loss = loss,
		.received = SLICE_LIT("2026-01-01T00:00:00Z") };
	struct err e = ERR_INIT;

	*adv = (struct advisory){ 0 };
	if (f->read(&job, mem, adv, &e) == 0)
		return 0;
	if (e.code == ERR_NONE || e.reason[0] == '\0')
		abort();
	return -1;
}

static struct slice
down(const struct advisory *adv, bool bare, struct arena *mem, struct loss *loss)
{
	struct write_job job = { .adv = adv, .no_residue = bare, .loss = loss,
		.received = SLICE_LIT("2026-01-01T00:00:00Z") };
	struct strbuf out = STRBUF_INIT;
	struct slice s;

	if (format_stix20.write(&job, mem, &out, NULL) < 0)
		abort();
	s = arena_slice(mem, strbuf_slice(&out));
	strbuf_fini(&out);
	return s;
}

static size_t
leaves(const json *o)
{
	size_t n = json_first(o) == NULL;

	for (const json *m = json_first(o); m != NULL; m = json_next(m))
		n += leaves(m);
	return n;
}

static size_t
accounted(const struct loss *l)
{
	return l->count[LOSS_KEPT] + l->count[LOSS_APPROXIMATED] + l->count[LOSS_MOVED] +
	    l->count[LOSS_DROPPED];
}

static int
strictness(const struct object *o)
{
	return o->label == LABEL_UNREADABLE ? TLP_RED : o->tlp;
}

/* What goes down comes up again as often as one likes: the second time, no byte is another. No label gets
 * weaker, whatever the residues say. */
static void
there_and_back(const struct advisory *adv, struct arena *mem)
{
	struct advisory up, again, bare;
	struct slice first, second;
	struct loss loss;
	size_t n = 0;

	loss_init(&loss, mem);
	for (size_t i = 0; i < adv->n; i++)
		n += leaves(adv->objects[i].tree);
	first = down(adv, false, mem, &loss);
	if (accounted(&loss) != n || read_text(&format_stix20, first, false, mem, &up, NULL) < 0)
		abort();
	second = down(&up, false, mem, NULL);
	if (read_text(&format_stix20, second, false, mem, &again, NULL) < 0 || again.n != up.n ||
	    !slice_eq(second, down(&again, false, mem, NULL)))
		abort();
	if (read_text(&format_stix20, down(adv, true, mem, NULL), false, mem, &bare, NULL) < 0)
		abort();
	for (size_t i = 0; i < adv->n; i++)
		for (size_t k = 0; k < bare.n; k++)
			if (slice_eq(adv->objects[i].id, bare.objects[k].id) &&
			    adv->objects[i].version.n > 0 &&
			    slice_eq(adv->objects[i].version_key, bare.objects[k].version_key) &&
			    strictness(&bare.objects[k]) < strictness(&adv->objects[i]))
				abort();
}

/* One object at a time, as a server shows them. */
static void
serve(const struct advisory *adv, struct arena *mem)
{
	struct stix20_shelf *s = stix20_shelf_new(mem);
	struct strbuf out = STRBUF_INIT;
	size_t n;

	for (size_t i = 0; i < adv->n; i++)
		stix20_shelf_add(s, adv->objects[i].bytes);
	stix20_shelf_wants(s, &n);
	for (size_t i = 0; i < adv->n; i++) {
		struct json_doc doc;

		strbuf_reset(&out);
		if (!stix20_shelf_write(s, i, SLICE_LIT("2026-01-01T00:00:00Z"), &out) ||
		    json_parse(strbuf_slice(&out), NULL, mem, &doc, NULL) < 0 ||
		    !slice_eq(json_member(doc.root, "id"), stix20_served_id(mem,
		    adv->objects[i].id, adv->objects[i].bytes)))
			abort();
	}
	strbuf_fini(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct slice text = slice_from(data, n);
	struct arena *mem = arena_new();
	struct advisory adv, strict;
	struct loss loss;
	int sure = format_stix20.sniff(slice_from(text.p, text.n < 4096 ? text.n : 4096));

	if (sure < 0 || sure > 100)
		abort();
	loss_init(&loss, mem);
	if (read_text(&format_stix20, text, false, mem, &adv, &loss) == 0)
		there_and_back(&adv, mem);
	if (read_text(&format_stix20, text, true, mem, &strict, NULL) == 0 && strict.n > adv.n)
		abort();
	if (read_text(&format_stix21, text, false, mem, &adv, NULL) == 0) {
		there_and_back(&adv, mem);
		serve(&adv, mem);
	}
	arena_free(mem);
	return 0;
}
