/* If this finds something, an object that a stranger made can crash the translator, or leave it in a
 * document that no XML reader takes. Whatever STIX could be read must be written well-formed, the same
 * twice, with and without residue, and with every leaf accounted once. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "formats/iodef2.h"
#include "gateway/base/arena.h"
#include "gateway/base/strbuf.h"

int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* Leaves of a tree: what has no children. */
static size_t
count_leaves(const json *node)
{
	const json *c = json_first(node);
	size_t n = c == NULL;

	for (; c != NULL; c = json_next(c))
		n += count_leaves(c);
	return n;
}

static void
write_once(const struct advisory *adv, bool no_residue, struct arena *mem, struct strbuf *out)
{
	struct write_job job = { .adv = adv, .no_residue = no_residue, .csirt = "cert.example",
	    .received = SLICE_LIT("2026-01-01T00:00:00Z") };
	struct xml_limits limits = { .bytes = SIZE_MAX, .elements = SIZE_MAX, .depth = 200,
	    .text_bytes = SIZE_MAX };
	struct err e = ERR_INIT;
	struct xml_node *root;
	struct loss loss;
	size_t i, leaves = 0;

	loss_init(&loss, mem);
	job.loss = &loss;
	if (iodef2_write(&job, mem, out, &e) < 0 ||
	    xml_parse(strbuf_slice(out), &limits, mem, &root, &e) < 0)
		abort();
	for (i = 0; i < adv->n; i++)
		leaves += count_leaves(adv->objects[i].tree);
	if (leaves + loss.count[LOSS_GENERATED] != loss.n)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct read_job job = { .in = slice_from(data, n), .input = "fuzz" };
	struct arena *mem = arena_new();
	struct advisory adv = { 0 };
	struct strbuf a = STRBUF_INIT, b = STRBUF_INIT, bare = STRBUF_INIT;

	if (format_stix21.read(&job, mem, &adv, NULL) == 0) {
		write_once(&adv, false, mem, &a);
		write_once(&adv, false, mem, &b);
		write_once(&adv, true, mem, &bare);
		if (!slice_eq(strbuf_slice(&a), strbuf_slice(&b)))
			abort();
	}
	strbuf_fini(&a);
	strbuf_fini(&b);
	strbuf_fini(&bare);
	arena_free(mem);
	return 0;
}
