/*
 * cybox_impl.h -- between the parts of the CybOX library.
 *
 * Owns:    struct cx, the one tree between CybOX and STIX, and the shape of the tables.
 * Called:  by cybox_*.c only.
 * Never:   used elsewhere.
 *
 *	elements --(tables)--> struct cx --> pattern  (cybox_pattern.c)
 *	                                 --> objects  (cybox_objects.c)
 *	pattern, objects    --> struct cx --(the same tables)--> elements  (cybox_write*.c)
 *
 * A struct cx looks like the JSON of an observable object of STIX 2.1 with what it refers to in the place
 * of the reference, and with a condition in the place of each value. So src_ref.value is a path in it, as
 * it is in a pattern.
 */
#ifndef FORMATS_CYBOX_IMPL_H
#define FORMATS_CYBOX_IMPL_H

#include "formats/cybox.h"
#include "gateway/base/arena.h"
#include "gateway/base/strbuf.h"

enum {
	CX_DEEP = 24,			/* compositions and references inside each other */
	CX_STEPS = 100000,		/* Observables, Objects and values met by one call */
	CX_STEPS_ALL = 1000000,		/* by all calls for one message */
	CX_VALUES = 100000,		/* in one list of values */
	CX_VALUES_STEP = 8		/* of these count as a step */
};

/* ---- the tree (cybox_tree.c) ------------------------------------------------------------------- */

/* One comparison. */
struct cx_test {
	enum pat_op	 op;		/* EQ, NE, LT, LE, GT, GE, IN, LIKE, MATCHES, ISSUBSET */
	bool		 negated;
	struct slice	*v;		/* as STIX writes them */
	size_t		 n;		/* several: IN */
};

enum cx_kind { CX_OBJECT, CX_LIST, CX_LEAF };

struct cx {
	enum cx_kind		 kind;
	struct slice		 name;		/* as a member; empty in lists */
	struct slice		 type;		/* CX_OBJECT that has an id of its own; else empty */
	bool			 any;		/* in a pattern its kids are alternatives */
	struct cx		*parent, *first, *last, *next;
	/* leaves */
	enum pat_literal_kind	 value;
	struct cx_test		*tests;
	size_t			 ntests;
	bool			 either;	/* any of the tests, not all */
	bool			 again;		/* what it was made of was taken over before */
	/* reading: what was taken over */
	struct xml_node		*from[3];
	struct xml_attr		*attr;
	/* writing */
	struct slice		 id;		/* of an object that came with one */
	const json		*json;		/* the leaf or reference it came from */
	bool			 done;
};

struct cx	*cx_object(struct arena *mem, const char *type);	/* NULL: no id of its own */
struct cx	*cx_member(const struct cx *o, struct slice name);
/* A new last child; the name is copied. */
struct cx	*cx_add(struct arena *mem, struct cx *parent, enum cx_kind kind, struct slice name);
void		 cx_remove(struct cx *child);
/* The node at "extensions.pdf-ext.version", NULL if there is none. Stops at a list. */
struct cx	*cx_find(const struct cx *o, const char *path);
/* Make it (and what is above it). A `*` behind a name is a list: a new item is made in it each time.
 * NULL where something else is there already. */
struct cx	*cx_make(struct arena *mem, struct cx *o, const char *path, enum cx_kind kind);
/* The type of what a reference is to, when only the name tells ("parent_ref" of a process). */
const char	*cx_ref_type(struct slice member);
bool		 cx_is_ref_name(struct slice name);
/* Give a leaf one value that it equals. */
void		 cx_equals(struct arena *mem, struct cx *leaf, enum pat_literal_kind kind,
		    struct slice v);
/* Its value if that is all it says, else NULL. */
const struct slice *cx_plain(const struct cx *leaf);
/* Leaves below. */
size_t		 cx_leaves(const struct cx *o);

/* ---- tables (cybox_table_*.c) ------------------------------------------------------------------ */

enum cx_codec {
	CXC_TEXT,		/* trimmed */
	CXC_EXACT,		/* as written */
	CXC_INT, CXC_FLOAT, CXC_BOOL, CXC_HEX, CXC_TIME, CXC_BASE64,
	CXC_HEXINT,		/* "0a00" is 2560 */
	CXC_HEXTIME,		/* seconds since 1970 in hex */
	CXC_LOWER,		/* lower case in STIX */
	CXC_FLAG,		/* true is the integer 1 */
	CXC_HTTP,		/* "get" here, "GET" there */
	CXC_PE_TYPE,		/* Executable is exe */
	CXC_MIME,		/* only what looks like a media type */
	CXC_CODECS
};

struct cx_reader;
struct cx_writer;
struct cx_row;

/* What a row cannot say by itself. */
struct cx_hook {
	/* `at` is the element the row's path leads to. */
	void	(*read)(struct cx_reader *rd, const struct cx_row *row, struct xml_node *at,
		    struct cx *into);
	/* Add to `props` what the object `from` says of the row's path; leaves that were said are done. */
	void	(*write)(struct cx_writer *w, const struct cx_row *row, struct cx *from,
		    struct xml_node *props);
};

enum {
	CXR_READ = 1,		/* not for writing */
	CXR_ANY = 2,		/* a list of alternatives */
	CXR_HASHED = 4		/* without hashes the schema has no place for it */
};

/* One element of a type, in the order of the schema. */
struct cx_row {
	/* Local names below Properties, "/" between; "Prefix:Name" where the namespace changes; "@name" for
	 * an attribute; "*" behind the last: it may repeat. "~Word" is a Related_Object. */
	const char		*xml;
	const char		*stix;	/* as cx_make; "" is the object itself */
	enum cx_codec		 codec;
	const struct cx_type	*sub;	/* the element has the content of that type */
	const struct cx_hook	*hook;
	unsigned		 flags;
};

struct cx_type {
	const char		*xsi;		/* "FileObjectType"; NULL: never in xsi:type */
	const char		*prefix;	/* "FileObj" */
	const char		*stix;		/* "file"; NULL: part of another, or a hook says */
	const struct cx_type	*base;		/* its rows come first */
	const struct cx_row	*rows;		/* ends with xml NULL */
	const char		*always;	/* "account_type=unix": said by the type alone */
	bool			 read_only;	/* not chosen when writing */
};

/* One line a row. */
#define ROW(x, s, c)		{ (x), (s), (c), NULL, NULL, 0 }
#define SUB(x, s, t)		{ (x), (s), CXC_TEXT, &(t), NULL, 0 }
#define HOOK(x, s, h)		{ (x), (s), CXC_TEXT, NULL, &(h), 0 }
#define ANY_SUB(x, s, t)	{ (x), (s), CXC_TEXT, &(t), NULL, CXR_ANY }
#define READ_ROW(x, s, c)	{ (x), (s), (c), NULL, NULL, CXR_READ }
#define READ_SUB(x, s, t)	{ (x), (s), CXC_TEXT, &(t), NULL, CXR_READ }
#define ROW_END			{ NULL, NULL, CXC_TEXT, NULL, NULL, 0 }

/* Of other files: rows name them as `sub`. */
extern const struct cx_type cx_address, cx_hostname, cx_uri, cx_file, cx_connection;
extern const struct cx_hook cx_hashes, cx_file_names;
extern const struct cx_type *const cx_file_types[], *const cx_net_types[], *const cx_traffic_types[],
    *const cx_mail_types[], *const cx_host_types[];

/* The type of an xsi:type ("FileObj:FileObjectType"), NULL if unknown. */
const struct cx_type	*cx_type_named(struct slice xsi);
/* The n-th type that can be written for that STIX type; NULL behind the last. */
const struct cx_type	*cx_type_for(struct slice stix, size_t n);
/* The namespace of a prefix of ours. */
const char		*cx_namespace(struct slice prefix);

/* ---- values (cybox_value.c) -------------------------------------------------------------------- */

/* What a codec makes of an element's text; false if it is no such value. *same: nothing was changed. */
bool			 cx_decode(struct arena *mem, enum cx_codec codec, struct slice in,
			    struct slice *out, bool *same);
bool			 cx_encode(struct arena *mem, enum cx_codec codec, struct slice in,
			    struct slice *out);
enum pat_literal_kind	 cx_literal(enum cx_codec codec);
/* "192.0.2.0/24" */
bool			 cx_is_network(struct arena *mem, struct slice s);
/* Text that a regular expression takes as it stands. */
struct slice		 cx_quote_regex(struct arena *mem, struct slice s);
/* LIKE "x%": the text without wildcards, and where they stood; false for any other form. */
enum cx_like { CX_LIKE_PLAIN, CX_LIKE_STARTS, CX_LIKE_ENDS, CX_LIKE_CONTAINS, CX_LIKE_OTHER };
enum cx_like		 cx_like_form(struct slice pattern, struct slice *text);

/* ---- reading (cybox_read.c, cybox_value.c) ------------------------------------------------------ */

struct cx_reader {
	const struct cybox_read	*job;
	struct arena		*mem;
	bool			 pattern;	/* else instances */
	bool			 left_out;	/* something of the object at hand was not taken over */
	unsigned		 deep;
	struct xml_node		*active[CX_DEEP];	/* Observables around the one at hand */
	size_t			 nactive;
	size_t			 steps;
	struct slice		 scope;		/* id of the Object or Observable at hand */
	struct xml_node		**complained;	/* told already */
	size_t			 ncomplained, complained_cap;
};

void		 cx_tell(struct cx_reader *rd, enum cybox_word w, struct xml_node *at, const char *what);
/* End of an object: tell what nobody looked at; true if there was something. */
bool		 cx_sweep(struct cx_reader *rd, struct xml_node *props);
/* Children by local name, in any namespace. */
struct xml_node	*cx_child(const struct xml_node *n, const char *name);
struct xml_node	*cx_again(const struct xml_node *n);	/* next of the same name */
/* The element itself or, if it is only an object_reference or idref, the Properties it names. */
struct xml_node	*cx_follow(struct cx_reader *rd, struct xml_node *n);
/* The element at "A/B" below n; NULL. */
struct xml_node	*cx_walk(struct cx_reader *rd, struct xml_node *n, const char *path);
struct slice	 cx_xsi_type(const struct xml_node *n);
struct xml_node	*cx_properties(const struct xml_node *object);
void		 cx_mark(struct xml_node *n, enum xml_mark mark);
/* Take a value with its condition over as a leaf; NULL (told, and left_out) if it cannot be said. */
struct cx	*cx_take(struct cx_reader *rd, struct cx *into, const char *path, enum cx_codec codec,
		    struct xml_node *el);
struct cx	*cx_take_attr(struct cx_reader *rd, struct cx *into, const char *path,
		    enum cx_codec codec, struct xml_node *el, struct xml_attr *a);
/* The same without a place in the tree yet: a leaf on its own. */
struct cx	*cx_value(struct cx_reader *rd, enum cx_codec codec, struct xml_node *el);
/* Does it say apply_condition="ALL"? */
bool		 cx_applies_all(const struct xml_node *el);
/* Undo the marks of every leaf below. */
void		 cx_unmark(struct cx *o);
/* Read the rows of a type from an element. */
void		 cx_read_type(struct cx_reader *rd, const struct cx_type *type, struct xml_node *props,
		    struct cx *into);
/* Observables, Objects, Related_Objects (cybox_observe.c). Count one; false (told) when it is too much
 * or too deep. */
bool		 cx_step(struct cx_reader *rd, struct xml_node *n);
/* What an idref leads to, or the element itself; NULL (told) if nowhere. */
struct xml_node	*cx_refer(struct cx_reader *rd, struct xml_node *n);
/* Put a Related_Object into the property of o that holds such; false if there is none for it. */
bool		 cx_read_related(struct cx_reader *rd, struct xml_node *related, struct cx *o);
/* The property ("contains_refs*") of objects of that type for that relationship; NULL. */
const struct cx_row *cx_related_row(struct slice type, struct slice relationship);
bool		 cx_row_holds(const struct cx_row *row, struct slice type);
/* It has no object at all. */
void		 cx_tell_empty(struct cx_reader *rd, struct xml_node *n);
void		 cx_mark_relationship(struct xml_node *related, enum xml_mark mark);
/* Move the content of one object into another. */
void		 cx_adopt(struct cx *into, struct cx *from);
/* Undo all marks of an element and below. */
void		 cx_unmark_below(struct xml_node *n);
/* What cx_file_names does, for any element that names a file: NULL for what there is not. */
void		 cx_read_file_names(struct cx_reader *rd, struct xml_node *name, struct xml_node *path,
		    struct xml_node *full, struct xml_node *ending, struct cx *file);
/* Let a leaf say what another says besides; false if they cannot be one. */
bool		 cx_add_tests(struct arena *mem, struct cx *leaf, const struct cx *other);
/* Put a leaf on its own at a place; NULL (told) if something is there. */
struct cx	*cx_place(struct cx_reader *rd, struct cx *into, const char *path, struct cx *leaf);
/* Properties -> object; NULL (told) if it has no type we know, or says nothing we can say. */
struct cx	*cx_read_properties(struct cx_reader *rd, struct xml_node *props);

/* ---- writing (cybox_write.c) -------------------------------------------------------------------- */

struct cx_writer {
	const struct cybox_write *job;
	struct arena		*mem;
	bool			 pattern;	/* conditions are written */
	bool			 all;		/* values of a list that apply together */
	bool			 dry;		/* only to see what can be said */
	bool			 respelled;	/* a literal was of another kind or case */
	const char		*prefix;	/* of the type at hand */
	struct xml_node		*related;	/* Related_Objects of the object at hand; NULL: none yet */
	struct xml_node		*object;	/* the Object at hand */
	unsigned		 deep;
	size_t			 inlined;	/* related objects given an id of their own */
	struct slice		 key;
};

/* The element at a path below el, made where it is not there; the last step always if it repeats. */
struct xml_node	*cx_element(struct cx_writer *w, struct xml_node *el, const char *path);
/* Write a leaf there; false, and nothing written, if one element cannot say it. */
bool		 cx_put(struct cx_writer *w, struct xml_node *el, const char *path,
		    enum cx_codec codec, struct cx *leaf);
/* The same for text that says a leaf in part: no condition. */
struct xml_node	*cx_put_text(struct cx_writer *w, struct xml_node *el, const char *path,
		    struct slice text);
void		 cx_set_vocabulary(struct cx_writer *w, struct xml_node *el, const char *name);
void		 cx_write_type(struct cx_writer *w, const struct cx_type *type, struct cx *from,
		    struct xml_node *el);
/* Properties and Related_Objects into an Object; false if nothing can be said. */
bool		 cx_write_object(struct cx_writer *w, struct cx *o, struct xml_node *object);
/* Write an object as Related_Object (or refer to it); its id, empty if it cannot be written. */
struct slice	 cx_write_related(struct cx_writer *w, struct cx *o, const char *relationship);

/* ---- what an object must have (cybox_complete.c) ----------------------------------------------- */

/* Is a string of that text in the list? */
bool	cx_has_string(const json *list, struct slice text);
/* Say that a part was not taken over after all. */
void	cx_give_up(struct cx_reader *rd, struct cx *part, const char *what);
/* Nothing of the object can be told without what the standard requires. */
bool	cx_is_complete(const json *o);
/* What the standard requires and CybOX implies. */
void	cx_complete(struct cx_reader *rd, json *tree);
/* Extensions without what they require are left out: a peer would refuse the object. */
void	cx_drop_extensions(struct cx_reader *rd, struct cx *o, json *tree);
/* An executable is one of three kinds; without its Type the name's ending tells. */
void	cx_imply_pe_type(struct arena *mem, json *tree);

#endif
