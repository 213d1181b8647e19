/* Lookups in a loaded trust file. */
#include "gateway/peer.h"

#include <stdlib.h>

#include "gateway/base/arena.h"
#include "gateway/policy_parts.h"

struct trust *
trust_hold(struct trust *t)
{
	if (t != NULL)
		t->holds++;
	return t;
}

void
trust_free(struct trust *t)
{
	if (t != NULL && --t->holds == 0)
		arena_free(t->mem);	/* t itself lies in it */
}

const uint8_t *
trust_digest(const struct trust *t)
{
	return t->digest;
}

size_t
trust_peers(const struct trust *t)
{
	return t->npeers;
}

/* The peer or consumer with this number, or NULL past the end. */
const struct peer *
trust_peer(const struct trust *t, size_t index)
{
	return index < t->npeers ? &t->peers[index] : NULL;
}

/* The peer or consumer of that name, or NULL. */
const struct peer *
trust_find(const struct trust *t, struct slice name)
{
	size_t lo = 0, hi = t->npeers;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int order = slice_cmp(slice_of(t->by_name[mid]->name), name);

		if (order == 0)
			return t->by_name[mid];
		if (order < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

/* The peer that holds the key with this pin, or NULL. */
const struct peer *
trust_by_pin(const struct trust *t, const uint8_t pin[32])
{
	for (size_t i = 0; i < t->npeers; i++)
		for (size_t j = 0; j < t->peers[i].npins; j++)
			if (memcmp(t->peers[i].pins[j], pin, 32) == 0)
				return &t->peers[i];
	return NULL;
}

enum tlp
trust_unmarked_tlp(const struct trust *t)
{
	return t->unmarked_tlp;
}

enum tlp
trust_iodef_unmarked_tlp(const struct trust *t)
{
	return t->iodef_unmarked_tlp;
}

const char *
trust_misp_groups(const struct trust *t)
{
	return t->misp_groups;
}

enum pap
trust_unmarked_pap(const struct trust *t)
{
	return t->unmarked_pap;
}

struct slice
trust_node_identity(const struct trust *t)
{
	return t->identity;
}

const char *
trust_node_name(const struct trust *t)
{
	return t->node.name;
}

const char *const *
trust_node_aliases(const struct trust *t)
{
	return t->aliases;
}

const char *
trust_node_sign_key(const struct trust *t)
{
	return t->sign_key;
}

/* True if objects of this phase take the fast lane. */
bool
trust_fast_phase(const struct trust *t, enum phase p)
{
	return (unsigned)p < PHASES && (t->fast >> p & 1) != 0;
}
