/* If this finds something, a JSON-IODEF document of a stranger can crash the translator, or change on the way
 * through XML. Tree to JSON and back is a fixed point after one round; whatever is read accounts for every
 * leaf, gives the same bytes twice, is written again, and that is read again. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "formats/iodef_json.h"
#include "gateway/base/arena.h"
#include "gateway/base/strbuf.h"

int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static size_t
leaves(const json *n)
{
	size_t count = json_first(n) == NULL ? 1 : 0;

	for (const json *m = json_first(n); m != NULL; m = json_next(m))
		count += leaves(m);
	return count;
}

static struct xml_node *
tree_of(const json *root, struct arena *mem)
{
	struct iodef_json_reader r = { .mem = mem };

	return iodef_json_document(&r, root);
}

/* JSON -> tree -> JSON -> tree: the second tree is the first. */
static void
check_fixed_point(const json *root, struct arena *mem)
{
	struct xml_node *a = tree_of(root, mem), *b;
	json *there = iodef_json_value(mem, a), *again;

	b = tree_of(there, mem);
	again = iodef_json_value(mem, b);
	if (!json_equal(there, again) && !xml_equal(b, tree_of(again, mem)))
		abort();
}

static void
write_again(const struct advisory *adv, struct arena *mem)
{
	struct write_job job = { .adv = adv, .received = SLICE_LIT("2026-01-01T00:00:00Z"),
		.csirt = "cert.example", .csirt_contact = "cert@cert.example" };
	struct read_job read = { .input = "again", .received = job.received };
	struct strbuf out = STRBUF_INIT;
	struct json_doc doc;
	struct advisory home = { 0 };
	struct err e = ERR_INIT;

	if (format_iodef_json.write(&job, mem, &out, &e) < 0)
		abort();
	if (json_parse(strbuf_slice(&out), NULL, mem, &doc, &e) < 0)
		abort();
	read.in = strbuf_slice(&out);
	format_iodef_json.read(&read, mem, &home, &e);
	strbuf_fini(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct arena *mem = arena_new();
	struct read_job job = { .in = slice_from(data, n), .input = "fuzz",
		.received = SLICE_LIT("2026-01-01T00:00:00Z") };
	struct json_limits lim = { .depth = 100 };
	struct advisory adv = { 0 }, twice = { 0 };
	struct json_doc doc;
	struct loss loss;
	struct err e = ERR_INIT;

	loss_init(&loss, mem);
	if (json_parse(job.in, &lim, mem, &doc, &e) < 0) {
		arena_free(mem);
		return 0;
	}
	if (json_is_object(doc.root))
		check_fixed_point(doc.root, mem);
	job.loss = &loss;
	if (format_iodef_json.read(&job, mem, &adv, &e) == 0) {
		if (loss.n != leaves(doc.root))
			abort();
		job.loss = NULL;
		if (format_iodef_json.read(&job, mem, &twice, &e) < 0 || adv.n != twice.n)
			abort();
		for (size_t i = 0; i < adv.n; i++) {
			if (!slice_eq(adv.objects[i].bytes, twice.objects[i].bytes))
				abort();
		}
		write_again(&adv, mem);
	} else if (e.reason[0] == '\0') {
		abort();
	}
	arena_free(mem);
	return 0;
}
