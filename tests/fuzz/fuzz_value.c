/* If this finds something, a value from a stranger can crash the gateway, or has two canonical
 * forms. The first byte says which kind of value the rest is; one more than there are kinds is a hash, behind its name. */
#include <stdint.h>
#include <stdlib.h>

#include "formats/value.h"
#include "gateway/base/arena.h"

int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A hash has one form, and its algorithm one name. */
static void
check_hash(struct slice s, struct arena *mem)
{
	struct slice name = slice_cut(&s, '='), once, twice;
	const char *known = value_hash_name(name);

	if (known != NULL && value_hash_name(slice_of(known)) != known)
		abort();
	if (value_hash(name, s, mem, &once) &&
	    (!value_hash(name, once, mem, &twice) || !slice_eq(once, twice)))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice s, once = SLICE_LIT("untouched"), twice;
	struct arena *mem;
	enum value_kind kind;

	if (size == 0)
		return 0;
	mem = arena_new();
	kind = (enum value_kind)(data[0] % (VALUE_KINDS + 1));
	s = slice_from(data + 1, size - 1);
	if (kind == VALUE_KINDS) {
		check_hash(s, mem);
		arena_free(mem);
		return 0;
	}
	if (value_normalise(kind, s, mem, &once)) {
		if (once.n == 0 || !value_normalise(kind, once, mem, &twice) ||
		    !slice_eq(once, twice))
			abort();
	} else if (!slice_is(once, "untouched")) {
		abort();
	}
	once = value_refang(s, mem);
	if (!slice_eq(once, value_refang(once, mem)))
		abort();
	arena_free(mem);
	return 0;
}
