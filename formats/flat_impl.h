/*
 * flat_impl.h -- what the files behind flat.h share.
 *
 * Owns:    the state of a run; the bounds of a record's texts.
 * Called:  by flat*.c only.
 * Never:   included by anyone else.
 */
#ifndef FORMATS_FLAT_IMPL_H
#define FORMATS_FLAT_IMPL_H

#include "formats/flat.h"
#include "formats/pattern.h"
#include "gateway/base/json.h"

struct loss;

/* An object repeats its texts in every record, so that they are cut: a pattern of 25,000 addresses
 * must not become 25,000 copies of itself. */
enum {
	FLAT_NAME_MAX = 300, FLAT_TEXT_MAX = 2000, FLAT_LIST_MAX = 1000, FLAT_PATTERN_MAX = 4096,
	FLAT_CONTEXT_MAX = 600, FLAT_BRIEF_MAX = 200,	/* description behind a longer pattern */
	FLAT_VALUE_MAX = 8192
};

/* Where records of one object go. */
struct flat_reading {
	struct arena		*mem;
	struct flat_list	*out;
	struct loss		*loss;
	struct flat_record	 common;	/* what all of them have in common */
	struct slice		 id;		/* for the account */
};

/* One leaf: a record for a value, canonical by now. */
struct flat_record	*flat_add(struct flat_reading *r, enum flat_type type, struct slice value);
/* Add a value of an object's property in whatever spelling; false (and told) if it is none. */
bool	flat_add_value(struct flat_reading *r, enum flat_type type, struct slice value,
	    struct flat_record **added);
void	flat_skip(struct flat_reading *r, const char *path, const char *why);
/* An address, a network or a name: which? false if it is none. */
bool	flat_host(struct slice s, struct arena *mem, enum flat_type *type, struct slice *out);
/* "SHA-256" of files, or of certificates. -1: no type of ours. */
int	flat_hash_type(struct slice name, bool certificate);

/* How telling a value is, from 0 (a file name) to 3 (a hash). */
int	flat_rank(enum flat_type type);

/* All records of a pattern (flat_leaf.c) and of an observable (flat_sco.c). */
void	flat_read_pattern(struct flat_reading *r, const struct pat_node *p);
void	flat_read_observable(struct flat_reading *r, const json *tree);
bool	flat_is_observable(struct slice type);
/* IntelMQ's words for a record (flat_words.c). */
void	flat_classify(struct flat_record *r, const struct flat_links *l);

/* Text cut to `max` bytes at a character. */
struct slice	flat_cut(struct slice s, size_t max);

/* --- writing -------------------------------------------------------------------------------- */

struct flat_run {
	const struct flat_output *o;
	const struct flat_job	*job;
	flat_told_fn		*told;
	void			*arg;
	uint64_t		 count[FLAT_VERDICTS];
	struct flat_seen	*seen;		/* what was written once (flat_seen.c) */
	bool			 any;		/* FLAT_OBJECTS: one is written */
};

struct flat_seen	*flat_seen_new(void);
void			 flat_seen_free(struct flat_seen *s);
/* True if it was there already. */
bool			 flat_seen_add(struct flat_seen *s, const char *kind, struct slice value);
/* A Suricata sid for a rule: from its text alone, the next free one if another has it. */
uint32_t		 flat_seen_sid(struct flat_seen *s, uint32_t base, const char *form,
			    struct slice value);

/* A text on one line: controls and what reorders text become blanks; at most `max` bytes. */
void	flat_line(struct strbuf *out, struct slice s, size_t max);
/* It holds a control character, or is no UTF-8: no line of a list can hold it. */
bool	flat_is_odd(struct slice s);
/* The pieces of a canonical http or https URL; false for others. `host` without brackets. */
struct flat_url {
	struct slice	scheme, host, port, path;	/* path with its query, "/" at least */
	bool		six;
};
bool	flat_url_split(struct slice url, struct flat_url *out);
/* Letters, digits, - and _ in at least two labels. */
bool	flat_is_hostname(struct slice s);

/* The outputs (flat_table.c, flat_text.c, flat_zeek.c, flat_rules.c, flat_bundle.c). */
void	flat_csv_head(struct flat_run *run, struct strbuf *out);
bool	flat_csv_record(struct flat_run *run, const struct flat_record *r, struct strbuf *out);
bool	flat_jsonl_record(struct flat_run *run, const struct flat_record *r, struct strbuf *out);
bool	flat_txt_record(struct flat_run *run, const struct flat_record *r, struct strbuf *out);
void	flat_hosts_head(struct flat_run *run, struct strbuf *out);
bool	flat_hosts_record(struct flat_run *run, const struct flat_record *r, struct strbuf *out);
bool	flat_dataset_record(struct flat_run *run, const struct flat_record *r, struct strbuf *out);
bool	flat_cdb_record(struct flat_run *run, const struct flat_record *r, struct strbuf *out);
void	flat_zeek_head(struct flat_run *run, struct strbuf *out);
bool	flat_zeek_record(struct flat_run *run, const struct flat_record *r, struct strbuf *out);
void	flat_rules_head(struct flat_run *run, struct strbuf *out);
bool	flat_rules_record(struct flat_run *run, const struct flat_record *r, struct strbuf *out);
void	flat_bundle_head(struct flat_run *run, struct strbuf *out);
void	flat_bundle_object(struct flat_run *run, const struct object *o, struct strbuf *out);
void	flat_bundle_tail(struct flat_run *run, struct strbuf *out);

#endif
