/*
 * pattern_flaws of pattern.h: what the grammar lets through and a strict reader does not.
 */
#include "formats/pattern.h"
#include "formats/value.h"
#include "gateway/base/arena.h"

/* A kind of qualifier stands twice on this one expression. */
static bool
qualified_twice(const struct pat_node *p)
{
	unsigned seen = 0;

	for (size_t i = 0; i < p->nquals; i++) {
		unsigned bit = 1U << p->quals[i].kind;

		if ((seen & bit) != 0)
			return true;
		seen |= bit;
	}
	return false;
}

/* The text compared with hashes.NAME is no hash of that name. */
static bool
hash_is_wrong(const struct pat_node *p, struct arena **mem)
{
	const struct pat_step *name;
	struct slice ignored;

	if (p->npath < 2)
		return false;
	name = &p->path[p->npath - 1];
	if (name->kind != PAT_STEP_NAME || name[-1].kind != PAT_STEP_NAME ||
	    !slice_is(name[-1].name, "hashes"))
		return false;
	if (*mem == NULL)
		*mem = arena_new();
	for (size_t i = 0; i < p->nvalues; i++)
		if (p->values[i].kind == PAT_STRING &&
		    !value_hash(name->name, p->values[i].text, *mem, &ignored))
			return true;
	return false;
}

static unsigned
flaws(const struct pat_node *p, struct arena **mem)
{
	unsigned found = 0;

	if (p->kind == PAT_TEST)
		return (hash_is_wrong(p, mem) ? PATTERN_HASH : 0) |
		    (p->op == PAT_EXISTS ? PATTERN_NOT_20 : 0);
	if (qualified_twice(p))
		found |= PATTERN_TWICE;
	for (size_t i = 0; i < p->nkids; i++)
		found |= flaws(p->kids[i], mem);
	return found;
}

unsigned
pattern_flaws(const struct pat_node *p)
{
	struct arena *mem = NULL;	/* made for the first hash: most patterns have none */
	unsigned found = flaws(p, &mem);

	arena_free(mem);
	return found;
}
