/*
 * siphash.h -- a hash under a key, for tables of what strangers name.
 *
 * Owns:    SipHash-2-4 (Aumasson and Bernstein, 2012): who does not know the key can choose no two texts
 *          that meet.
 * Called:  by tables whose keys come from outside; the key is drawn when the table is made.
 * Never:   a digest: nothing of it is stored or sent.
 */
#ifndef BASE_SIPHASH_H
#define BASE_SIPHASH_H

#include <stdint.h>

#include "gateway/base/slice.h"

struct siphash_key {
	uint64_t	k0, k1;
};

struct siphash_key siphash_key_new(void);	/* of random bytes */
uint64_t	 siphash(const struct siphash_key *key, struct slice s);

#endif
