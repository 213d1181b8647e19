/*
 * xml.h -- XML 1.0 with namespaces, strictly, and libxml2's doorman.
 *
 * Owns:    a small tree in the arena (elements, attributes, text; comments and PIs are left out), a
 *          parser that fills it from libxml2's SAX events, and the printers.
 * Called:  by formats that read or write XML. Nobody else includes libxml2.
 * Never:   reads a DTD, an entity, an XInclude, a schema location or anything else that is not in the
 *          input: every `<!` but comments and CDATA is refused before libxml2 sees a byte, and its
 *          entity loader always says no. Never any encoding but UTF-8.
 *
 * Text that is nothing but line breaks and indentation beside an element is left out of the tree.
 * Names are local names; `ns` is the namespace URI ("" for none). All slices end with a NUL that they
 * do not count.
 */
#ifndef FORMATS_XML_H
#define FORMATS_XML_H

#include "gateway/base/err.h"
#include "gateway/base/slice.h"

struct arena;
struct strbuf;

#define XML_NS_XML	"http://www.w3.org/XML/1998/namespace"
#define XML_NS_XSI	"http://www.w3.org/2001/XMLSchema-instance"

struct xml_limits {		/* 0 = the default in brackets */
	size_t		bytes;		/* of the input [64 MiB] */
	size_t		elements;	/* [200,000] */
	unsigned	depth;		/* of elements [64] */
	size_t		text_bytes;	/* of one run of text or attribute value [8 MiB] */
};

/* What a reader did with a node or attribute; 0 is "not looked at". */
enum xml_mark { XML_UNSEEN, XML_KEPT, XML_APPROXIMATED, XML_MOVED, XML_DROPPED };

struct xml_attr {
	struct slice	 name, ns, prefix, value;
	struct xml_attr	*next;
	enum xml_mark	 mark;
	const void	*made_of;	/* as in struct xml_node */
};

/* A namespace declaration written on an element; prefix "" is the default namespace. */
struct xml_decl {
	struct slice	 prefix, uri;
	struct xml_decl	*next;
};

struct xml_node {
	struct slice	 name;		/* local name; empty for a run of text */
	struct slice	 ns, prefix;
	struct slice	 text;		/* of a run of text */
	struct xml_attr	*attrs;
	struct xml_decl	*decls;
	struct xml_node	*parent, *first, *last, *next, *prev;
	uint32_t	 line, column;	/* of the start tag, 0 for built nodes */
	enum xml_mark	 mark;
	/* xml_path_text's memory: the number among equal names below that parent, while that had been
	 * changed so often. */
	const struct xml_node *ordinal_of;
	uint32_t	 ordinal, ordinal_at;
	uint32_t	 changes;	/* how often its children were */
	void		*user;		/* the reader's own note */
	const void	*made_of;	/* in a translated tree: what of the input it was; copies keep it */
};

/* Parse one document. Codes: ERR_SYNTAX, ERR_ENCODING, ERR_FORBIDDEN (DTD, entity, XInclude), ERR_DEPTH,
 * ERR_LIMIT, with line and column. `in` is not needed afterwards. */
int	xml_parse(struct slice in, const struct xml_limits *lim, struct arena *mem,
	    struct xml_node **root, struct err *e);

/* The same for many texts: what a parser needs is made once. Trees share the names of elements as long as
 * they go into one arena. */
struct xml_reader;
struct xml_reader	*xml_reader_new(struct arena *mem);
void	xml_reader_into(struct xml_reader *r, struct arena *mem);	/* from now on */
void	xml_reader_free(struct xml_reader *r);		/* NULL is fine; the trees stay */
int	xml_reader_parse(struct xml_reader *r, struct slice in, const struct xml_limits *lim,
	    struct xml_node **root, struct err *e);

/* The first start tag of a text, from '<' to '>' (or to the end of what there is), for sniffers. */
struct slice	 xml_root_tag(struct slice head);

/* Reading. NULL nodes are fine and give NULL / empty. */
static inline bool
xml_is_text(const struct xml_node *n)
{
	return n->name.n == 0;
}
bool	xml_is(const struct xml_node *n, const char *ns, const char *name);
/* First / next child element, any name. */
struct xml_node	*xml_child(const struct xml_node *n);
struct xml_node	*xml_sibling(const struct xml_node *n);
/* First child / next sibling of that name, in the namespace of the parent. */
struct xml_node	*xml_get(const struct xml_node *n, const char *name);
struct xml_node	*xml_more(const struct xml_node *n);	/* next of the same name and namespace */
/* First child of that name in that namespace. */
struct xml_node	*xml_get_ns(const struct xml_node *n, const char *ns, const char *name);
size_t		 xml_count(const struct xml_node *n, const char *name);
/* An attribute without namespace ("xml:lang" is understood); NULL if absent. */
struct xml_attr	*xml_attr(const struct xml_node *n, const char *name);
/* Its value, empty if absent. */
struct slice	 xml_value(const struct xml_node *n, const char *name);
/* All text below, in document order, as written (borrowed when it lies in one piece). */
struct slice	 xml_text(const struct xml_node *n, struct arena *mem);
/* The same, trimmed; and with inner runs of blanks made one blank. */
struct slice	 xml_text_trim(const struct xml_node *n, struct arena *mem);
struct slice	 xml_text_line(const struct xml_node *n, struct arena *mem);
struct slice	 xml_collapse(struct slice s, struct arena *mem);
/* "Contact[2]/Email[1]": the path of n below `top` (NULL: from the root's child on, so that an
 * Incident is "Incident[1]"). Ordinals count equal local names under one parent, from 1. */
const char	*xml_path_text(struct arena *mem, const struct xml_node *n,
		    const struct xml_node *top);
/* The node at such a path, NULL if there is none. "" is `top` itself. */
struct xml_node	*xml_at(const struct xml_node *top, struct slice path);
/* The place, for err_at. */
struct pos	 xml_pos(const struct xml_node *n);

/* Building. Everything is copied into the arena. Characters that XML cannot hold are replaced by
 * U+FFFD when printed. */
struct xml_node	*xml_new(struct arena *mem, const char *ns, const char *prefix, const char *name);
/* A new last child in the parent's namespace with the parent's prefix. */
struct xml_node	*xml_add(struct arena *mem, struct xml_node *parent, const char *name);
struct xml_node	*xml_add_text(struct arena *mem, struct xml_node *parent, struct slice text);
/* xml_add + xml_add_text. */
struct xml_node	*xml_add_leaf(struct arena *mem, struct xml_node *parent, const char *name,
		    struct slice text);
/* Set or replace an attribute ("xml:lang" is understood). */
void		 xml_set(struct arena *mem, struct xml_node *n, const char *name, struct slice v);
void		 xml_unset(struct xml_node *n, const char *name);
/* Set xsi:type; the prefix in the value has to be declared (xml_declare). */
void		 xml_set_type(struct arena *mem, struct xml_node *n, struct slice type);
void		 xml_declare(struct arena *mem, struct xml_node *n, const char *prefix,
		    const char *uri);
void		 xml_append(struct xml_node *parent, struct xml_node *child);
void		 xml_insert(struct xml_node *before, struct xml_node *child);
void		 xml_replace(struct xml_node *old, struct xml_node *with);
void		 xml_detach(struct xml_node *n);
struct xml_node	*xml_copy(struct arena *mem, const struct xml_node *n);	/* deep, no parent */

/* Printing. Namespaces are declared where they are first needed, and prefixes kept as they are. */
enum { XML_DECLARATION = 1, XML_PRETTY = 2 };	/* `<?xml ...?>`; line breaks and two blanks a level
						 * between elements, never inside mixed content */
void	xml_print(struct strbuf *out, const struct xml_node *n, int flags);
/* Canonical form of mapping.md 1.7: exclusive C14N without comments, text collapsed and trimmed,
 * elements for which `skip` says true left out (NULL: none). */
void	xml_print_canonical(struct strbuf *out, const struct xml_node *n,
	    bool (*skip)(const struct xml_node *n));
/* Let libxml2 take its memory as we do: a want of it ends the process. Before anything else of libxml2. */
void	xml_share_memory(void);
/* Version of libxml2: "20914" is 2.9.14. */
const char *xml_library(void);
/* Equality of mapping.md section 12: names, attributes in any order, children in order, text trimmed
 * and collapsed; prefixes and xsi:schemaLocation do not count. */
bool	xml_equal(const struct xml_node *a, const struct xml_node *b);

#endif
