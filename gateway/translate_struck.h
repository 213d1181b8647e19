/*
 * translate_struck.h -- which messages have killed translators?
 *
 * Owns:    a bounded table of digests, each with how often, how, and when.
 * Called:  by translate.c.
 * Never:   keeps anything of a message but its digest, or a grudge for more than an hour.
 */
#ifndef GATEWAY_TRANSLATE_STRUCK_H
#define GATEWAY_TRANSLATE_STRUCK_H

#include <stdbool.h>
#include <stdint.h>

#include "gateway/base/digest.h"

struct struck;

struct struck	*struck_new(void);
void		 struck_free(struct struck *s);		/* NULL is fine */
/* How often a message did it within the hour, and whether the last time was one of being late. */
unsigned	 struck_count(struct struck *s, const uint8_t sha256[SHA256_LEN], bool *late);
/* Once more; returns how often by now. */
unsigned	 struck_add(struct struck *s, const uint8_t sha256[SHA256_LEN], bool late);

#endif
