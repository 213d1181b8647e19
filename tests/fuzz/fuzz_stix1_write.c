/* If this finds something, objects of a stranger can crash the writer of STIX 1.x, or leave it under a weaker label
 * than they came in with. Whatever is written must be readable, the same twice, with every leaf in the account, and
 * no object may be freer when it is read back. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "formats/stix1.h"
#include "tests/unit/chain_kit.h"

int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static size_t
leaves(const json *o)
{
	size_t n = 0;

	if (json_first(o) == NULL)
		return 1;
	for (const json *m = json_first(o); m != NULL; m = json_next(m))
		n += leaves(m);
	return n;
}

/* Freer than every version of it that was written: labels of two versions need not be comparable. */
static bool
is_freer(const struct object *o, const struct advisory *adv)
{
	bool was_there = false;

	for (size_t k = 0; k < adv->n; k++) {
		const struct object *was = &adv->objects[k];

		if (!slice_eq(was->id, o->id))
			continue;
		if (was->class == OBJECT_META || !chain_is_weaker(o, was))
			return false;
		was_there = true;
	}
	return was_there;
}

static void
check(const struct advisory *adv, struct arena *mem, bool residue)
{
	struct err e = ERR_INIT;
	struct slice text, twice;
	struct advisory back;
	struct loss loss;
	size_t count = 0;

	loss_init(&loss, mem);
	if (chain_write(&format_stix1, adv, mem, residue, &loss, &text, &e) < 0) {
		if (e.code == ERR_NONE)
			abort();
		return;
	}
	for (size_t i = 0; i < adv->n; i++)
		count += leaves(adv->objects[i].tree);
	if (count != loss.n - loss.count[LOSS_GENERATED])
		abort();
	if (chain_write(&format_stix1, adv, mem, residue, NULL, &twice, &e) < 0 || !slice_eq(text, twice))
		abort();
	if (chain_read(&format_stix1, text, mem, &back, NULL, &e) < 0)
		abort();
	for (size_t i = 0; i < back.n; i++)
		if (is_freer(&back.objects[i], adv))
			abort();
}

/* Both what is STIX 2.1 and what came as STIX 1.x. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct arena *mem = arena_new();
	struct slice in = slice_from((const char *)data, n);
	const struct format_ops *from = n > 0 && data[0] == '<' ? &format_stix1 : &format_stix21;
	struct advisory adv;
	struct err e = ERR_INIT;
	struct slice hub;

	/* By way of a bundle of what was taken: what was refused may have made labels unreadable, and is gone. */
	if (chain_read(from, in, mem, &adv, NULL, &e) == 0 && adv.n > 0 &&
	    chain_write(&format_stix21, &adv, mem, true, NULL, &hub, &e) == 0 &&
	    chain_read(&format_stix21, hub, mem, &adv, NULL, &e) == 0 && adv.n > 0) {
		check(&adv, mem, true);
		check(&adv, mem, false);
	}
	arena_free(mem);
	return 0;
}
