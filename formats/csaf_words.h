/*
 * csaf_words.h -- the words of CSAF that both directions use, and its version numbers.
 *
 * Owns:    TLP labels, categories of documents, status lists and remediations with what they mean in
 *          STIX, as tables; versions (integer or semantic) and their order; CPE names from 2.2 to 2.3.
 * Called:  by formats/csaf*.c only.
 * Never:   looks at an object.
 */
#ifndef FORMATS_CSAF_WORDS_H
#define FORMATS_CSAF_WORDS_H

#include "formats/object.h"

/* `word` is one of the blank-separated words of `list`. */
bool		csaf_has_word(const char *list, struct slice word);

/* Labels. An unknown word is RED and unreadable. CLEAR and AMBER+STRICT are words of CSAF 2.1. */
enum tlp	csaf_tlp_read(struct slice word, enum label_case *label);
/* What `document` says; LABEL_ABSENT and TLP_UNSET if it says nothing. */
enum tlp	csaf_tlp_there(const json *document, enum label_case *label);
/* The word that says at least as much; NULL for TLP_UNSET. */
const char	*csaf_tlp_word(enum tlp t);

/* Profiles (section 4 of the standard). Any category that is none of these is a base document. */
enum csaf_profile {
	CSAF_BASE, CSAF_INCIDENT, CSAF_INFORMATIONAL, CSAF_SECURITY, CSAF_VEX, CSAF_PROFILES
};
enum csaf_profile csaf_profile_of(struct slice category);
const char	*csaf_profile_word(enum csaf_profile p);

/* The lists of product_status, in the order of the standard. */
enum csaf_status {
	CSAF_FIRST_AFFECTED, CSAF_FIRST_FIXED, CSAF_FIXED, CSAF_KNOWN_AFFECTED, CSAF_KNOWN_NOT_AFFECTED,
	CSAF_LAST_AFFECTED, CSAF_RECOMMENDED, CSAF_UNDER_INVESTIGATION, CSAF_STATUSES
};
/* Which may not hold for one product together (test 6). */
enum csaf_status_group {
	CSAF_GROUP_NONE, CSAF_GROUP_AFFECTED, CSAF_GROUP_NOT_AFFECTED, CSAF_GROUP_FIXED, CSAF_GROUP_UNKNOWN
};
struct csaf_status_row {
	const char		*word;
	enum csaf_status_group	 group;
	bool			 vex;		/* one of the four that VEX asks for */
};
extern const struct csaf_status_row csaf_statuses[CSAF_STATUSES];
/* CSAF_STATUSES if it is none. */
enum csaf_status csaf_status_of(struct slice word);

/* Version numbers: "3" or "1.2.0-rc.1+build". */
struct csaf_version {
	bool		semantic;
	struct slice	major, minor, patch;
	struct slice	pre;		/* without the dash; empty if none */
};
bool		csaf_version_parse(struct slice s, struct csaf_version *out);
bool		csaf_is_version(struct slice s);
/* <0, 0, >0; the build part does not count, and the pre-release part only if `pre`. */
int		csaf_version_cmp(const struct csaf_version *a, const struct csaf_version *b, bool pre);
/* 0 or 0.y.z. */
bool		csaf_version_is_zero(const struct csaf_version *v);

/* The 2.3 formatted string of a CPE name of either kind; empty if it is none. */
struct slice	csaf_cpe23(struct arena *mem, struct slice cpe);

#endif
