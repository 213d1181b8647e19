/* If this finds something, a trust file can crash the gateway, or load and then decide wrongly. */
#include <stdint.h>
#include <stdlib.h>

#include "gateway/base/arena.h"
#include "gateway/base/json.h"
#include "gateway/base/strbuf.h"
#include "gateway/policy.h"

int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Whatever the file says, what no file may loosen holds; and every decision can be explained. */
static void
check_decision(const struct trust *t, const struct policy_facts *f, const struct peer *p)
{
	static const int64_t now_us = INT64_C(1795262400) * 1000000;	/* 2026-11-21 */
	struct strbuf text = STRBUF_INIT;
	struct arena *mem = arena_new();
	struct json_doc doc;
	struct decision d;

	policy_decide(t, f, p, now_us, &d);
	if ((d.verdict == POLICY_RELEASE) != (d.nagainst == 0) || d.nagainst > DECISION_ITEMS)
		abort();
	if (d.verdict == POLICY_RELEASE && (d.nreleases == 0 || f->tlp == TLP_RED ||
	    (f->flags & (OBJECT_CLASSIFIED | OBJECT_EMBARGO)) != 0))
		abort();
	policy_explain(&text, t, f, SLICE_LIT("indicator--1"), p, now_us, &d);
	strbuf_reset(&text);
	policy_explain_json(&text, t, f, SLICE_LIT("indicator--1"), p, now_us, &d);
	if (json_parse(strbuf_slice(&text), NULL, mem, &doc, NULL) < 0)
		abort();
	policy_admit(t, f, p, &d);
	if ((f->flags & OBJECT_CLASSIFIED) != 0 && d.verdict == POLICY_RELEASE)
		abort();
	strbuf_fini(&text);
	arena_free(mem);
}

static void
check_trust(const struct trust *t)
{
	static const uint32_t flags[] = { 0, OBJECT_PERSONAL, OBJECT_EMBARGO, OBJECT_CLASSIFIED,
		OBJECT_EXERCISE };
	struct policy_facts f = { .kind = SLICE_LIT("indicator"), .sectors = 1,
		.phase = PHASE_INDICATIONS, .pap = PAP_AMBER, .created_by = SLICE_EMPTY,
		.audience = SLICE_EMPTY, .embargo_desk = SLICE_EMPTY };

	for (size_t i = 0; i < trust_peers(t) && i < 4; i++) {
		const struct peer *p = trust_peer(t, i);

		if (trust_find(t, slice_of(p->name)) != p)
			abort();
		for (size_t j = 0; j < p->npins; j++)
			if (trust_by_pin(t, p->pins[j]) != p)
				abort();
		for (unsigned j = 0; j < TLP_LEVELS; j++) {
			f.tlp = (enum tlp)j;
			f.flags = flags[j % 5];
			f.origin = (enum origin)(j % 3);
			check_decision(t, &f, p);
		}
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *mem = arena_new();
	struct complaints c = { .mem = mem };
	struct trust *t = trust_parse(slice_from(data, size), "fuzz", &c);

	if ((t == NULL) != (c.n > 0))
		abort();
	for (size_t i = 0; i < c.n; i++)
		if (strncmp(c.text[i], "fuzz:", 5) != 0)
			abort();
	if (t != NULL)
		check_trust(t);
	trust_free(t);
	arena_free(mem);
	return 0;
}
