/*
 * object.h -- what an object is in memory: a typed header over a tree over the sender's bytes.
 *
 *	struct object  -- id, type, version, label, sectors ...   what dedup, policy, store and TAXII ask
 *	   .tree       -- json *, the STIX 2.1 object              what formats translate
 *	   .bytes      -- its text, verbatim if it came as STIX     what STIX consumers get
 *
 * Owns:    the header's definition and the code that fills it from a STIX tree (object_fill).
 * Called:  by formats (to make objects) and by gateway/ (to ask them).
 * Never:   validates more than it needs to fill the header (stix21.c does), and never decides.
 *
 * Everything lives in the arena of the message.
 */
#ifndef FORMATS_OBJECT_H
#define FORMATS_OBJECT_H

#include <stdint.h>

#include "gateway/base/err.h"
#include "gateway/base/json.h"
#include "gateway/base/slice.h"

struct arena;
struct pat_node;
struct strbuf;

/* TLP 2.0, in order of strictness (FIRST, August 2022). WHITE of TLP 1.0 is CLEAR. */
enum tlp { TLP_UNSET, TLP_CLEAR, TLP_GREEN, TLP_AMBER, TLP_AMBER_STRICT, TLP_RED, TLP_LEVELS };

/* Which case formats saw; policy decides what it means (rulings 10). */
enum label_case {
	LABEL_ABSENT,		/* no marking, or IODEF `default` */
	LABEL_TLP,		/* a TLP label we can read */
	LABEL_OTHER,		/* statement or custom markings only: as unmarked */
	LABEL_UNREADABLE,	/* an unknown TLP id or label word, ACS/AIS not parsed: RED */
	LABEL_IODEF_ABSENT	/* an IODEF Incident without @restriction: `iodef-unmarked`, shipped RED */
};

/* What a reader may do with it (PAP), in order of strictness. */
enum pap { PAP_UNSET, PAP_CLEAR, PAP_GREEN, PAP_AMBER, PAP_RED };

enum object_class { OBJECT_SDO, OBJECT_SRO, OBJECT_SCO, OBJECT_META, OBJECT_CUSTOM };

/* CIP phases (trust.md 8). */
enum phase {
	PHASE_UNSET, PHASE_ANALYSIS, PHASE_REMEDIATION, PHASE_INDICATIONS, PHASE_MITIGATION,
	PHASE_RESPONSE, PHASE_RECONSTITUTION, PHASES
};

/* Flags of an object. */
enum {
	OBJECT_REVOKED		= 1 << 0,
	OBJECT_CLASSIFIED	= 1 << 1,	/* a classification word in a marking (trust.md 11) */
	OBJECT_EXERCISE		= 1 << 2,
	OBJECT_MINTED		= 1 << 3,	/* made by a translator here, not received as STIX */
	OBJECT_GRANULAR		= 1 << 4,	/* a granular marking is stricter than the object's own */
	OBJECT_EMBARGO		= 1 << 5,
	OBJECT_PERSONAL		= 1 << 6,	/* holds data of persons as far as we can tell */
	OBJECT_VICTIM		= 1 << 7	/* reached from incident, sighting or observed-data */
};

enum {
	FINGERPRINT_LEN = 32, OBJECT_SUPPORTERS_MAX = 10000, OBJECT_SECTOR_BITS = 18, OBJECT_FLAG_BITS = 8
};

struct object {
	struct slice	id;		/* "indicator--UUID" as written */
	struct slice	type;
	struct slice	spec_version;	/* "2.1", "2.0" (TAXII 2.1 section 3.4.1 defaults) */
	struct slice	version;	/* modified, else created, as written; empty if it has neither */
	struct slice	version_key;	/* instant key of it (clock.h), or "sha256:HEX" of the content */
	struct slice	created_by;	/* created_by_ref or empty */
	struct slice	valid_until_key; /* instant key, indicators only; empty = no end */
	enum object_class class;
	enum tlp	tlp;		/* strictest of object and granular markings; TLP_UNSET if none */
	enum label_case	label;		/* unless LABEL_TLP, tlp is only a floor (labels.h) */
	enum pap	pap;		/* strictest of its markings and tags; PAP_UNSET if none */
	enum phase	phase;		/* its own, from label `cip-phase:X`, else by type */
	uint32_t	sectors;	/* bit set of vocab_sector() */
	uint32_t	flags;
	uint8_t		fp[FINGERPRINT_LEN];	/* semantic fingerprint (fingerprint.h) */
	bool		has_fp;
	struct slice	embargo_desk;	/* the community that a tag `embargo:NAME` leaves out; or empty */
	struct slice	*supporters;	/* ids of supporting objects (refs.h) that it names, once each */
	size_t		nsupporters;
	json		*tree;		/* NULL once it has left the cage (gateway/translator.h) */
	const struct pat_node *pattern;	/* of an indicator, when it is STIX and parses; else NULL */
	struct slice	bytes;
	size_t		index;		/* ordinal in the input, from 0 */
	size_t		offset;		/* of its text in the input */
	const char	*remarks;	/* the reader's warnings, a line each; NULL: none, or not asked */
};

/* A remark on one object, or on a part of the input that became none. */
enum verdict_kind { VERDICT_WARNED, VERDICT_REFUSED };
struct verdict {
	enum verdict_kind kind;
	const char	*code;		/* stable: "MISSING_PROPERTY", "BAD_TIMESTAMP", ... */
	struct slice	 id;		/* of the object, if it could be told */
	struct slice	 version;
	struct slice	 text;		/* the refused text, for quarantine; empty for warnings */
	struct err	 err;		/* place and reason */
	size_t		 index;		/* which element of the input list */
};

/* One message: the unit of transport and of acknowledgement. */
struct advisory {
	struct slice	 id;		/* bundle id, or one minted from the input's hash */
	struct slice	 envelope;	/* JSON of what stood around the objects (rid.h); empty: nothing */
	struct object	*objects;
	size_t		 n, cap;
	struct verdict	*verdicts;
	size_t		 nverdicts, verdicts_cap;
};

/* Fill the header from o->tree and o->bytes (both set by the caller); index and offset are kept.
 * What it needs: `type` and `id` as strings, id = type--UUID, created/modified possible UTC
 * timestamps if present. Otherwise -1 with a reason and path (TAXII 2.1 section 5.5 as in
 * reference/taxii.md 11). `marking` looks up a marking-definition tree by id in the same message, or
 * NULL (NULL function is fine). */
typedef json *(*object_find_fn)(void *ctx, struct slice id);
int	object_fill(struct object *o, struct arena *mem, object_find_fn find, void *ctx,
	    struct err *e);
/* The part of the header that stands at the top of the object's own text, from o->bytes alone and without
 * building a tree: type, id, spec_version, version, version_key (unless it is a hash of the content: empty
 * then), created_by, valid_until_key, class, pap, embargo_desk, and the flags in OBJECT_OWN_FLAGS. tlp and
 * label are what tags and fixed markings say: what others say (`open`: there are such) is left out. What it
 * gives is what object_fill gives for the same text (tested). -1 if the text is no such object. */
enum { OBJECT_OWN_FLAGS = OBJECT_REVOKED | OBJECT_EMBARGO | OBJECT_EXERCISE };
int	object_skim(struct object *o, struct arena *mem, bool *open);
/* The confidence that the text of an object states, 0 to 100; -1: none. */
int	object_confidence(struct slice bytes);
/* Append an object (all zero but index) / a verdict to an advisory. */
struct object	*advisory_add(struct advisory *adv, struct arena *mem);
/* So many more will come: the list need not double on its way. */
void	advisory_reserve(struct advisory *adv, struct arena *mem, size_t n);
struct verdict	*advisory_verdict(struct advisory *adv, struct arena *mem, enum verdict_kind kind,
		    const char *code);
/* Make an object from a tree that a translator built: prints it, fills the header, sets
 * OBJECT_MINTED. */
int	advisory_mint(struct advisory *adv, struct arena *mem, json *tree, struct err *e);
/* An object_find_fn over the marking-definitions of an advisory (ctx). */
json	*advisory_find_marking(void *ctx, struct slice id);
/* The sectors an object names itself: identity.sectors, labels `sector:SLUG`. */
uint32_t	object_own_sectors(const struct object *o);
/* Phases of reports and groupings from their members (trust.md 8), sectors from referenced
 * identities, notes from their parents: the facts that need the whole message (the rules are told in
 * settle.c). Readers call it; calling it again changes nothing. */
void	advisory_settle(struct advisory *adv, struct arena *mem);

/* Words. Unknown words give TLP_UNSET / PHASE_UNSET / -1. */
const char	*tlp_word(enum tlp t);			/* "amber+strict"; "none" for TLP_UNSET */
const char	*tlp_label(enum tlp t);			/* "TLP:AMBER+STRICT" */
enum tlp	 tlp_parse(struct slice word);		/* clear white green amber amber+strict red, any
							 * case, with or without "TLP:" */
/* The label of what holds both. No label is worth what policy makes of it, AMBER as shipped: with CLEAR
 * it stays no label, with GREEN it makes AMBER. */
enum tlp	 tlp_join(enum tlp a, enum tlp b);
/* The label that a writer must say: RED for what cannot be read; where parts are marked and the whole is
 * not, that of both. */
enum tlp	 object_level(const struct object *o);
/* What the label is worth where policy takes unmarked objects for `unmarked`. */
enum tlp	 object_worth(const struct object *o, enum tlp unmarked);
enum tlp	 tlp_of_marking_id(struct slice id);	/* the nine fixed ids (stix.md 1.7) */
const char	*tlp_marking_id(enum tlp t);		/* the TLP 2.0 id */
const char	*tlp1_marking_id(enum tlp t);		/* the TLP 1.0 id; NULL: it cannot say that */
json		*tlp_marking_object(struct arena *mem, enum tlp t);	/* the TLP 2.0 definition */
const char	*phase_word(enum phase p);
enum phase	 phase_parse(struct slice word);
int		 sector_parse(struct slice slug);	/* NIS2 slug -> bit number 0..17, or -1 */
const char	*sector_word(int bit);
int		 sector_of_stix(struct slice value);	/* industry-sector-ov, the clear rows */
enum object_class object_class_of(struct slice type);

#endif
