/*
 * taxii_resources.h -- what a TAXII server says of itself, read tolerantly and within tight limits.
 *
 * Owns:    the readers of discovery, API root, collections, status and error resources, 2.1 and 2.0; how a
 *          page is looked at without being read.
 * Called:  by taxii_client.c; fuzz_taxii_resources.c.
 * Never:   trusts a number or a list: everything is bounded, what makes no sense is absent or an error.
 *          Never reads objects: of a page it walks over the text once (json_walk), to see how many items
 *          there are and what stands beside them. The cage reads them.
 */
#ifndef ADAPTERS_TAXII_RESOURCES_H
#define ADAPTERS_TAXII_RESOURCES_H

#include "adapters/taxii_client.h"

struct arena;
struct http1_head;

enum { TAXII_RESOURCE_MAX = 16 << 20, TAXII_TOKEN_MAX = 4096, TAXII_ROOTS_MAX = 64,
	TAXII_COLLECTIONS_MAX = 20000 };

struct taxii_discovery {
	const char	*title;
	const struct slice *roots;	/* as listed */
	size_t		 nroots;
	struct slice	 first;		/* `default`, or the only one; empty: several, and none is named */
};
struct taxii_root {
	const char	*title;
	bool		 is_discovery;	/* it is a discovery resource that lies at this address */
	bool		 has_21, has_20;	/* by `versions`; none listed: both false */
	uint64_t	 max_content;	/* 0: not said */
};

/* All: -1 and *e (one sentence) if the text is none. Everything lies in `mem`. */
int	taxii_read_discovery(struct slice body, struct arena *mem, struct taxii_discovery *out,
	    struct err *e);
int	taxii_read_root(struct slice body, struct arena *mem, struct taxii_root *out, struct err *e);
/* A list of collections, or a single one. */
int	taxii_read_collections(struct slice body, struct arena *mem, const struct taxii_collection **out,
	    size_t *n, struct err *e);
int	taxii_read_status(struct slice body, struct arena *mem, struct taxii_status *out, struct err *e);
/* What may stand in a line for people: what moves a cursor or hides text becomes a blank, and it has an
 * end. */
const char	*taxii_printable(struct slice s, size_t max, struct arena *mem);
/* title and description of an error resource, made printable; what else the body begins with; or "". */
const char *taxii_read_error(struct slice body, struct arena *mem);
/* The collection that is meant: by id, else by alias, else by title; NULL `wanted`: the only one.
 * NULL and *e, which names what there is. */
const struct taxii_collection *taxii_choose(const struct taxii_collection *v, size_t n, const char *wanted,
	    struct err *e);

/* An envelope or a bundle, looked at. -1 and *e if it is no JSON object with a list or without. */
int	taxii_look_page(struct slice body, struct arena *mem, struct taxii_page *out, struct err *e);
/* The date headers, and with 2.0 Content-Range, into the page. */
void	taxii_look_headers(const struct http1_head *h, enum taxii_version version, struct taxii_page *page);
/* "items 0-49/500": all three (total -1 for *); false if it is none. */
bool	taxii_read_range(struct slice text, int64_t *first, int64_t *last, int64_t *total);
/* Seconds or an HTTP date, as microseconds from `now_us`; 0 if it is neither. At most a day. */
int64_t	taxii_read_retry_after(struct slice text, int64_t now_us);
/* "Sat, 03 Feb 2024 04:05:06 GMT" as microseconds since 1970; 0 if it is none. */
int64_t	taxii_read_date(struct slice text);

#endif
