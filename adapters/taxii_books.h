/*
 * taxii_books.h -- what a TAXII request and its answer tell the book of the consumer who asked.
 *
 * Owns:    the hashes of questions, the notes about an answer until it is written, 429 for who asks the
 *          same again and again.
 * Called:  by taxii_server.c (every request that is done) and by those who show pages.
 * Never:   counts an answer that was not written whole, or one of `tocsin consumer test`.
 */
#ifndef ADAPTERS_TAXII_BOOKS_H
#define ADAPTERS_TAXII_BOOKS_H

#include "adapters/taxii_request.h"

/* A page is asked for, as `key` tells. True: it was asked too often with the same answer, and is answered
 * 429. */
bool	taxii_books_slows(struct taxii_request *rq, struct slice key);
/* The query is read: note what is asked, so that the page can be told later. `poll`: a list of objects. */
void	taxii_books_asks(struct taxii_request *rq, bool poll);
/* This page is the answer; `again`: it was kept. */
void	taxii_books_shows(struct taxii_request *rq, struct taxii_page *p, bool again);
/* The answer is written; `ok`: whole. */
void	taxii_books_done(struct taxii_request *rq, int status, uint64_t bytes, bool ok);

#endif
