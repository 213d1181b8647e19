/*
 * taxii20_write.h -- the resources of TAXII 2.0, as text, where they differ from those of 2.1.
 *
 * Owns:    their JSON (reference/taxii.md 16).
 * Called:  by taxii20_read.c, taxii20_post.c.
 * Never:   decides what a reader may see.
 */
#ifndef ADAPTERS_TAXII20_WRITE_H
#define ADAPTERS_TAXII20_WRITE_H

#include "gateway/catalog.h"

struct strbuf;

void	taxii20_write_collection(struct strbuf *out, const struct catalog *c,
	    const struct collection_conf *col, const struct reader *r);
/* Lists of ids; failures with their reasons. */
void	taxii20_write_status(struct strbuf *out, const struct store_status *st);

/* A bundle: begin, objects, end. Its id follows from what identifies its content, so that the same page has
 * the same id. */
void	taxii20_write_next(struct strbuf *out, size_t rows);	/* here comes an object */
void	taxii20_write_object(struct strbuf *out, const struct store_row *row, size_t rows,
	    enum tlp_vocab vocab);
void	taxii20_write_bundle_end(struct strbuf *out, const uint8_t digest[32], bool empty_list);

/* A manifest: entries with their versions, newest first, between begin and end. */
void	taxii20_write_entry(struct strbuf *out, struct slice id, int64_t date_us,
	    const struct slice *versions, size_t n);
void	taxii20_write_manifest_end(struct strbuf *out, bool empty_list);

#endif
