/*
 * flat.h -- one value a record: what SOC tools read that know neither TAXII nor STIX.
 *
 *	struct object --flat_read--> records --flat_run_add--> csv, jsonl, txt, hosts, rules, ...
 *	indicator      one a value    |                one row of flat_outputs[] each
 *	                              `--- guards: revoked, expired, warning list, TLP, said already
 *
 * Owns:    struct flat_record; its reader (flat_read.c, flat_leaf.c, flat_sco.c), who is who around an
 *          object (flat_index.c), the table of outputs (flat.c and a file each) and what keeps a record
 *          out.
 * Called:  by the feeds, and by `tocsin convert --to csv|jsonl|txt|...`.
 * Never:   decides who may read a record (policy did), asks for the time, or writes a value that it
 *          did not make canonical (value.h): a defanged one never gets out.
 *
 * The way back does not exist: a record says less than its indicator did.
 */
#ifndef FORMATS_FLAT_H
#define FORMATS_FLAT_H

#include "formats/object.h"

struct arena;
struct loss;
struct strbuf;
struct warnlist;

enum flat_type {
	FLAT_IPV4, FLAT_IPV4_NET, FLAT_IPV6, FLAT_IPV6_NET, FLAT_DOMAIN, FLAT_URL, FLAT_EMAIL,
	FLAT_MD5, FLAT_SHA1, FLAT_SHA256, FLAT_SHA512, FLAT_SSDEEP, FLAT_TLSH, FLAT_FILENAME,
	FLAT_REGKEY, FLAT_MUTEX, FLAT_ASN, FLAT_MAC, FLAT_USERAGENT, FLAT_CERT_SHA1,
	FLAT_CERT_SHA256, FLAT_USER, FLAT_CVE,
	FLAT_PATTERN,			/* the whole pattern, of a language other than STIX */
	FLAT_TYPES
};
#define FLAT_BIT(t)	(UINT32_C(1) << (t))

enum flat_role { FLAT_ROLE_UNKNOWN, FLAT_SOURCE, FLAT_DESTINATION };

/* One value and what is known about it. Empty slices: nothing is. `;` joins lists. Everything is
 * borrowed from the object or lives in the arena of flat_read. */
struct flat_record {
	struct slice	id, version;	/* of the STIX object */
	bool		indicator;	/* false: an observable, which accuses nobody */
	bool		revoked;
	enum flat_type	type;
	struct slice	value;		/* canonical; domains and hosts in ASCII (A-labels) */
	struct slice	unicode;	/* the domain as people read it, if that differs */
	enum flat_role	role;
	int		port;		/* -1: none */
	struct slice	protocol;	/* "tcp", of network traffic */
	struct slice	context;	/* the other tests that must hold too, as a pattern */
	bool		part;		/* one of those is more telling: nothing to block alone */
	struct slice	name, description, indicator_types, labels;
	struct slice	malware, threat_actor, campaign, attack_pattern;	/* names */
	struct slice	kill_chain;	/* chain:phase */
	int		confidence;	/* 0..100; -1: not said */
	enum tlp	tlp;		/* resolved: what holds, not only what is written */
	enum pap	pap;
	struct slice	valid_from, valid_until, created, modified, first_seen, last_seen;
	struct slice	valid_until_key;	/* instant key (clock.h); empty: no end */
	struct slice	source;		/* name of the creator; its id if the name is unknown */
	struct slice	source_url;	/* first URL of its external references */
	struct slice	references;	/* "source_name:external_id" of them */
	struct slice	report;		/* name of a report or grouping that holds it, else its id */
	struct slice	pattern;	/* as written */
	const char	*classification, *taxonomy;	/* IntelMQ's words */
};

struct flat_list {
	struct flat_record	*v;
	size_t			 n, cap;
	size_t			 skipped;	/* tests that are no values of a block list */
	const struct object	*object;
};

/* What others say about an object, names and joined lists; all may stay empty. */
struct flat_links {
	struct slice	malware, threat_actor, campaign, attack_pattern, report;
	struct slice	first_seen, last_seen;	/* of sightings */
	bool		c2, anonymization, vulnerability;
};

/* Whom the reader asks about other objects. Each function may be NULL: nothing is known then. */
struct flat_look {
	void		*ctx;
	/* The name of an identity; empty if unknown. */
	struct slice	(*name)(void *ctx, struct slice id);
	/* The level that holds for an object (policy's, if it carries none); NULL: o->tlp. */
	enum tlp	(*tlp)(void *ctx, const struct object *o);
	/* What is said about an object elsewhere; made in `mem`. */
	void		(*links)(void *ctx, const struct object *o, struct arena *mem,
			    struct flat_links *out);
};

/* Append the records of one object: an indicator (a record a value) or an observable; nothing for
 * other types. Needs o->tree or o->bytes. Tests that say no value are left out, counted and named in
 * `loss` (NULL is fine): NOT, !=, LIKE, MATCHES, <, >, values behind other references, patterns in
 * time. False if the object is no such thing at all. */
bool	flat_read(const struct object *o, const struct flat_look *look, struct arena *mem,
	    struct flat_list *out, struct loss *loss);

/* A flat_look over objects that went by: names, what is related by `indicates`, who is in a report.
 * Heap; at most `max` entries (0: 200,000), what comes later is not known. Strings are copied. Whatever
 * is added may show in a record: show it only what the reader of the records may see. */
struct flat_index;
struct flat_index	*flat_index_new(size_t max);
void			 flat_index_free(struct flat_index *x);
void			 flat_index_add(struct flat_index *x, const struct object *o);
struct flat_look	 flat_index_look(const struct flat_index *x);

/* --- outputs -------------------------------------------------------------------------------- */

/* Why a record is not in an output. */
enum flat_verdict {
	FLAT_WRITTEN,
	FLAT_CANNOT,		/* the output has no words for this type or value */
	FLAT_REVOKED, FLAT_EXPIRED,
	FLAT_WARNED,		/* on the warning list */
	FLAT_LABEL,		/* RED or AMBER+STRICT, and this goes into a device */
	FLAT_OBSERVED,		/* an observable where only indicators belong */
	FLAT_PART,		/* counts only together with a more telling test of its pattern */
	FLAT_AGAIN,		/* an earlier record said the same */
	FLAT_VERDICTS
};
const char	*flat_verdict_word(enum flat_verdict v);	/* "written", "revoked", ... */
const char	*flat_verdict_telling(enum flat_verdict v);	/* a clause for people */

struct flat_job {
	const char		*title;		/* of the feed, for heads and Zeek's meta.source */
	struct slice		 now_key;	/* instant key; empty: nothing expires */
	const struct warnlist	*warn;		/* NULL: no guard */
	bool			 excel_safe;	/* csv: ' in front of = + - @ TAB CR */
	bool			 observables;	/* csv and jsonl: observables too */
	bool			 red;		/* RED and AMBER+STRICT into block lists too */
	bool			 keep_ended;	/* revoked and expired ones too (csv, jsonl, stix) */
	uint32_t		 sid_base;	/* Suricata; 0: 1,000,000,000 */
};

enum flat_style {
	FLAT_RECORDS,		/* every record (csv, jsonl) */
	FLAT_BLOCK,		/* a list for a device: each line once, TLP guard */
	FLAT_OBJECTS		/* the objects themselves */
};

struct flat_run;		/* one output being written */

struct flat_output {
	const char	*name;		/* "suricata": in config and for `convert --to` */
	const char	*ending;	/* "rules": of /feeds/NAME.rules; unique */
	const char	*media_type;
	const char	*help;
	enum flat_style	 style;
	uint32_t	 types;		/* FLAT_BIT of what it has words for */
	void		(*head)(struct flat_run *run, struct strbuf *out);	/* or NULL */
	/* Append the lines of a record; false (nothing appended) if it has no words for it. */
	bool		(*record)(struct flat_run *run, const struct flat_record *r,
			    struct strbuf *out);
	void		(*tail)(struct flat_run *run, struct strbuf *out);	/* or NULL */
};

extern const struct flat_output flat_outputs[];		/* ends with a NULL name */
/* "ipv4.txt"; or by name: "zeek" is "intel"; or NULL. */
const struct flat_output *flat_output_by_ending(struct slice ending);
/* By name and, for names with several endings, "txt:ipv4". */
const struct flat_output *flat_output_find(struct slice name);

/* Told of each record that is kept out (why: the reason of the warning list, or NULL). */
typedef void	flat_told_fn(void *arg, const struct flat_record *r, enum flat_verdict v,
		    const char *why);

/* `job` is borrowed. Heap; remembers what it has written once (16 bytes a value). */
struct flat_run	*flat_run_new(const struct flat_output *o, const struct flat_job *job);
void		 flat_run_free(struct flat_run *run);
void		 flat_run_tell(struct flat_run *run, flat_told_fn *told, void *arg);
void		 flat_run_head(struct flat_run *run, struct strbuf *out);
/* Judge and append the records of one object (flat_read); how many were written. FLAT_OBJECTS: the
 * object, if none of its records is kept out; pass lists without records too (identities,
 * markings, relationships). */
size_t		 flat_run_add(struct flat_run *run, const struct flat_list *l,
		    struct strbuf *out);
void		 flat_run_tail(struct flat_run *run, struct strbuf *out);
/* How many records (FLAT_OBJECTS: objects) ended so. */
uint64_t	 flat_run_count(const struct flat_run *run, enum flat_verdict v);

/* The fields of CSV and JSON lines as a table for conf/README.md. */
void		 flat_print_dictionary(struct strbuf *out);

const char	*flat_type_word(enum flat_type t);		/* "ipv4-net" */
int		 flat_type_find(struct slice word);		/* or -1 */
const char	*flat_role_word(enum flat_role r);		/* "source"; "" for unknown */

#endif
