/*
 * spill.h -- bytes put by in order: a little in memory, the rest in a file without a name.
 *
 * Owns:    that file (TMPDIR) and two small buffers.
 * Called:  by verbs that work on more than fits in memory.
 * Never:   changes what was put by; what comes after a place can only be forgotten.
 */
#ifndef BASE_SPILL_H
#define BASE_SPILL_H

#include <stdint.h>

#include "gateway/base/err.h"
#include "gateway/base/slice.h"

struct spill;

struct spill	*spill_new(void);
void		 spill_free(struct spill *s);		/* NULL is fine */
uint64_t	 spill_size(const struct spill *s);
/* Put `n` bytes by; where they begin. Trouble with the file is kept for spill_failed. */
uint64_t	 spill_add(struct spill *s, const void *p, size_t n);
/* Get `n` bytes from a place; false (and zeros) if they are not to be had. */
bool		 spill_get(struct spill *s, uint64_t at, void *p, size_t n);
/* Forget what came after the first `size` bytes. */
void		 spill_cut(struct spill *s, uint64_t size);
/* True and *e if anything went wrong with the file so far. */
bool		 spill_failed(const struct spill *s, struct err *e);

#endif
