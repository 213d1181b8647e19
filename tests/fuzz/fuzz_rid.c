/* If this finds something, a RID message of a stranger can crash the translator, or its envelope cannot be
 * written again. Whatever is read accounts for every leaf; what is written of it says the same envelope. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "formats/rid.h"
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

/* Written, read and written once more: the same bytes from there on. */
static void
check_fixed_point(const struct advisory *adv, struct arena *mem)
{
	struct write_job job = { .adv = adv, .received = SLICE_LIT("2026-01-01T00:00:00Z"),
		.csirt = "cert.example", .csirt_contact = "cert@cert.example" };
	struct read_job read = { .input = "again", .received = job.received };
	struct advisory home = { 0 }, third = { 0 };
	struct strbuf a = STRBUF_INIT, b = STRBUF_INIT;
	struct err e = ERR_INIT;

	if (rid_write(&job, mem, &a, &e) < 0) {
		if (e.code != ERR_MISSING)	/* an Acknowledgement of nothing */
			abort();
		return;
	}
	read.in = strbuf_slice(&a);
	if (rid_read(&read, mem, &home, &e) == 0) {
		job.adv = &home;
		if (rid_write(&job, mem, &b, &e) < 0)
			abort();
		read.in = strbuf_slice(&b);
		if (rid_read(&read, mem, &third, &e) < 0 || !slice_eq(third.envelope, home.envelope))
			abort();
	}
	strbuf_fini(&a);
	strbuf_fini(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct arena *mem = arena_new();
	struct read_job job = { .in = slice_from(data, n), .input = "fuzz",
		.received = SLICE_LIT("2026-01-01T00:00:00Z") };
	struct advisory adv = { 0 };
	struct xml_node *root;
	struct loss loss;
	struct err e = ERR_INIT;

	loss_init(&loss, mem);
	job.loss = &loss;
	if (rid_read(&job, mem, &adv, &e) == 0) {
		if (xml_parse(job.in, NULL, mem, &root, &e) < 0 || loss.n != leaves(root))
			abort();
		check_fixed_point(&adv, mem);
	} else if (e.reason[0] == '\0') {
		abort();
	}
	arena_free(mem);
	return 0;
}
