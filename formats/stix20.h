/*
 * stix20.h -- STIX 2.0 and 2.1, each said in the words of the other.
 *
 *	read	2.0 --up--> 2.1			write	2.1 --down--> 2.0
 *		    <-down-- what comes back	            <--up-- what comes back
 *		differs? the difference goes into	differs? into the custom property
 *		the extension `stix20` of ours		`x_tocsin_stix21`
 *
 * So a residue holds what the way back would not give by itself, and nothing else. It is a list of
 * members: {"NAME": {"value": V, "for": H}}: the member was V when the conversion gave what hashes to
 * H (no H: nothing; no V: there was no such member). Whoever has edited a member since finds no H that
 * fits, and his edit stays; all else is restored. A residue never gives an object another id, takes
 * away a marking, or makes a label weaker.
 *
 * Words of our own in STIX 2.0, beside that:
 *	x_tocsin_NAME		the property NAME that came with 2.1 ("x_tocsin_confidence")
 *	x-tocsin-TYPE		the type TYPE that came with 2.1; also x-tocsin-indicator (its pattern is
 *				not STIX, or says EXISTS)
 *	x-tocsin-absent		an object in an observed-data: none that it refers to is at hand
 *	x_tocsin_id		of an observable: the id it has in 2.1, unless 2.0 -> 2.1 makes the same
 *	x_tocsin_inline		this observed-data has its objects inside in 2.1, too (deprecated there)
 *	x_tocsin_generated	this observed-data was made to hold observables that none had; its id is
 *				made of theirs
 *
 * Observables: the entry "K" of `objects` is a top-level object of 2.1, with the deterministic id of
 * sco.h; where the standard makes none, or the message says other things under it, with one made of
 * the observed-data's id and K. It is marked like its observed-data, and with what granular markings
 * say of "objects.K" (which is how its own markings travel the other way).
 *
 * Owns:    the conversion of single objects and of observed-data with what it holds (stix20_*.c).
 * Called:  by stix20_read.c and stix20_write.c (documents); by who serves 2.0 from a store of 2.1.
 * Never:   looks at a clock; never makes a label weaker. AMBER+STRICT, which 2.0 has no word for, is RED.
 */
#ifndef FORMATS_STIX20_H
#define FORMATS_STIX20_H

#include "formats/idmap.h"
#include "formats/object.h"

struct loss;
struct read_job;
struct write_job;

/* An observable of 2.1 that may be packed. */
struct stix20_sco {
	struct slice	 id;
	const json	*tree;
	size_t		 bytes;		/* of its text */
	struct slice	 home;		/* the first observed-data that holds it; empty: none yet */
	const char	*home_key;	/* in there */
	size_t		 pack;		/* number of the packing that holds it now */
	const char	*key;		/* in there */
	bool		 twice;		/* another one here has the same id */
};

/* One conversion of a message, or of an object. */
struct stix20 {
	struct arena		*mem;		/* of the object in hand */
	struct arena		*keep;		/* of the message */
	struct slice		 now;		/* the time of what has to be generated */
	bool			 no_rest;	/* say what 2.0 can say, and nothing else */
	/* Single objects of a store: `modified` is not cut to milliseconds, and an observable is
	 * referred to by the observed-data that is made of it alone. */
	bool			 serving;
	struct stix20_sco	*sco;
	size_t			 nsco;
	struct idmap		 sco_ids;	/* id -> sco[] */
	struct idmap		 custom;	/* ids of indicators that 2.0 cannot say */
	size_t			 packs;
	size_t			 copied;	/* bytes of observables that are packed more than once */
};

#define STIX20_REST	"x_tocsin_stix21"
#define STIX20_ID	"x_tocsin_id"
#define STIX20_MADE	"x_tocsin_generated"
#define STIX20_INLINE	"x_tocsin_inline"
#define STIX20_ABSENT	"x-tocsin-absent"
#define STIX20_PREFIX	"x_tocsin_"
#define STIX20_TYPE	"x-tocsin-"

enum {
	STIX20_ENTRIES = 10000,		/* objects of one observed-data */
	STIX20_MARKINGS = 64,		/* on it */
	STIX20_SELECTORS = 1000,	/* of granular markings that are followed */
	STIX20_PATCH = 1000,		/* members that a residue restores */
	STIX20_COPIES = 32 << 20	/* bytes of observables in more than one observed-data: others stand
					 * in the first alone */
};

/* ---- stix20_words.c ---- */
/* The member that took over what `labels` said in 2.0 ("indicator_types"), NULL: none. */
const char	*stix20_types_member(struct slice type);
bool		 stix20_is_label(struct slice type, struct slice word);
/* What 2.0 gets as a label where it needs one. */
const char	*stix20_default_label(struct slice type);
/* The type came with 2.1. */
bool		 stix20_is_new_type(struct slice type);
/* The property of that type came with 2.1, and 2.0 gets it as x_tocsin_NAME. */
bool		 stix20_is_new(struct slice type, const char *name);
/* A member of an observable under its other name; NULL: it keeps it. */
const char	*stix20_renamed(struct slice type, const char *name, bool up);
/* A member of an observable, or of its extension `ext`, that 2.1 has no more. */
bool		 stix20_is_gone(struct slice type, const char *ext, const char *name);
/* A member whose members are named by others, so that "x_ref" is no reference. */
bool		 stix20_is_dictionary(const char *name);
/* A member that 2.0 requires and 2.1 does not, with what it gets; NULL at the end. */
struct stix20_need { const char *type, *name, *text; };
extern const struct stix20_need stix20_needs[];
/* The type that a step of an object path leads to ("binary_ref": file); NULL: unknown. */
const char	*stix20_step_type(struct slice step);

/* ---- stix20_pattern.c ---- */
/* The same pattern in the other version; `text` itself if nothing in it changed. false: 2.0 has no such
 * pattern (EXISTS). What cannot be read stays as it is. */
bool		 stix20_pattern(struct arena *mem, struct slice text, bool up, struct slice *out);

/* ---- stix20_rest.c ---- */
/* How `wanted` differs from `native`, member by member; NULL: not at all. */
json		*stix20_diff(struct arena *mem, const json *native, const json *wanted);
/* The hash by which a value is known again. */
const char	*stix20_hash(struct arena *mem, const json *value);
/* Put that into `native`. False if a part of it was not taken because it would weaken a label. */
bool		 stix20_patch(struct arena *mem, json *native, const json *patch);
/* The same, for an observable packed with others: it may turn out to have no markings of its own. */
bool		 stix20_patch_packed(struct arena *mem, json *native, const json *patch);
/* The same, for an observed-data: what its objects were marked with stands with them. */
bool		 stix20_patch_emptied(struct arena *mem, json *native, const json *patch,
		    const json *before);
/* Mark the leaves of `from` for the account: `patch` says which were not said natively in `to`. */
struct ledger;
void		 stix20_account(struct ledger *l, const json *from, const json *to, const json *patch,
		    bool dropped);

/* ---- stix20_markings.c ---- */
/* "labels.[1]" is "indicator_types.[0]": the selector in the other version, into `out`. */
typedef void	 stix20_selector_fn(void *ctx, struct slice selector, json *out);
/* Rewrite all selectors of all granular markings; one that says nothing any more selects "id". */
void		 stix20_selectors(struct stix20 *c, json *o, stix20_selector_fn *fn, void *ctx);
/* TLP ids in those of TLP 1.0; AMBER+STRICT is RED. Markings by language go. */
void		 stix20_markings_down(struct stix20 *c, json *o);

/* ---- stix20_up.c, stix20_down.c: all but observed-data with what it holds ---- */
json		*stix20_up_core(struct stix20 *c, const json *from);
json		*stix20_down_core(struct stix20 *c, const json *from);
/* True for an indicator that 2.0 has no such pattern for. */
bool		 stix20_is_unsayable(struct arena *mem, const json *indicator);
/* With residue: what comes goes back the way it came. */
json		*stix20_up(struct stix20 *c, const json *from, bool *weaker);
json		*stix20_down(struct stix20 *c, const json *from);
/* Take our extension out of an object of 2.1 and return it (the member `stix20`), or NULL. */
json		*stix20_take_rest(json *o);
void		 stix20_put_rest(struct stix20 *c, json *o, json *rest);
/* Where 2.0 finds the observable of that id: the observed-data that holds it, or would. */
struct slice	 stix20_home_of(struct stix20 *c, struct slice sco_id);
bool		 stix20_is_sco_id(struct slice id);
bool		 stix20_is_sco(const json *tree);
/* Rewrite what the members *_ref and *_refs name; an empty result takes it out. */
typedef struct slice stix20_ref_fn(void *ctx, struct slice id);
void		 stix20_refs(struct arena *mem, json *node, stix20_ref_fn *fn, void *ctx);
/* Move all members of `from` behind those of `to`. */
void		 stix20_move_members(json *to, json *from);

/* ---- stix20_sco.c: one observable; references stay as they are ---- */
json		*stix20_sco_up(struct arena *mem, const json *from);
json		*stix20_sco_down(struct arena *mem, const json *from);

/* ---- stix20_unpack.c: observed-data of 2.0 taken apart ---- */
struct stix20_entry {
	const char	*key;
	const json	*from;		/* in `objects`; NULL: made here, of a process' name */
	json		*plain;		/* `from` without residue and x_tocsin_id */
	json		*core;		/* in 2.1, with keys as references */
	json		*native;	/* with ids, and markings */
	json		*to;		/* the same, with what had come down with it */
	json		*rest;		/* that: its x_tocsin_stix21 */
	json		*diff;		/* what does not come back by itself */
	struct slice	 id;
	bool		 told;		/* by x_tocsin_id */
	bool		 own;		/* has the id made of observed-data and key */
	bool		 marked;	/* by more than what holds for the whole observed-data */
	bool		 forced;	/* because another object has its own */
	bool		 busy;
};
struct stix20_unpacked {
	json			*od;
	json			*before;	/* its markings, but for those of its objects */
	json			*diff;		/* of the observed-data, without its objects */
	struct stix20_entry	*v;
	size_t			 n, cap;
	struct idmap		 keys;
	bool			 generated;	/* 2.1 has no such observed-data */
	bool			 weaker;	/* a residue would have weakened a label */
};
/* `taken`: does another object of the message have this id and other content? NULL: nobody asks. */
typedef bool	stix20_taken_fn(void *ctx, struct slice id, const json *tree);
int		stix20_unpack(struct stix20 *c, const json *from, stix20_taken_fn *taken, void *ctx,
		    struct stix20_unpacked *out, struct err *e);
/* The same, with residue: the observed-data and its observables as they are in 2.1. */
int		stix20_up_observed(struct stix20 *c, const json *from, stix20_taken_fn *taken,
		    void *ctx, struct stix20_unpacked *out, struct err *e);
/* "TYPE--UUID" of the observed-data's id and the key. */
struct slice	stix20_own_id(struct arena *mem, struct slice od_id, const char *key, struct slice type);
/* "observed-data--UUID" for what holds the observable of that id and has no name of its own. Where the id
 * is the one that the content gives (tree NULL: as far as can be seen) it can be turned back; no one can
 * make an observable that takes the place of somebody's observed-data. */
struct slice	stix20_generated_id(struct arena *mem, struct slice sco_id, const json *tree);
struct slice	stix20_turned_id(struct arena *mem, struct slice type, struct slice od_id);

/* ---- stix20_pack.c: and put together ---- */
/* The observed-data with its observables (c->sco) in `objects`. */
json		*stix20_pack(struct stix20 *c, const json *from);
/* One made for this observable, and for what it refers to. */
json		*stix20_pack_alone(struct stix20 *c, struct stix20_sco *sco);
/* Give c->sco its index. */
void		 stix20_index(struct stix20 *c);

/* ---- stix20_read.c, stix20_write.c: documents, for the registry ---- */
int		stix20_read(const struct read_job *job, struct arena *mem, struct advisory *adv,
		    struct err *e);
int		stix20_count(const struct read_job *job, struct arena *mem, size_t *n, struct err *e);
int		stix20_write(const struct write_job *job, struct arena *mem, struct strbuf *out,
		    struct err *e);

#endif
