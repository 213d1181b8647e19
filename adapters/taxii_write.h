/*
 * taxii_write.h -- the resources of TAXII 2.1, as text (reference/taxii.md 7).
 *
 * Owns:    their JSON.
 * Called:  by taxii_server.c.
 * Never:   decides what a reader may see.
 */
#ifndef ADAPTERS_TAXII_WRITE_H
#define ADAPTERS_TAXII_WRITE_H

#include "gateway/catalog.h"

struct strbuf;

/* The API roots that this reader may see, the first of them as default. `host` as the client named us, for
 * a node without `url`; may be empty. */
/* ,"name":"value" (no comma behind an opening brace) */
void	taxii_write_text(struct strbuf *out, const char *name, struct slice value);
void	taxii_write_discovery(struct strbuf *out, const struct config *conf, const struct catalog *c,
	    const struct reader *r, struct slice host);
/* `version`: the one that the family speaks, in its words. */
void	taxii_write_root(struct strbuf *out, const struct config *conf, const struct root_conf *root,
	    const char *version);
void	taxii_write_collection(struct strbuf *out, const struct catalog *c,
	    const struct collection_conf *col, const struct reader *r);

/* A page, row by row: an envelope, a manifest, a list of versions. */
enum taxii_page_kind { PAGE_OBJECTS, PAGE_MANIFEST, PAGE_VERSIONS };
/* `rows`: as many there may be; `out` is empty before the first. */
void	taxii_write_row(struct strbuf *out, enum taxii_page_kind kind, const struct store_row *row,
	    size_t rows, enum tlp_vocab vocab);
/* next NULL: nothing is left. `empty_list`: for clients that break where a list is left out. */
void	taxii_write_end(struct strbuf *out, enum taxii_page_kind kind, const char *next,
	    bool empty_list);
/* What a status says in every version, from its brace to the counts; the lists and a brace follow. */
void	taxii_write_counts(struct strbuf *out, const struct store_status *st);
void	taxii_write_status(struct strbuf *out, const struct store_status *st);
void	taxii_write_error(struct strbuf *out, int status, const char *title, const char *detail,
	    const char *request_id);

#endif
