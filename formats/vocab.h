/*
 * vocab.h -- the words that several formats share, as tables.
 *
 * Owns:    STIX types (class, phase, what they hold), TLP, CIP phases, NIS2 sectors and the clear rows
 *          from STIX's industry-sector-ov, classification words.
 * Called:  by object.c, labels.c, stix21_check.c and translators. The lookups that gateway/ needs are
 *          declared in object.h and defined here.
 * Never:   looks at an object; it knows words only.
 */
#ifndef FORMATS_VOCAB_H
#define FORMATS_VOCAB_H

#include "formats/object.h"

/* What a type is to the gateway. */
struct vocab_type {
	const char		*name;
	enum object_class	 class;
	enum phase		 phase;		/* default; PHASE_UNSET: from its context */
	bool			 personal;	/* its mere presence is data of a person */
};

enum { VOCAB_SECTORS = 18 };

/* Is it that id of a fixed marking-definition? UUIDs compare without regard to case; nearly all looks end
 * with the last digit. */
static inline bool
vocab_is_marking_id(struct slice id, const char *fixed)
{
	enum { LAST = sizeof("marking-definition--") - 1 + 36 - 1 };

	return id.n == LAST + 1 && ((id.p[LAST] ^ fixed[LAST]) & ~0x20) == 0 && slice_is_nocase(id, fixed);
}

/* NULL for types that STIX 2.1 does not define. */
const struct vocab_type *vocab_type_find(struct slice type);
/* The bit of a NIS2 slug, 0 if unknown (sector_parse gives the number). */
uint32_t	vocab_sector_bit(struct slice slug);
/* `word` is one of the blank-separated words of `list`. */
bool		vocab_has_word(const char *list, struct slice word);
/* The marking text names a classification above unclassified (trust.md 11). Distinctive phrases count
 * anywhere; plain words (SECRET) only in capitals or in a short banner, so that a copyright line on
 * "trade secrets" passes. */
bool		vocab_is_classified(struct slice marking_text);

#endif
