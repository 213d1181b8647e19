/*
 * xml_scan.h -- where the children of a large document's root stand, without a tree.
 *
 *	<?xml ...?><R ...> <A>...</A> <A>...</A> <B/> </R>
 *	                  ^inside     each child: from, to  ^end
 *
 * Owns:    a cursor on the stack; it counts tags and knows comments, instructions, CDATA and quotes.
 * Called:  by formats that read a large document in pieces.
 * Never:   says that a document is good: it finds places, and xml.c judges every piece.
 */
#ifndef FORMATS_XML_SCAN_H
#define FORMATS_XML_SCAN_H

#include "gateway/base/slice.h"

struct xml_span {
	struct slice	root;		/* its name as written, with prefix */
	size_t		inside, end;	/* behind its start tag; where its end tag begins */
};

/* A child: its name without prefix, and its bytes. Return false to stop. */
typedef bool	xml_child_fn(void *arg, struct slice name, size_t from, size_t to);
/* Told every few megabytes how far it is; NULL is fine. */
typedef void	xml_passed_fn(void *arg, const char *place);

/* Go once through the text. False if it is no such document beyond doubt: a DTD, text beside the children,
 * tags that do not close; or fn said no. */
bool	xml_scan(struct slice text, struct xml_span *out, xml_child_fn *fn, void *arg,
	    xml_passed_fn *passed, void *passed_arg);

#endif
