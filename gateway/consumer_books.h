/*
 * consumer_books.h -- the books of this process about consumers, kept in the store.
 *
 *	request answered -> book_note -> (a second later) note "NAME WORKER" in space "consumer"
 *
 * Owns:    one book a consumer or peer of trust.conf that has asked something here; writing them down, at
 *          the latest a second after something happened; what an immediate repetition looks like.
 * Called:  by adapters that serve (taxii_books.c), admin_consumer.c and figures_look.c (all workers' books
 *          together).
 * Never:   makes a request wait for the store, nor keeps a book about a name that is not in trust.conf.
 */
#ifndef GATEWAY_CONSUMER_BOOKS_H
#define GATEWAY_CONSUMER_BOOKS_H

#include "gateway/consumer_book.h"

struct consumer_books;
struct gateway;

/* Continues where this worker stopped. */
struct consumer_books *consumer_books_new(struct gateway *g);
/* Gives the store what is not written yet: before store_close. */
void	consumer_books_write(struct consumer_books *bs);
void	consumer_books_free(struct consumer_books *bs);		/* NULL is fine */

/* A request of this consumer was answered; c->at_us is set here. */
void	consumer_books_note(struct consumer_books *bs, const char *name, struct book_call *c);
/* Somebody tried to log in under this name and could not. */
void	consumer_books_login(struct consumer_books *bs, const char *name, const char *remote);
/* Up to which date what was withheld has been counted; 0. */
int64_t	consumer_books_counted_us(struct consumer_books *bs, const char *name, int64_t track);
/* Should this question wait, because it was asked again and again and brought the same? 0, or for how
 * long, and why in words. `most`: this often is fine; 0: always. */
int64_t	consumer_books_wait_us(const struct consumer_books *bs, const char *name, int64_t ask,
	    uint64_t most, char *why, size_t cap);

/* What all workers know of this consumer, as far as they have written it down. Without books, nothing. */
void	consumer_books_look(struct consumer_books *bs, const char *name, struct book *out);

/* A hash for questions and tracks, the same in all workers. */
int64_t	consumer_hash(int64_t seed, struct slice s);

#endif
