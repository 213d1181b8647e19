/*
 * http_body.h -- the body of one request while it comes in, and as long as somebody needs it.
 *
 * Owns:    its bytes: small ones in memory, large ones in an unlinked file that is mapped when it is
 *          complete; the account of all bodies of a server, so that their sum has a limit.
 * Called:  by http_conn.c (fills it), taxii_post.c (takes it over).
 * Never:   writes to a mapped file again, gives a descriptor away that could, or leaves a byte of a
 *          body behind under a name: the file has none before the first byte is written.
 */
#ifndef ADAPTERS_HTTP_BODY_H
#define ADAPTERS_HTTP_BODY_H

#include <stdbool.h>
#include <stdint.h>

#include "gateway/base/digest.h"
#include "gateway/base/err.h"
#include "gateway/base/slice.h"

struct http_body;
struct http_bodies;

struct http_body_limits {
	uint64_t	in_memory;	/* a larger body goes to a file */
	uint64_t	all_in_memory;	/* of all bodies together; beyond, small ones go to files too */
	uint64_t	all_in_files;	/* beyond, a body is refused */
};

/* The account of a server. Without a folder (-1) everything stays in memory. */
struct http_bodies	*http_bodies_new(void);
/* Drops the server's hold; bodies that were taken keep theirs. */
void			 http_bodies_free(struct http_bodies *all);
void			 http_bodies_set_limits(struct http_bodies *all,
			    const struct http_body_limits *lim);
/* Open descriptor of the folder for the files (consumed; closes the one before). */
void			 http_bodies_set_folder(struct http_bodies *all, int folder);
/* Could a body of that many bytes (-1: not said) be kept now? */
bool			 http_bodies_fit(const struct http_bodies *all, int64_t declared);
uint64_t		 http_bodies_in_memory(const struct http_bodies *all);
uint64_t		 http_bodies_in_files(const struct http_bodies *all);

/* An empty body of `declared` bytes (-1: not said). */
struct http_body	*http_body_new(struct http_bodies *all, int64_t declared);
/* Append a piece. ERR_LIMIT (too much of all bodies together), ERR_IO (disk full, no descriptor). */
int			 http_body_add(struct http_body *b, struct slice piece, struct err *e);
/* It is complete: from now on http_body_slice is valid, until http_body_free. */
int			 http_body_end(struct http_body *b, struct err *e);
struct slice		 http_body_slice(const struct http_body *b);
/* Its SHA-256, after http_body_end; that of a file was counted while it came in. */
void			 http_body_sha256(const struct http_body *b, uint8_t out[SHA256_LEN]);
/* Read-only descriptor of the file with exactly these bytes; -1 if they are in memory. Open until
 * http_body_free. */
int			 http_body_fd(const struct http_body *b);
void			 http_body_free(struct http_body *b);	/* NULL is fine */

#endif
