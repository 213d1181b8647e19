/* If this finds something, an IODEF v1 document of a stranger can crash the translator, lose a part on the way
 * through v2, or come out of it under a laxer label. Up to v2 and down again is a fixed point; whatever is read
 * accounts for every leaf, is written again, and that is read again. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "formats/iodef1.h"
#include "gateway/base/arena.h"
#include "gateway/base/strbuf.h"

int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static size_t
leaves(const struct xml_node *n)
{
	size_t count = n->first == NULL && n->attrs == NULL ? 1 : 0;

	for (const struct xml_attr *a = n->attrs; a != NULL; a = a->next)
		count++;
	for (const struct xml_node *k = n->first; k != NULL; k = k->next)
		count += xml_is_text(k) ? 1 : leaves(k);
	return count;
}

/* The strictest level that an element of v1 or v2 says. */
static enum tlp
strictest(const struct xml_node *n)
{
	enum tlp most = TLP_CLEAR;
	enum label_case label;

	if (xml_attr(n, "restriction") != NULL &&
	    (slice_is(n->ns, IODEF1_NS) || slice_is(n->ns, IODEF2_NS)))
		most = iodef2_restriction_read(slice_trim(xml_value(n, "restriction")),
		    xml_value(n, "ext-restriction"), false, &label);
	for (const struct xml_node *k = xml_child(n); k != NULL; k = xml_sibling(k)) {
		enum tlp below = strictest(k);

		most = below > most ? below : most;
	}
	return most;
}

/* Up, down and up again: what is reached after the first round stays. */
static void
check_ways(const struct xml_node *v1, struct arena *mem)
{
	struct xml_node *v2 = iodef1_up(mem, v1), *again, *twice;

	if (strictest(v2) < strictest(v1))
		abort();
	again = iodef1_down(mem, v2);
	if (!xml_equal(again, v1)) {
		/* not all that is well-formed is IODEF: one round makes it so */
		twice = iodef1_down(mem, iodef1_up(mem, again));
		if (!xml_equal(twice, again))
			abort();
	}
}

static void
write_again(const struct advisory *adv, struct arena *mem)
{
	struct write_job job = { .adv = adv, .received = SLICE_LIT("2026-01-01T00:00:00Z"),
		.csirt = "cert.example", .csirt_contact = "cert@cert.example" };
	struct strbuf out = STRBUF_INIT;
	struct read_job read = { .input = "again", .received = job.received };
	struct advisory home = { 0 };
	struct err e = ERR_INIT;

	if (format_iodef1.write(&job, mem, &out, &e) < 0)
		abort();
	read.in = strbuf_slice(&out);
	format_iodef1.read(&read, mem, &home, &e);
	strbuf_fini(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct arena *mem = arena_new();
	struct read_job job = { .in = slice_from(data, n), .input = "fuzz",
		.received = SLICE_LIT("2026-01-01T00:00:00Z") };
	struct advisory adv = { 0 }, twice = { 0 };
	struct xml_node *root;
	struct loss loss;
	struct err e = ERR_INIT;

	loss_init(&loss, mem);
	if (xml_parse(job.in, NULL, mem, &root, &e) == 0 && xml_is(root, IODEF1_NS, "IODEF-Document"))
		check_ways(root, mem);
	job.loss = &loss;
	if (format_iodef1.read(&job, mem, &adv, &e) == 0) {
		if (loss.n != leaves(root))
			abort();
		job.loss = NULL;
		if (format_iodef1.read(&job, mem, &twice, &e) < 0 || adv.n != twice.n)
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
