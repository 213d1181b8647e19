/* If this finds something, the pattern of a stranger can crash the gateway, or reads differently
 * the second time. */
#include <stdint.h>
#include <stdlib.h>

#include "formats/observe.h"
#include "formats/pattern.h"
#include "gateway/base/arena.h"
#include "gateway/base/strbuf.h"

int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Parse `text`, which must parse unless it outgrew a limit, and spell it again; false if it did. */
static bool
respell(struct slice text, struct arena *mem, bool canonical, struct strbuf *out)
{
	struct err e = ERR_INIT;
	struct pat_node *p = pattern_parse(text, mem, &e);

	strbuf_reset(out);
	if (p == NULL) {
		if (e.code != ERR_LIMIT && e.code != ERR_DEPTH)
			abort();
		return false;
	}
	if (canonical)
		pattern_canonical(out, p);
	else
		pattern_print(out, p);
	return true;
}

/* The spelling is one that gives itself. */
static void
check_fixed(const struct pat_node *p, struct arena *mem, bool canonical)
{
	struct strbuf once = STRBUF_INIT, twice = STRBUF_INIT;

	if (canonical)
		pattern_canonical(&once, p);
	else
		pattern_print(&once, p);
	if (respell(strbuf_slice(&once), mem, canonical, &twice) &&
	    !slice_eq(strbuf_slice(&once), strbuf_slice(&twice)))
		abort();
	strbuf_fini(&once);
	strbuf_fini(&twice);
}

/* What the printed text says is what the first text said. */
static void
check_meaning(const struct pat_node *p, struct arena *mem)
{
	struct strbuf text = STRBUF_INIT, one = STRBUF_INIT, two = STRBUF_INIT;

	pattern_print(&text, p);
	pattern_canonical(&one, p);
	if (respell(strbuf_slice(&text), mem, true, &two) &&
	    !slice_eq(strbuf_slice(&one), strbuf_slice(&two)))
		abort();
	strbuf_fini(&text);
	strbuf_fini(&one);
	strbuf_fini(&two);
}

/* What it looks for, as facts, is the same pattern; and the facts of that are the same facts. */
static void
check_facts(const struct pat_node *p, struct arena *mem)
{
	struct strbuf text = STRBUF_INIT, one = STRBUF_INIT, two = STRBUF_INIT;
	struct pat_node *back = observe_expand(observe_reduce(p, mem), mem);

	pattern_canonical(&one, p);
	pattern_canonical(&two, back);
	if (!slice_eq(strbuf_slice(&one), strbuf_slice(&two)))
		abort();
	strbuf_reset(&one);
	pattern_print(&text, back);
	if (respell(strbuf_slice(&text), mem, false, &one) &&
	    !slice_eq(strbuf_slice(&text), strbuf_slice(&one)))
		abort();
	strbuf_reset(&one);
	pattern_print(&one, observe_expand(observe_reduce(back, mem), mem));
	if (!slice_eq(strbuf_slice(&text), strbuf_slice(&one)))
		abort();
	strbuf_fini(&text);
	strbuf_fini(&one);
	strbuf_fini(&two);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *mem = arena_new();
	struct err e = ERR_INIT;
	struct pat_node *p = pattern_parse(slice_from(data, size), mem, &e);

	if ((p == NULL) != (e.code != ERR_NONE) || e.at.offset > size)
		abort();
	if (p != NULL) {
		pattern_flaws(p);
		check_fixed(p, mem, false);
		check_fixed(p, mem, true);
		check_meaning(p, mem);
		check_facts(p, mem);
	}
	arena_free(mem);
	return 0;
}
