/*
 * mapped_impl.h -- what the files of `mapped` share: a compiled mapping, records and facts.
 *
 * Owns:    the structs between mapped_file.c (which compiles them) and the readers and writers.
 * Called:  by formats/mapped*.c only.
 * Never:   included from elsewhere; mapped.h is the door.
 *
 *	mapped_file.c, mapped_field.c, mapped_path.c	mapping file -> struct mapping
 *	mapped_target.c, mapped_value.c			targets, kinds of values
 *	mapped_zone.c, mapped_time.c			time zones; dates in the mapping's forms
 *	mapped_row.c, mapped_back.c			one row, forwards and backwards
 *	mapped_transform.c, mapped_number.c, mapped_regex.c	what a row does to a text
 *	mapped_csv.c, mapped_json.c, mapped_xml.c	records in and out
 *	mapped_encoding.c				what a CSV file is written in
 *	mapped_build.c, mapped_observe.c		facts -> STIX objects
 *	mapped_facts.c, mapped_graph.c			STIX objects -> facts
 *	mapped_pattern.c				facts <-> patterns
 *	mapped_read.c, mapped_record.c, mapped_residue.c	a whole input, a record, what is left of it
 *	mapped_finish.c, mapped_write.c, mapped_cells.c	a whole advisory in and out
 *	mapped_check.c					what `tocsin mapping check` shows
 *
 * A *cell* is what stands at one path of a record: a JSON node whatever the format (a string, for CSV
 * and XML; a list of strings where an XML path matches several nodes). A *fact* is the normalised
 * text of one target.
 */
#ifndef FORMATS_MAPPED_IMPL_H
#define FORMATS_MAPPED_IMPL_H

#include "formats/idmap.h"
#include "formats/mapped.h"
#include "gateway/base/arena.h"
#include "gateway/base/codec.h"
#include "gateway/base/json.h"
#include "gateway/base/strbuf.h"

#define MAPPED_EXTENSION "extension-definition--5b39d042-93f7-445d-853d-1c1ea7465343"

enum {
	MAPPED_ROWS_MAX		= 400,		/* of one record */
	MAPPED_COLUMNS_MAX	= 2000,		/* of a CSV header */
	MAPPED_TEXTS_MAX	= 10000,	/* values of one field of one record */
	MAPPED_DEPTH_MAX	= 64,		/* of JSON residue and XML records */
	MAPPED_TRANSFORMS_MAX	= 8,
	MAPPED_FIELDS_MAX	= 1000		/* of one record in the residue */
};

/* ---- targets (mapped_target.c) ---------------------------------------------------------------- */

enum map_target {
	T_NONE,
	/* the pattern of an indicator, the observables of observed-data and reports */
	T_TYPE, T_VALUE, T_ROLE, T_PORT, T_PROTOCOL, T_PATTERN, T_PATTERN_TYPE,
	T_IP, T_IPV4, T_IPV6, T_DOMAIN, T_URL, T_EMAIL, T_FILE_NAME, T_FILE_SIZE, T_FILE_MD5,
	T_FILE_SHA1, T_FILE_SHA256, T_FILE_SHA512, T_FILE_SSDEEP, T_USER, T_ASN, T_MAC, T_REGKEY,
	T_MUTEX, T_USER_AGENT,
	T_TRAFFIC_SRC, T_TRAFFIC_SRC_PORT, T_TRAFFIC_DST, T_TRAFFIC_DST_PORT, T_TRAFFIC_PROTOCOL,
	T_TRAFFIC_SRC_BYTES, T_TRAFFIC_DST_BYTES,
	/* properties */
	T_NAME, T_DESCRIPTION, T_INDICATOR_TYPES, T_LABELS, T_KILL_CHAIN, T_CONFIDENCE, T_TLP, T_LANG,
	T_VALID_FROM, T_VALID_UNTIL, T_CREATED, T_MODIFIED, T_FIRST_OBSERVED, T_LAST_OBSERVED,
	T_NUMBER_OBSERVED, T_PUBLISHED, T_SOURCE_URL, T_EXTERNAL_ID, T_ID,
	/* other objects */
	T_MALWARE, T_THREAT_ACTOR, T_CAMPAIGN, T_ATTACK_PATTERN, T_VULNERABILITY, T_REPORT,
	T_CREATOR_NAME, T_CREATOR_EMAIL, T_CREATOR_PHONE,
	T_X,			/* x:NAME, only in the residue */
	TARGETS
};

/* How the text of a target is checked and made canonical. */
enum map_norm {
	NORM_RAW, NORM_LINE, NORM_TEXT, NORM_COUNT, NORM_PORT, NORM_PERCENT, NORM_TLP, NORM_TIME,
	NORM_LOWER, NORM_IP, NORM_IPV4, NORM_IPV6, NORM_DOMAIN, NORM_URL, NORM_EMAIL, NORM_MAC,
	NORM_ASN, NORM_REGKEY, NORM_MD5, NORM_SHA1, NORM_SHA256, NORM_SHA512, NORM_CVE, NORM_ROLE,
	NORM_PROTOCOL
};

/* LIST: several facts; NUMBER: a number in JSON; PATTERN: part of an indicator's pattern; ARRAY: a list
 * in JSON even when there is one. */
enum { TARGET_LIST = 1, TARGET_NUMBER = 2, TARGET_PATTERN = 4, TARGET_ARRAY = 8 };

struct map_target_info {
	const char	*name;
	enum map_norm	 norm;
	int		 flags;
};

extern const struct map_target_info map_targets[TARGETS];
/* T_NONE if there is no such target; "x:NAME" gives T_X. */
enum map_target	 map_target_find(struct slice word);
/* The canonical text of a value for a target; ERR_VALUE with a reason if it is none. */
int		 map_normalise(enum map_target t, struct slice s, struct arena *mem,
		    struct slice *out, struct err *e);

struct texts {
	struct slice	*v;
	size_t		 n, cap;
};

struct facts {
	struct texts	t[TARGETS];
};

void		 texts_add(struct texts *t, struct arena *mem, struct slice s);
/* The first text, or the empty slice. */
struct slice	 fact_one(const struct facts *f, enum map_target t);

/* ---- time (mapped_zone.c, mapped_time.c) ------------------------------------------------------ */

/* Days since 1970 of a civil date. */
int64_t		 map_days_of(int64_t year, int month, int day);

struct map_zone;
/* "+01:00", "Z", "UTC" or an IANA name; NULL and *e if there is none such. */
struct map_zone	*map_zone_load(struct slice word, struct arena *mem, struct err *e);
/* Seconds since 1970 of a local time given as if it were UTC. A time that a clock change skips is
 * read with the offset before the change, one that comes twice is the first. */
int64_t		 map_zone_to_utc(const struct map_zone *z, int64_t local);
/* Seconds east of Greenwich at an instant. */
int32_t		 map_zone_offset(const struct map_zone *z, int64_t utc);

enum map_time_form { TIME_NONE, TIME_FORMAT, TIME_RFC3339, TIME_EPOCH, TIME_EPOCH_MS };
struct map_time {
	enum map_time_form	 form;
	struct slice		 format;
	struct map_zone		*zone;		/* NULL: UTC */
};
/* NULL if the format can be used, else the reason. */
const char	*map_time_check(struct slice format);
/* UTC text in STIX form with the fraction digits of the source. */
bool		 map_time_read(const struct map_time *t, struct slice s, struct arena *mem,
		    struct slice *utc);
bool		 map_time_write(const struct map_time *t, struct slice utc, struct arena *mem,
		    struct slice *out);

/* ---- numbers (mapped_number.c) ---------------------------------------------------------------- */

/* A number in the text's own form: decimal sign, groups of digits, a scale. */
struct map_number {
	bool		 used;
	char		 decimal;
	int64_t		 times;		/* what it is multiplied with: times / 10^scale */
	unsigned	 scale;
};

/* "1.234,5" -> "123450" with times 100: a whole number, rounded. False if it is no number. */
bool		 map_number_read(const struct map_number *n, struct slice s, struct arena *mem,
		    struct slice *out);
bool		 map_number_write(const struct map_number *n, struct slice s, struct arena *mem,
		    struct slice *out);

/* ---- the compiled mapping (mapped_file.c) ----------------------------------------------------- */

enum map_format { MAP_CSV, MAP_JSON, MAP_JSONL, MAP_XML };
enum map_encoding { ENC_UTF8, ENC_LATIN1, ENC_CP1252, ENC_LATIN9, ENC_UTF16 };
enum map_object {
	OBJ_INDICATOR, OBJ_OBSERVED, OBJ_REPORT, OBJ_INCIDENT, OBJ_VULNERABILITY, OBJ_MALWARE,
	OBJ_THREAT_ACTOR, OBJ_IDENTITY, MAP_OBJECTS
};
extern const char *const map_object_type[MAP_OBJECTS + 1];	/* STIX types, NULL at the end */
enum map_unknown { UNKNOWN_PASS, UNKNOWN_REJECT, UNKNOWN_RESIDUE };

struct xml_step {
	enum { STEP_CHILD, STEP_ATTR, STEP_SELF, STEP_PARENT } kind;
	bool		 any;		/* `*` */
	struct slice	 prefix, ns, name;
	size_t		 index;		/* [n], 0 = none */
	struct slice	 attr_ns, attr_prefix, attr, attr_value; /* [@k='v'], attr.n 0 = none */
};

/* Where a cell lies in a record. */
struct map_path {
	struct slice	 text;		/* as written: also the name in the residue */
	size_t		 column;	/* csv: index into mapping.columns */
	unsigned	 up;		/* json: how many "../" */
	struct slice	*tokens;	/* json: unescaped */
	struct xml_step	*steps;		/* xml */
	size_t		 n;		/* tokens or steps */
};

struct map_pair {
	struct slice	from, to;
};

struct map_part {			/* of a template */
	enum { PART_TEXT, PART_VALUE, PART_PATH } kind;
	struct slice	 text;
	struct map_path	 path;
};

typedef bool (*map_transform_fn)(struct arena *mem, struct slice in, struct slice *out);
struct map_transform {
	const char		*name;
	map_transform_fn	 forth, back;	/* NULL: as it is */
};
extern const struct map_transform map_transforms[];	/* ends with a NULL name */

struct map_when {
	struct map_path	 path;
	enum { WHEN_IN, WHEN_NOT_IN, WHEN_PRESENT, WHEN_ABSENT } test;
	struct slice	*words;
	size_t		 nwords;
};

struct map_row {
	uint32_t	 line;		/* in the mapping file */
	bool		 is_const;
	struct slice	 constant;
	struct map_path	 source;
	enum map_target	 target;
	struct slice	 x_name;	/* of x:NAME */
	const struct map_transform *transforms[MAPPED_TRANSFORMS_MAX];
	size_t		 ntransforms;
	struct slice	 split, join;	/* n 0 = none */
	struct map_regex	*regex;	/* NULL: none */
	struct map_number	 number;
	bool		 conditional;
	struct map_when	 only;
	struct map_pair	*pairs;
	size_t		 npairs, pairs_cap;
	enum map_unknown unknown;
	struct map_time	 time;
	struct map_part	*parts;		/* template */
	size_t		 nparts, parts_cap;
	bool		 has_default, required;
	struct slice	 fallback;
};

struct map_record {
	enum map_object	 object;
	uint32_t	 line;		/* of its section in the mapping file */
	struct slice	 name;		/* `as NAME`: whose children lie below it */
	struct map_path	 at;		/* children: relative to the parent */
	struct map_path	*keys;
	size_t		 nkeys;
	struct map_when	*whens;
	size_t		 nwhens, whens_cap;
	struct map_row	*rows;
	size_t		 nrows, rows_cap;
	struct map_record *children;
	size_t		 nchildren, children_cap;
};

struct map_ns {
	struct slice	prefix, uri;
};

struct mapping {
	struct slice	 name;
	int64_t		 version;
	enum map_format	 format;
	char		 delimiter, quote;
	bool		 header;
	struct slice	 comment;
	enum map_encoding encoding;
	size_t		 skip;
	struct slice	*columns;	/* csv: every column that some path names */
	size_t		 ncolumns, columns_cap;
	struct slice	*layout;	/* csv: columns in the order of the file; 0 = from the header */
	size_t		 nlayout;
	struct map_path	 records;	/* json, xml: absolute */
	struct map_ns	*namespaces;
	size_t		 nnamespaces, namespaces_cap;
	struct slice	 producer_name, producer_class, producer_id, producer_since;
	struct slice	 container, container_name;	/* "report", "grouping" or empty */
	struct facts	 defaults;
	bool		 valid_from_now;	/* default valid_from: `received`, not the record's time */
	bool		 no_residue;
	struct map_record record;
};

/* Parse a path as the mapping's format writes them. -1 and *e if it is none. */
int	map_path_parse(struct mapping *m, struct slice text, struct arena *mem,
	    struct map_path *out, struct err *e);

/* ---- rows (mapped_row.c) ---------------------------------------------------------------------- */

struct mapped_record;
/* Cells of other fields, for templates; NULL context: templates with {path} cannot be made. */
typedef json *(*map_cell_fn)(void *ctx, const struct map_path *path);

/* Does a field, that `other` gives, meet the condition? */
bool	map_when_holds(const struct map_when *w, map_cell_fn other, void *ctx, struct arena *mem);
/* The row has a say: its condition, if it has one, is met. */
bool	map_row_applies(const struct map_row *row, map_cell_fn other, void *ctx,
	    struct arena *mem);
/* From one cell to the facts of its target. `cell` may be NULL (absent). *left is set when the value
 * stays in the residue only. */
int	map_row_forth(const struct map_row *row, const json *cell, map_cell_fn other, void *ctx,
	    struct arena *mem, struct facts *f, bool *left, struct err *e);
/* Defaults of the mapping for targets without a fact. */
void	map_defaults(const struct mapping *m, struct arena *mem, struct facts *f);
/* From the facts back to one cell a row; NULL = nothing to say. cells has def->nrows places. */
void	map_rows_back(const struct mapping *m, const struct map_record *def, const struct facts *f,
	    struct arena *mem, json **cells);
/* Can the row say this fact? */
bool	map_row_says(const struct map_row *row, struct slice fact, struct arena *mem);
/* Rows with the same group share their fate: all from the residue or none. */
int	map_group(const struct map_record *def, const struct map_row *row);
/* The texts of a cell: strings, numbers and booleans; lists of them. false if it holds more. */
bool	map_cell_texts(const json *cell, struct arena *mem, struct texts *out);

/* ---- values and patterns (mapped_value.c) ----------------------------------------------------- */

struct map_atom {			/* one value of an indicator */
	struct slice	type;		/* flat type: "ipv4", "ipv4-net", ... */
	struct slice	value;
	struct slice	role, port, protocol;
};

/* Is this a word for a kind of value, detecting kinds included? */
bool	map_kind_known(struct slice kind);
/* The detecting kind (or flat type) `kind` may stand for the flat type `type`. */
bool	map_kind_covers(struct slice kind, struct slice type);
/* Find type and canonical value of a text of that kind; fills port of addr:port. */
int	map_value_parse(struct slice kind, struct slice text, struct arena *mem,
	    struct map_atom *out, struct err *e);
/* The pattern of the facts; n 0 and *e if they make none. */
int	map_pattern_build(const struct facts *f, struct arena *mem, struct slice *out,
	    struct err *e);
/* Take a pattern apart into facts (named targets) and atoms (type/value). Returns the atoms;
 * *exact is false if some of the pattern is in neither. */
size_t	map_pattern_facts(struct slice pattern, struct arena *mem, struct facts *f,
	    struct map_atom **atoms, bool *exact);
/* The observable of a flat type, with its id; NULL for types that are none. */
json	*map_observable(struct arena *mem, struct slice type, struct slice value);
/* The flat type of a named target ("ipv4" of T_IPV4; T_IP by its value), empty if none. */
struct slice map_flat_type(enum map_target t, struct slice value);
/* type and value of an observable with a flat type; *node (if not NULL) is the property. */
bool	map_observable_value(const json *sco, struct arena *mem, struct slice *type,
	    struct slice *value, const json **node);

/* ---- a set of STIX objects (mapped_graph.c) --------------------------------------------------- */

struct map_graph {
	struct arena	*mem, *scratch;	/* scratch: for the facts of one object */
	json		**v;		/* in order of arrival */
	size_t		 n, cap;
	struct idmap	 ids, rels;	/* id -> index; source_ref of relationships -> index */
	struct idmap	 members;	/* object_refs of reports -> index */
	const json	**seen;		/* nodes that a writer has used */
	size_t		 nseen, seen_cap;
	const bool	*wanted;	/* by target: whose nodes `seen` is about; NULL: keep nothing */
};

/* Add all, then settle, then ask. */
void	 map_graph_add(struct map_graph *g, json *tree);
void	 map_graph_settle(struct map_graph *g);
json	*map_graph_find(const struct map_graph *g, struct slice id);
/* The next relationship that starts at an object; *iter is 0 to begin with. NULL at the end. */
json	*map_graph_rel(const struct map_graph *g, struct slice source, size_t *iter);
/* The first report that holds an object, or NULL. */
json	*map_graph_holder(const struct map_graph *g, struct slice member);
/* A fact of target t came from this node. */
void	 map_graph_saw(struct map_graph *g, enum map_target t, const json *node);
/* Sort what was seen; then map_graph_was_seen may be asked. */
void	 map_graph_settle_seen(struct map_graph *g);
bool	 map_graph_was_seen(const struct map_graph *g, const json *node);

/* ---- building and taking apart (mapped_build.c, mapped_facts.c) ------------------------------- */

struct map_made {			/* what one record becomes */
	json		**v;		/* v[0] is the record's own object */
	size_t		 n, cap;
	enum tlp	 tlp;
	struct slice	 creator;	/* created_by_ref, or empty */
	struct slice	 created, modified;
};

struct map_build {
	const struct mapping	*map;
	const struct map_record	*def;
	struct arena		*mem, *scratch;
	struct slice		 received;
	const struct facts	*facts;
	const struct slice	*keys;		/* texts of the key fields */
	size_t			 nkeys;
	const struct map_made	*parent;	/* of a child record */
	const struct slice	*refs;		/* ids of child records */
	size_t			 nrefs;
};

/* Settle label, creator and times: what child records need to know. */
int		 map_build_begin(const struct map_build *b, struct map_made *out, struct err *e);
/* Make the objects of a record, without residue. */
int		 map_build(const struct map_build *b, struct map_made *out, struct err *e);
/* "TYPE--UUIDv5(inhouse|MAPPING|TYPE|part|part)". */
struct slice	 map_id(const struct mapping *m, struct arena *mem, const char *type,
		    const struct slice *parts, size_t n);
/* The producer's identity; NULL when the mapping names none, or only its id. */
json		*map_producer(const struct mapping *m, struct arena *mem, struct slice received);
struct slice	 map_producer_id(const struct mapping *m, struct arena *mem);
/* The named report or grouping around records; made lasts until the last record was added. */
json		*map_group_new(const struct mapping *m, struct arena *mem, const char *type,
		    struct slice name, const struct map_made *first);
void		 map_set_tlp(struct arena *mem, json *tree, enum tlp tlp);
enum tlp	 map_stricter(enum tlp a, enum tlp b);

/* Everything targets can say about an object. Returns the number of atoms of its pattern; *exact: the
 * atoms are all there is to it. */
size_t		 map_facts(struct map_graph *g, const struct mapping *m, json *tree,
		    struct facts *f, struct map_atom **atoms, bool *exact);
/* Put an atom into the facts type, value, role, port, protocol, as the rows of `def` need them. */
void		 map_atom_facts(const struct map_record *def, const struct map_atom *a,
		    struct arena *mem, struct facts *f);
/* The residue extension of an object, if it came through this mapping. */
json		*map_residue(const struct mapping *m, const json *tree);

/* ---- records in and out (mapped_csv.c, mapped_json.c, mapped_xml.c) --------------------------- */

struct mapped_record {
	const struct map_record	*def;
	struct mapped_record	*parent;
	struct err		 err;		/* place; code when the record cannot be read at all */
	struct slice		 text;		/* as it stood in the input, if it lies in one piece */
	size_t			 index;		/* from 0 */
	const char		*path;		/* "row[3]", "/data/items/2", "ticket[2]"; scratch */
	bool			*off;		/* rows of def that have no say */
	/* one of */
	struct slice		*cells;		/* csv */
	json			*node;		/* json */
	struct xml_node		*xml;
};

/* Residue being collected. */
struct map_fields {
	json	*o;		/* path -> value */
	size_t	 n;
	bool	 overflow;	/* there were more than MAPPED_FIELDS_MAX */
};
void	map_fields_add(struct map_fields *f, struct arena *mem, const char *path, json *value);

struct mapped_reader {
	const struct mapping	*map;
	const struct read_job	*job;
	struct arena		*mem;
	struct arena		*scratch;	/* gone with the record at hand */
	const struct mapped_input *input;
	void			*state;		/* of the input */
};

struct mapped_input {
	/* Set up, and read what stands before the records. -1: nothing can be read. */
	int	(*open)(struct mapped_reader *r, struct err *e);
	/* 1 = a record (its err.code set if it cannot be read), 0 = no more, -1 = cannot go on. */
	int	(*next)(struct mapped_reader *r, struct mapped_record *rec, struct err *e);
	/* The cell at a path; NULL if absent. `take`: it is now mapped, not left over. */
	json	*(*cell)(struct mapped_reader *r, struct mapped_record *rec,
		    const struct map_path *p, bool take);
	/* Put every leaf that no row has taken into `fields`, under its path. */
	void	(*rest)(struct mapped_reader *r, struct mapped_record *rec,
		    struct map_fields *fields);
	/* Records of a child definition. */
	size_t	(*children)(struct mapped_reader *r, struct mapped_record *rec,
		    const struct map_record *def, struct mapped_record **out);	/* NULL: none */
	/* Put the leaves outside of all records into `fields`. NULL: there are none. */
	void	(*outside)(struct mapped_reader *r, struct map_fields *fields);
};

struct mapped_writer {
	const struct mapping	*map;
	const struct write_job	*job;
	struct arena		*mem;
	struct strbuf		*out;
	void			*state;
};

struct mapped_cell {			/* of a record on its way out */
	struct slice		 path;		/* text of the path */
	const struct map_path	*row;		/* NULL: from the residue */
	json			*value;
};

struct mapped_row_out {
	const struct map_record	*def;
	struct mapped_cell	*v;
	size_t			 n, cap;
	struct mapped_row_out	*children;
	size_t			 nchildren, children_cap;
};

struct mapped_output {
	/* Begin, knowing all records (CSV needs their columns first). */
	int	(*open)(struct mapped_writer *w, const struct mapped_row_out *rows, size_t n,
		    struct err *e);
	/* -1: this record cannot be said (*e says why); the others can. */
	int	(*put)(struct mapped_writer *w, const struct mapped_row_out *row, struct err *e);
	void	(*close)(struct mapped_writer *w);
};

/* ---- encodings (mapped_encoding.c) ------------------------------------------------------------ */

/* Append s as UTF-8; false if it is not legal in that encoding. UTF-16 is taken apart before. */
bool	map_decode(enum map_encoding enc, struct slice s, struct strbuf *out);
/* Append UTF-8 text in the encoding; false if it cannot say it. UTF-16 is made afterwards. */
bool	map_encode(enum map_encoding enc, struct slice s, struct strbuf *out);
bool	map_utf16_read(struct slice s, struct arena *mem, struct slice *out);
void	map_utf16_write(struct strbuf *out, size_t start);

extern const struct mapped_input mapped_csv_in, mapped_json_in, mapped_jsonl_in, mapped_xml_in;
extern const struct mapped_output mapped_csv_out, mapped_json_out, mapped_jsonl_out, mapped_xml_out;

/* ---- reading and writing a whole input (mapped_read.c, mapped_write.c) ------------------------ */

/* What a checker is told of a record: that it begins; its fields, rows first, when all of it is known
 * (those of its children came before); how it ended. */
enum mapped_end { RECORD_MADE, RECORD_REFUSED, RECORD_SKIPPED };
struct mapped_watch {
	void	(*begin)(void *ctx, const struct mapped_record *rec);
	void	(*field)(void *ctx, const struct mapped_record *rec, const struct map_row *row,
		    const json *cell, const char *remark);
	void	(*left)(void *ctx, const struct mapped_record *rec, const char *path, const json *value);
	void	(*end)(void *ctx, const struct mapped_record *rec, enum mapped_end how,
		    const struct err *why);
	void	*ctx;
};

int	mapped_read(const struct read_job *job, struct arena *mem, struct advisory *adv,
	    const struct mapped_watch *watch, struct err *e);
int	mapped_write(const struct write_job *job, struct arena *mem, struct strbuf *out,
	    struct err *e);

#endif
