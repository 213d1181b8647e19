#include "gateway/gateway.h"

#include <stdint.h>

bool
gateway_owns(const struct gateway *g, const char *name)
{
	uint32_t h = 2166136261u;	/* FNV-1a: the same in every worker and after every restart */

	if (g->nworkers < 2)
		return true;
	for (; *name != '\0'; name++)
		h = (h ^ (unsigned char)*name) * 16777619u;
	return h % g->nworkers == g->worker;
}
