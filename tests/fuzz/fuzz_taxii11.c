/* If this finds something, a TAXII 1.1 message of a stranger can crash the translator, is answered with what is
 * no JSON, or a block of it vanishes without an object or a refusal. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "formats/taxii11.h"
#include "gateway/base/arena.h"
#include "gateway/base/json.h"
#include "gateway/base/strbuf.h"

int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void
check_question(struct slice in, struct arena *mem)
{
	struct strbuf b = STRBUF_INIT;
	struct json_doc doc;
	struct err e = ERR_INIT;

	if (taxii11_ask(in, mem, &b, &e) == 0) {
		if (json_parse(strbuf_slice(&b), NULL, mem, &doc, &e) < 0 ||
		    json_member(doc.root, "id").n == 0)
			abort();
	} else if (e.reason[0] == '\0') {
		abort();
	}
	strbuf_fini(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct arena *mem = arena_new();
	struct read_job job = { .in = slice_from(data, n), .input = "fuzz",
		.received = SLICE_LIT("2026-01-01T00:00:00Z") };
	struct advisory adv = { 0 };
	struct loss loss;
	struct err e = ERR_INIT;

	loss_init(&loss, mem);
	job.loss = &loss;
	check_question(job.in, mem);
	if (taxii11_read(&job, mem, &adv, &e) == 0) {
		if (adv.id.n == 0 || adv.envelope.n == 0 || loss.n == 0)
			abort();
		for (size_t i = 0; i < adv.n; i++)
			if (adv.objects[i].index != i)
				abort();
	} else if (e.reason[0] == '\0') {
		abort();
	}
	arena_free(mem);
	return 0;
}
